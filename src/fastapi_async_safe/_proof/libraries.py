"""Classes whose instances are made by compiled code of pydantic or msgspec."""

from __future__ import annotations

import ast
import datetime as dt
import enum
import re
import sys
import uuid
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from pydantic import BaseModel
from pydantic_core import SchemaValidator

from .analysis import Frame
from .lookup import ABSENT, dict_of, find, is_one_of, name_of
from .values import Held, Known, Value, is_constant, is_scalar, options_of

Call = Callable[[Frame, ast.AST, Value, list[Value], dict[str, Value]], Value]

_MODEL_INIT = BaseModel.__dict__["__init__"]
_MODEL_INIT_CODE = _MODEL_INIT.__code__

#: Parts of a pydantic schema that run no Python code, for plain values.
_PLAIN_SCHEMAS = frozenset(
    {
        "any",
        "bool",
        "bytes",
        "date",
        "datetime",
        "float",
        "int",
        "none",
        "time",
        "timedelta",
        "uuid",
    }
)
_PLAIN_CONTAINERS = frozenset({"default", "model", "model-fields", "nullable"})

#: What pydantic's compiled code makes use of when it makes a model, or runs.
_MODEL_NAMES = (
    "__new__",
    "__del__",
    "__setattr__",
    "__getattribute__",
    "__dict__",
    "__pydantic_fields_set__",
    "__pydantic_extra__",
    "__pydantic_private__",
)
_CALLS_PYTHON = re.compile(r"\bFunction\w*Validator\b")


def constructed_by_library(
    frame: Frame,
    node: ast.AST,
    cls: type,
    args: list[Value],
    kwargs: dict[str, Value],
    call: Call,
) -> Value | None:
    """Give the instance of a class that is known here, None for any other class."""
    if find(cls, "__init__")[0] is _MODEL_INIT and type.__subclasscheck__(BaseModel, cls):
        return _model(frame, node, cls, args, kwargs, call)
    msgspec = sys.modules.get("msgspec")
    if type(msgspec) is ModuleType and type(cls) is type(msgspec.Struct) is not type:
        return _struct(frame, node, cls, args, kwargs, call)
    return None


def _model(
    frame: Frame,
    node: ast.AST,
    cls: type,
    args: list[Value],
    kwargs: dict[str, Value],
    call: Call,
) -> Value:
    watched = frame.analysis.watched
    held = Held(cls, f"an object of the class {name_of(cls)}")
    watched.class_attribute(cls, "__init__")
    watched.add(_MODEL_INIT, "__code__", _MODEL_INIT_CODE)
    watched.class_attribute(type(cls), "__call__")
    for name in _MODEL_NAMES:
        expected = find(BaseModel, name)[0]
        if watched.class_attribute(cls, name) is not expected:
            frame.refuse(node, f"makes a model {name_of(cls)}, which has its own `{name}`")
    if type(cls).__call__ is not type.__call__:
        frame.refuse(node, f"makes a model {name_of(cls)}, which runs `__call__` of a metaclass")
    validator = watched.class_attribute(cls, "__pydantic_validator__")
    schema = dict_of(cls).get("__pydantic_core_schema__")
    if watched.class_attribute(cls, "__pydantic_post_init__") is not None:
        frame.refuse(node, f"makes a model {name_of(cls)}, which has a `model_post_init`")
    elif type(validator) is not SchemaValidator or type(schema) is not dict:
        frame.refuse(node, f"makes a model {name_of(cls)}, whose validation is not known")
    elif args or not all(map(_is_plain, kwargs.values())):
        frame.refuse(node, f"makes a model {name_of(cls)} of values of unknown class")
    else:
        watched.class_attribute(cls, "__pydantic_core_schema__")
        why = _unknown_part(frame, node, schema, cls, call)
        # NOTE: the validator may have been replaced, and then is not the one of the schema.
        if why is None and _CALLS_PYTHON.search(repr(validator)):
            why = "is not that of its schema"
        if why is not None:
            frame.refuse(node, f"makes a model {name_of(cls)}, whose validation {why}")
    frame.analysis.spend(node, 20 + 20 * len(kwargs))
    return held


