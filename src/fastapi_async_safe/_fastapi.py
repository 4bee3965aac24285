"""The only module that names privates of FastAPI and Starlette, and bridges their releases.

Each function here says in one place what FastAPI's releases (0.115 and up) say in several ways.
What FastAPI looks up in its own modules on every request is looked up there on every request here
too, so that a tool that replaced it is honoured.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from functools import cache, lru_cache
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

import anyio.lowlevel
import fastapi
from fastapi import _compat, params
from fastapi import routing as _routing
from fastapi.dependencies import models as _models
from fastapi.dependencies import utils as _utils
from fastapi.routing import APIRouter
from starlette import _exception_handler
from starlette import background as _background
from starlette import concurrency as _concurrency
from starlette import requests as _requests
from starlette.applications import Starlette
from starlette.background import BackgroundTasks
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Host, Mount
from starlette.websockets import WebSocket

VERSION: str = fastapi.__version__

__all__ = ["VERSION", "APIRouter", "Dependant", "Request", "SolvedDependency", "WebSocket"]

# What is looked up in FastAPI's modules under one name in all releases.
_NEEDED = (
    "BackgroundTasks",
    "Response",
    "SecurityScopes",
    "SolvedDependency",
    "get_dependant",
    "request_body_to_args",
    "request_params_to_args",
    "run_in_threadpool",
)
Dependant: Any = getattr(_models, "Dependant", None)
SolvedDependency: Any = getattr(_utils, "SolvedDependency", None)
_ENTERING_PARAMETERS: tuple[str, ...] = ("dependant", "stack", "sub_values")
if hasattr(_utils, "_solve_generator") and (
    "request" in inspect.signature(_utils._solve_generator).parameters  # 0.162
):
    _ENTERING_PARAMETERS += ("request",)
_FIELDS = dataclasses.fields(Dependant) if dataclasses.is_dataclass(Dependant) else ()


def unusable() -> str | None:
    """Say what the installed FastAPI lacks of what is named in this module, None if nothing."""
    for name in _NEEDED:
        if not callable(getattr(_utils, name, None)):
            return f"fastapi.dependencies.utils has no {name}"
    if _field_annotation_is_sequence is None:
        return "fastapi._compat has no field_annotation_is_sequence"
    if not any(hasattr(_utils, name) for name in ("_solve_generator", "solve_generator")):
        return "fastapi.dependencies.utils has no _solve_generator"
    for name in ("_is_gen_callable", "_is_async_gen_callable", "_is_coroutine_callable"):
        older = name[1:]
        if not (hasattr(_models, name) or hasattr(Dependant, older) or hasattr(_utils, older)):
            return f"fastapi.dependencies.models has no {name}"
    fields = {field.name for field in _FIELDS}
    if not (
        hasattr(_models, "_get_cache_key")
        or hasattr(Dependant, "cache_key")
        or "cache_key" in fields
    ):
        return "fastapi.dependencies.models has no _get_cache_key"
    if not (
        hasattr(_models, "_get_oauth_scopes")
        or hasattr(Dependant, "oauth_scopes")
        or "security_scopes" in fields
    ):
        return "fastapi.dependencies.models has no _get_oauth_scopes"
    for name, args, keywords in (
        ("request_params_to_args", 2, ()),
        ("request_body_to_args", 0, ("body_fields", "received_body", "embed_body_fields")),
        ("get_dependant", 0, ("path", "call", "name")),
        ("_solve_generator", 0, _ENTERING_PARAMETERS),
        ("solve_generator", 0, ("call", "stack", "sub_values")),
        ("_get_request_param_names", 2, ()),
    ):
        try:
            function = getattr(_utils, name, None)
            if function is not None:
                inspect.signature(function).bind(*range(args), **dict.fromkeys(keywords))
        except TypeError:
            return f"fastapi.dependencies.utils.{name} has other parameters"
    missing = _ALWAYS_THERE - fields
    if missing:
        return f"Dependant has no {', '.join(sorted(missing))}"
    if [field.name for field in dataclasses.fields(SolvedDependency)] != list(_SOLVED_FIELDS):
        return "SolvedDependency has other fields"
    return None


def is_application(root: Any) -> bool:
    """Say whether `root` is a FastAPI application.

    NOTE: not by its class: tools put a subclass in the place of `fastapi.FastAPI`.
    """
    return isinstance(root, Starlette) and isinstance(getattr(root, "router", None), APIRouter)


# ---- dependants -------------------------------------------------------------------------------

# The fields of `Dependant` whose meaning the plan knows. `security_requirements` (to 0.122) and
# `cache_key` (a field to 0.120) say what the plan takes from FastAPI's functions or does not need.
_KNOWN_FIELDS = frozenset(
    {
        "path_params",
        "query_params",
        "header_params",
        "cookie_params",
        "body_params",
        "dependencies",
        "security_requirements",
        "name",
        "call",
        "request_param_name",
        "websocket_param_name",
        "http_connection_param_name",
        "response_param_name",
        "background_tasks_param_name",
        "security_scopes_param_name",
        "security_scopes",
        "own_oauth_scopes",
        "parent_oauth_scopes",
        "use_cache",
        "path",
        "cache_key",
        "scope",
        "_request_param_names",
        "concurrency",
    }
)
_ALWAYS_THERE = _KNOWN_FIELDS - {
    "_request_param_names",
    "security_requirements",
    "security_scopes",
    "own_oauth_scopes",
    "parent_oauth_scopes",
    "cache_key",
    "scope",
    "concurrency",
}
_UNKNOWN_FIELDS = tuple(field for field in _FIELDS if field.name not in _KNOWN_FIELDS)


FIELD_NAMES = tuple(field.name for field in _FIELDS)
_LIST_NAMES = ("dependencies", "body_params")


def lists_of(dependant: Dependant) -> list[list[Any]]:
    """List the lists of a dependant that tools add to or take from."""
    return [getattr(dependant, name) for name in (*_LIST_NAMES, *PARAMETER_LISTS)]


def unknown_part(dependant: Dependant) -> str | None:
    """Name a part of `dependant` that is not known here and not at its default."""
    if type(dependant) is not Dependant:
        return f"class {type(dependant).__qualname__}"
    for field in _UNKNOWN_FIELDS:
        value = getattr(dependant, field.name, dataclasses.MISSING)
        if field.default_factory is not dataclasses.MISSING:
            if value != field.default_factory():
                return f"field {field.name!r}"
        elif field.default is dataclasses.MISSING or value is not field.default:
            return f"field {field.name!r}"
    return None


def is_generator(dependant: Dependant) -> bool:
    """Say whether FastAPI treats the call of `dependant` as a sync `yield` dependency."""
    return _classified(dependant, "_is_gen_callable", "is_gen_callable")


def is_async_generator(dependant: Dependant) -> bool:
    """Say whether FastAPI treats the call of `dependant` as an async `yield` dependency."""
    return _classified(dependant, "_is_async_gen_callable", "is_async_gen_callable")


def is_coroutine(dependant: Dependant) -> bool:
    """Say whether FastAPI awaits the call of `dependant`."""
    return _classified(dependant, "_is_coroutine_callable", "is_coroutine_callable")


def _classified(dependant: Dependant, function: str, older: str) -> bool:
    # A function of models from 0.140, a cached property of Dependant from 0.122 on, before that a
    # function of utils.
    if hasattr(_models, function):
        return bool(getattr(_models, function)(dependant.call))
    if hasattr(Dependant, older):
        return bool(getattr(dependant, older))
    return bool(getattr(_utils, older)(dependant.call))


def cache_key(dependant: Dependant, known: dict[int, Any]) -> Any:
    """Give the key of `dependant` in the dependency cache.

    Parameters:
        dependant: as declared, not as overridden.
        known: what is kept between the calls for one tree; empty at first.
    """
    if hasattr(_models, "_get_cache_key"):  # 0.140
        return _models._get_cache_key(dependant=dependant, uses_scopes_cache=known)
    return dependant.cache_key


def security_scopes(dependant: Dependant) -> list[str]:
    """Give the scopes that `SecurityScopes` has in `dependant`."""
    if hasattr(_models, "_get_oauth_scopes"):  # 0.140
        return list(_models._get_oauth_scopes(dependant=dependant))
    if hasattr(Dependant, "oauth_scopes"):  # 0.123
        return list(dependant.oauth_scopes)
    return list(dependant.security_scopes or [])


def concurrency_of(dependant: Dependant) -> Any:
    """Give the limit of `Depends(max_concurrency=...)`, None without one or before 0.163."""
    return getattr(dependant, "concurrency", None)


def overridden(dependant: Dependant, call: Any) -> Dependant:
    """Make the dependant that stands in for `dependant` while there are overrides.

    FastAPI makes one for every dependency then, overridden or not (`solve_dependencies`, 0.115 and
    up); it keeps scopes of the declaration, and nothing else that was said with `Depends`.
    """
    kept: dict[str, Any] = {}
    parameters = inspect.signature(_utils.get_dependant).parameters
    if "parent_oauth_scopes" in parameters:  # 0.123
        kept["parent_oauth_scopes"] = security_scopes(dependant)
    elif "security_scopes" in parameters:
        # NOTE: a copy, because get_dependant adds to the list it is given (to 0.121).
        kept["security_scopes"] = list(dependant.security_scopes or [])
    if "scope" in parameters:  # 0.121
        kept["scope"] = dependant.scope
    if "concurrency" in parameters:  # 0.163
        kept["concurrency"] = dependant.concurrency
    return _utils.get_dependant(
        path=dependant.path,
        call=call,
        name=dependant.name,
        **kept,
    )


def replace_call(dependant: Dependant, call: Any) -> None:
    """Let `dependant` call something else that FastAPI takes for equal."""
    dependant.call = call
    for known in ("is_coroutine_callable", "is_gen_callable", "is_async_gen_callable"):
        getattr(dependant, "__dict__", {}).pop(known, None)  # cached properties, 0.121 to 0.139


# ---- parameters -------------------------------------------------------------------------------

PARAMETER_LISTS = ("path_params", "query_params", "header_params", "cookie_params")
WATCHED = ((Response, "__init__"),)
_RECEIVED = ("path_params", "query_params", "headers", "cookies")
# Where a request keeps what it made of its scope when it was asked.
MADE_QUERY, MADE_HEADERS, MADE_COOKIES = "_query_params", "_headers", "_cookies"


def extract(source: int, fields: Sequence[Any], request: HTTPConnection) -> tuple[Any, list[Any]]:
    """Read parameters with FastAPI's `request_params_to_args`.

    Parameters:
        source: index into `PARAMETER_LISTS`.
        fields: FastAPI's fields, in their order.
        request: the request or WebSocket.

    Returns:
        Values by name, and errors.
    """
    received = getattr(request, _RECEIVED[source])
    names = _names_of_tree.get(request, {}) if TELLS_NAMES else {}
    if _SOURCES[source] in names:
        told = {"known_param_names": names[_SOURCES[source]]}
        return _utils.request_params_to_args(fields, received, **told)
    return extract_from(fields, received)


# From 0.157 to 0.159 a parameter model is told the names of all other parameters of its tree.
_get_request_param_names: Any = getattr(_utils, "_get_request_param_names", None)
TELLS_NAMES = _get_request_param_names is not None
_SOURCES = ("path", "query", "header", "cookie")
_solved_alone: set[int] = set()  # by identity of a root: its names are those of a larger tree
_names_of_tree: WeakKeyDictionary[HTTPConnection, dict[str, set[str]]] = WeakKeyDictionary()


def note_names(request: HTTPConnection, root: Dependant, overrides_provider: Any) -> None:
    """Keep the names of all parameters of a tree for the extraction, where FastAPI wants them."""
    if id(root) in _solved_alone:
        return
    names = getattr(root, "_request_param_names", None)
    if names is None or (overrides_provider and overrides_provider.dependency_overrides):
        names = _get_request_param_names(root, overrides_provider)
    _names_of_tree[request] = names


def extract_all(dependant: Dependant, request: HTTPConnection) -> tuple[dict[str, Any], list[Any]]:
    """Read all parameters of a dependant but the body's, asking the request as FastAPI does."""
    values: dict[str, Any] = {}
    errors: list[Any] = []
    for source, attribute in enumerate(PARAMETER_LISTS):
        found, wrong = extract(source, getattr(dependant, attribute), request)
        values.update(found)
        errors += wrong
    return values, errors


