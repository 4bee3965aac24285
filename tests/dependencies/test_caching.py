"""How often a dependency is called for one request, and who shares its value."""

import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Query, Security
from fastapi.security import SecurityScopes
from pydantic import AfterValidator

from fastapi_async_safe import async_safe
from tests.support.serving import Serve, needs_dependency_scopes


def counted(kind: str) -> Callable[[], Any]:
    """Make a dependency of a kind that gives 1 when it is called first, then 2 and so on."""
    numbers = itertools.count(1)

    def inline() -> int:
        return next(numbers)

    def pooled() -> int:
        return next(numbers)

    async def awaited() -> int:
        return next(numbers)

    def context() -> Iterator[int]:
        yield next(numbers)

    async def async_context() -> AsyncIterator[int]:
        yield next(numbers)

    kinds: dict[str, Any] = {
        "inline": async_safe(inline),
        "pooled": pooled,
        "awaited": awaited,
        "inline context": async_safe(context),
        "pooled context": context,
        "async context": async_context,
    }
    return kinds[kind]


KINDS = ["inline", "pooled", "awaited", "inline context", "pooled context", "async context"]


@pytest.fixture(params=KINDS)
def count(request: pytest.FixtureRequest) -> Callable[[], Any]:
    """Give a counting dependency of each kind."""
    return counted(request.param)


def test_a_shared_dependency_is_called_once_a_request(
    count: Callable[[], Any], serve: Serve
) -> None:
    def left(number: Annotated[int, Depends(count)]) -> int:
        return number

    @async_safe
    def right(number: Annotated[int, Depends(count)]) -> int:
        return number

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[int, Depends(left)],
        b: Annotated[int, Depends(count)],
        c: Annotated[int, Depends(right)],
    ) -> list[int]:
        return [a, b, c]

    client = serve(app)
    assert [client.get("/").json() for _ in range(3)] == [[1] * 3, [2] * 3, [3] * 3]


def test_without_cache_it_is_called_for_each_place(count: Callable[[], Any], serve: Serve) -> None:
    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[int, Depends(count, use_cache=False)],
        b: Annotated[int, Depends(count, use_cache=False)],
    ) -> list[int]:
        return [a, b]

    client = serve(app)
    assert [client.get("/").json() for _ in range(2)] == [[1, 2], [3, 4]]


def test_without_cache_it_fills_an_empty_place_in_the_cache(
    count: Callable[[], Any], serve: Serve
) -> None:
    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[int, Depends(count, use_cache=False)],
        b: Annotated[int, Depends(count)],
        c: Annotated[int, Depends(count, use_cache=False)],
        d: Annotated[int, Depends(count)],
    ) -> list[int]:
        return [a, b, c, d]

    assert serve(app).get("/").json() == [1, 1, 2, 1]


def test_what_is_not_cached_below_what_is_cached_is_called_each_time(
    count: Callable[[], Any], serve: Serve
) -> None:
    calls: Counter[str] = Counter()

    @async_safe
    def cached(number: Annotated[int, Depends(count, use_cache=False)]) -> int:
        calls["cached"] += 1
        return number

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[int, Depends(cached)],
        b: Annotated[int, Depends(cached)],
        c: Annotated[int, Depends(count, use_cache=False)],
    ) -> list[int]:
        return [a, b, c]

    assert serve(app).get("/").json() == [1, 1, 3]
    assert calls == {"cached": 1}


def test_deep_below_what_is_cached_too(count: Callable[[], Any], serve: Serve) -> None:
    @async_safe
    def lower(number: Annotated[int, Depends(count, use_cache=False)]) -> int:
        return number

    @async_safe
    def upper(number: Annotated[int, Depends(lower)]) -> int:
        return number

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[int, Depends(upper)],
        b: Annotated[int, Depends(upper)],
        c: Annotated[int, Depends(lower)],
        d: Annotated[int, Depends(count, use_cache=False)],
    ) -> list[int]:
        return [a, b, c, d]

    assert serve(app).get("/").json() == [1, 1, 1, 4]


@pytest.mark.parametrize("value", [None, False, 0, "", NotImplemented, ..., StopIteration])
def test_any_value_is_cached(value: Any, serve: Serve) -> None:
    values = []

    @async_safe
    def dependency() -> Any:
        values.append(value)
        return value

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[Any, Depends(dependency)], b: Annotated[Any, Depends(dependency)]
    ) -> bool:
        return a is value and b is value

    assert serve(app).get("/").json() is True
    assert values == [value]


def test_a_dependency_without_a_name_shares_its_value(
    count: Callable[[], Any], serve: Serve
) -> None:
    app = FastAPI(dependencies=[Depends(count)])

    @app.get("/", dependencies=[Depends(count)])
    async def endpoint(number: Annotated[int, Depends(count)]) -> int:
        return number

    client = serve(app)
    assert [client.get("/").json() for _ in range(2)] == [1, 2]


def test_callables_that_are_equal_share_their_value(serve: Serve) -> None:
    calls = []

    @async_safe
    class Checker:
        def __init__(self, role: str, name: str) -> None:
            self.role, self.name = role, name

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Checker) and other.role == self.role

        def __hash__(self) -> int:
            return hash(self.role)

        def __call__(self) -> str:
            calls.append(self.name)
            return self.name

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[str, Depends(Checker("admin", "first"))],
        b: Annotated[str, Depends(Checker("admin", "second"))],
        c: Annotated[str, Depends(Checker("guest", "third"))],
    ) -> list[str]:
        return [a, b, c]

    assert serve(app).get("/").json() == ["first", "first", "third"]
    assert calls == ["first", "third"]


