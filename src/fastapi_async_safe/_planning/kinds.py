"""Kinds of parameters: what a field of FastAPI's is like, as far as its fast path depends on it."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any, NamedTuple

from pydantic.fields import FieldInfo
from pydantic_core import SchemaValidator

from .. import _fastapi
from .._core_py import (
    CONSTANT,
    ERROR,
    FACTORY,
    FASTAPI,
    FLOAT,
    HEADER,
    INT,
    PYDANTIC,
    QUERY,
    TEXT,
)

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


class Kind(NamedTuple):
    source: int
    many: bool
    if_missing: int
    convert: int


def kind_of(source: int, known: _fastapi.Field) -> Kind | None:
    info, alias = known.info, known.alias
    if not isinstance(alias, str) or not alias or info.alias not in (None, alias):
        return None
    if info.validation_alias not in (None, alias) or info.validate_default:
        return None
    if source == HEADER and not alias.isascii():
        return None
    if known.many and source not in (QUERY, HEADER):
        return None
    schema = known.schema
    if not isinstance(schema, dict) or type(known.validator) is not SchemaValidator:
        return None
    if_missing = _if_missing(info)
    if not _is_plain(schema):
        return Kind(source, known.many, if_missing, FASTAPI) if _is_scalar_like(schema) else None
    return Kind(source, known.many, if_missing, _convert(schema, known.many))


def _if_missing(info: FieldInfo) -> int:
    if info.is_required():
        return ERROR
    if info.default_factory is None and is_immutable(info.default):
        return CONSTANT
    return FACTORY


def is_immutable(value: Any) -> bool:
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
        return PYDANTIC
    meaning = {key: value for key, value in schema.items() if key not in ("metadata", "ref")}
    if meaning == {"type": "str"}:
        return TEXT
    if meaning == {"type": "int"}:
        return INT
    if meaning == {"type": "float"}:
        return FLOAT
    return PYDANTIC
