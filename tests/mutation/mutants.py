"""Mutants: a module with one change each, which some test should notice.

The changes are mutmut's, and three more. mutmut itself puts all mutants of a function into one
file, with something around it that chooses between them: one frame more than there is, which the
driver would see. So each is made here on its own.
"""

import difflib
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from types import CodeType

import libcst
from libcst.metadata import CodePosition, MetadataWrapper, WhitespaceInclusivePositionProvider
from mutmut.mutation import mutators
from mutmut.mutation.file_mutation import Mutation, MutationVisitor
from mutmut.mutation.pragma_handling import IgnoredCode


def _string(node: libcst.BaseString) -> Iterable[libcst.BaseString]:
    return islice(mutators.operator_string(node), 1)  # the others change the case of its letters


def _statement_left_out(node: libcst.Expr) -> Iterator[libcst.Pass]:
    if isinstance(node.value, libcst.Call | libcst.Await):
        yield libcst.Pass()


def _condition_turned(node: libcst.If | libcst.While) -> Iterator[libcst.CSTNode]:
    test = node.test.with_changes(lpar=[libcst.LeftParen()], rpar=[libcst.RightParen()])
    yield node.with_changes(test=libcst.UnaryOperation(libcst.Not(), test))


def _none_returned(node: libcst.Return) -> Iterator[libcst.Return]:
    if node.value is not None and not isinstance(node.value, libcst.Name):
        yield node.with_changes(value=libcst.Name("None"))


_OPERATORS: mutators.OPERATORS_TYPE = [
    *(each for each in mutators.mutation_operators if each[1] is not mutators.operator_string),
    (libcst.BaseString, _string),
    (libcst.Expr, _statement_left_out),
    (libcst.If, _condition_turned),
    (libcst.While, _condition_turned),
    (libcst.Return, _none_returned),
]

#: A function as it stands in its module: its qualified name, and its first line.
Place = tuple[str, int]


@dataclass(frozen=True)
class Mutant:
    """One change in one module."""

    path: Path
    module: str  # the path within the package
    line: int
    change: str  # the lines that differ, with - and +
    before: str  # the whole module
    after: str

    @property
    def key(self) -> str:
        """Name it, as long as its lines stay what they are."""
        return f"{self.module}\n{self.change}"

    @cached_property
    def functions(self) -> dict[Place, CodeType] | None:
        """The functions that are changed with what they become, those within others last.

        None if they cannot be told one by one, as there are more or fewer of them.
        """
        before, after = (_functions(code, self.path) for code in (self.before, self.after))
        if [code.co_qualname for code in before] != [code.co_qualname for code in after]:
            return None
        return {
            (old.co_qualname, old.co_firstlineno): new
            for old, new in zip(before, after, strict=True)
            if _without_lines(old) != _without_lines(new)
        }


def _functions(source: str, path: Path) -> list[CodeType]:
    return list(_within(compile(source, str(path), "exec", dont_inherit=True)))


def _within(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_flags & 0x02:  # not the body of a class
                yield constant
            yield from _within(constant)


def _without_lines(code: CodeType) -> CodeType:
    constants = (_without_lines(c) if isinstance(c, CodeType) else c for c in code.co_consts)
    return code.replace(co_consts=tuple(constants), co_firstlineno=1, co_linetable=b"")


class Module:
    """A module of the package, and all its mutants.

    Parameters:
        package: the directory of the package.
        name: the path within it.
    """

    def __init__(self, package: Path, name: str) -> None:
        self.name = name
        self._path = package / name
        self._source = self._path.read_text(encoding="utf-8")
        self.lines = self._source.count("\n")
        wrapper = MetadataWrapper(libcst.parse_module(self._source))
        visitor = MutationVisitor(_OPERATORS, IgnoredCode(set(), set(), set()))
        wrapper.visit(visitor)
        self._tree = wrapper.module
        self._spans = wrapper.resolve(WhitespaceInclusivePositionProvider)
        # What is outside of functions is left alone, as mutmut does.
        self._mutations = [
            each
            for each in visitor.mutations
            if isinstance(each.contained_by_top_level_function, libcst.FunctionDef)
        ]

    def __len__(self) -> int:
        return len(self._mutations)

    def sample(self, count: int, seed: int) -> list[Mutant]:
        """Give that many of its mutants, the same ones for the same seed."""
        chosen = random.Random(f"{seed} {self.name}").sample(self._mutations, min(count, len(self)))
        return [self._mutant(each) for each in chosen]

    def _mutant(self, mutation: Mutation) -> Mutant:
        code = self._changed(mutation.original_node, mutation.mutated_node)
        before, after = self._source.splitlines(), code.splitlines()
        _, _, place, *lines = difflib.unified_diff(before, after, n=0, lineterm="")
        line = int(place.split()[1].lstrip("-").partition(",")[0])
        change = "\n".join(each for each in lines if not each.startswith("@@"))
        return Mutant(self._path, self.name, line, change, self._source, code)

    def _changed(self, old: libcst.CSTNode, new: libcst.CSTNode) -> str:
        span = self._spans[old]
        begin, end = self._offset(span.start), self._offset(span.end)
        # PERF: 70 -> 1 ms, where nothing around the node has a part in how it is written.
        if self._source[begin:end] == self._tree.code_for_node(old):
            return self._source[:begin] + self._tree.code_for_node(new) + self._source[end:]
        tree = self._tree.deep_replace(old, new)
        assert isinstance(tree, libcst.Module)
        return tree.code

    def _offset(self, position: CodePosition) -> int:
        lines = self._source.splitlines(keepends=True)
        return sum(map(len, lines[: position.line - 1])) + position.column


def sample(package: Path, names: Sequence[str], total: int | None, seed: int) -> list[Mutant]:
    """Make mutants of modules, in the proportion of their lines.

    Parameters:
        package: the directory of the package.
        names: the paths of the modules within it.
        total: about how many; None: every one there is.
        seed: of the choice.
    """
    modules = [Module(package, name) for name in names]
    lines = sum(module.lines for module in modules)
    return [
        mutant
        for module in modules
        for count in [len(module) if total is None else -(-total * module.lines // lines)]
        for mutant in module.sample(count, seed)
    ]
