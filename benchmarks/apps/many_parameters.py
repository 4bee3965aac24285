"""Classes with 5 to 100 query parameters each: what one more parameter costs."""

from collections.abc import Sequence
from inspect import Parameter, Signature
from typing import Annotated

from fastapi import Depends, FastAPI

from fastapi_async_safe import async_safe, init_app

COUNTS = (5, 10, 20, 50, 100)


@async_safe
class Parameters:
    """The base of the classes below; keeps the sum of what a request gave."""

    def __init__(self, **values: int) -> None:
        self.total = sum(values.values())


def with_parameters(count: int) -> type[Parameters]:
    """A class of `count` integer query parameters, `p0` and so on, each 0 unless given."""

    class Counted(Parameters):
        __signature__ = Signature(
            [
                Parameter(f"p{at}", Parameter.KEYWORD_ONLY, default=0, annotation=int)
                for at in range(count)
            ]
        )

    return Counted


def create_app(counts: Sequence[int] = COUNTS) -> FastAPI:
    app = FastAPI()

    for count in counts:

        @app.get(f"/parameters/{count}")
        async def read_total(
            given: Annotated[Parameters, Depends(with_parameters(count))],
        ) -> dict[str, int]:
            return {"total": given.total}

    return app


app = init_app(create_app(), accelerated=True)
