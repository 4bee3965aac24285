"""Writes random functions and classes that mix what can be proven with what cannot."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

PRELUDE = """
import enum
import functools
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, HTTPException, Query

from tests.proof.traps import TRAP, give_trap, trapped, trapping

LIMIT = 10
NAMES = ("a", "b")
TABLE = {"a": 1, "b": 2}


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Plain:
    factor = 2

    def __init__(self, a: int = 0) -> None:
        self.a = a

    def double(self) -> int:
        return self.factor

    @property
    def shown(self) -> Any:
        return self.a


def passed_on(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper
"""

#: What a parameter may be annotated with, and what kind of value that gives.
PARAMETERS = [
    ("str", "text"),
    ('str = "x"', "text"),
    ("str | None = None", "maybe"),
    ("Annotated[str, Query(max_length=12)]", "short"),
    ("int", "int"),
    ("int = 5", "int"),
    ("Annotated[int, Query(ge=0, le=100)]", "small"),
    ("float = 0.5", "float"),
    ("bool = False", "bool"),
    ("Annotated[list[str], Query()]", "list"),
    ("Color = Color.RED", "color"),
    ("Annotated[Any, Depends(give_trap)]", "trap"),
    ("Annotated[Plain, Depends()]", "plain"),
    ("Any = TRAP", "trap"),
    ("Annotated[str, Depends(give_trap)]", "text"),
    ("Annotated[Plain, Depends(give_trap)]", "plain"),
    ("Annotated[Plain | None, Depends(give_trap)]", "maybe plain"),
    ("Annotated[dict[str, int], Depends(give_trap)]", "dict"),
    ("Annotated[list[int], Depends(give_trap)]", "numbers"),
]


@dataclass
class Program:
    """A source, and the names in it that are to be proven."""

    source: str = PRELUDE
    names: list[str] = field(default_factory=list)
    kinds: dict[str, dict[str, str]] = field(default_factory=dict)  # of the parameters, by name


class Writer:
    """Writes one program."""

    def __init__(self, source: random.Random) -> None:
        self.random = source
        self.program = Program()
        self.functions: list[str] = []
        self.classes: list[str] = ["Plain"]
        self.variables: list[str] = []
        self.count = 0

    def write(self) -> Program:
        for _ in range(self.random.randint(1, 4)):
            if self.random.random() < 0.3:
                self.write_class()
            else:
                self.write_function()
        return self.program

    def fresh(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def parameters(self) -> tuple[str, dict[str, str]]:
        chosen = self.random.sample(PARAMETERS, self.random.randint(0, 3))
        chosen.sort(key=lambda each: "=" in re.sub(r"(ge|le|max_length)=", "", each[0]))
        named = [(self.fresh("p"), annotation, kind) for annotation, kind in chosen]
        text = ", ".join(f"{name}: {annotation}" for name, annotation, _ in named)
        return text, {name: kind for name, _, kind in named}

    def write_function(self) -> None:
        name = self.fresh("f")
        text, kinds = self.parameters()
        self.variables = list(kinds)
        body = self.block(2, 0)
        decorator = self.random.choice(["", "", "", "", "@passed_on\n", "@trapping\n"])
        self.program.source += f"\n\n{decorator}def {name}({text}):\n{body}"
        self.program.names.append(name)
        self.program.kinds[name] = kinds
        self.functions.append(name)

    def write_class(self) -> None:
        name = self.fresh("C")
        base = self.random.choice(["", "", f"({self.random.choice(self.classes)})"])
        text, kinds = self.parameters()
        if self.random.random() < 0.3:
            fields = "".join(f"\n    {each}" for each in text.split(", p") if each)
            fields = fields.replace("\n    ", "\n    p").replace("pp", "p")
            factory = self.random.choice(["list", "dict", "trapped", "lambda: 1"])
            self.program.source += (
                f"\n\n@dataclass\nclass {name}:{fields}\n"
                f"    extra: Any = field(default_factory={factory}, kw_only=True)\n"
            )
            kinds = {**kinds, "extra": "int"}
        else:
            self.variables = ["self", *kinds]
            lines = ["        super().__init__()\n"] if base else []
            lines += [f"        self.{each} = {each}\n" for each in kinds]
            lines += [self.statement(2, 0) for _ in range(self.random.randint(0, 2))]
            more = self.random.choice(_CLASS_PARTS)
            body = "".join(lines) or "        pass\n"
            parameters = f", {text}" if text else ""
            self.program.source += (
                f"\n\nclass {name}{base}:\n{more}    def __init__(self{parameters}):\n{body}"
            )
            self.classes.append(name)
        self.program.names.append(name)
        self.program.kinds[name] = kinds

    def block(self, depth: int, loops: int, indent: int = 1) -> str:
        count = self.random.randint(1, 3)
        return "".join(self.statement(indent, loops, depth) for _ in range(count)) + (
            f"{'    ' * indent}return {self.expression(2)}\n" if indent == 1 else ""
        )

    def statement(self, indent: int, loops: int, depth: int = 1) -> str:
        pad = "    " * indent
        choice = self.random.randint(0, 13 if depth > 0 else 6)
        if choice <= 3:
            value = self.expression(2)
            name = self.random.choice([*self.variables, self.fresh("v"), self.fresh("v")])
            if name == "self":
                return f"{pad}self.{self.fresh('s')} = {value}\n"
            self.variables.append(name)
            return f"{pad}{name} = {value}\n"
        if choice == 4:
            return f"{pad}{self.expression(2)}\n"
        if choice == 5:
            if loops:
                way = self.random.choice(["break", "continue"])
                return f"{pad}if {self.expression(1)}:\n{pad}    {way}\n"
            return f"{pad}pass\n"
        if choice == 6:
            name = self.fresh("v")
            text = f"{pad}{name} = {self.expression(1)}\n{pad}{name} += {self.expression(1)}\n"
            self.variables.append(name)
            return text
        inner = self.inner(indent, loops, depth)
        if choice <= 8:
            other = self.inner(indent, loops, depth)
            return f"{pad}if {self.expression(2)}:\n{inner}{pad}else:\n{other}"
        if choice == 9:
            name = self.fresh("v")
            self.variables.append(name)
            over = self.random.choice(
                ["NAMES", "(1, 2)", "range(3)", "enumerate(NAMES)", self.expression(1)]
            )
            body = self.inner(indent, loops + 1, depth)
            return f"{pad}for {name} in {over}:\n{body}"
        if choice == 10:
            caught = self.random.choice(["ValueError", "(TypeError, KeyError)", "Exception"])
            last = f"{pad}finally:\n{inner}" if self.random.random() < 0.3 else ""
            other = self.inner(indent, loops, depth)
            return f"{pad}try:\n{inner}{pad}except {caught}:\n{other}{last}"
        if choice == 11:
            return (
                f"{pad}if {self.expression(1)}:\n"
                f"{pad}    raise HTTPException(400, {self.random.choice(['None', repr('x')])})\n"
            )
        if choice == 12:
            name = self.fresh("v")
            text = (
                f"{pad}{name} = [{self.expression(1)}]\n{pad}{name}.append({self.expression(1)})\n"
            )
            self.variables.append(name)
            return text
        name = self.fresh("v")
        text = (
            f"{pad}{name} = {{'k': {self.expression(1)}}}\n"
            f"{pad}{name}[{self.expression(1)}] = {self.expression(1)}\n"
        )
        self.variables.append(name)
        return text

    def inner(self, indent: int, loops: int, depth: int) -> str:
        count = self.random.randint(1, 2)
        return "".join(self.statement(indent + 1, loops, depth - 1) for _ in range(count))

    def atom(self) -> str:
        known = [each for each in self.variables if each != "self"] or ["LIMIT"]
        if self.random.random() < 0.6:
            return self.random.choice(known)
        return self.random.choice(
            [
                "(1)",
                "(2.5)",
                '"ab"',
                "(None)",
                "(True)",
                "LIMIT",
                "NAMES",
                "TABLE",
                "Color.RED",
                "()",
                "TRAP",
            ]
        )

    def expression(self, depth: int) -> str:
        if depth == 0:
            return self.atom()
        template = self.random.choice(_TEMPLATES)
        if template == "call" and self.functions:
            arguments = ", ".join(self.atom() for _ in range(self.random.randint(0, 2)))
            return f"{self.random.choice(self.functions)}({arguments})"
        if template == "make":
            return f"{self.random.choice(self.classes)}({self.random.choice(['', self.atom()])})"
        if template in ("call", "atom"):
            return self.atom()
        while "@" in template:
            template = template.replace("@", self.expression(depth - 1), 1)
        return template


_CLASS_PARTS = [
    "",
    "",
    "    x = 1\n\n",
    "    @property\n    def y(self):\n        return 1\n\n",
    "    def __bool__(self):\n        return bool(trapped())\n\n",
    "    def __eq__(self, other):\n        return trapped()\n\n",
    "    def __getattr__(self, name):\n        return trapped()\n\n",
    "    def __getattr__(self, name):\n        return name if name == 'a' else self.factor\n\n",
    "    def __getitem__(self, key):\n        return [key, self]\n\n",
    "    def __setattr__(self, name, value):\n        trapped()\n\n",
    "    def __del__(self):\n        trapped()\n\n",
    "    __slots__ = ()\n\n",
]

_TEMPLATES = [
    "atom",
    "atom",
    "call",
    "call",
    "make",
    "(@ + @)",
    "(@ - @)",
    "(@ * @)",
    "(@ // @)",
    "(@ % @)",
    "(@ | @)",
    "(@ == @)",
    "(@ < @)",
    "(@ in @)",
    "(@ is @)",
    "(@ is not None)",
    "(@ and @)",
    "(@ or @)",
    "(not @)",
    "(-@)",
    "(@ if @ else @)",
    "[@, @]",
    "(@, @)",
    "{'k': @, 'l': @}",
    "{@, @}",
    "f'{@}-{@!r}'",
    "f'{@:.2f}'",
    "@[0]",
    "@[:5]",
    "@.strip()",
    "@.lower()",
    "@.split(',')",
    "@.upper()",
    "@.partition(':')",
    "@.startswith('a')",
    "@.find(@)",
    "@.replace('a', 'bc')",
    "@.encode()",
    "','.join(@)",
    "@.get(@)",
    "@.a",
    "@.shown",
    "@.double()",
    "@.value",
    "len(@)",
    "str(@)",
    "int(@)",
    "float(@)",
    "bool(@)",
    "repr(@)",
    "min(@, @)",
    "max(@, @)",
    "abs(@)",
    "sorted(@)",
    "isinstance(@, str)",
    "type(@)",
    "tuple(@)",
    "list(@)",
    "dict(k=@)",
    "any(x == @ for x in NAMES)",
    "[x for x in @]",
    "[x.strip() for x in @.split(',')]",
    "[int(x) for x in @.split(',')[:3]]",
    "[y for y in (x == 'a' for x in @)]",
    "list(map(int, @))",
    "tuple(map(len, @))",
    "max(map(abs, @))",
    "[list(map(float, x.split(','))) for x in @]",
    "'{} {}'.format(@, @)",
    "getattr(@, 'a', @)",
    "hasattr(@, 'shown')",
    "@['a']",
    "(@ in ('a', 'b', @))",
    "(@ == 'a')",
    "{x: @ for x in NAMES}",
    "(w := @)",
    "round(@, 2)",
    "hash(@)",
    "trapped()",
    "give_trap()",
    "getattr(@, 'a')",
    "TABLE.get(@)",
]
