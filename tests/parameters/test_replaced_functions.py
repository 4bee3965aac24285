"""Projects that read parameters in their own way, and tools that watch how they are read.

Which functions FastAPI runs for it is not listed here but observed: those of FastAPI, Starlette and
pydantic that stock calls while it solves dependencies. Each of them is then replaced.

NOTE: annotations are no strings here: FastAPI 0.115 does not know those of a class.
"""

import functools
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, ModuleType
from typing import Annotated, Any

import fastapi.dependencies.utils as solving
import pytest
import starlette.requests
from fastapi import Cookie, Depends, FastAPI, Header, Query
from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from fastapi_async_safe import async_safe
from fastapi_async_safe._fastapi import reading, responding
from fastapi_async_safe._planning import parameters
from tests.support.serving import Answer, Init, exchange, here

Place = tuple[Any, str]

SENT: dict[str, Any] = {
    "query": b"number=+1&tags=a&tags=+b+&wrong=x",
    "headers": [(b"x-agent", b"Smith "), (b"cookie", b"flavour=vanilla"), (b"x-all", b"1")],
}


@async_safe
class Filters:
    """Parameters of every source and shape that is read from the raw request."""

    def __init__(
        self,
        item: str,
        number: int,
        tags: Annotated[list[str], Query()],
        x_agent: Annotated[str, Header()],
        x_all: Annotated[list[str], Header()],
        flavour: Annotated[str, Cookie()],
        page: int = 1,
    ) -> None:
        self.shown = [item, number, tags, x_agent, x_all, flavour, page]


@async_safe
def wrong_ones(wrong: int = 0, missing: Annotated[str | None, Query()] = None) -> list[Any]:
    return [wrong, missing]


def make_app(**options: Any) -> FastAPI:
    app = FastAPI(**options)

    @app.get("/good/{item}")
    async def good(filters: Annotated[Filters, Depends()], own: str = "own") -> list[Any]:
        return [*filters.shown, own]

    @app.get("/bad/{item}")
    async def bad(
        filters: Annotated[Filters, Depends()],
        others: Annotated[list[Any], Depends(wrong_ones)],
        required: float,
    ) -> None:
        raise AssertionError

    @app.get("/none/{item}")
    async def none() -> str:
        return "none"

    return app


PATHS = ("/good/thing", "/bad/thing", "/none/thing")


def answers(app: FastAPI) -> list[Any]:
    return [exchange(app, path, **SENT).shown() for path in PATHS]


def code_run_by_stock() -> set[CodeType]:
    """Observe what stock runs while it solves dependencies."""
    seen: set[CodeType] = set()
    app, depth = make_app(), 0
    outermost = solving.solve_dependencies.__code__

    def profile(frame: FrameType, event: str, _: Any) -> None:
        nonlocal depth
        if frame.f_code is outermost:
            depth += {"call": 1, "return": -1}.get(event, 0)
        elif depth and event == "call":
            seen.add(frame.f_code)

    answers(app)
    sys.setprofile(profile)
    try:
        answers(app)
    finally:
        sys.setprofile(None)
    return seen


def function_of(value: Any) -> Any:
    if isinstance(value, property):
        return value.fget
    return getattr(value, "__wrapped__", value)


def places() -> Iterator[Place]:
    """List where the functions stand that stock runs: modules and classes, and their attributes."""
    seen = code_run_by_stock()
    modules = [
        module
        for name, module in list(sys.modules.items())
        if name.split(".")[0] in ("fastapi", "starlette", "pydantic") and module is not None
    ]
    owners: dict[int, Any] = {}
    for module in modules:
        owners[id(module)] = module
        for value in list(vars(module).values()):
            if isinstance(value, type) and value.__module__ == module.__name__:
                owners[id(value)] = value
    for owner in owners.values():
        for name, value in list(vars(owner).items()):
            function = function_of(value)
            if getattr(function, "__code__", None) not in seen or name.startswith("__"):
                continue
            if name.startswith("_fastapi_async_safe"):
                continue  # of a hook that is in, under a name of its own in each process
            if name == "routes":
                continue  # a hook that is in asks for those of the applications there are
            if function.__module__ == "typing" or name == "run_in_threadpool":
                continue  # of annotations; marked code goes no trip
            yield owner, name


