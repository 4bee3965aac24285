"""Copies of what was initialised: made as on stock, and served by settings of their own."""

import copy
import pickle
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute

from tests.support.serving import Init, exchange, here, needs_lazy_routers


def unmarked() -> int:
    return here()


async def endpoint(value: Annotated[int, Depends(unmarked)]) -> bool:
    return value == here()


def inline(call: Any) -> bool:
    return call is unmarked


def router_with(path: str = "/", **options: Any) -> APIRouter:
    router = APIRouter()
    router.add_api_route(path, endpoint, **options)
    return router


def answers(*roots: Any, path: str = "/") -> list[bytes]:
    found = []
    for root in roots:
        app = root
        if isinstance(root, APIRouter):
            app = FastAPI()
            app.include_router(root)
        found.append(exchange(app, path).body)
    return found


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_routers_routes_and_dependants_are_copied_as_on_stock(copied: Any, init: Init) -> None:
    router = init(router_with(), predicates=[inline])
    answers(router)
    (route,) = router.routes
    assert isinstance(route, APIRoute)
    for each in (router, route, route.dependant):
        assert type(copied(each)) is type(each)
    assert answers(copied(router)) in ([b"true"], [b"false"])


def test_what_stock_can_pickle_is_pickled(init: Init) -> None:
    router = init(APIRouter(prefix="/prefix"), predicates=[lambda call: True])
    assert pickle.loads(pickle.dumps(router)).prefix == "/prefix"
    dependant = router_with().routes[0].dependant  # type: ignore[attr-defined]
    assert pickle.loads(pickle.dumps(dependant)).call is endpoint


def test_an_application_is_copied_as_on_stock(init: Init) -> None:
    app = FastAPI()
    app.include_router(router_with())
    init(app, predicates=[inline])
    assert answers(copy.copy(app)) == answers(app)


@pytest.mark.accelerated
@needs_lazy_routers
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_is_served_as_its_original_until_it_is_initialised_itself(
    copied: Any, init: Init
) -> None:
    router = init(router_with(), predicates=[inline])
    other = copied(router)
    assert answers(router, other) == [b"true", b"true"]
    init(other)
    assert answers(router, other, router) == [b"true", b"false", b"true"]
    init(router)
    init(other, predicates=[inline])
    assert answers(router, other, router) == [b"false", b"true", b"false"]


@pytest.mark.accelerated
def test_a_changed_copy_that_is_initialised_is_served_by_its_own_settings(init: Init) -> None:
    router = init(router_with())
    other = copy.copy(router)
    other.routes = list(other.routes)
    other.add_api_route("/more", endpoint)
    init(other, predicates=[inline])
    assert answers(other, path="/more") == [b"true"]
    assert answers(router) == [b"false"]


@pytest.mark.accelerated
@needs_lazy_routers
def test_a_copy_outlives_its_original(init: Init) -> None:
    other = copy.deepcopy(init(router_with(), predicates=[inline]))
    assert answers(other) == [b"true"]


@pytest.mark.accelerated
def test_an_unpickled_router_is_not_initialised_and_can_be(init: Init) -> None:
    router = pickle.loads(pickle.dumps(init(APIRouter(), predicates=[lambda call: True])))

    # NOTE: its own: to FastAPI 0.136 a route is looked for on routers by its endpoint and path.
    async def endpoint(value: Annotated[int, Depends(unmarked)]) -> bool:
        return value == here()

    router.add_api_route("/", endpoint)
    assert answers(router) == [b"false"]
    init(router, predicates=[inline])
    assert answers(router) == [b"true"]
