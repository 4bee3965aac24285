"""What one proof has found so far: reasons against it, what it rests on, what the call may cost."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, TypeAlias

from .expected import Expected
from .lookup import Watched
from .source import FunctionNode, Source
from .values import Opaque, Value, any_of

#: What a call may cost, in steps of about 50 ns: 100 microseconds.
BUDGET = 2_000

#: How many calls of Python functions may stand within each other.
DEPTH = 12

_REASONS_KEPT = 25
_STEPS = 20_000
_LARGEST_CONTAINER = 1024


@dataclass(frozen=True)
class Reason:
    """One thing that cannot be proven of a call.

    Attributes:
        file: where it stands; empty for what has no source.
        line: the line in that file, counted from 1; 0 for what has no source.
        text: what it is, in words.
        code: the line itself, without its indentation.
        blocks: it is known to wait.
    """

    file: str
    line: int
    text: str
    code: str = ""
    blocks: bool = False

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file else ""
        return f"{place}{self.text}"


class StopError(Exception):
    """There is no sense in looking further."""


RunFunction: TypeAlias = Callable[..., Value]


@dataclass
class Analysis:
    """The state of one proof."""

    run_function: RunFunction
    watched: Watched = field(default_factory=Watched)
    expected: Expected | None = None  # None: nothing may be expected of values
    reasons: dict[tuple[str, int, str], Reason] = field(default_factory=dict)
    active: list[FunctionType] = field(default_factory=list)
    spent: float = 0.0
    steps: int = 0
    frame: Frame | None = None

    def refuse(
        self,
        node: ast.AST | None,
        text: str,
        *,
        blocks: bool = False,
        what: str = "",
        large: bool = False,
    ) -> Value:
        """Note that `text` cannot be proven; give the value that nothing is known of.

        Parameters:
            blocks: it is known to wait.
            what: that value is, in words.
            large: it might be proven of something smaller.
        """
        if large and self.expected is not None:
            self.expected.met_large = True
        file, line = "", 0
        if self.frame is not None and not self.frame.source.file.startswith("<"):
            file = self.frame.source.file
            line = getattr(node, "lineno", self.frame.source.node.lineno)
        key = (file, line, text)
        if key not in self.reasons:
            code = linecache.getline(file, line).strip() if file else ""
            self.reasons[key] = Reason(file, line, text, code, blocks)
        if len(self.reasons) >= _REASONS_KEPT:
            raise StopError
        return Opaque(what or "a value that is not known")

    def build(self, node: ast.AST | None, count: int) -> None:
        """Count what it costs to put so many parts into a container."""
        self.spend(node, count * 0.5)
        if count > _LARGEST_CONTAINER:
            self.refuse(node, "builds a container that may grow large", large=True)
            raise StopError

    def spend(self, node: ast.AST | None, cost: float) -> None:
        """Count what running `node` costs, in steps of about 50 ns."""
        self.spent += cost
        self.steps += 1
        if self.spent > BUDGET:
            self.spent = float("-inf")  # said once
            self.refuse(node, "takes longer than what is counted as short", large=True)
        if self.steps > _STEPS:
            self.refuse(node, "is too large to be proven")
            raise StopError


@dataclass
class Frame:
    """One Python function on its way."""

    analysis: Analysis
    function: FunctionType  # of the one outside: this package's own
    source: Source
    local_names: frozenset[str]
    env: dict[str, Value]
    first_name: str | None = None  # its first parameter, for `super()`
    returned: list[Value] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    logs: list[dict[str, list[Value]]] = field(default_factory=list)  # of `try` blocks around
    overlays: list[dict[str, Value]] = field(default_factory=list)  # of comprehensions

    def refuse(
        self,
        node: ast.AST | None,
        text: str,
        *,
        blocks: bool = False,
        what: str = "",
        large: bool = False,
    ) -> Value:
        """Note that `text` cannot be proven, as `Analysis.refuse` does."""
        return self.analysis.refuse(node, text, blocks=blocks, what=what, large=large)

    def assign(self, name: str, value: Value) -> None:
        """Let the local variable `name` be `value` from here on."""
        self.env[name] = value
        for log in self.logs:
            log.setdefault(name, []).append(value)

    def mangled(self, name: str) -> str:
        """Give a name like `__x` as the compiler writes it within a class."""
        around = (self.source.class_name or "").lstrip("_")
        if around and name.startswith("__") and not name.endswith("__") and "." not in name:
            return f"_{around}{name}"
        return name


@dataclass
class Loop:
    """A loop around a statement: with what variables it is left, or gone round again."""

    broken: list[dict[str, Value]] = field(default_factory=list)
    continued: list[dict[str, Value]] = field(default_factory=list)


def merged(envs: list[dict[str, Value]]) -> dict[str, Value] | None:
    """Give the variables after several ways that meet; None if no way gets there."""
    if not envs:
        return None
    if len(envs) == 1:
        return dict(envs[0])
    names = dict.fromkeys(name for env in envs for name in env)
    # A name that one way does not have raises there, when it is read.
    return {name: any_of([env[name] for env in envs if name in env]) for name in names}


_BINDS_NOTHING = (ast.Constant, ast.expr_context, ast.operator, ast.cmpop, ast.unaryop, ast.boolop)


def local_names_of(node: FunctionNode) -> frozenset[str]:
    """Give the names that a function binds, as the compiler sees them, before mangling."""
    bound: set[str] = set()
    elsewhere: set[str] = set()
    arguments = node.args
    for parameter in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
        bound.add(parameter.arg)
    for star in (arguments.vararg, arguments.kwarg):
        if star is not None:
            bound.add(star.arg)
    body: list[Any] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    pending: list[tuple[ast.AST, bool]] = [(each, False) for each in body]
    while pending:
        each, comprehension = pending.pop()
        if isinstance(each, ast.Name):  # PERF: most of what there is
            if not comprehension and not isinstance(each.ctx, ast.Load):
                bound.add(each.id)
            continue
        if isinstance(each, _BINDS_NOTHING):
            continue
        below = comprehension
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(each.name)
            pending += [(x, comprehension) for x in each.decorator_list]
            if not isinstance(each, ast.ClassDef):
                defaults = [*each.args.defaults, *(d for d in each.args.kw_defaults if d)]
                pending += [(x, comprehension) for x in defaults]
            else:
                pending += [(x, comprehension) for x in [*each.bases, *each.keywords]]
            continue
        if isinstance(each, ast.Lambda):
            defaults = [*each.args.defaults, *(d for d in each.args.kw_defaults if d)]
            pending += [(x, comprehension) for x in defaults]
            continue
        if isinstance(each, (ast.Global, ast.Nonlocal)):
            elsewhere.update(each.names)
        elif isinstance(each, (ast.Import, ast.ImportFrom)):
            bound.update((x.asname or x.name).split(".")[0] for x in each.names)
        elif isinstance(each, ast.ExceptHandler) and each.name:
            bound.add(each.name)
        elif isinstance(each, ast.NamedExpr):
            bound.add(each.target.id)
            pending.append((each.value, comprehension))
            continue
        elif isinstance(each, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            below = True
        elif isinstance(each, (ast.MatchAs, ast.MatchStar)) and each.name:
            bound.add(each.name)
        elif isinstance(each, ast.MatchMapping) and each.rest:
            bound.add(each.rest)
        pending += [(child, below) for child in ast.iter_child_nodes(each)]
    return frozenset(bound - elsewhere)
