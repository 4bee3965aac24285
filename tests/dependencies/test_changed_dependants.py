"""Dependants that change after their route was served, or while its plan is made."""

import functools
import gc
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Security, WebSocket
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant
from fastapi.routing import APIRoute, APIWebSocketRoute
from fastapi.security import SecurityScopes
from starlette.testclient import TestClient

from fastapi_async_safe import async_safe
from tests.support.serving import Serve, exchange, here

Calls = list[str]


@pytest.fixture
def calls() -> Calls:
    """Give what dependencies write their names to."""
    return []


Mark = Callable[[Any], Any]


def unmarked(dependency: Any) -> Any:
    """Leave it to the predicates."""
    return dependency


def recorder(calls: Calls, name: str, mark: Mark = async_safe) -> Any:
    """Make a dependency that writes its name down."""

    @mark
    def dependency() -> str:
        calls.append(name)
        return name

    return dependency


def app_with_levels(calls: Calls, mark: Mark = async_safe) -> FastAPI:
    """Make an application whose endpoint needs "upper", which needs "lower"."""
    lower = recorder(calls, "lower", mark)

    @mark
    def upper(below: Annotated[str, Depends(lower)]) -> str:
        calls.append("upper")
        return f"upper {below}"

    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[str, Depends(upper)]) -> str:
        return value

    return app


def root_of(app: FastAPI) -> Dependant:
    """Give the dependant of the last route."""
    route = app.router.routes[-1]
    assert isinstance(route, APIRoute)
    return route.dependant


def level(app: FastAPI, depth: int) -> Dependant:
    """Give the last dependant of a level, 0 is the endpoint."""
    dependant = root_of(app)
    for _ in range(depth):
        dependant = dependant.dependencies[-1]
    return dependant


@pytest.mark.declines  # the mark that `wraps` copied
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("served_before", [True, False])
def test_a_call_that_is_wrapped_late_is_called(
    served_before: bool, depth: int, calls: Calls, serve: Serve
) -> None:
    app = app_with_levels(calls)
    client = serve(app)
    if served_before:
        assert client.get("/").json() == "upper lower"
    dependant = level(app, depth)
    original = dependant.call
    assert original is not None

    @functools.wraps(original)
    def wrapper(*arguments: Any, **keywords: Any) -> Any:
        calls.append("wrapper")
        return original(*arguments, **keywords)

    dependant.call = wrapper
    calls.clear()
    assert client.get("/").json() == "upper lower"
    assert sorted(calls) == ["lower", "upper", "wrapper"]
    dependant.call = original
    calls.clear()
    assert client.get("/").json() == "upper lower"
    assert calls == ["lower", "upper"]


@pytest.mark.accelerated
def test_a_wrapper_runs_where_its_own_mark_says(calls: Calls, serve: Serve) -> None:
    threads: list[int] = []
    app = FastAPI()

    @app.get("/", dependencies=[Depends(async_safe(lambda: threads.append(here())))])
    async def endpoint() -> bool:
        return threads.pop() == here()

    client = serve(app)
    assert client.get("/").json() is True
    level(app, 1).call = lambda: threads.append(here())
    assert client.get("/").json() is False


def added(calls: Calls, name: str = "added") -> Dependant:
    """Make a dependant as other packages do, to add it to a route."""
    return get_dependant(path="/", call=recorder(calls, name))


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("served_before", [True, False])
def test_a_dependency_that_is_appended_late_is_called(
    served_before: bool, depth: int, calls: Calls, serve: Serve
) -> None:
    app = app_with_levels(calls)
    client = serve(app)
    if served_before:
        assert client.get("/").json() == "upper lower"
    level(app, depth).dependencies.append(added(calls))
    calls.clear()
    assert client.get("/").json() == "upper lower"
    assert sorted(calls) == ["added", "lower", "upper"]
    level(app, depth).dependencies.pop()
    calls.clear()
    assert client.get("/").json() == "upper lower"
    assert calls == ["lower", "upper"]


@pytest.mark.parametrize("depth", [0, 1])
def test_dependencies_that_are_exchanged_late_are_called(
    depth: int, calls: Calls, serve: Serve
) -> None:
    app = app_with_levels(calls)
    client = serve(app)
    assert client.get("/").json() == "upper lower"
    dependant = level(app, depth)
    dependant.dependencies = [added(calls), *dependant.dependencies]
    calls.clear()
    assert client.get("/").json() == "upper lower"
    assert calls == ["added", "lower", "upper"]
    dependant.dependencies.reverse()
    calls.clear()
    assert client.get("/").json() == "upper lower"
    assert sorted(calls) == ["added", "lower", "upper"]