def extract_nothing(source: int, field: Any) -> tuple[Any, list[Any]]:
    """Read one parameter from a request that does not have it."""
    received: Any = ({}, QueryParams(""), Headers(raw=[]), {})[source]
    return extract_from([field], received)


def extract_from(fields: Sequence[Any], received: Any) -> tuple[Any, list[Any]]:
    """Read parameters with FastAPI's `request_params_to_args` from one of its containers."""
    return _utils.request_params_to_args(fields, received)


def fields_of(path: str, call: Any, source: int) -> list[Any]:
    """Give the fields that FastAPI makes of the parameters of `call` for one source."""
    return list(getattr(_utils.get_dependant(path=path, call=call), PARAMETER_LISTS[source]))


def schema_of(field: Any) -> tuple[Any, Any]:
    """Give pydantic's core schema and validator of a field, None each if there is none."""
    adapter = getattr(field, "_type_adapter", None)
    return getattr(adapter, "core_schema", None), getattr(adapter, "validator", None)


async def extract_body(
    fields: Sequence[Any], body: Any, embed_body_fields: bool, request: HTTPConnection
) -> tuple[dict[str, Any], list[Any]]:
    """Read body parameters with FastAPI's `request_body_to_args`."""
    names = _names_of_tree.get(request, {}) if TELLS_NAMES else {}
    told = {"known_param_names": names["form"]} if "form" in names else {}  # from 0.158
    return await _utils.request_body_to_args(
        body_fields=list(fields),
        received_body=body,
        embed_body_fields=embed_body_fields,
        **told,
    )


