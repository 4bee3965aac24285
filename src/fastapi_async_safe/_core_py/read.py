"""Reading parameters: query strings, headers and cookies of the raw request, and their values."""

from __future__ import annotations

from copy import deepcopy
from typing import Any
from urllib.parse import unquote_plus

from pydantic_core import ValidationError

from .. import _fastapi
from .plan import FIELD, SHARED, TEXT, Param


def scan_query(query: bytes, names: dict[str, bool]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Read the wanted names of a query string, as Starlette's `QueryParams` reads them.

    Parameters:
        query: as it stands in the ASGI scope.
        names: the wanted names, to whether all their values are wanted or only the last.

    Returns:
        The last value by name, and all values by name of those where all are wanted.
    """
    scalars: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    if query:
        # PERF: a third of the time of `parse_qsl`, of which this is the part that Starlette uses.
        for pair in query.decode("latin-1").split("&"):
            name, _, value = pair.partition("=")
            if "%" in pair or "+" in pair:
                name, value = unquote_plus(name), unquote_plus(value)
            many = names.get(name)
            if many is None or not pair:
                continue
            scalars[name] = value
            if many:
                lists.setdefault(name, []).append(value)
    return scalars, lists


def _bytes_of(key: Any) -> bytes:
    return bytes(key) if isinstance(key, (bytearray, memoryview)) else b""


def scan_headers(
    headers: Any, names: dict[bytes, tuple[str, bool]]
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Read the wanted headers, as Starlette's `Headers` reads them.

    Parameters:
        headers: pairs of lower-case name and value, as they stand in the ASGI scope.
        names: the wanted names, to the same as text and whether all their values are wanted.

    Returns:
        The first value by name, and all values by name of those where all are wanted.
    """
    scalars: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for key, value in headers:
        # Some servers have other things than bytes there, which have no hash.
        wanted = names.get(key if type(key) is bytes else _bytes_of(key))
        if wanted is None:
            continue
        name, many = wanted
        text = value.decode("latin-1")
        scalars.setdefault(name, text)
        if many:
            lists.setdefault(name, []).append(text)
    return scalars, lists


def scan_cookies(headers: list[Any], names: frozenset[str]) -> dict[str, str] | None:
    """Read the wanted cookies, as Starlette's `HTTPConnection.cookies` reads them.

    Parameters:
        headers: pairs of lower-case name and value, as they stand in the ASGI scope.
        names: the wanted names.

    Returns:
        The last value by name; None for Starlette to read what is seldom: cookies in several
        headers, with quotes, or with other characters than those of ASCII.
    """
    found: bytes | None = None
    for pair in headers:
        if type(pair) not in (tuple, list) or len(pair) != 2:
            return None
        key, value = pair
        if type(key) is not bytes or key == b"cookie":
            if type(key) is not bytes or type(value) is not bytes or found is not None:
                return None
            found = value
    cookies: dict[str, str] = {}
    if found is None:
        return cookies
    if b'"' in found or not found.isascii():
        return None
    for chunk in found.decode("ascii").split(";"):
        name, equals, text = chunk.partition("=")
        if not equals:
            name, text = "", chunk
        name, text = name.strip(), text.strip()
        if name in names and (name or text):
            cookies[name] = text
    return cookies


def extract(
    params: tuple[Param, ...],
    scalars: Any,
    lists: Any,
    values: dict[str, Any],
    errors: list[Any],
) -> None:
    """Put the value of each parameter into `values`, and what is wrong with it into `errors`."""
    for param in params:
        raw = lists.get(param.key) if param.many else scalars.get(param.key)
        if raw is None:
            if param.otherwise == SHARED:
                values[param.name] = param.default
            elif param.missing is not None:
                errors.append(param.missing.copy())
            else:
                values[param.name] = deepcopy(param.field.default)
        elif param.convert == TEXT and type(raw) is str:
            values[param.name] = raw
        elif param.convert == FIELD:
            value, found = _fastapi.explain(param.field, raw, param.loc)
            if found:
                errors.extend(found)
            else:
                values[param.name] = value
        else:
            try:
                values[param.name] = param.validate(raw)
            except ValidationError:
                errors.extend(_fastapi.explain(param.field, raw, param.loc)[1])