def test_a_dependency_inserted_below_one_that_was_added_late_is_called(
    calls: Calls, serve: Serve
) -> None:
    app = app_with_levels(calls)
    client = serve(app)
    late = added(calls)
    root_of(app).dependencies.append(late)
    assert client.get("/").json() == "upper lower"
    late.dependencies.append(added(calls, "below"))
    calls.clear()
    assert client.get("/").json() == "upper lower"
    assert calls == ["lower", "upper", "below", "added"]


@pytest.mark.parametrize("depth", [0, 1])
def test_under_overrides_too(depth: int, calls: Calls, serve: Serve) -> None:
    app = app_with_levels(calls)
    app.dependency_overrides[test_under_overrides_too] = recorder(calls, "never")
    client = serve(app)
    assert client.get("/").json() == "upper lower"
    if depth == 0:
        root_of(app).dependencies.append(added(calls))
    else:
        level(app, 1).call = recorder(calls, "changed")
    calls.clear()
    assert client.get("/").json() == ("upper lower" if depth == 0 else "changed")
    assert calls == (["lower", "upper", "added"] if depth == 0 else ["changed"])


def parameters() -> list[Any]:
    """Give FastAPI's fields of a query parameter."""

    def dependency(number: int) -> None: ...

    return get_dependant(path="/", call=dependency).query_params


def use_cache(dependant: Dependant) -> None:
    dependant.use_cache = False


def another_name(dependant: Dependant) -> None:
    dependant.name = "other"


def one_more_parameter(dependant: Dependant) -> None:
    dependant.query_params.extend(parameters())


def other_parameters(dependant: Dependant) -> None:
    dependant.query_params = parameters()


def injected_request(dependant: Dependant) -> None:
    dependant.request_param_name = "request"


CHANGES = [use_cache, another_name, one_more_parameter, other_parameters, injected_request]


def app_with_pairs(calls: Calls, mark: Mark = async_safe) -> FastAPI:
    """Make an application that takes what it gets: two "upper", each with two "lower"."""

    @mark
    def lower(**keywords: Any) -> list[str]:
        calls.append("lower")
        return sorted(keywords)

    @mark
    def upper(**keywords: Any) -> list[Any]:
        calls.append("upper")
        return [(name, keywords[name]) for name in sorted(keywords) if name != "request"]

    app = FastAPI()

    @app.get("/")
    async def endpoint(**values: Any) -> Any:
        return [(name, values[name]) for name in sorted(values) if name != "request"]

    root = root_of(app)
    root.query_params.clear()
    for name in ("a", "b"):
        above = Dependant(call=upper, name=name, path="/")
        root.dependencies.append(above)
        for name_below in ("c", "d"):
            above.dependencies.append(Dependant(call=lower, name=name_below, path="/"))
    return app


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("query", ["", "?number=1"])
def test_any_other_late_change_is_the_same_as_an_early_one(
    query: str, change: Callable[[Dependant], None], depth: int, calls: Calls, serve: Serve
) -> None:
    late, early = app_with_pairs(calls), app_with_pairs(calls)
    change(level(early, depth))
    expected = TestClient(early).get(f"/{query}").json(), calls.copy()
    client = serve(late)
    assert client.get("/").status_code == 200
    change(level(late, depth))
    calls.clear()
    assert (client.get(f"/{query}").json(), calls) == expected


class Meanwhile:
    """A predicate that makes a change while a plan is made, once.

    Parameters:
        change: makes it.
        moment: how many callables it is asked about before that.
    """

    def __init__(self, change: Callable[[], object], moment: int = 0) -> None:
        self.asked = 0
        self._change = change
        self._moment = moment
        self._is_made = False

    def __call__(self, call: Any) -> bool:
        self.asked += 1
        if self.asked > self._moment:
            self.make()
        return True

    def make(self) -> None:
        """Make the change, unless it is made; on stock nobody asks a predicate."""
        if not self._is_made:
            self._is_made = True
            self._change()


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("change", CHANGES)
def test_any_change_while_the_plan_is_made_counts_from_the_next_request_on(
    change: Callable[[Dependant], None], depth: int, calls: Calls, serve: Serve, variant: str
) -> None:
    early = app_with_pairs(calls)
    change(level(early, depth))
    expected = TestClient(early).get("/?number=1").json(), calls.copy()
    for moment in range(6):
        late = app_with_pairs(calls, unmarked)
        predicate = Meanwhile(partial(change, level(late, depth)), moment)
        client = serve(late, predicates=[predicate])
        client.get("/?number=1")
        assert variant == "stock" or predicate.asked > moment
        predicate.make()
        calls.clear()
        assert (client.get("/?number=1").json(), calls) == expected