# A name of `_compat` itself again from 0.128, after having been one to 0.118.
_field_annotation_is_sequence: Any = getattr(
    getattr(_compat, "shared", _compat), "field_annotation_is_sequence", None
)


def is_sequence_field(field: Any) -> bool:
    """Say whether FastAPI takes all the values of a name for this field, not one."""
    annotation = field.field_info.annotation
    try:
        return _is_sequence(annotation)
    except TypeError:  # an annotation without a hash
        return bool(_field_annotation_is_sequence(annotation))


@lru_cache(maxsize=256)
def _is_sequence(annotation: Any) -> bool:
    return bool(_field_annotation_is_sequence(annotation))


def explain(field: Any, value: Any, loc: tuple[str, ...]) -> tuple[Any, list[Any]]:
    """Validate a value as FastAPI does, once.

    Returns:
        The value, and errors.
    """
    found, errors = field.validate(value, {}, loc=loc)
    if not errors:
        return found, []
    return found, errors if isinstance(errors, list) else [errors]


_PARAMETER_CLASSES = (params.Path, params.Query, params.Header, params.Cookie)
_KNOWN_OPTIONS = frozenset(
    {
        "in_",
        "example",
        "include_in_schema",
        "openapi_examples",
        "deprecated",
        "convert_underscores",
        "media_type",
    }
)


