"""How FastAPI reads parameters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from fastapi import _compat, params
from fastapi.dependencies import utils as _utils
from pydantic.fields import FieldInfo
from starlette.datastructures import Headers, QueryParams
from starlette.requests import HTTPConnection

from .dependants import PARAMETER_LISTS, Dependant
from .own_code import ModelField

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
    names = _names_of_tree.get(request, {}) if PASSES_NAMES else {}
    if _SOURCES[source] in names:
        told = {"known_param_names": names[_SOURCES[source]]}
        return _utils.request_params_to_args(fields, received, **told)
    return extract_from(fields, received)


# From 0.157 to 0.159 a parameter model is told the names of all other parameters of its tree.
PASSES_NAMES = hasattr(_utils, "_get_request_param_names")

_SOURCES = ("path", "query", "header", "cookie")

_names_of_tree: WeakKeyDictionary[HTTPConnection, dict[str, set[str]]] = WeakKeyDictionary()


def keep_names(request: HTTPConnection, root: Dependant, overrides_provider: Any) -> None:
    """Keep the names of all parameters of a tree for the extraction, where FastAPI wants them."""
    if id(root) in solved_alone:
        return
    names = getattr(root, "_request_param_names", None)
    if names is None or (overrides_provider and overrides_provider.dependency_overrides):
        names = vars(_utils)["_get_request_param_names"](root, overrides_provider)
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


def schema_of(field: Any) -> Any:
    """Give pydantic's core schema of a field, None if there is none."""
    return getattr(getattr(field, "_type_adapter", None), "core_schema", None)


async def extract_body(
    fields: Sequence[Any], body: Any, embed_body_fields: bool, request: HTTPConnection
) -> tuple[dict[str, Any], list[Any]]:
    """Read body parameters with FastAPI's `request_body_to_args`."""
    names = _names_of_tree.get(request, {}) if PASSES_NAMES else {}
    told = {"known_param_names": names["form"]} if "form" in names else {}  # from 0.158
    return await _utils.request_body_to_args(
        body_fields=list(fields),
        received_body=body,
        embed_body_fields=embed_body_fields,
        **told,
    )


def annotation_is_sequence(annotation: Any) -> bool | None:
    """Say whether an annotation is one of several values, None if FastAPI cannot be asked."""
    # A name of `_compat` itself again from 0.128, after having been one to 0.118.
    home = getattr(_compat, "shared", _compat)
    ask = getattr(home, "field_annotation_is_sequence", None)
    return None if ask is None else bool(ask(annotation))


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


# The attribute of a field that makes the default of a parameter.
FIELD_DEFAULT = "default"


class Field(NamedTuple):
    """What FastAPI's field of a parameter says, by names of ours."""

    field: Any  # FastAPI's own
    name: str  # the keyword of what is called
    alias: Any  # its name in the request
    loc: tuple[str, Any]  # its place in errors
    info: FieldInfo  # has the defaults
    many: bool  # takes all the values of that name, not one
    schema: Any  # pydantic's core schema and its validator, None each if there is none
    validator: Any


def field_of(source: int, field: Any) -> Field | None:
    """Give what FastAPI's field of a parameter says.

    Parameters:
        source: index into `PARAMETER_LISTS`.
        field: FastAPI's `ModelField`.

    Returns:
        None unless it is a plain field with a `Path`, `Query`, `Header` or `Cookie` all of whose
        options are supported or at their default.
    """
    if not _is_known(source, field) or getattr(field, "config", None):
        return None
    info = field.field_info
    adapter = getattr(field, "_type_adapter", None)
    return Field(
        field=field,
        name=field.name,
        alias=field.alias,
        loc=(info.in_.value, field.alias),
        info=info,
        many=bool(annotation_is_sequence(info.annotation)),
        schema=schema_of(field),
        validator=getattr(adapter, "validator", None),
    )


def _is_known(source: int, field: Any) -> bool:
    info = field.field_info
    if type(field) is not ModelField or type(info) is not _PARAMETER_CLASSES[source]:
        return False
    if any(callable(value) for value in vars(field).values()):  # a method of its own
        return False
    return all(
        name in _KNOWN_OPTIONS or _default_options(source).get(name, ...) == value
        for name, value in vars(info).items()
    )


@cache
def _default_options(source: int) -> dict[str, Any]:
    kind: Any = _PARAMETER_CLASSES[source]
    return dict(vars(kind()))


solved_alone: set[int] = set()  # by identity of a root: its names are those of a larger tree