def test_security_scopes_are_part_of_the_key(serve: Serve) -> None:
    calls = []

    @async_safe
    def user(scopes: SecurityScopes) -> str:
        calls.append(scopes.scope_str)
        return scopes.scope_str

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[str, Security(user, scopes=["read"])],
        b: Annotated[str, Security(user, scopes=["write"])],
        c: Annotated[str, Security(user, scopes=["read"])],
        d: Annotated[str, Depends(user)],
    ) -> list[str]:
        return [a, b, c, d]

    assert serve(app).get("/").json() == ["read", "write", "read", ""]
    assert calls == ["read", "write", ""]


def test_the_order_of_scopes_makes_no_difference_to_the_key(serve: Serve) -> None:
    @async_safe
    def user(scopes: SecurityScopes) -> list[str]:
        return list(scopes.scopes)

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[list[str], Security(user, scopes=["read", "write"])],
        b: Annotated[list[str], Security(user, scopes=["write", "read"])],
    ) -> bool:
        return a is b

    assert serve(app).get("/").json() is True


def test_scopes_come_down_to_what_is_below(serve: Serve) -> None:
    @async_safe
    def token(scopes: SecurityScopes) -> list[str]:
        return scopes.scopes

    @async_safe
    def user(found: Annotated[list[str], Security(token, scopes=["user"])]) -> list[str]:
        return found

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[list[str], Security(user, scopes=["read"])],
        b: Annotated[list[str], Security(user, scopes=["write", "read"])],
    ) -> list[list[str]]:
        return [a, b]

    assert serve(app).get("/").json() == [["read", "user"], ["write", "read", "user"]]


@needs_dependency_scopes
def test_the_scope_of_a_context_is_part_of_the_key(serve: Serve) -> None:
    session = counted("inline context")
    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[int, Depends(session, scope="function")],
        b: Annotated[int, Depends(session, scope="request")],
        c: Annotated[int, Depends(session)],
        d: Annotated[int, Depends(session, scope="function")],
    ) -> list[int]:
        return [a, b, c, d]

    assert serve(app).get("/").json() == [1, 2, 2, 1]


def test_errors_below_a_shared_dependency_are_told_for_each_place(serve: Serve) -> None:
    @async_safe
    def page(number: int, size: int) -> int:
        return number

    @async_safe
    def left(page: Annotated[int, Depends(page)]) -> int:
        return page

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[int, Depends(page)],
        b: Annotated[int, Depends(left)],
        c: Annotated[int, Depends(page)],
    ) -> None: ...

    answer = serve(app).get("/?number=x")
    assert answer.status_code == 422
    told = [(error["loc"][1], error["type"]) for error in answer.json()["detail"]]
    assert told == [("number", "int_parsing"), ("size", "missing")] * 3


def test_validators_and_default_factories_are_called_for_each_place(serve: Serve) -> None:
    calls: Counter[str] = Counter()

    def validator(value: int) -> int:
        calls["validator"] += 1
        return value

    def factory() -> int:
        calls["factory"] += 1
        return 5

    @async_safe
    def page(number: Annotated[int, AfterValidator(validator)]) -> None:
        calls["page"] += 1

    @async_safe
    def size(size: Annotated[int, Query(default_factory=factory)]) -> None:
        calls["size"] += 1

    @async_safe
    def above(page: Annotated[None, Depends(page)], size: Annotated[None, Depends(size)]) -> None:
        calls["above"] += 1

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[None, Depends(above)],
        b: Annotated[None, Depends(page)],
        c: Annotated[None, Depends(size)],
        d: Annotated[None, Depends(above)],
    ) -> None: ...

    assert serve(app).get("/?number=1").status_code == 200
    factory_calls = calls.pop("factory")
    assert calls == {"validator": 3, "page": 1, "size": 1, "above": 1}
    assert factory_calls % 3 == 0, "some releases of FastAPI call it more than once"


def test_a_mutable_default_is_new_for_each_place(serve: Serve) -> None:
    seen: list[list[str]] = []

    @async_safe
    def marked(names: Annotated[list[str], Query()] = ["a"]) -> list[str]:  # noqa: B006
        seen.append(names)
        names.append("changed")
        return names

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[list[str], Depends(marked, use_cache=False)],
        b: Annotated[list[str], Depends(marked, use_cache=False)],
    ) -> list[list[str]]:
        return [a, b]

    client = serve(app)
    for _ in range(2):
        assert client.get("/").json() == [["a", "changed"], ["a", "changed"]]
    assert len({id(names) for names in seen}) == 4


def test_a_request_does_not_see_the_cache_of_another(
    count: Callable[[], Any], serve: Serve
) -> None:
    app = FastAPI()

    @app.get("/one")
    async def one(number: Annotated[int, Depends(count)]) -> int:
        return number

    @app.get("/two")
    async def two(number: Annotated[int, Depends(count)]) -> int:
        return number

    client = serve(app)
    assert [client.get(path).json() for path in ("/one", "/two", "/one")] == [1, 2, 3]
