"""W10: chains of 10, 20, 100 and 1,000 dependencies, and a diamond of 100 with 211 edges."""

import sys
from collections.abc import Callable, Sequence
from inspect import Parameter, Signature
from typing import Annotated, Any

from fastapi import Depends, FastAPI

from fastapi_async_safe import async_safe, init_app

LENGTHS = (10, 20, 100, 1000)


@async_safe
class Link:
    """The first link of a chain; `length` counts the links up to this one."""

    def __init__(self) -> None:
        self.length = 1


def chain(length: int) -> type[Link]:
    """A class that needs a class that needs a class, `length` deep. The mark is inherited."""
    last = Link
    for _ in range(length - 1):
        last = next_link(last)
    return last


def next_link(previous: type[Link]) -> type[Link]:
    class Next(Link):
        def __init__(self, link: Annotated[Link, Depends(previous)]) -> None:
            self.length = link.length + 1

    return Next


def diamond() -> Callable[..., int]:
    """One catalogue of ten services on 47 repositories on 42 connections: 10 + 60 + 141 edges."""
    connections = [sum_of([]) for _ in range(42)]
    repositories = [sum_of(neighbours(connections, 3 * at, 3)) for at in range(47)]
    services = [sum_of(neighbours(repositories, 6 * at, 6)) for at in range(10)]
    return sum_of(services)


def neighbours(ring: Sequence[Callable[..., int]], start: int, count: int) -> list[Any]:
    return [ring[(start + at) % len(ring)] for at in range(count)]


def sum_of(parts: Sequence[Callable[..., int]]) -> Callable[..., int]:
    """A dependency that adds up what `parts` return, and one for itself."""

    @async_safe
    def total(**values: int) -> int:
        return 1 + sum(values.values())

    total.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            Parameter(f"part{at}", Parameter.KEYWORD_ONLY, annotation=Annotated[int, Depends(part)])
            for at, part in enumerate(parts)
        ]
    )
    return total


def create_app(lengths: Sequence[int] = LENGTHS) -> FastAPI:
    # NOTE: FastAPI walks a chain by recursion, some frames a link, when the route is made and,
    # without a plan, on each request.
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 1000 + 8 * max(lengths, default=0)))
    app = FastAPI()

    for length in lengths:

        @app.get(f"/chain/{length}")
        async def read_chain(link: Annotated[Link, Depends(chain(length))]) -> dict[str, int]:
            return {"length": link.length}

    @app.get("/diamond")
    async def read_diamond(total: Annotated[int, Depends(diamond())]) -> dict[str, int]:
        return {"total": total}

    return app


app = init_app(create_app(), accelerated=True)
