"""Dependencies that show the parameter they were given."""

import enum
from typing import Annotated, Any

from fastapi import Depends, FastAPI

from fastapi_async_safe import async_safe


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


def shown(value: Any) -> str:
    """Show a value and its type."""
    return f"{type(value).__name__} {value!r}"


def reading(annotation: Any, required: bool) -> Any:
    """Make a dependency that gives its one parameter, which is None by default or required."""

    @async_safe
    def required_value(value: annotation) -> Any:
        return value

    @async_safe
    def optional_value(value: annotation = None) -> Any:
        return value

    return required_value if required else optional_value


def shown_by(dependency: Any) -> FastAPI:
    """Make an application that shows the value of its dependency."""
    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[Any, Depends(dependency)]) -> str:
        return shown(value)

    return app
