"""What is proven of random programs runs nothing but what is known, and not for long.

`FASTAPI_ASYNC_SAFE_PROOF_EXAMPLES` says of how many programs; 1,000 without it.
"""

from __future__ import annotations

import linecache
import os
import random
import sys
import types
import warnings
from types import CodeType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastapi_async_safe._proof import Proof, guard_of, prove
from fastapi_async_safe._proof.values import TEXT_CLAIMED
from tests.proof import traps
from tests.proof.observed import is_allowed, observe, shortest
from tests.proof.random_programs import Program, Writer

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("FASTAPI_ASYNC_SAFE_PROOF_EXAMPLES", "1000"))
LONGEST = 200e-6

#: Values of the largest size that is claimed, and others, by the kind of the parameter.
VALUES: dict[str, list[Any]] = {
    "text": [
        "\xe4" * TEXT_CLAIMED,
        ",a" * (TEXT_CLAIMED // 2),
        "",
        "a",
        "\xdf" * TEXT_CLAIMED,
        "1," * 15,
    ],
    "short": ["," * 12, "1,2,3", "\xdf" * 12, ""],
    "maybe": [None, " " * TEXT_CLAIMED, "b", "1" * 31],
    "int": [10**4299, 0, -1, 7],
    "small": [0, 100, 3],
    "float": [0.5, 1e308, float("nan"), -0.0],
    "bool": [True, False],
    "maybe plain": [None],
    "dict": [{"a": 1, "b": 2}, {}, {str(number): number for number in range(32)}],
    "numbers": [[1, -(2**63)], [], [7] * 32],
    "list": [["ab"] * (TEXT_CLAIMED // 2), [], ["a" * TEXT_CLAIMED], ["1," * 15] * 4],
}

counted = {"programs": 0, "callables": 0, "proven": 0, "guarded": 0, "calls": 0}


@settings(max_examples=EXAMPLES)
@given(st.randoms(use_true_random=False), st.integers(0, 4))
def test_what_is_proven_runs_nothing_else(source: random.Random, turn: int) -> None:
    check(Writer(source).write(), turn)


def check(program: Program, turn: int) -> None:
    """Prove everything in a program, and run what is proven."""
    counted["programs"] += 1
    file = f"<program {counted['programs']}>"
    name = f"random_program_{counted['programs']}"
    linecache.cache[file] = (
        len(program.source),
        None,
        program.source.splitlines(keepends=True),
        file,
    )
    module = types.ModuleType(name)
    sys.modules[name] = module
    try:
        try:
            code = compiled(program, file)
        except SyntaxError:
            return  # such as a named expression where there may be none
        exec(code, vars(module))
        for each in program.names:
            call = getattr(module, each)
            proof = prove(call)
            counted["callables"] += 1
            assert not any("could not be followed" in str(r) for r in proof.reasons), (
                proof.reasons,
                program.source,
            )
            if proof.holds:
                counted["proven"] += 1
                run(program, module, each, call, proof, turn)
    finally:
        del linecache.cache[file]
        del sys.modules[name]


def compiled(program: Program, file: str) -> CodeType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        return compile(program.source, file, "exec")


def run(program: Program, module: Any, name: str, call: Any, proof: Proof, turn: int) -> None:
    kinds = program.kinds[name]
    guard = guard_of(proof.expects, kinds)
    calls_made = [
        {parameter: value(module, kind, turn + index) for parameter, kind in kinds.items()}
        for index in range(3)
    ]
    if guard is not None:  # then anything may be given
        counted["guarded"] += 1
        expected = dict.fromkeys(each.path[0] for each in proof.expects)
        calls_made += [
            {**calls_made[0], parameter: other}
            for parameter in expected
            for other in (
                traps.TRAP,
                {"a": traps.TRAP},
                None,
                module.Plain(traps.TRAP),
                [traps.TRAP],
                1 << 70,
            )
        ]
    for kwargs in calls_made:
        shown = f"{name}({kwargs!r:.300}) in\n{program.source}"
        traps.sprung.clear()
        if guard is not None and not guard(**kwargs):
            assert not traps.sprung, shown
            continue
        calls = observe(call, kwargs)
        counted["calls"] += 1
        assert not traps.sprung, shown
        known = known_codes(proof)
        unknown = [code for code in calls.codes if code not in known and not is_standard(code)]
        assert not unknown, (unknown, shown)
        others = [function for function in calls.functions if not is_allowed(function)]
        others = [each for each in others if not isinstance(each, (staticmethod, classmethod))]
        assert not others, (others, shown)
        assert shortest(call, kwargs, LONGEST) < LONGEST, shown


def value(module: Any, kind: str, turn: int) -> Any:
    if kind == "trap":
        return traps.TRAP
    if kind == "plain" or (kind == "maybe plain" and turn % 2):
        return module.Plain(3)
    if kind == "color":
        return module.Color.BLUE
    return VALUES[kind][turn % len(VALUES[kind])]


def known_codes(proof: Proof) -> set[CodeType]:
    """Give the code that a proof rests on, with what is within it."""
    codes = [each for _, attribute, each in proof.watched if attribute == "__code__"]
    for code in codes:
        codes += [each for each in code.co_consts if isinstance(each, CodeType)]
    return set(codes)


def is_standard(code: CodeType) -> bool:
    """Say whether it is how `enum` of the standard library gives a member, or the value of one."""
    # A member is asked for by the `HTTPException` of an old Starlette, for its text.
    known = ("value", "name", "__get__", "__call__", "__new__")
    return code.co_filename.endswith("enum.py") and code.co_name in known


def test_the_programs_have_both() -> None:
    found = {True: 0, False: 0}
    for seed in range(200):
        program = Writer(random.Random(seed)).write()
        counted["programs"] += 1
        file = f"<seed {seed}>"
        linecache.cache[file] = (0, None, program.source.splitlines(keepends=True), file)
        module = types.ModuleType(f"seed_{seed}")
        sys.modules[module.__name__] = module
        try:
            exec(compiled(program, file), vars(module))
        except SyntaxError:
            continue
        for name in program.names:
            found[prove(getattr(module, name)).holds] += 1
        del linecache.cache[file], sys.modules[module.__name__]
    assert min(found.values()) > 0.1 * sum(found.values()), found
