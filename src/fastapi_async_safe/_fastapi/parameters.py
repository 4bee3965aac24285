"""How FastAPI reads parameters, and what stands between them and the raw ASGI scope."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from fastapi import _compat, params
from fastapi.dependencies import utils as _utils
from starlette import requests as _requests
from starlette.datastructures import Headers, QueryParams
from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from .connections import makes_containers_as_known
from .dependants import PARAMETER_LISTS, Dependant

_RECEIVED = ("path_params", "query_params", "headers", "cookies")


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

_names_of_tree: WeakKeyDictionary[HTTPConnection, dict[str, set[str]]] = WeakKeyDictionary()


def note_names(request: HTTPConnection, root: Dependant, overrides_provider: Any) -> None:
    """Keep the names of all parameters of a tree for the extraction, where FastAPI wants them."""
    if id(root) in solved_alone:
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
FIELD_ANNOTATION_IS_SEQUENCE: Any = getattr(
    getattr(_compat, "shared", _compat), "field_annotation_is_sequence", None
)


def is_sequence_field(field: Any) -> bool:
    """Say whether FastAPI takes all the values of a name for this field, not one."""
    annotation = field.field_info.annotation
    try:
        return _is_sequence(annotation)
    except TypeError:  # an annotation without a hash
        return bool(FIELD_ANNOTATION_IS_SEQUENCE(annotation))


@lru_cache(maxsize=256)
def _is_sequence(annotation: Any) -> bool:
    return bool(FIELD_ANNOTATION_IS_SEQUENCE(annotation))


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
    return (
        _requests.QueryParams is QueryParams
        and _requests.Headers is Headers
        and makes_containers_as_known()
    )


solved_alone: set[int] = set()  # by identity of a root: its names are those of a larger tree