def insert(dependant: Dependant, calls: Calls) -> None:
    dependant.dependencies.insert(0, added(calls))


def exchange_list(dependant: Dependant, calls: Calls) -> None:
    dependant.dependencies = [added(calls), *dependant.dependencies]


def replace(dependant: Dependant, calls: Calls) -> None:
    @async_safe
    def replaced(below: str = "") -> str:
        calls.append("replaced")
        return "replaced"

    if dependant.name is not None:  # no endpoint
        dependant.call = replaced


@pytest.mark.parametrize("is_overridden", [False, True])
@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("change", [insert, exchange_list, replace])
def test_what_is_called_may_change_while_the_plan_is_made(
    change: Callable[[Dependant, Calls], None],
    depth: int,
    is_overridden: bool,
    calls: Calls,
    serve: Serve,
    variant: str,
) -> None:
    def make() -> FastAPI:
        app = app_with_levels(calls, unmarked)
        if is_overridden:
            app.dependency_overrides[make] = recorder(calls, "never")
        return app

    early = make()
    change(level(early, depth), calls)
    expected = TestClient(early).get("/").json(), calls.copy()
    for moment in range(2):
        late = make()
        predicate = Meanwhile(partial(change, level(late, depth), calls), moment)
        client = serve(late, predicates=[predicate])
        calls.clear()
        first = client.get("/").json(), calls.copy()
        assert variant == "stock" or (predicate.asked > moment and first == expected)
        predicate.make()
        calls.clear()
        assert (client.get("/").json(), calls) == expected


def test_a_dependency_of_a_websocket_that_is_added_while_its_plan_is_made_is_called(
    calls: Calls, serve: Serve
) -> None:
    app = FastAPI()

    @app.websocket("/", dependencies=[Depends(recorder(calls, "declared", unmarked))])
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    route = app.router.routes[-1]
    assert isinstance(route, APIWebSocketRoute)
    predicate = Meanwhile(lambda: insert(route.dependant, calls))
    client = serve(app, predicates=[predicate])
    for _ in range(2):
        calls.clear()
        with client.websocket_connect("/"):
            pass
        predicate.make()
    assert calls == ["added", "declared"]


@pytest.mark.accelerated
@pytest.mark.declines
@pytest.mark.parametrize("is_overridden", [False, True])
def test_what_goes_on_changing_is_left_to_fastapi_until_it_no_longer_does(
    is_overridden: bool, calls: Calls, serve: Serve
) -> None:
    def is_inline() -> bool:
        return loop == here()

    async def endpoint(value: Annotated[bool, Depends(is_inline)]) -> bool:
        return value

    def predicate(call: Any) -> bool:
        if goes_on:
            insert(root_of(app), calls)
        return True

    app = FastAPI()
    app.add_api_route("/", endpoint)
    if is_overridden:
        app.dependency_overrides[endpoint] = recorder(calls, "never")
    loop, goes_on = here(), True
    serve(app, predicates=[predicate])
    for _ in range(2):
        calls.clear()
        assert exchange(app).body == b"false"
        assert len(calls) == len(root_of(app).dependencies) - 1 > 2
    goes_on = False
    calls.clear()
    assert exchange(app).body == b"true"
    assert len(calls) == len(root_of(app).dependencies) - 1


def test_an_override_that_changes_while_the_plan_is_made_is_the_same_for_all(
    calls: Calls, serve: Serve
) -> None:
    declared, first, second = (recorder(calls, name, unmarked) for name in ("declared", "1", "2"))
    app = FastAPI()

    @app.get("/")
    async def endpoint(
        one: Annotated[str, Depends(declared, use_cache=False)],
        other: Annotated[str, Depends(declared, use_cache=False)],
    ) -> str:
        return one + other

    def predicate(call: Any) -> bool:
        chosen.reverse()
        app.dependency_overrides[declared] = chosen[0]
        return True

    chosen = [first, second]
    app.dependency_overrides[declared] = first
    client = serve(app, predicates=[predicate])
    for _ in range(2):
        assert client.get("/").json() == "11"


def app_saying(kind: type) -> FastAPI:
    """Make an application that answers what an instance of a class says."""
    app = FastAPI()

    @app.get("/")
    async def endpoint(made: Annotated[Any, Depends(kind)]) -> Any:
        return made.said

    return app


@dataclass(frozen=True)
class Named:
    """A dependency that is equal to others of its name, whatever they say."""

    name: str
    says: str = field(compare=False)

    def __call__(self) -> str:
        return self.says


