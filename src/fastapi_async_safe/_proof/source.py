"""The source of a function, held against the code that is installed.

A source counts only if compiling it gives the very code of the function, so that a file that was
changed, a decorator that put in other code, or a made-up `co_filename` cannot tell anything wrong.
What `dataclasses` and `collections.namedtuple` generate has no source; it is written anew from the
fields, and counts by the same rule.
"""

from __future__ import annotations
import __future__

import ast
import linecache
import re
import sys
import warnings
from contextlib import suppress
from dataclasses import MISSING, Field
from functools import reduce
from types import CodeType, FunctionType
from typing import Any, NamedTuple, TypeAlias

from .lookup import dict_of

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_FUTURE_FLAGS = (
    reduce(
        lambda flags, name: flags | getattr(__future__, name).compiler_flag,
        __future__.all_feature_names,
        0,
    )
    & ~0x10
)  # `nested_scopes` has the bit of CO_NESTED
_LARGEST_FILE = 2_000_000
_FILES_KEPT = 64


class Source(NamedTuple):
    """The source of one function."""

    node: FunctionNode
    file: str
    class_name: str | None  # of the class around it, which names like `__x` belong to


class NoSourceError(Exception):
    """There is no source that is known to be that of the function."""


class _File(NamedTuple):
    lines: list[str]
    imports: list[ast.stmt]  # the compiler calls what a module imports in another way
    functions: dict[tuple[str, int], list[tuple[FunctionNode, ast.stmt, str | None]]]


_files: dict[str, _File] = {}
_codes: dict[int, tuple[ast.stmt, int, dict[tuple[str, int], list[CodeType]]]] = {}


def source_of(function: FunctionType, owner: type | None = None) -> Source:
    """Find the source that `function` was made from.

    Parameters:
        function: any function written in Python.
        owner: the class that has it, if one has.

    Raises:
        NoSourceError: there is none, or another one; the text says which.
    """
    code = function.__code__
    generated = _generated(code, owner)
    if generated is not None:
        return generated
    file = _file_of(function)
    key = (code.co_name, code.co_firstlineno)
    found = file.functions.get(key, [])
    if not found:
        raise NoSourceError("its source cannot be read")
    if len(found) > 1:
        raise NoSourceError("several functions of that name start on its line")
    node, statement, class_name = found[0]
    compiled = _compiled(file, statement, code.co_flags & _FUTURE_FLAGS).get(key, [])
    if len(compiled) != 1 or not same_code(compiled[0], code):
        raise NoSourceError("its source is not that of the code that runs")
    return Source(node, code.co_filename, class_name)


def same_code(one: CodeType, other: CodeType, *, at_same_place: bool = True) -> bool:
    """Say whether two codes do the same; how far the interpreter specialised them is no matter."""
    # NOTE: `==` of codes does not tell cells from local variables, and knows nothing of names.
    attributes = [
        "co_name",
        "co_argcount",
        "co_posonlyargcount",
        "co_kwonlyargcount",
        "co_nlocals",
        "co_flags",
        "co_code",
        "co_names",
        "co_varnames",
        "co_cellvars",
        "co_freevars",
        "co_exceptiontable",
    ]
    if at_same_place:
        attributes += ["co_firstlineno", "co_qualname"]
    return all(
        getattr(one, name) == getattr(other, name) for name in attributes
    ) and _same_constant(one.co_consts, other.co_consts, at_same_place)


def _same_constant(one: Any, other: Any, at_same_place: bool) -> bool:
    if type(one) is not type(other):
        return False
    if type(one) is CodeType:
        return same_code(one, other, at_same_place=at_same_place)
    if type(one) is tuple:
        return len(one) == len(other) and all(
            _same_constant(a, b, at_same_place) for a, b in zip(one, other, strict=True)
        )
    if type(one) is frozenset:
        return {(type(each), repr(each)) for each in one} == {
            (type(each), repr(each)) for each in other
        }
    if type(one) is slice:  # a constant since 3.14
        return _same_constant(
            (one.start, one.stop, one.step), (other.start, other.stop, other.step), at_same_place
        )
    return repr(one) == repr(other)  # tells 0.0 from -0.0


# What a source deserves a warning for was said when it was imported. So one of this name gets none.
_QUIET = "<fastapi-async-safe source>"
_IGNORED = ("ignore", None, Warning, re.compile(re.escape(_QUIET)), 0)


def _compile_quietly(source: str | ast.Module, flags: int) -> Any:
    """Compile without a warning.

    NOTE: not within `catch_warnings`, which exchanges the filters of all threads: one that has one
    of its own meanwhile would leave those filters in place that were meant for here.
    """
    if getattr(sys.flags, "context_aware_warnings", False):  # 3.14, if it was chosen
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return compile(source, _QUIET, "exec", flags=flags, dont_inherit=True)
    # NOTE: first, as one of the user's that came later would hide it.
    if list(warnings.filters[:1]) != [_IGNORED]:
        with suppress(ValueError):
            warnings.filters.remove(_IGNORED)  # type: ignore[attr-defined]
        warnings.filters.insert(0, _IGNORED)  # type: ignore[attr-defined]
    return compile(source, _QUIET, "exec", flags=flags, dont_inherit=True)


def _file_of(function: FunctionType) -> _File:
    name = function.__code__.co_filename
    lines = linecache.getlines(name, function.__globals__)
    kept = _files.get(name)
    if kept is not None and (kept.lines is lines or kept.lines == lines):
        return kept
    if not lines or sum(map(len, lines)) > _LARGEST_FILE:
        raise NoSourceError("its source cannot be read")
    try:
        tree = _compile_quietly("".join(lines), ast.PyCF_ONLY_AST)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NoSourceError("its source cannot be read") from None
    file = _File(lines, _imports(tree), {})
    for statement in tree.body:
        _index(statement, statement, None, file)
    if len(_files) >= _FILES_KEPT:
        _files.pop(next(iter(_files)))
    _files[name] = file
    return file


