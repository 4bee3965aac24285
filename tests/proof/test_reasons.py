"""What a proof that does not hold says."""

from __future__ import annotations

import linecache
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.client import responses
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends
from pydantic import AfterValidator, BaseModel, Field

import fastapi_async_safe
from fastapi_async_safe import Proof, Reason, prove
from fastapi_async_safe._proof import prove_as

LOCK = threading.Lock()
CLIENT = httpx.Client()


def sleeps() -> None:
    time.sleep(1)


def opens(name: str) -> Any:
    with open(name) as file:  # noqa: PTH123
        return file.read()


def reads_a_path(name: str) -> str:
    return Path(name).read_text()


def locks() -> None:
    with LOCK:
        pass


def acquires() -> None:
    LOCK.acquire()


def asks_the_network() -> Any:
    return urllib.request.urlopen("http://x")


def asks_by_httpx() -> Any:
    return httpx.get("http://x")


def asks_by_a_client() -> Any:
    return CLIENT.get("http://x")


def runs_a_process() -> Any:
    return subprocess.run(["true"], check=True)


def connects() -> Any:
    return sqlite3.connect("x")


def give_connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect("x")
    yield connection


def uses_a_connection(connection: Annotated[sqlite3.Connection, Depends(give_connection)]) -> Any:
    return connection.execute("select 1")


def open_connection() -> sqlite3.Connection:
    return sqlite3.connect("x")


def uses_what_is_returned(connection=Depends(open_connection)) -> Any:  # type: ignore[no-untyped-def]  # noqa: B008
    return connection.execute("select 1")


open_connection.__annotations__["return"] = sqlite3.Connection  # what a text means is not looked up