def is_made_by_pydantic(cls: type) -> bool:
    """Say whether making an instance of a model from fields that are valid runs no other code."""
    return all(find(cls, name)[0] is find(BaseModel, name)[0] for name in _MODEL_NAMES)


def _is_plain(value: Value) -> bool:
    return all(
        is_scalar(option)
        # NOTE: what others made may have a time zone of theirs, or other parts.
        or (isinstance(option, Held) and option.cls in _PLAIN_CLASSES and option.place is None)
        for option in options_of(value)
    )


def _unknown_part(frame: Frame, node: ast.AST, schema: Any, cls: type, call: Call) -> str | None:
    """Say what in a schema may run Python code, None for nothing."""
    pending = [schema]
    validates_defaults = bool(schema.get("config", {}).get("validate_default"))
    while pending:
        part = pending.pop()
        kind = part.get("type")
        if kind in _PLAIN_SCHEMAS:
            continue
        if kind == "str":
            if part.get("pattern"):
                return "has a pattern"
            continue
        if kind == "literal":
            if not all(type(each) in (str, int, bool, type(None)) for each in part["expected"]):
                return "has a literal that is not plain"
            continue
        if kind == "union":
            pending += [each[0] if type(each) is tuple else each for each in part["choices"]]
            continue
        if kind not in _PLAIN_CONTAINERS:
            return f"has a part that is not known: {kind}"
        if kind == "model":
            if part["cls"] is not cls or part.get("custom_init") or part.get("root_model"):
                return "has a model within it"
            if part.get("post_init"):
                return "has a `model_post_init`"
        if kind == "default":
            factory = part.get("default_factory")
            if factory is not None:
                if part.get("default_factory_takes_data"):
                    return "has a default factory that takes data"
                made = call(frame, node, Known(factory), [], {})
            else:
                made = Known(part.get("default"))
                if not _is_handed_out_as_it_is(made.obj):
                    return "copies a default"
            if part.get("validate_default", validates_defaults) and not is_scalar(made):
                return "validates a default that is not plain"
        if kind == "model-fields":
            if part.get("computed_fields") or part.get("extras_schema"):
                return "has computed or extra fields"
            for each in part["fields"].values():
                if each.get("type") != "model-field":
                    return "has fields of an unknown kind"
                pending.append(each["schema"])
            continue
        pending.append(part["schema"])
    return None


_PLAIN_CLASSES = (dt.date, dt.datetime, dt.time, dt.timedelta, uuid.UUID)


def _is_handed_out_as_it_is(default: Any) -> bool:
    # NOTE: pydantic copies what has no hash, and does not say so in the schema.
    hashing = find(type(default), "__hash__")[0]
    return is_constant(default) or is_one_of(hashing, _HASHES)


#: Of objects that surely have a hash.
_HASHES = tuple(
    find(each, "__hash__")[0] for each in (object, enum.Enum, FunctionType, BuiltinFunctionType)
)


def _struct(
    frame: Frame,
    node: ast.AST,
    cls: type,
    args: list[Value],
    kwargs: dict[str, Value],
    call: Call,
) -> Value:
    watched = frame.analysis.watched
    msgspec = sys.modules["msgspec"]
    for name in ("__init__", "__new__", "__setattr__", "__getattribute__", "__del__"):
        if watched.class_attribute(cls, name) is not find(msgspec.Struct, name)[0]:
            frame.refuse(node, f"makes a struct {name_of(cls)}, which has its own `{name}`")
    defaults = getattr(cls, "__struct_defaults__", ())
    for default in defaults:
        factory = getattr(default, "factory", None)
        if type(default).__name__ == "Factory" and factory is not None:
            if factory in (list, dict, set):
                continue
            call(frame, node, Known(factory), [], {})
    post_init = watched.class_attribute(cls, "__post_init__")
    if post_init is not ABSENT:
        frame.refuse(node, f"makes a struct {name_of(cls)}, which has a `__post_init__`")
    frame.analysis.spend(node, 4 + len(kwargs))
    return Held(cls, f"an object of the class {name_of(cls)}")