def _imports(tree: ast.Module) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    pending: list[ast.AST] = list(tree.body)
    for node in pending:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            if not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
                found.append(node)
        elif not isinstance(
            node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.expr)
        ):
            pending += ast.iter_child_nodes(node)
    return found


def _index(node: ast.AST, statement: ast.stmt, class_name: str | None, file: _File) -> None:
    pending: list[tuple[ast.AST, str | None]] = [(node, class_name)]
    while pending:
        node, class_name = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            file.functions.setdefault((node.name, first), []).append((node, statement, class_name))
        elif isinstance(node, ast.Lambda):
            file.functions.setdefault(("<lambda>", node.lineno), []).append(
                (node, statement, class_name)
            )
        below = node.name if isinstance(node, ast.ClassDef) else class_name
        pending += [(child, below) for child in ast.iter_child_nodes(node)]


def _compiled(
    file: _File, statement: ast.stmt, flags: int
) -> dict[tuple[str, int], list[CodeType]]:
    kept = _codes.get(id(statement))
    if kept is not None and kept[0] is statement and kept[1] == flags:
        return kept[2]
    module = ast.Module(body=[*file.imports, statement], type_ignores=[])
    try:
        code = _compile_quietly(module, flags)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NoSourceError("its source cannot be compiled") from None
    found: dict[tuple[str, int], list[CodeType]] = {}
    pending = [code]
    while pending:
        for constant in pending.pop().co_consts:
            if isinstance(constant, CodeType):
                found.setdefault((constant.co_name, constant.co_firstlineno), []).append(constant)
                pending.append(constant)
    if len(_codes) >= 64 * _FILES_KEPT:
        _codes.pop(next(iter(_codes)))
    _codes[id(statement)] = (statement, flags, found)
    return found


def _generated(code: CodeType, owner: type | None) -> Source | None:
    if owner is None or not code.co_filename.startswith("<"):
        return None
    text = None
    fields = dict_of(owner).get("__dataclass_fields__")
    if code.co_name == "__init__" and type(fields) is dict:
        text = _dataclass_init(code, owner, fields)
    elif code.co_name == "<lambda>" and issubclass_of_tuple(owner):
        text = _namedtuple_new(code)
    if text is None:
        return None
    try:
        tree = ast.parse(text)
        made = compile(tree, "<source>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    nodes = [
        node
        for node in ast.walk(tree)
        if (isinstance(node, ast.FunctionDef) and node.name == "__init__")
        or isinstance(node, ast.Lambda)
    ]
    codes = [made]
    for each in codes:
        codes += [constant for constant in each.co_consts if isinstance(constant, CodeType)]
    matching = [each for each in codes if same_code(each, code, at_same_place=False)]
    if len(nodes) != 1 or len(matching) != 1:
        return None
    return Source(nodes[0], code.co_filename, None)


def issubclass_of_tuple(cls: type) -> bool:
    """Say whether `cls` is a kind of tuple."""
    return type.__subclasscheck__(tuple, cls)


def _dataclass_init(code: CodeType, owner: type, fields: dict[Any, Any]) -> str | None:
    # As `_init_fn` of `dataclasses` writes it, 3.11 to 3.14.
    if not all(
        type(name) is str and name.isidentifier() and type(field) is Field
        for name, field in fields.items()
    ):
        return None
    kind = {name: getattr(field, "_field_type", None) for name, field in fields.items()}
    kinds = {name: getattr(each, "name", "") for name, each in kind.items()}
    used = {name: fields[name] for name in fields if kinds[name] in ("_FIELD", "_FIELD_INITVAR")}
    this = "__dataclass_self__" if "self" in used else "self"
    free = code.co_freevars
    marker = next((name for name in free if name.endswith(("_FACTORY", "_FACTORY__"))), "_")
    body = []
    for name, each in used.items():
        factory = next(
            (x for x in free if x in (f"_dflt_{name}", f"__dataclass_dflt_{name}__")), ""
        )
        if each.default_factory is not MISSING:
            value = (
                f"{factory}() if {name} is {marker} else {name}" if each.init else f"{factory}()"
            )
        elif each.init:
            value = name
        elif factory:
            value = factory
        else:
            continue
        if kinds[name] == "_FIELD_INITVAR":
            continue
        if "__dataclass_builtins_object__" in free:
            body.append(f"__dataclass_builtins_object__.__setattr__({this},{name!r},{value})")
        else:
            body.append(f"{this}.{name}={value}")
    if "__post_init__" in code.co_names:
        passed = ",".join(name for name in used if kinds[name] == "_FIELD_INITVAR")
        body.append(f"{this}.__post_init__({passed})")
    in_order = [name for name in used if used[name].init and not used[name].kw_only]
    by_name = [name for name in used if used[name].init and used[name].kw_only]
    parameters = ",".join([this, *in_order, *(["*", *by_name] if by_name else [])])
    lines = "".join(f"\n  {line}" for line in body or ["pass"])
    return f"def create({','.join(free)}):\n def __init__({parameters}):{lines}"


def _namedtuple_new(code: CodeType) -> str | None:
    names = code.co_varnames
    if len(names) < 1 or not all(name.isidentifier() for name in names):
        return None
    values = ", ".join(names[1:]) + ("," if len(names) == 2 else "")
    return f"lambda {', '.join(names)}: _tuple_new({names[0]}, ({values}))"
