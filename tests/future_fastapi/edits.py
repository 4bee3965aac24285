"""What a release of tomorrow may do to FastAPI's source, as edits of its syntax trees.

An edit names definitions, not lines, so that it fits every release that has them. One that finds
nothing to change is an error: the test would say nothing.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

MODELS = "fastapi.dependencies.models"
UTILS = "fastapi.dependencies.utils"
ROUTING = "fastapi.routing"
PARAMS = "fastapi.params"


class Edit:
    """One change in the source of FastAPI."""

    name: str

    @property
    def word(self) -> str:
        """What the source of each module that it changes has in it."""
        return self.name

    def change(self, module: str, tree: ast.Module) -> int:
        """Change the tree of one of FastAPI's modules.

        Parameters:
            module: its full name.
            tree: changed in place.

        Returns:
            The number of places that were changed.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Unchanged(Edit):
    """Nothing is changed."""

    word = "solve_dependencies"

    def change(self, module: str, tree: ast.Module) -> int:
        return int(module == UTILS)


@dataclass(frozen=True)
class Renamed(Edit):
    """A definition has another name, in all of FastAPI, or is imported under another name."""

    module: str
    name: str

    @property
    def new_name(self) -> str:
        """The other name."""
        return f"{self.name}_of_tomorrow"

    def change(self, module: str, tree: ast.Module) -> int:
        if module == self.module:
            return self._rename(tree, self._is_member(tree))
        changed = self._rename_attributes(tree) if self._is_member(tree_of(self.module)) else 0
        names = [alias for alias in _imported(module, tree, self.module) if alias.name == self.name]
        if not names or not _defines(tree_of(self.module), self.name):
            return changed
        for alias in names:
            alias.name, alias.asname = self.new_name, alias.asname or alias.name
        return changed + len(names)

    def _is_member(self, tree: ast.Module) -> bool:
        return any(
            isinstance(member, ast.FunctionDef) and member.name == self.name
            for owner in ast.walk(tree)
            if isinstance(owner, ast.ClassDef)
            for member in owner.body
        )

    def _rename(self, tree: ast.Module, is_member: bool) -> int:
        changed = self._rename_attributes(tree) if is_member else 0
        is_own = _defines(tree, self.name)
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id == self.name:
                node.id = self.new_name
            elif isinstance(node, _DEFINITIONS) and node.name == self.name:
                node.name = self.new_name
            elif isinstance(node, ast.alias) and not is_own and self.name == _bound(node):
                node.asname = self.new_name
            else:
                continue
            changed += 1
        return changed

    def _rename_attributes(self, tree: ast.Module) -> int:
        found = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr == self.name
        ]
        for node in found:
            node.attr = self.new_name
        return len(found)


@dataclass(frozen=True)
class Moved(Edit):
    """A function of one module has become a mere name there for one that is defined elsewhere."""

    module: str
    name: str

    def change(self, module: str, tree: ast.Module) -> int:
        if module != self.module:
            return 0
        moved = _function(tree, self.name)
        tree.body.insert(
            tree.body.index(moved) + 1, _statements(f"{self.name}.__module__ += '_elsewhere'")[0]
        )
        return 1


@dataclass(frozen=True)
class NewField(Edit):
    """`Dependant` has a field that changes what dependencies give.

    A callable with an attribute of that name sets it. Whatever is true there is handed over
    together with the value of the dependency.
    """

    name: str
    default: str | None  # source text; None: the constructor has to be told
    unset: str = "0"  # what the constructor is told in FastAPI then
    word = "Dependant"

    def change(self, module: str, tree: ast.Module) -> int:
        changed = 0
        if module == MODELS:
            changed += self._declare(_class(tree, "Dependant"))
        if self.default is None:
            for call in _calls(tree, "Dependant"):
                call.keywords.append(ast.keyword(self.name, _expression(self.unset)))
                changed += 1
        if module == UTILS:
            solved = f"""
                if use_sub_dependant.{self.name}:
                    solved = [use_sub_dependant.{self.name}, solved]
            """
            changed += _insert_before_naming(tree, solved)
        return changed

    def _declare(self, owner: ast.ClassDef) -> int:
        default = self.default or "field(kw_only=True)"
        (declared,) = _statements(f"{self.name}: Any = {default}")
        methods = [node for node in owner.body if isinstance(node, ast.FunctionDef)]
        position = owner.body.index(methods[0]) if methods else len(owner.body)
        owner.body.insert(position, declared)
        filled = f"""
            if getattr(self.call, {self.name!r}, None) is not None:
                self.{self.name} = self.call.{self.name}
        """
        initial = [method for method in methods if method.name == "__post_init__"]
        if not initial:
            initial = [ast.parse("def __post_init__(self): pass").body[0]]  # type: ignore[list-item]
            owner.body.append(initial[0])
        initial[0].body.extend(_statements(filled))
        return 1


