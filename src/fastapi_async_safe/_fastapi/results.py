"""What FastAPI's `solve_dependencies` makes: responses, background tasks, its result."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from fastapi.dependencies import utils as _utils
from starlette.background import BackgroundTasks
from starlette.datastructures import MutableHeaders
from starlette.responses import Response

from .own_code import responding

SolvedDependency: Any = getattr(_utils, "SolvedDependency", None)


def new_security_scopes(scopes: list[str]) -> Any:
    """Make what tells a dependency the scopes above it."""
    return _utils.SecurityScopes(scopes=scopes)


def new_background_tasks() -> BackgroundTasks:
    """Make what a dependency adds its background tasks to."""
    return _utils.BackgroundTasks()


def new_response() -> Any:
    """Make the response that dependencies may set headers and a status code on."""
    response: Any = _utils.Response()
    del response.headers["content-length"]
    response.status_code = None
    return response


SOLVED_FIELDS = ("values", "errors", "background_tasks", "response", "dependency_cache")


def new_solved(
    values: dict[str, Any],
    errors: list[Any],
    background_tasks: BackgroundTasks | None,
    response: Response | None,
    dependency_cache: dict[Any, Any],
) -> Any:
    """Make what `solve_dependencies` returns, with a new response where there is none yet."""
    return SolvedDependency(
        values=values,
        errors=errors,
        background_tasks=background_tasks,
        response=new_response() if response is None else response,
        dependency_cache=dependency_cache,
    )


def parts_of(solved: Any) -> tuple[dict[str, Any], list[Any], Any, dict[Any, Any]]:
    """Give the values, the errors, the background tasks and the dependency cache of a
    `SolvedDependency`.
    """
    return solved.values, solved.errors, solved.background_tasks, solved.dependency_cache


def constructors(new: Callable[[Any], Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Give the quickest that does what `new_response` and `new_solved` do.

    Parameters:
        new: makes an object of a class without calling its constructor.
    """
    plain_response, plain_solved = _plain_constructors(new)
    if not _is_plain():
        return new_response, new_solved
    return plain_response, plain_solved


def _is_plain() -> bool:
    # As FastAPI looks up `Response`, and as a tool may have changed it.
    return _utils.Response is Response and responding().is_own


@cache
def _plain_constructors(new: Callable[[Any], Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    # PERF: setting the attributes that an object has in the end, instead of making it and then
    # changing it: 3.4 -> 0.35 us for a response, 1.1 -> 0.25 us for the dataclass (3.13).
    state = dict(vars(new_response()))
    headers, raw_headers = state.pop("_headers", None), state.pop("raw_headers", None)
    fresh = (
        raw_headers == []
        and type(headers) is MutableHeaders
        and MutableHeaders.__new__ is object.__new__
        and vars(headers) == {"_list": raw_headers}
        and headers.raw is raw_headers
    )
    immutable = all(isinstance(value, (type(None), bytes, int, str)) for value in state.values())
    if not (fresh and immutable and _is_plain()) or hasattr(Response, "__slots__"):
        return new_response, new_solved
    lines = [
        "response = new(Response)",
        *(f"response.{name} = {value!r}" for name, value in state.items()),
        "response._headers = headers = new(MutableHeaders)",
        "response.raw_headers = headers._list = []",
    ]
    namespace = {
        "new": new,
        "MutableHeaders": MutableHeaders,
        "Response": Response,
        "SolvedDependency": SolvedDependency,
    }
    exec("\n    ".join(["def make_response():", *lines, "return response"]), namespace)
    make_response: Callable[..., Any] = namespace["make_response"]
    if any(hasattr(SolvedDependency, name) for name in ("__slots__", "__post_init__")):
        return make_response, new_solved
    if SolvedDependency.__new__ is not object.__new__:
        return make_response, new_solved
    exec(
        "\n    ".join(
            [
                f"def make_solved({', '.join(SOLVED_FIELDS)}):",
                "if response is None:",
                *(f"    {line}" for line in lines),
                "solved = new(SolvedDependency)",
                *(f"solved.{name} = {name}" for name in SOLVED_FIELDS),
                "return solved",
            ]
        ),
        namespace,
    )
    return make_response, namespace["make_solved"]
