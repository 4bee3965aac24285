"""Where the boxes of a dependency tree are drawn, and the lines between them."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI

from fastapi_async_safe import explain, init_app
from fastapi_async_safe._cli.totals import core_of, totals_of
from fastapi_async_safe._cli.trees import Box, tree_of


def session() -> int:
    return 1


def user(session: Annotated[int, Depends(session)]) -> int:
    return session


def page() -> int:
    return 1


def make_app() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def endpoint(
        user: Annotated[int, Depends(user)],
        page: Annotated[int, Depends(page)],
        session: Annotated[int, Depends(session)],
    ) -> Any: ...

    return app


def test_each_callable_is_beside_the_one_that_depends_on_it() -> None:
    (route,) = explain(init_app(make_app())).routes
    tree = tree_of(route)
    names = ["session", "user", "page", "session", "endpoint"]
    boxes = dict(enumerate(tree.boxes))
    assert [box.name for box in tree.boxes] == names
    left = min(box.x for box in tree.boxes)
    columns = [(box.x - left) // 226 for box in tree.boxes]
    assert columns == [2, 1, 1, 1, 0]
    top = min(box.y for box in tree.boxes)
    rows = [(box.y - top) // 50 for box in tree.boxes]
    assert rows == [0, 0, 1, 2, 0]
    expected = {(boxes[0], boxes[1]), (boxes[1], boxes[4])}
    expected |= {(boxes[2], boxes[4]), (boxes[3], boxes[4])}
    assert {line_between(above, below) for below, above in expected} == set(tree.lines)
    assert tree.width == max(box.x for box in tree.boxes) + Box.width + left
    assert tree.height == max(box.y for box in tree.boxes) + Box.height + top


def test_a_long_name_is_cut_to_what_has_room() -> None:
    def a_name_for_which_there_is_no_room() -> int:
        return 1

    app = FastAPI()

    @app.get("/")
    async def endpoint(a: Annotated[int, Depends(a_name_for_which_there_is_no_room)]) -> Any: ...

    (route,) = explain(init_app(app)).routes
    assert tree_of(route).boxes[0].name == "a_name_for_which_there_i…"


def line_between(above: Box, below: Box) -> str:
    """Give the path from the middle of the right side of a box to that of the left of another."""
    x, y = above.x + Box.width, above.y + Box.height // 2
    return f"M{x} {y}H{(x + below.x) // 2}V{below.y + Box.height // 2}H{below.x}"


def test_routes_of_stock_are_counted_as_fastapis() -> None:
    (route,) = explain(make_app()).routes
    assert core_of(route) == "FastAPI"
    totals = totals_of([route, route])
    assert totals.cores == {"FastAPI": 2}
    assert totals.routes == 2
    assert totals.places == {"event loop": 1, "thread pool": 3}