def hands_out_a_connection(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    yield connection


def calls_what_sleeps() -> None:
    if time.time() > 0:
        sleeps()


def within_a_loop(names: list[str]) -> None:
    for _ in names:
        sleeps()


class SleepsAtOnce:
    def __init__(self) -> None:
        self.nap()

    def nap(self) -> None:
        time.sleep(1)


@pytest.mark.parametrize(
    "call",
    [
        sleeps,
        opens,
        reads_a_path,
        locks,
        acquires,
        asks_the_network,
        asks_by_httpx,
        asks_by_a_client,
        runs_a_process,
        connects,
        give_connection,
        uses_a_connection,
        uses_what_is_returned,
        hands_out_a_connection,
        calls_what_sleeps,
        within_a_loop,
        SleepsAtOnce,
    ],
)
def test_what_is_known_to_block_is_said(call: Callable[..., Any]) -> None:
    proof = prove(call)
    assert proof.verdict == "blocks"
    assert any(reason.blocks for reason in proof.reasons)


def keeps_a_connection(connection: Annotated[sqlite3.Connection, Depends(give_connection)]) -> Any:
    return {"connection": connection}


def joins_a_path(path: Path) -> Any:
    return path.with_suffix(".x")


def test_what_only_keeps_a_connection_is_proven() -> None:
    assert prove(keeps_a_connection).holds


def test_asking_for_the_thread_does_not_block_and_is_not_proven() -> None:
    def names_its_thread() -> str:
        return threading.current_thread().name

    assert prove(names_its_thread).verdict == "unknown"


def test_paths_that_are_only_computed_do_not_block() -> None:
    assert prove(joins_a_path).verdict == "unknown"


def test_an_assertion_that_is_left_out_says_nothing() -> None:
    code = """
import linecache, sys
from fastapi_async_safe import prove
source = "import time\\ndef f():\\n found = time.sleep\\n assert found is None\\n found(0)\\n"
linecache.cache["made.py"] = (len(source), None, source.splitlines(keepends=True), "made.py")
exec(compile(source, "made.py", "exec"))
sys.exit(10 + prove(f).holds)
"""
    for options, expected in ((["-O"], 10), ([], 11)):
        assert (
            subprocess.run([sys.executable, *options, "-c", code], check=False).returncode
            == expected
        )


def test_a_reason_tells_the_place() -> None:
    (reason,) = prove(calls_what_sleeps).reasons
    line = sleeps.__code__.co_firstlineno + 1
    assert reason == Reason(
        __file__, line, "calls `time.sleep`, which sleeps", "time.sleep(1)", blocks=True
    )
    assert str(reason) == f"{__file__}:{line}: calls `time.sleep`, which sleeps"


class Comparing(type):
    def __eq__(cls, other: object) -> bool:
        return cls is other

    __hash__ = type.__hash__


class Compared(metaclass=Comparing):
    limit = 1

    def __init__(self, a: str = "") -> None:
        self.a = a


def test_what_is_said_of_a_class_has_the_place_of_its_init() -> None:
    (reason,) = prove(Compared).reasons
    line = Compared.__init__.__code__.co_firstlineno
    assert (reason.file, reason.line) == (__file__, line)


def fills(a: str = "") -> str:
    return "%50000s" % a  # noqa: UP031


def test_a_template_that_is_not_simple_is_said_with_its_place() -> None:
    (reason,) = prove(fills).reasons
    line = fills.__code__.co_firstlineno + 1
    text = "fills a template that is not a simple one: `'%50000s' % a`"
    assert reason == Reason(__file__, line, text, 'return "%50000s" % a  # noqa: UP031')


SIXTEEN = tuple(range(16))


def looks_often(a: str) -> Any:
    return [
        ["xy" in a for _ in SIXTEEN]  # says the line
        for _ in SIXTEEN
    ]


def joins_often(a: str) -> Any:
    parts = a.split()
    return [
        [",".join(parts) for _ in SIXTEEN]  # says the line
        for _ in SIXTEEN
    ]


@pytest.mark.parametrize(("call", "line"), [(looks_often, 2), (joins_often, 3)])
def test_what_takes_long_is_said_with_its_place(call: Any, line: int) -> None:
    (reason,) = prove(call).reasons
    assert reason.text == "takes longer than what is counted as short"
    assert reason.line == call.__code__.co_firstlineno + line


def made_of(
    monkeypatch: pytest.MonkeyPatch, source: str, read: str = "", name: str = "<made source>"
) -> Any:
    """Make the function `made` of a source, or of one that reads otherwise."""
    namespace: dict[str, Any] = {}
    exec(compile(source, name, "exec"), namespace)
    lines = (read or source).splitlines(keepends=True)
    monkeypatch.setitem(linecache.cache, name, (sum(map(len, lines)), None, lines, name))
    return namespace["made"]


@pytest.mark.parametrize(
    "call",
    [
        "max(a, a)",
        "float(a)",
        "hash(a)",
        "sum((1, 2, 3, 4))",
        "sorted((2, 1))",
        "tuple((1, 2, 3, 4, 5, 6, 7, 8))",
        "compare_digest('', a)",
        "a2b_base64(a)",
        "{'key': 1}.get(a)",
        "a.strip()",
        "a.partition('-')",
        "a.split()",
        "a.replace('a', 'b')",
        "a.encode()",
        "a.zfill(5)",
    ],
)
def test_what_takes_long_of_python_is_said_with_its_place(
    monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    source = f"""
from binascii import a2b_base64
from hmac import compare_digest
SIXTEEN = tuple(range(16))
a = "x" * 2048
def made():
    return [
        [{call} for _ in SIXTEEN]
        for _ in SIXTEEN
    ]
"""
    proof = prove(made_of(monkeypatch, source, name="made.py"))
    text = "takes longer than what is counted as short"
    assert proof.reasons == (Reason("made.py", 8, text, f"[{call} for _ in SIXTEEN]"),)


def test_what_is_too_large_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = "".join(f" x{number} = ({'a, ' * 10})\n" for number in range(3000))
    proof = prove(made_of(monkeypatch, f"def made(a: int = 1):\n{parts} return 1\n"))
    assert proof.reasons[-1].text == "is too large to be proven"


def test_a_source_that_cannot_be_compiled_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    made = made_of(monkeypatch, "def made(a): return 1\n", "def made(a, a): return 1\n")
    (reason,) = prove(made).reasons
    assert reason.text.endswith(": its source cannot be compiled")


def calls_of_nothing() -> str:
    return str.strip()  # type: ignore[call-arg]


def test_a_method_of_nothing_is_said() -> None:
    assert prove(calls_of_nothing).reasons[0].text == "calls `str.strip` of nothing"


def strips_parts(
    a: Annotated[list[Annotated[str, AfterValidator(str)]], Field(max_length=3)],
) -> Any:
    return [each.strip() for each in a]


def strips_parts_of_a_copy(a: Annotated[list, Field(max_length=3)]) -> Any:  # type: ignore[type-arg]
    return [each.strip() for each in a.copy()]


def strips_a_phrase(a: int) -> Any:
    each = responses.get(a, "")
    return each.strip()


@pytest.mark.parametrize(
    ("call", "whose"),
    [
        (strips_parts, "a part of the parameter `a`"),
        (strips_parts_of_a_copy, "a part of it"),
        (strips_a_phrase, "the phrase of a status"),
    ],
)
def test_what_is_not_known_of_a_part_is_said(call: Callable[..., Any], whose: str) -> None:
    text = f"reads `each.strip` of {whose}, whose class is not known"
    assert prove(call).reasons[0].text == text


class MadeOfData(BaseModel):
    a: int = 1
    b: int = Field(default_factory=lambda data: int(data["a"]))
    c: int = 1


class Checked(BaseModel):
    a: Annotated[int, AfterValidator(abs)] = 1
    b: int = 1


def makes_of_data() -> Any:
    return MadeOfData()


def makes_checked() -> Any:
    return Checked()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (makes_of_data, "MadeOfData, whose validation has a default factory that takes data"),
        (makes_checked, "Checked, whose validation has a part that is not known: function-after"),
    ],
)
def test_it_is_said_what_in_a_model_is_not_known(call: Callable[..., Any], text: str) -> None:
    (reason,) = prove(call).reasons
    assert reason.text == f"makes a model {__name__}.{text}"


def test_what_has_no_source_is_said() -> None:
    namespace: dict[str, Any] = {}
    exec("def made() -> int:\n    return 1", namespace)
    (reason,) = prove(namespace["made"]).reasons
    assert "its source cannot be read" in reason.text


@pytest.mark.parametrize("call", [1, None, "x", print, len, dict.get, object(), int, type, super])
def test_anything_may_be_asked_about(call: Any) -> None:
    proof = prove(call)
    assert isinstance(proof, Proof)
    assert not any("could not be followed" in reason.text for reason in proof.reasons)


def test_a_fault_of_the_prover_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: Any) -> Any:
        raise LookupError

    def harmless() -> int:
        return 1

    monkeypatch.setattr(fastapi_async_safe._proof.proof, "_run", fails)
    (reason,) = prove(harmless).reasons
    name = f"{__name__}.{harmless.__qualname__}"
    assert reason == Reason("", 0, f"`{name}` could not be followed (LookupError)")


def test_it_is_public() -> None:
    assert {"prove", "Proof", "Reason"} <= set(fastapi_async_safe.__all__)


class Repository:
    __slots__ = ("session",)

    def find(self) -> int:
        return 1


def service(repository: Annotated[Any, Depends(Repository)]) -> Any:
    return repository.find()


def test_results_are_not_trusted_under_overrides() -> None:
    assert prove(service).holds
    assert not prove_as(service, {"repository": give_connection}).holds