def is_known_parameter(source: int, field: Any) -> bool:
    """Say whether this is a field with a `Path`, `Query`, `Header` or `Cookie` all of whose
    options are known here or at their default.
    """
    info = field.field_info
    if type(info) is not _PARAMETER_CLASSES[source]:
        return False
    return all(
        name in _KNOWN_OPTIONS or _default_options(source).get(name, ...) == value
        for name, value in vars(info).items()
    )


@cache
def _default_options(source: int) -> dict[str, Any]:
    kind: Any = _PARAMETER_CLASSES[source]
    return dict(vars(kind()))


_STOCK_GETTERS: dict[tuple[Any, str], str] = {
    (Request, "query_params"): "starlette.requests",
    (Request, "headers"): "starlette.requests",
    (Request, "cookies"): "starlette.requests",
    (Request, "path_params"): "starlette.requests",
    (WebSocket, "query_params"): "starlette.requests",
    (WebSocket, "headers"): "starlette.requests",
    (WebSocket, "cookies"): "starlette.requests",
    (WebSocket, "path_params"): "starlette.requests",
    (QueryParams, "__init__"): "starlette.datastructures",
    (QueryParams, "__getitem__"): "starlette.datastructures",
    (QueryParams, "__contains__"): "starlette.datastructures",
    (QueryParams, "get"): "collections.abc",
    (QueryParams, "getlist"): "starlette.datastructures",
    (Headers, "__init__"): "starlette.datastructures",
    (Headers, "__getitem__"): "starlette.datastructures",
    (Headers, "__contains__"): "starlette.datastructures",
    (Headers, "get"): "collections.abc",
    (Headers, "getlist"): "starlette.datastructures",
    (_requests, "cookie_parser"): "starlette.requests",
}
_GETTERS_OF_SOURCE: tuple[tuple[tuple[str, ...], tuple[Any, ...]], ...] = (
    (("path_params",), ()),
    (("query_params",), (QueryParams,)),
    (("headers",), (Headers,)),
    (("cookies", "headers"), (Headers, _requests)),
)


