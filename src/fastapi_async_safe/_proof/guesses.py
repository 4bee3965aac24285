"""What an attribute of an instance may be: what its class says of it, or seems to put there.

Nothing rests on a guess: a guard asks before each call whether it is so. So it is enough to look at
annotations and at the assignments of `__init__`, and none of them is evaluated.
"""

from __future__ import annotations

import ast
import builtins
import sys
import typing
from collections.abc import Mapping
from types import FunctionType, ModuleType, UnionType
from typing import (
    Annotated,
    Any,
    ForwardRef,
    Literal,
    Optional,
    Union,
    get_args,
    get_origin,
)

import typing_extensions
from fastapi import FastAPI
from starlette.requests import HTTPConnection

from .lookup import ABSENT, dict_of, find, is_one_of, mro_of
from .places import Keys
from .source import NoSourceError, source_of

if sys.version_info >= (3, 14):
    import annotationlib

_DISPLAYS: dict[type, type] = {
    ast.Compare: bool,
    ast.Dict: dict,
    ast.DictComp: dict,
    ast.JoinedStr: str,
    ast.List: list,
    ast.ListComp: list,
    ast.Set: set,
    ast.SetComp: set,
    ast.Tuple: tuple,
}
#: What is around what matters: its first part.
AROUND: tuple[Any, ...] = (
    Annotated,
    typing_extensions.NotRequired,
    typing_extensions.ReadOnly,
    typing_extensions.Required,
)
_CONTAINERS = (dict, frozenset, list, set, tuple)
_TAKE_PARTS = (*AROUND, Literal, Optional, Union, *_CONTAINERS)
#: What they were called before they took parts themselves.
_ALIASES = tuple(
    (getattr(typing, name), container)
    for name, container in zip(
        ("Dict", "FrozenSet", "List", "Set", "Tuple"), _CONTAINERS, strict=True
    )
)


def annotation_of(cls: type, name: str) -> Any:
    """Guess what could be annotated of the attribute `name` of instances; ABSENT for no guess."""
    if name == "scope" and any(base is HTTPConnection for base in mro_of(cls)):
        return SCOPE
    for base in mro_of(cls):
        own = dict_of(base)
        for fields, of_field in (("__dataclass_fields__", "type"), (_MODEL_FIELDS, "annotation")):
            field = own.get(fields, {}).get(name) if type(own.get(fields)) is dict else None
            if field is not None:
                return resolved(getattr(field, of_field, ABSENT), _namespace_of(base))
        annotations = _annotations_of(own)
        if name in annotations:
            return resolved(annotations[name], _namespace_of(base))
        init = own.get("__init__")
        if type(init) is FunctionType:
            found = _assigned(init, base, name)
            if found is not ABSENT:
                return found
    return ABSENT


def _annotations_of(own: Mapping[str, Any]) -> dict[str, Any]:
    """Give the annotations of a class, from what it itself has."""
    found = own.get("__annotations__", own.get("__annotations_cache__"))
    if type(found) is dict:
        return found
    if sys.version_info >= (3, 14):
        # Nobody has asked yet. As texts they are not evaluated, by what the compiler made.
        make = own.get("__annotate_func__")
        if type(make) is FunctionType and (
            make.__code__.co_name == "__annotate__" or make.__globals__ is vars(typing)
        ):
            return annotationlib.call_annotate_function(make, annotationlib.Format.STRING)
    return {}


_MODEL_FIELDS = "__pydantic_fields__"

#: What a server says of a connection, and what FastAPI puts there.
SCOPE = Keys(
    (
        ("app", FastAPI),
        ("http_version", str),
        ("method", str),
        ("path", str),
        ("path_params", dict),
        ("query_string", bytes),
        ("raw_path", bytes),
        ("root_path", str),
        ("scheme", str),
        ("type", str),
    )
)


def keys_of(cls: type) -> Keys | None:
    """Guess what the items of a TypedDict are; None for any other class."""
    if not is_one_of(type(cls), _TYPED_DICTS):
        return None
    own: Any = cls
    names = sorted(own.__required_keys__ | own.__optional_keys__)
    return Keys(tuple((name, annotation_of(cls, name)) for name in names))


#: What makes them, the standard library's and that of `typing_extensions`.
_TYPED_DICTS = tuple(
    type(each("_", {"x": int}))  # type: ignore[operator]
    for each in (typing.TypedDict, typing_extensions.TypedDict)
)


def returned_by(call: Any) -> Any:
    """Guess what a dependency gives by what it says it returns; ABSENT for no guess."""
    function = call if type(call) is FunctionType else find(type(call), "__call__")[0]
    if type(function) is not FunctionType:
        return ABSENT
    annotation = _annotated(function, "return")
    code = function.__code__
    if code.co_flags & _GENERATORS:
        arguments = get_args(annotation)
        return arguments[0] if arguments else ABSENT
    return annotation


