"""Which parameters are read without FastAPI's help, and the proof that it makes no difference.

Plain scalars and lists in path, query, header and cookies have a fast path. A kind of parameter
is used on it only after it gave, once in this process, what the installed FastAPI's own function
gives for made-up fields and requests of that kind. All else falls back to FastAPI.
"""

from __future__ import annotations

import logging
from typing import Any

from .. import _core_py, _fastapi
from .._core_py import CONSTANT, ERROR, FACTORY, FASTAPI, HEADER
from .._messages import logger, notices, say
from .kinds import Kind, is_immutable, kind_of
from .made_up import is_default_plain, made_up_fields, made_up_requests, missing_error


def parameter(source: int, field: Any, core: Any, reading: _fastapi.OwnCode) -> Any:
    """Make the fast form of one of FastAPI's fields.

    Parameters:
        source: PATH, QUERY, HEADER or COOKIE.
        field: FastAPI's `ModelField`.
        core: the core whose `Param` it is to be.
        reading: what reads it, all of it FastAPI's own.

    Returns:
        A `Param`, or None if FastAPI's own function has to read this parameter.
    """
    known = _fastapi.field_of(source, field)
    kind = None if known is None else kind_of(source, known)
    if known is None or kind is None or not _is_proven(kind, reading):
        return None
    return _make(kind, known, core)


def is_repeatable(param: Any) -> bool:
    """Say whether reading this parameter runs no code of the user's."""
    return bool(param.convert != FASTAPI and param.if_missing != FACTORY)


def _make(kind: Kind, known: _fastapi.Field, core: Any) -> Any:
    info = known.info
    default: Any = None
    missing: dict[str, Any] | None = None
    if kind.if_missing == ERROR:
        missing = missing_error() | {"loc": known.loc}
    elif is_default_plain():
        default = info.default if kind.if_missing == CONSTANT else None
    elif kind.if_missing == FACTORY or kind.convert == FASTAPI:
        # To 0.147 FastAPI validates defaults, and asks for one more than once: with code of the
        # user's.
        return None
    else:
        found, wrong = _fastapi.extract_nothing(kind.source, known.field)
        default = found.get(known.name)
        if wrong or not is_immutable(default):
            return None
    return core.Param(
        name=known.name,
        key=known.alias.lower() if kind.source == HEADER else known.alias,
        loc=known.loc,
        many=kind.many,
        if_missing=kind.if_missing,
        default=default,
        missing=missing,
        convert=kind.convert,
        validate=known.validator.validate_python,
        field=known.field,
        info=info,
    )


_proven: dict[Kind, bool] = {}


def _is_proven(kind: Kind, reading: _fastapi.OwnCode) -> bool:
    known = _proven.get(kind)
    if known is None:
        known = _prove(kind)
        if not reading.is_as_seen():  # it was another one that was asked; the plan watches that
            missing_error.cache_clear()
            is_default_plain.cache_clear()
            return known
        _proven[kind] = known
        if not known:
            notices.say_once(
                "FastAPI %s reads %s in another way than fastapi-async-safe: such parameters fall "
                "back to FastAPI's own function",
                _fastapi.VERSION,
                kind,
            )
    return known


def _prove(kind: Kind) -> bool:
    try:
        return all(_agree(kind, field) for field in made_up_fields(kind))
    except Exception as error:
        text = "comparison with FastAPI %s failed"
        say(logger, logging.DEBUG, text, _fastapi.VERSION, error=error)
        return False


def _agree(kind: Kind, field: Any) -> bool:
    known = _fastapi.field_of(kind.source, field)
    if known is None or kind_of(kind.source, known) != kind:
        raise ValueError(f"made-up field {field!r} is not of {kind}")
    param = _make(kind, known, _core_py)
    if param is None:
        return True
    for received in made_up_requests(kind, known.alias):
        found, wrong = _fastapi.extract_from([field], received)
        values: dict[str, Any] = {}
        errors: list[Any] = []
        _core_py.extract((param,), received, values, errors)
        # By their text: equal values may be of different types, and errors may hold exceptions,
        # which equal nothing but themselves.
        if repr((values, errors)) != repr((found, wrong)):
            return False
    return True