def getters(connection: type, source: int) -> list[tuple[Any, str, Any]]:
    """List what stands between a raw ASGI scope and a parameter: owner, attribute, value."""
    attributes, containers = _GETTERS_OF_SOURCE[source]
    wanted: list[tuple[Any, str]] = [(connection, attribute) for attribute in attributes]
    wanted += [key for key in _STOCK_GETTERS if key[0] in containers]
    return [(owner, name, getattr(owner, name)) for owner, name in wanted]


def reads_raw_scope(connection: type, source: int) -> bool:
    """Say whether Starlette's getters for this source are its own, so that reading the raw scope
    gives what they would give (tools that track user input replace them).
    """
    for owner, name, value in getters(connection, source):
        function = value.fget if isinstance(value, property) else value
        if type(function) is not FunctionType or hasattr(function, "__wrapped__"):
            return False
        if function.__module__ != _STOCK_GETTERS[owner, name]:
            return False
    return _requests.QueryParams is QueryParams and _requests.Headers is Headers


# ---- calling ----------------------------------------------------------------------------------


async def run_in_thread(call: Any, values: dict[str, Any]) -> Any:
    """Call a sync dependency in the thread pool."""
    return await _utils.run_in_threadpool(call, **values)


async def enter_context(
    dependant: Dependant, stack: Any, values: dict[str, Any], request: HTTPConnection
) -> Any:
    """Enter a `yield` dependency as FastAPI does, a sync one in the thread pool."""
    if hasattr(_utils, "solve_generator"):  # to 0.121.2
        return await _utils.solve_generator(call=dependant.call, stack=stack, sub_values=values)
    known = {"dependant": dependant, "stack": stack, "sub_values": values, "request": request}
    arguments = {name: known[name] for name in _ENTERING_PARAMETERS}
    return await _utils._solve_generator(**arguments)


def limit_of(concurrency: Any) -> AbstractAsyncContextManager[Any]:
    """Give the semaphore of `Depends(max_concurrency=...)` in this event loop."""
    semaphore: AbstractAsyncContextManager[Any] = concurrency.get_semaphore()
    return semaphore


@asynccontextmanager
async def limited(context: AbstractContextManager[Any], concurrency: Any) -> Any:
    """Hold the limit of `Depends(max_concurrency=...)` from entering `context` to leaving it."""
    async with limit_of(concurrency):
        with context as value:
            yield value


async def solve_alone(declared: Dependant, endpoint: Dependant, **arguments: Any) -> Any:
    """Solve one dependency of an endpoint, and what it depends on, with `solve_dependencies`."""
    root = Dependant(dependencies=[declared], call=endpoint.call, path=endpoint.path)
    _solved_alone.add(id(root))
    try:
        return await _utils.solve_dependencies(dependant=root, **arguments)
    finally:
        _solved_alone.discard(id(root))


# ---- results ----------------------------------------------------------------------------------


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


_SOLVED_FIELDS = ("values", "errors", "background_tasks", "response", "dependency_cache")


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