def shown_place(place: Place) -> str:
    return f"{getattr(place[0], '__name__', place[0])}-{place[1]}"


PLACES = sorted(places(), key=shown_place)


def observed(value: Any, note: Callable[[Any], None]) -> Any:
    """Make what does what `value` does, and notes each call of it."""
    if isinstance(value, property):
        return property(observed(value.fget, note))

    def watch(*arguments: Any, **keywords: Any) -> Any:
        note([type(each).__name__ for each in (*arguments, *keywords.values())])
        return value(*arguments, **keywords)

    return watch


def test_the_functions_that_stock_runs_are_found() -> None:
    names = {name for _, name in PLACES}
    assert {"request_params_to_args", "_get_multidict_value", "validate", "cookies"} <= names
    assert len(PLACES) > 10


@pytest.mark.parametrize("connection", [Request, WebSocket])
def test_where_nothing_is_replaced_all_of_it_is_known_to_be_fastapis_own(connection: type) -> None:
    """Else nothing would be read from the raw request on this release."""
    assert reading(connection).is_own
    assert reading(connection, anything=False).is_own
    assert responding().is_own


@pytest.mark.parametrize("connection", [Request, WebSocket])
@pytest.mark.parametrize("anything", [True, False])
def test_it_is_looked_at_again_only_when_something_is_replaced(
    connection: type, anything: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = reading(connection, anything=anything)
    assert reading(connection, anything=anything) is seen
    monkeypatch.setattr(solving, "request_params_to_args", lambda *_: ({}, []))
    assert not reading(connection, anything=anything).is_own
    monkeypatch.undo()
    assert reading(connection, anything=anything).is_own


@pytest.mark.declines  # some of them are asked of each dependency, not of its parameters
@pytest.mark.accelerated
@pytest.mark.parametrize(
    ("late", "copies_name"), [(False, True), (True, False)], ids=["early", "late"]
)
@pytest.mark.parametrize("place", PLACES, ids=shown_place)
def test_who_watches_a_function_sees_what_it_is_given_on_stock(
    place: Place, late: bool, copies_name: bool, init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, name = place
    original = vars(owner)[name]
    noted: list[Any] = []
    watching = observed(original, noted.append)
    if copies_name and not isinstance(original, property):
        watching = functools.update_wrapper(watching, original)
    stock, ours = make_app(), init(make_app())
    if late:
        answers(ours)
    monkeypatch.setattr(owner, name, watching)
    answers(stock)
    noted.clear()
    expected, seen_on_stock = answers(stock), noted.copy()
    answers(ours)
    noted.clear()
    assert answers(ours) == expected
    assert noted == seen_on_stock
    monkeypatch.undo()
    assert answers(ours) == answers(stock)
    noted.clear()
    answers(ours)
    assert noted == []


def stripped(original: Any) -> Any:
    def strip(field: Any, values: Any, *arguments: Any, **keywords: Any) -> Any:
        value = original(field, values, *arguments, **keywords)
        return value.strip() if isinstance(value, str) else value

    return strip


def shouted(original: Any) -> Any:
    def shout(*arguments: Any) -> Any:
        values, errors = original(*arguments)
        return {
            name: value.upper() if isinstance(value, str) else value
            for name, value in values.items()
        }, errors

    return shout


def renamed_cookies(original: Any) -> Any:
    def parse(text: str) -> dict[str, str]:
        return {name: f"sweet {value}" for name, value in original(text).items()}

    return parse


def comma_separated(original: Any) -> Any:
    def read(field: Any, values: Any, *arguments: Any, **keywords: Any) -> Any:
        value = original(field, values, *arguments, **keywords)
        if isinstance(value, list):
            return [part for text in value for part in text.split("a")]
        return value

    return read


REPLACEMENTS: list[tuple[ModuleType, str, Callable[[Any], Any]]] = [
    (solving, "request_params_to_args", shouted),
    (solving, "_get_multidict_value", stripped),
    (solving, "_get_multidict_value", comma_separated),
    (starlette.requests, "cookie_parser", renamed_cookies),
]


@pytest.mark.parametrize("when", ["before", "early", "late"])
@pytest.mark.parametrize(("module", "name", "replace"), REPLACEMENTS)
def test_a_project_that_reads_parameters_in_its_own_way(
    module: ModuleType,
    name: str,
    replace: Callable[[Any], Any],
    when: str,
    init: Init,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stock = make_app()
    plain = answers(stock)
    original = getattr(module, name)
    if when == "before":
        monkeypatch.setattr(module, name, replace(original))
    ours = init(make_app())
    if when == "early":
        monkeypatch.setattr(module, name, replace(original))
    for _ in range(2):
        if when == "late":
            assert answers(ours) == plain
        monkeypatch.setattr(module, name, replace(original))
        own = answers(stock)
        assert own != plain
        assert answers(ours) == own
        monkeypatch.undo()
        assert answers(ours) == plain


@pytest.mark.parametrize("are_kinds_known", [False, True])
@pytest.mark.parametrize(("module", "name", "replace"), REPLACEMENTS)
def test_a_project_may_begin_to_do_so_while_the_plan_is_made(
    module: ModuleType,
    name: str,
    replace: Callable[[Any], Any],
    are_kinds_known: bool,
    init: Init,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replaced = replace(getattr(module, name))

    def predicate(_: Any) -> bool:
        monkeypatch.setattr(module, name, replaced)
        return False

    def unmarked() -> None: ...

    monkeypatch.setattr(parameters, "_proven", {})
    if are_kinds_known:
        answers(init(make_app()))
    stock = make_app()
    ours = init(make_app(dependencies=[Depends(unmarked)]), predicates=[predicate])
    answers(ours)
    predicate(None)  # whom nobody asks on stock
    assert answers(ours) == answers(stock)


def test_the_code_of_a_function_may_be_exchanged(
    init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    function: Any = solving._get_multidict_value

    def nothing(field: Any, values: Any, alias: Any = None) -> Any:
        return None

    stock, ours = make_app(), init(make_app())
    plain = answers(ours)
    monkeypatch.setattr(function, "__code__", nothing.__code__)
    own = answers(stock)
    assert own != plain
    assert answers(ours) == own
    monkeypatch.undo()
    assert answers(ours) == plain


@pytest.mark.parametrize("connection", [HTTPConnection, Request, WebSocket])
def test_a_property_that_all_requests_inherit(
    connection: Any, init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock, ours = make_app(), init(make_app())
    plain = answers(ours)
    monkeypatch.setattr(
        connection, "query_params", property(lambda self: {"number": "8"}), raising=False
    )
    own: list[Answer] = answers(stock)
    assert (own != plain) == (connection is not WebSocket)
    assert answers(ours) == own
    monkeypatch.undo()
    assert answers(ours) == plain


ASKED = [
    name
    for name in ("_is_coroutine_callable", "_is_gen_callable", "_is_async_gen_callable")
    if hasattr(solving, name)
]


@pytest.mark.accelerated
@pytest.mark.declines
@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("is_overridden", [False, True])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_route_that_fell_back_comes_back(
    when: str, is_overridden: bool, name: str, init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = getattr(solving, name)

    def replaced(*arguments: Any, **keywords: Any) -> Any:
        return original(*arguments, **keywords)

    def dependency() -> bool:
        return here() == loop

    async def endpoint(value: Annotated[bool, Depends(dependency)]) -> bool:
        return value

    loop = here()
    app = init(FastAPI(), predicates=[lambda call: True])
    app.add_api_route("/", endpoint)
    if is_overridden:
        app.dependency_overrides[dependency] = lambda: here() == loop
    if when == "after":
        assert exchange(app).body == b"true"
    for _ in range(2):
        monkeypatch.setattr(solving, name, replaced)
        assert [exchange(app).body for _ in range(2)] == [b"false"] * 2
        monkeypatch.undo()
        assert [exchange(app).body for _ in range(2)] == [b"true"] * 2