@dataclass(frozen=True)
class RenamedField(Edit):
    """A field of `Dependant` has another name, in all of FastAPI."""

    name: str

    def change(self, module: str, tree: ast.Module) -> int:
        new_name = f"{self.name}_of_tomorrow"
        changed = 0
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr == self.name:
                node.attr = new_name
                changed += 1
        for call in _calls(tree, "Dependant"):
            for keyword in call.keywords:
                if keyword.arg == self.name:
                    keyword.arg = new_name
        if module == MODELS:
            for member in _class(tree, "Dependant").body:
                if isinstance(member, ast.AnnAssign) and ast.unparse(member.target) == self.name:
                    member.target = ast.Name(new_name, ast.Store())
                    changed += 1
        return changed


@dataclass(frozen=True)
class NewKind(Edit):
    """Callables with an attribute `resource` have a `Dependant` of a class of its own."""

    word = "get_dependant"

    def change(self, module: str, tree: ast.Module) -> int:
        if module != UTILS:
            return 0
        kind = """
            class ResourceDependant(Dependant):
                pass
        """
        tree.body.insert(tree.body.index(_function(tree, "get_dependant")), *_statements(kind))
        made = """
            def get_dependant(**arguments):
                made = _get_dependant_of_today(**arguments)
                if getattr(arguments["call"], "resource", None):
                    fields = [f.name for f in _dataclasses.fields(made) if f.init]
                    return ResourceDependant(**{name: getattr(made, name) for name in fields})
                return made
        """
        solved = """
            if type(use_sub_dependant) is ResourceDependant:
                solved = ["resource", solved]
        """
        _import(tree, "import dataclasses as _dataclasses")
        return _wrap(tree, "get_dependant", made) + _insert_before_naming(tree, solved)


@dataclass(frozen=True)
class NewArgument(Edit):
    """`solve_dependencies` has an argument, which a callable with an attribute of that name sets.

    What is handed over shows as a header of the response.
    """

    name: str
    default: str | None  # source text; None: it is required
    positional: bool = False
    word = "solve_dependencies"

    def change(self, module: str, tree: ast.Module) -> int:
        changed = 0
        if module == UTILS:
            changed += self._declare(_function(tree, "solve_dependencies"))
        handed_over = f"getattr(dependant.call, {self.name!r}, None)"
        for call in _calls(tree, "solve_dependencies"):
            if module == UTILS and self.default is not None:
                continue  # stock's recursion leaves it at its default
            value = "None" if module == UTILS else handed_over
            call.keywords.append(ast.keyword(self.name, _expression(value)))
            changed += 1
        return changed

    def _declare(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
        arguments = function.args
        default = None if self.default is None else _expression(self.default)
        if self.positional:
            arguments.args.append(ast.arg(self.name))
            arguments.defaults += [default] if default is not None else []
        else:
            arguments.kwonlyargs.append(ast.arg(self.name))
            arguments.kw_defaults.append(default)
        shown = f"""
            if {self.name} is not None:
                if response is None:
                    response = Response()
                    del response.headers["content-length"]
                    response.status_code = None
                response.headers["x-{self.name}"] = str({self.name})
        """
        function.body[:0] = _statements(shown)
        return 1


@dataclass(frozen=True)
class Replaced(Edit):
    """A function is another one; the one it was has `_of_today` at the end of its name."""

    module: str
    name: str
    source: str

    def change(self, module: str, tree: ast.Module) -> int:
        return _wrap(tree, self.name, self.source) if module == self.module else 0


@dataclass(frozen=True)
class NewParameter(Edit):
    """A function has a parameter that every call has to give."""

    module: str
    name: str
    parameter: str = "of_tomorrow"

    def change(self, module: str, tree: ast.Module) -> int:
        changed = 0
        if module == self.module:
            arguments = _function(tree, self.name).args
            arguments.kwonlyargs.append(ast.arg(self.parameter))
            arguments.kw_defaults.append(None)
            changed += 1
        imported = (alias.name for alias in _imported(module, tree, self.module))
        if module == self.module or self.name in imported:
            for call in _calls(tree, self.name):
                call.keywords.append(ast.keyword(self.parameter, ast.Constant(value=True)))
                changed += 1
        return changed


@dataclass(frozen=True)
class NewResult(Edit):
    """`SolvedDependency` has a field, which shows as a header of the response."""

    name: str
    default: str | None  # source text; None: the constructor has to be told
    word = "solve_dependencies"

    def change(self, module: str, tree: ast.Module) -> int:
        changed = 0
        if module == UTILS:
            default = self.default or "dataclasses.field(kw_only=True)"
            _import(tree, "import dataclasses")
            _class(tree, "SolvedDependency").body.extend(
                _statements(f"{self.name}: object = {default}")
            )
            for call in _calls(tree, "SolvedDependency"):
                call.keywords.append(ast.keyword(self.name, _expression("len(values)")))
                changed += 1
        if module == ROUTING:
            shown = f"""
                solved_result.response.headers["x-{self.name}"] = str(solved_result.{self.name})
            """
            changed += _insert_after_solving(tree, shown)
        return changed


@dataclass(frozen=True)
class NewAttribute(Edit):
    """Parameters have an attribute that says what their values are split by."""

    name: str = "separator"
    word = "Param"

    def change(self, module: str, tree: ast.Module) -> int:
        if module == PARAMS:
            _class(tree, "Param").body.insert(0, *_statements(f"{self.name} = None"))
            return 1
        if module != UTILS:
            return 0
        split = f"""
            def request_params_to_args(fields, received_params, **told):
                values, errors = _request_params_to_args_of_today(fields, received_params, **told)
                for field in fields:
                    separator = field.field_info.{self.name}
                    if separator is not None and field.name in values:
                        values[field.name] = values[field.name].split(separator)
                return values, errors
        """
        return _wrap(tree, "request_params_to_args", split)


@dataclass
class Edits:
    """Several edits together.

    Parameters:
        edits: in the order in which they are made.
    """

    edits: Sequence[Edit]
    changed: dict[int, int] = field(default_factory=dict)

    def change(self, module: str, source: str) -> ast.Module | None:
        """Make all of them in one module, and give its tree if that has changed it."""
        if not any(edit.word in source for edit in self.edits):
            return None
        tree = ast.parse(source)
        changes = [edit.change(module, tree) for edit in self.edits]
        for position, count in enumerate(changes):
            self.changed[position] = self.changed.get(position, 0) + count
        return ast.fix_missing_locations(tree) if any(changes) else None

    def check(self) -> None:
        """Raise LookupError if one of them has found nothing to change."""
        for position, edit in enumerate(self.edits):
            if not self.changed.get(position):
                raise LookupError(f"nothing was changed by {edit}")


_HAS_NAME = "sub_dependant.name is not None"
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@cache
def tree_of(module: str) -> ast.Module:
    """Give the syntax tree of one of FastAPI's modules as it is installed, without importing it.

    It is not to be changed.
    """
    path: Any = None
    found = None
    for end in range(1, module.count(".") + 2):
        found = PathFinder.find_spec(".".join(module.split(".")[:end]), path)
        if found is None or found.origin is None:
            raise ModuleNotFoundError(module)
        path = found.submodule_search_locations
    assert found is not None
    assert found.origin is not None
    return ast.parse(Path(found.origin).read_text(encoding="utf-8"))


def defined_or_imported(module: str) -> Iterator[str]:
    """List the names that a module of FastAPI defines or imports."""
    for node in tree_of(module).body:
        if isinstance(node, _DEFINITIONS):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from map(_bound, node.names)


def defined(module: str) -> list[str]:
    """List the functions and classes of a module of FastAPI."""
    return [node.name for node in tree_of(module).body if isinstance(node, _DEFINITIONS)]


def defines_function(module: str, name: str) -> bool:
    """Say whether a module of FastAPI has a function of that name."""
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
        for node in tree_of(module).body
    )