def makers(new: Callable[[Any], Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Give the quickest that does what `new_response` and `new_solved` do.

    Parameters:
        new: makes an object of a class without calling its constructor.
    """
    plain_response, plain_solved = _plain_makers(new)
    # As FastAPI looks up `Response`, and as a tool may have changed it.
    if _utils.Response is not Response or not _is_plain(Response):
        return new_response, new_solved
    return plain_response, plain_solved


def _is_plain(response_class: Any) -> bool:
    initialise = response_class.__init__
    return (
        type(initialise) is FunctionType
        and initialise.__module__ == "starlette.responses"
        and not hasattr(initialise, "__wrapped__")
        and response_class.__new__ is object.__new__
        and response_class.__setattr__ is object.__setattr__
    )


@cache
def _plain_makers(new: Callable[[Any], Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    # PERF: setting the attributes that an object has in the end, instead of making it and then
    # changing it, takes a fifth of the time of a response and a third of that of a dataclass.
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
    if not (fresh and immutable and _is_plain(Response)) or hasattr(Response, "__slots__"):
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
                f"def make_solved({', '.join(_SOLVED_FIELDS)}):",
                "if response is None:",
                *(f"    {line}" for line in lines),
                "solved = new(SolvedDependency)",
                *(f"solved.{name} = {name}" for name in _SOLVED_FIELDS),
                "return solved",
            ]
        ),
        namespace,
    )
    return make_response, namespace["make_solved"]


# ---- requests and routes ----------------------------------------------------------------------


def exit_stacks(scope: Any, async_exit_stack: Any) -> tuple[Any, Any]:
    """Give the stacks whose contexts exit after the response, and before it is sent.

    The scope has both from 0.121; before that all contexts are on the one FastAPI hands over.
    """
    request_stack = scope.get("fastapi_inner_astack", async_exit_stack)
    return request_stack, scope.get("fastapi_function_astack", request_stack)


def owner_of(scope: Any, dependant: Dependant) -> Any:
    """Find what lives as long as `dependant`: the route it was made for, as seen from a request.

    Returns:
        A route, or the context of an included route (0.137), or None if it belongs to neither.
    """
    context = scope.get("fastapi", {}).get("effective_route_context")
    for owner in (context, getattr(context, "starlette_route", None), scope.get("route")):
        if getattr(owner, "dependant", None) is dependant:
            return owner
    return None


def route_of(scope: Any) -> Any:
    """Find the route of a request as it was declared on its router."""
    context = scope.get("fastapi", {}).get("effective_route_context")
    return getattr(context, "original_route", None) or scope.get("route")


def router_of(root: Any) -> Any:
    """Give what holds the routes of an application or router."""
    return getattr(root, "router", root)


def routers_within(root: Any) -> Iterator[Any]:
    """List the router of `root` and those it includes, as far as FastAPI keeps them (0.137)."""
    seen: set[int] = set()
    pending = [router_of(root)]
    while pending:
        router = pending.pop()
        if id(router) in seen:
            continue
        seen.add(id(router))
        yield router
        for route in getattr(router, "routes", ()):
            included = getattr(route, "original_router", None)
            if included is not None:
                pending.append(included)


def count_routers_within(root: Any) -> int:
    """Say how many `routers_within` lists."""
    return sum(1 for _ in routers_within(root))


def has_route(root: Any, route: Any) -> bool:
    """Say whether a route, as `route_of` gives it, was declared on `root` or what it includes."""
    for router in routers_within(root):
        for own in getattr(router, "routes", ()):
            if own is route or (
                _COPIES_ROUTES
                and getattr(own, "endpoint", None) is route.endpoint
                and route.path.endswith(own.path)
            ):
                return True
    return False


_COPIES_ROUTES = not hasattr(_routing, "_IncludedRouter")  # include_router, to 0.136


def mounted_within(root: Any) -> Iterator[Any]:
    """List what is mounted on `root`, without the middleware around it."""
    for router in routers_within(root):
        for route in getattr(router, "routes", ()):
            if isinstance(route, (Mount, Host)):
                app: Any = route.app
                while not hasattr(app, "routes") and hasattr(app, "app"):
                    app = app.app
                yield app


def dependants_of(router: APIRouter) -> Iterator[Dependant]:
    """List the dependants of the endpoints of `router`, of included routers too."""
    for route in router.routes:
        contexts = getattr(route, "effective_route_contexts", None)
        if contexts is not None:  # 0.137
            for context in contexts():
                for owner in (context, context.starlette_route):
                    if getattr(owner, "dependant", None) is not None:
                        yield owner.dependant
                        break
        elif (dependant := getattr(route, "dependant", None)) is not None:
            yield dependant


# ---- endpoints --------------------------------------------------------------------------------


def endpoint_call() -> str:
    """Give the expression that calls a sync endpoint as FastAPI does in the thread, from within
    `run_endpoint_function`.
    """
    if hasattr(_routing, "_run_sync_endpoint"):  # 0.142: with its telemetry
        return "_run_sync_endpoint(function=dependant.call, arguments=values)"
    return "dependant.call(**values)"


async def checkpoint() -> None:
    """Let others run, and a cancellation arrive."""
    await anyio.lowlevel.checkpoint()


# ---- the places of the hooks ------------------------------------------------------------------

SOLVE_PARAMETERS = (
    "request",
    "dependant",
    "body",
    "background_tasks",
    "response",
    "dependency_overrides_provider",
    "dependency_cache",
    "async_exit_stack",
    "embed_body_fields",
)
# Arguments that are not needed: what FastAPI hands from call to call to save time.
IGNORED_PARAMETERS = ("_uses_scopes_cache",)


def solve_dependencies_function() -> FunctionType | None:
    """Find FastAPI's own `solve_dependencies`, also where a tool has put a wrapper in its place.

    Returns:
        The function, or None if there is none that is called as known here.
    """
    function = _own_function(_utils, "solve_dependencies", SOLVE_PARAMETERS)
    if function is None or not inspect.iscoroutinefunction(function):
        return None
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is not parameter.KEYWORD_ONLY:
            return None
        if parameter.default is parameter.empty and name not in SOLVE_PARAMETERS:
            return None
    return function


def run_endpoint_function() -> FunctionType | None:
    """Find what runs an endpoint, None if it is not as known here."""
    return _own_function(
        _routing, "run_endpoint_function", ("dependant", "values", "is_coroutine"), exactly=True
    )


def serialize_response_function() -> FunctionType | None:
    """Find what validates and serializes a response, None if it is not as known here."""
    return _own_function(
        _routing, "serialize_response", ("field", "response_content", "is_coroutine")
    )


def iterate_in_threadpool_function() -> FunctionType | None:
    """Find what iterates over sync streams, None if it is not as known here."""
    return _own_function(_concurrency, "iterate_in_threadpool", ("iterator",), exactly=True)


def background_task_function() -> FunctionType | None:
    """Find what runs one background task, None if it is not as known here."""
    return _own_function(_background.BackgroundTask, "__call__", ("self",), exactly=True)


def handle_exceptions_function() -> FunctionType | None:
    """Find what every request is handled in, None if it is not as known here."""
    return _own_function(
        _exception_handler, "wrap_app_handling_exceptions", ("app", "conn"), exactly=True
    )


def _own_function(
    owner: Any, name: str, parameters: tuple[str, ...], exactly: bool = False
) -> FunctionType | None:
    home = getattr(owner, "__module__", None) or owner.__name__
    pending, seen = [getattr(owner, name, None)], set()
    while pending:
        function = pending.pop()
        if function is None or id(function) in seen:
            continue
        seen.add(id(function))
        if type(function) is FunctionType and function.__globals__.get("__name__") == home:
            known = set(inspect.signature(function, follow_wrapped=False).parameters)
            fits = known == set(parameters) if exactly else known >= set(parameters)
            if fits and function.__name__ == name and not function.__code__.co_freevars:
                return function
        # Below a wrapper: where functools and wrapt keep it, or in its closure.
        pending.append(getattr(function, "__wrapped__", None))
        for cell in getattr(function, "__closure__", None) or ():
            content = getattr(cell, "cell_contents", None)
            if type(content) is FunctionType and content.__name__ == name:
                pending.append(content)
    return None
