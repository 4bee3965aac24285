"""Which parameters are read without FastAPI's help, and the proof that it makes no difference.

Plain scalars and lists in path, query, header and cookies have a fast path. A kind of parameter
is used on it only after it gave, once in this process, what the installed FastAPI's own function
gives for made-up fields and requests of that kind. All else is left to FastAPI.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable, Iterable
from functools import cache
from inspect import Parameter, Signature
from typing import Annotated, Any, Literal, NamedTuple

from annotated_types import Ge, MaxLen
from fastapi import Cookie, Header, Path, Query
from pydantic import AfterValidator
from pydantic_core import SchemaValidator
from starlette.datastructures import Headers, QueryParams

from . import _core_py, _fastapi
from ._core_py import (
    DECIMAL,
    DIGITS,
    FIELD,
    FRESH,
    HEADER,
    PATH,
    QUERY,
    REQUIRED,
    SCHEMA,
    SHARED,
    TEXT,
)

logger = logging.getLogger("fastapi_async_safe")

# Core schemas that run no code of the user's: validating twice is the same as once.
_PLAIN_SCHEMAS = frozenset(
    {
        "bool",
        "bytes",
        "date",
        "datetime",
        "decimal",
        "default",
        "enum",
        "float",
        "frozenset",
        "int",
        "list",
        "literal",
        "none",
        "nullable",
        "set",
        "str",
        "time",
        "timedelta",
        "tuple",
        "union",
        "url",
        "uuid",
    }
)
_IMMUTABLE = (type(None), bool, int, float, complex, str, bytes)


class _Kind(NamedTuple):
    source: int
    many: bool
    otherwise: int
    convert: int


def parameter(source: int, field: Any, core: Any) -> Any:
    """Make the fast form of one of FastAPI's fields.

    Parameters:
        source: PATH, QUERY, HEADER or COOKIE.
        field: FastAPI's `ModelField`.
        core: the core whose `Param` it is to be.

    Returns:
        A `Param`, or None if FastAPI's own function has to read this parameter.
    """
    kind = _kind_of(source, field)
    if kind is None or not _is_proven(kind):
        return None
    # To 0.147 FastAPI validates defaults, and asks for one more than once.
    return _make(kind, field, core)


def is_repeatable(param: Any) -> bool:
    """Say whether reading this parameter again for the same request shows nobody anything."""
    return bool(param.convert != FIELD and param.otherwise != FRESH)


def _make(kind: _Kind, field: Any, core: Any) -> Any:
    loc = (field.field_info.in_.value, field.alias)
    default: Any = None
    missing: dict[str, Any] | None = None
    if kind.otherwise == REQUIRED:
        missing = _missing_error() | {"loc": loc}
    elif _is_default_plain():
        default = field.field_info.default if kind.otherwise == SHARED else None
    elif kind.otherwise == FRESH or kind.convert == FIELD:
        return None  # code of the user's would run more than once
    else:
        found, wrong = _fastapi.extract_nothing(kind.source, field)
        default = found.get(field.name)
        if wrong or not _is_immutable(default):
            return None
    return core.Param(
        name=field.name,
        key=field.alias.lower() if kind.source == HEADER else field.alias,
        loc=loc,
        many=kind.many,
        otherwise=kind.otherwise,
        default=default,
        missing=missing,
        convert=kind.convert,
        validate=_fastapi.schema_of(field)[1].validate_python,
        field=field,
    )


def _kind_of(source: int, field: Any) -> _Kind | None:
    info = field.field_info
    alias = field.alias
    if not _fastapi.is_known_parameter(source, field) or getattr(field, "config", None):
        return None
    if not isinstance(alias, str) or not alias or info.alias not in (None, alias):
        return None
    if info.validation_alias not in (None, alias) or info.validate_default:
        return None
    if source == HEADER and not alias.isascii():
        return None
    many = _fastapi.is_sequence_field(field)
    if many and source not in (QUERY, HEADER):
        return None
    schema, validator = _fastapi.schema_of(field)
    if not isinstance(schema, dict) or type(validator) is not SchemaValidator:
        return None
    otherwise = _otherwise(info)
    if not _is_plain(schema):
        return _Kind(source, many, otherwise, FIELD) if _is_scalar_like(schema) else None
    return _Kind(source, many, otherwise, _convert(schema, many))


def _otherwise(info: Any) -> int:
    if info.is_required():
        return REQUIRED
    if info.default_factory is None and _is_immutable(info.default):
        return SHARED
    return FRESH


def _is_immutable(value: Any) -> bool:
    return type(value) in _IMMUTABLE or isinstance(value, enum.Enum)


def _is_plain(schema: Any) -> bool:
    """Say whether no code of the user's runs in validation by this core schema."""
    if schema["type"] not in _PLAIN_SCHEMAS:
        return False
    if schema["type"] == "enum" and schema.get("missing") is not None:
        return False
    return all(_is_plain(part) for part in _parts(schema))


