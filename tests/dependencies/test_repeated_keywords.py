"""A dependency whose keyword is given twice: the last one counts, as in FastAPI's dict."""

from fastapi import Depends, FastAPI
from fastapi.dependencies.utils import get_dependant

from fastapi_async_safe import async_safe
from tests.support.serving import Serve


@async_safe
def first() -> str:
    return "first"


@async_safe
def second() -> str:
    return "second"


@async_safe
def upper(value: str = Depends(first)) -> str:
    return value


def test_the_last_of_two_values_for_a_keyword_counts(serve: Serve) -> None:
    app = FastAPI()

    @app.get("/")
    async def endpoint(value: str = Depends(upper)) -> str:
        return value

    (route,) = (route for route in app.routes if getattr(route, "path", None) == "/")
    dependant = route.dependant.dependencies[0]  # type: ignore[attr-defined]
    dependant.dependencies.append(get_dependant(path="/", call=second, name="value"))
    assert serve(app).get("/").json() == "second"