def members(module: str, owner: str) -> list[str]:
    """List the functions of a class in a module of FastAPI."""
    body = _class(tree_of(module), owner).body
    return [member.name for member in body if isinstance(member, ast.FunctionDef)]


def _defines(tree: ast.Module, name: str) -> bool:
    return any(isinstance(node, _DEFINITIONS) and node.name == name for node in tree.body)


def _bound(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _imported(module: str, tree: ast.Module, source: str) -> Iterator[ast.alias]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            parts = module.split(".")[: -node.level] if node.level else []
            if ".".join([*parts, *filter(None, [node.module])]) == source:
                yield from node.names


def _function(tree: ast.Module, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return node
    raise LookupError(f"there is no function {name}")


def _class(tree: ast.Module, name: str) -> ast.ClassDef:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node
    raise LookupError(f"there is no class {name}")


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def _statements(source: str) -> list[ast.stmt]:
    return ast.parse(textwrap.dedent(source)).body


def _expression(source: str) -> ast.expr:
    return ast.parse(source, mode="eval").body


def _import(tree: ast.Module, source: str) -> None:
    # After a docstring and imports from __future__, which have to come first.
    first = next(i for i, node in enumerate(tree.body) if isinstance(node, _DEFINITIONS))
    tree.body[first:first] = _statements(source)


def _wrap(tree: ast.Module, name: str, source: str) -> int:
    function = _function(tree, name)
    function.name = f"{name.lstrip('_')}_of_today"
    if not function.name.startswith("_"):
        function.name = f"_{function.name}"
    position = tree.body.index(function) + 1
    tree.body[position:position] = _statements(source)
    return 1


def _blocks(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                yield block


def _insert_before_naming(tree: ast.Module, source: str) -> int:
    """Insert where `solve_dependencies` has a dependency's value and is to give it its name."""
    changed = 0
    for block in _blocks(_function(tree, "solve_dependencies")):
        for position, node in enumerate(block):
            if isinstance(node, ast.If) and ast.unparse(node.test) == _HAS_NAME:
                block[position:position] = _statements(source)
                changed += 1
                break
    return changed


def _insert_after_solving(tree: ast.Module, source: str) -> int:
    """Insert after each assignment of what `solve_dependencies` returned."""
    changed = 0
    for block in list(_blocks(tree)):
        for position in reversed(range(len(block))):
            node = block[position]
            if isinstance(node, ast.Assign) and any(_calls(node.value, "solve_dependencies")):
                block[position + 1 : position + 1] = _statements(source)
                changed += 1
    return changed