def _parts(schema: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for key in ("schema", "items_schema"):
        part = schema.get(key)
        if isinstance(part, dict):
            yield part
        elif isinstance(part, list):  # of a tuple
            yield from part
    for choice in schema.get("choices", ()):
        yield choice[0] if isinstance(choice, tuple) else choice


def _is_scalar_like(schema: dict[str, Any]) -> bool:
    """Say whether this schema, which is not plain, is one with functions around a plain one."""
    if schema["type"].startswith("function-"):
        inner = schema.get("schema")
        return inner is not None and _is_scalar_like(inner)
    if schema["type"] == "enum":
        return True
    if schema["type"] not in _PLAIN_SCHEMAS:
        return False
    return all(_is_scalar_like(part) for part in _parts(schema))


def _convert(schema: dict[str, Any], many: bool) -> int:
    while schema["type"] in ("default", "nullable"):
        schema = schema["schema"]
    if many:
        return SCHEMA
    meaning = {key: value for key, value in schema.items() if key not in ("metadata", "ref")}
    if meaning == {"type": "str"}:
        return TEXT
    if meaning == {"type": "int"}:
        return DIGITS
    if meaning == {"type": "float"}:
        return DECIMAL
    return SCHEMA


# ---- the proof --------------------------------------------------------------------------------

_proven: dict[_Kind, bool] = {}


@cache
def _missing_error() -> dict[str, Any]:
    """Give the error of the installed FastAPI for a parameter that is not there, at some place."""
    field = _made_up_field(_Kind(QUERY, False, REQUIRED, TEXT), str, Query, None)
    _, (error,) = _fastapi.extract_nothing(QUERY, field)
    return dict(error)


@cache
def _is_default_plain() -> bool:
    """Say whether the installed FastAPI gives a default as it is, made once, without validating it.

    It does from 0.148; before, it validated defaults and made those of a factory twice.
    """
    made: list[str] = []

    def make() -> str:
        made.append("made up")
        return "made up"

    fresh = _made_up_field(_Kind(QUERY, False, FRESH, DIGITS), int, Query, None, default=make)
    if _fastapi.extract_nothing(QUERY, fresh) != ({fresh.name: "made up"}, []) or len(made) != 1:
        return False
    for default in ("made up", "7", 7, 7.5, True, None):
        shared = _Kind(QUERY, False, SHARED, DIGITS)
        field = _made_up_field(shared, int, Query, None, default=default)
        found, wrong = _fastapi.extract_nothing(QUERY, field)
        if wrong or found.get(field.name, ...) is not default:
            return False
    return True


def _is_proven(kind: _Kind) -> bool:
    known = _proven.get(kind)
    if known is None:
        known = _proven[kind] = _prove(kind)
        if not known:
            logger.warning(
                "FastAPI %s reads %s differently from what is known here; such parameters are "
                "left to FastAPI",
                _fastapi.VERSION,
                kind,
            )
    return known


def _prove(kind: _Kind) -> bool:
    try:
        return all(_agree(kind, field) for field in _made_up_fields(kind))
    except Exception:
        logger.debug("comparison with FastAPI %s failed", _fastapi.VERSION, exc_info=True)
        return False


def _agree(kind: _Kind, field: Any) -> bool:
    if _kind_of(kind.source, field) != kind:
        raise ValueError(f"made-up field {field!r} is not of {kind}")
    param = _make(kind, field, _core_py)
    if param is None:
        return True
    for received, scalars, lists in _made_up_requests(kind, field.alias):
        found, wrong = _fastapi.extract_from([field], received)
        values: dict[str, Any] = {}
        errors: list[Any] = []
        _core_py.extract((param,), scalars, lists, values, errors)
        # By their text: equal values may be of different types, and errors may hold exceptions,
        # which equal nothing but themselves.
        if repr((values, errors)) != repr((found, wrong)):
            return False
    return True


def _made_up_fields(kind: _Kind) -> Iterable[Any]:
    marker: Callable[..., Any] = (Path, Query, Header, Cookie)[kind.source]
    annotations: dict[int, list[Any]] = {
        TEXT: [str, str | None],
        DIGITS: [int, int | None],
        DECIMAL: [float, float | None],
        SCHEMA: [Annotated[int, Ge(1)], Literal["a", "1"], Annotated[str, MaxLen(2)] | None],
        FIELD: [
            Annotated[str, AfterValidator(str.upper)],
            Annotated[int, AfterValidator(_positive)],
        ],
    }
    for annotation in annotations[kind.convert]:
        for alias in (None, "other-Name"):
            yield _made_up_field(
                kind,
                annotation,
                marker,
                alias,
                default=None if kind.otherwise == SHARED else _made_up_default,
            )


def _positive(value: int) -> int:
    if value < 1:
        raise ValueError("must be positive")
    return value


def _made_up_field(
    kind: _Kind,
    annotation: Any,
    marker: Callable[..., Any],
    alias: str | None,
    default: Any = None,
) -> Any:
    options: dict[str, Any] = {} if alias is None else {"alias": alias}
    if kind.otherwise == FRESH:
        options["default_factory"] = default
    name = "made_up"
    kept: Any = list[annotation] if kind.many else annotation
    declared = Parameter(
        name,
        Parameter.KEYWORD_ONLY,
        default=default if kind.otherwise == SHARED else Parameter.empty,
        annotation=Annotated[kept, marker(**options)],
    )

    def call(**values: Any) -> None: ...

    call.__signature__ = Signature([declared])  # type: ignore[attr-defined]
    path = "/{made_up}" if kind.source == PATH else "/"
    (field,) = _fastapi.fields_of(path, call, kind.source)
    return field


def _made_up_default() -> list[str]:
    return ["made", "up"]


def _made_up_requests(kind: _Kind, alias: str) -> Iterable[tuple[Any, Any, Any]]:
    texts = [[], [""], ["1"], ["x"], ["007"], ["-3"], [" 4 "], ["a", "1"], ["a b&ü%"], ["9" * 30]]
    texts += [["2.5"], ["1e3"], [".5"], ["1_0.0"], ["nan"]]
    for found in texts:
        if kind.source == QUERY:
            received: Any = QueryParams([(alias, text) for text in found] + [("else", "1")])
            scalars: Any = {alias: found[-1]} if found else {}
        elif kind.source == HEADER:
            alias = alias.lower()
            key = alias.encode("latin-1")
            received = Headers(raw=[(key, text.encode("latin-1")) for text in found])
            scalars = {alias: found[0]} if found else {}
        else:
            received = scalars = {alias: found[-1]} if found else {}
        yield received, scalars, {alias: list(found)} if found else {}