class Unequal:
    """A dependency that cannot be compared with its kind."""

    def __init__(self, says: str) -> None:
        self.says = says

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Unequal):
            raise TypeError
        return NotImplemented

    __hash__ = object.__hash__

    def __call__(self) -> str:
        return self.says


@pytest.mark.parametrize("is_whole", [False, True])
@pytest.mark.parametrize("make", [lambda says: Named("name", says), Unequal], ids=["equal", "none"])
def test_a_dependency_exchanged_for_an_equal_one_is_called(
    make: Callable[[str], Any], is_whole: bool, serve: Serve
) -> None:
    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[str, Depends(make("first"))]) -> str:
        return value

    client = serve(app)
    assert client.get("/").json() == "first"
    if is_whole:
        (old,) = root_of(app).dependencies
        root_of(app).dependencies[0] = get_dependant(path="/", call=make("second"), name=old.name)
    else:
        level(app, 1).call = make("second")
    assert client.get("/").json() == "second"


def test_a_list_exchanged_for_an_equal_one_counts(calls: Calls, serve: Serve) -> None:
    app = app_with_levels(calls)
    client = serve(app)
    assert client.get("/").json() == "upper lower"
    root_of(app).dependencies = list(root_of(app).dependencies)
    client.get("/")
    calls.clear()
    added = recorder(calls, "added")
    root_of(app).dependencies.append(get_dependant(path="/", call=added, name=None))
    client.get("/")
    assert calls == ["lower", "upper", "added"]


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in ("security_scopes", "own_oauth_scopes", "parent_oauth_scopes")
        if name in Dependant.__dataclass_fields__
    ],
)
def test_a_security_scope_that_is_added_late_is_there(name: str, serve: Serve) -> None:
    def checked(scopes: SecurityScopes) -> list[str]:
        return sorted(scopes.scopes)

    def between(scopes: Annotated[list[str], Security(checked, scopes=["own"])]) -> list[str]:
        return scopes

    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[list[str], Security(between, scopes=["upper"])]) -> Any:
        return value

    client = serve(app)
    assert client.get("/").json() == ["own", "upper"]
    scopes = getattr(level(app, 2), name)
    scopes.append("zone")
    # FastAPI keeps what it made of them in some releases.
    is_kept = isinstance(vars(Dependant).get("oauth_scopes"), functools.cached_property)
    added = [] if is_kept else ["zone"]
    assert client.get("/").json() == ["own", "upper", *added]
    scopes.remove("zone")
    assert client.get("/").json() == ["own", "upper"]


@pytest.mark.parametrize("is_inherited", [False, True])
def test_a_class_that_gets_another_init_late_is_made_by_that(
    is_inherited: bool, serve: Serve
) -> None:
    class Base:
        def __init__(self, number: int) -> None:
            self.said = f"first {number}"

    @async_safe
    class Made(Base):
        pass

    first = Base.__init__

    def other_init(self: Made, number: int) -> None:
        self.said = f"other {number}"

    client = serve(app_saying(Made))
    assert client.get("/?number=1").json() == "first 1"
    owner: Any = Base if is_inherited else Made
    owner.__init__ = other_init
    assert Made.__init__ is other_init  # the interpreter remembers it from now on
    assert client.get("/?number=2").json() == "other 2"
    owner.__init__ = first
    assert Made.__init__ is first
    assert client.get("/?number=3").json() == "first 3"


def test_a_class_that_gets_another_init_when_its_old_one_goes_is_made_by_that(
    serve: Serve,
) -> None:
    @async_safe
    class Made:
        def __init__(self) -> None:
            self.said = "first"

    def second(self: Made) -> None:
        self.said = "second"

    def third(self: Made) -> None:
        self.said = "third"

    def replace_again() -> None:
        Made.__init__ = third  # type: ignore[method-assign]
        assert Made.__init__ is third  # the interpreter remembers it from now on

    client = serve(app_saying(Made))
    assert client.get("/").json() == "first"
    gone = weakref.finalize(Made.__init__, replace_again)
    Made.__init__ = second  # type: ignore[method-assign]
    gc.collect()
    client.get("/")  # a core may have kept the first one until now
    assert not gone.alive
    assert client.get("/").json() == "third"


class OfInstances:
    """A descriptor that cannot be asked for by a class."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            raise LookupError
        return lambda: None


def test_an_init_that_only_instances_may_ask_for(serve: Serve) -> None:
    @async_safe
    class Made:
        said = "made"

        def __init__(self) -> None: ...

    client = serve(app_saying(Made))
    assert client.get("/").json() == "made"
    Made.__init__ = OfInstances()  # type: ignore[method-assign, assignment]
    for _ in range(2):
        assert client.get("/").json() == "made"