_GENERATORS = 0x20 | 0x200


def _annotated(function: FunctionType, name: str) -> Any:
    try:
        found = function.__annotations__.get(name, ABSENT)
    except Exception:  # from 3.14 on they are evaluated here
        return ABSENT
    return resolved(found, function.__globals__)


def _namespace_of(cls: type) -> dict[str, Any]:
    module = sys.modules.get(str(dict_of(cls).get("__module__")))
    return module.__dict__ if type(module) is ModuleType else {}


def resolved(annotation: Any, namespace: dict[str, Any]) -> Any:
    """Give an annotation that is text as what it names, as far as names and brackets go."""
    if type(annotation) is ForwardRef:
        annotation = annotation.__forward_arg__
    if type(annotation) is not str:
        return annotation
    try:
        node = ast.parse(annotation, mode="eval").body
    except (SyntaxError, ValueError):
        return ABSENT
    return _meant(node, namespace)


def _meant(node: ast.expr, namespace: dict[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return resolved(node.value, namespace) if type(node.value) is str else node.value
    if isinstance(node, ast.Name):
        return namespace.get(node.id, builtins.__dict__.get(node.id, ABSENT))
    if isinstance(node, ast.Attribute):
        module = _meant(node.value, namespace)
        return module.__dict__.get(node.attr, ABSENT) if type(module) is ModuleType else ABSENT
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union([_meant(node.left, namespace), _meant(node.right, namespace)])
    if isinstance(node, ast.Subscript):
        return _with_parts(_meant(node.value, namespace), node.slice, namespace)
    return ABSENT


def _with_parts(origin: Any, node: ast.expr, namespace: dict[str, Any]) -> Any:
    origin = next((container for alias, container in _ALIASES if origin is alias), origin)
    if not any(origin is each for each in _TAKE_PARTS):
        # Of a class of the user's the parts do not matter, and taking them runs its code.
        return origin if isinstance(origin, type) else ABSENT
    nodes = node.elts if isinstance(node, ast.Tuple) else [node]
    parts = [_meant(each, namespace) for each in nodes]
    if any(origin is each for each in AROUND):
        return parts[0]
    if origin is Union or origin is Optional:
        return _union(parts if origin is Union else [*parts, None])
    if origin is Literal or any(each is ABSENT for each in parts):
        return ABSENT if origin is Literal else origin
    return origin[tuple(parts)]


def _union(parts: list[Any]) -> Any:
    if all(each is None or isinstance(each, type) or _is_alias(each) for each in parts):
        return Union[tuple(parts)]  # noqa: UP007 # of parts that are known here only
    return ABSENT


def _is_alias(annotation: Any) -> bool:
    return get_origin(annotation) in (*_TAKE_PARTS, UnionType)


def _assigned(init: FunctionType, owner: type, name: str) -> Any:
    """Guess by what `__init__` assigns to that attribute of its first parameter."""
    try:
        node = source_of(init, owner).node
    except NoSourceError:
        return ABSENT
    parameters = [] if isinstance(node, ast.Lambda) else [*node.args.posonlyargs, *node.args.args]
    for each in ast.walk(node) if parameters else ():
        targets = each.targets if isinstance(each, ast.Assign) else [getattr(each, "target", None)]
        if not isinstance(each, (ast.Assign, ast.AnnAssign)):
            continue
        if any(
            isinstance(target, ast.Attribute)
            and target.attr == name
            and isinstance(target.value, ast.Name)
            and target.value.id == parameters[0].arg
            for target in targets
        ):
            if isinstance(each, ast.AnnAssign):
                return _meant(each.annotation, init.__globals__)
            return _given(each.value, init)
    return ABSENT


def _given(node: ast.expr, function: FunctionType) -> Any:
    if type(node) in _DISPLAYS:
        return _DISPLAYS[type(node)]
    if isinstance(node, ast.Constant):
        return ABSENT if node.value is None else type(node.value)
    if isinstance(node, ast.Name):
        return _annotated(function, node.id)
    if isinstance(node, ast.UnaryOp):
        return bool if isinstance(node.op, ast.Not) else _given(node.operand, function)
    if isinstance(node, ast.BinOp):
        return _first_known([node.left, node.right], function)
    if isinstance(node, ast.BoolOp):
        return _first_known(node.values, function)
    if isinstance(node, ast.IfExp):
        return _first_known([node.body, node.orelse], function)
    if isinstance(node, ast.Call):
        made = _meant(node.func, function.__globals__)
        return made if isinstance(made, type) else ABSENT
    return ABSENT


def _first_known(nodes: list[ast.expr], function: FunctionType) -> Any:
    found = (_given(each, function) for each in nodes)
    return next((each for each in found if each is not ABSENT), ABSENT)
