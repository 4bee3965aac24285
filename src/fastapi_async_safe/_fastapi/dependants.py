"""FastAPI's `Dependant`: its fields, how its call is classified, what stands in for it."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable
from operator import is_
from typing import TYPE_CHECKING, Any, TypeAlias

from fastapi.dependencies import models as _models
from fastapi.dependencies import utils as _utils
from fastapi.security import SecurityScopes
from starlette.background import BackgroundTasks
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

if TYPE_CHECKING:
    Dependant: TypeAlias = Any
else:
    Dependant = getattr(_models, "Dependant", None)

FIELDS = dataclasses.fields(Dependant) if dataclasses.is_dataclass(Dependant) else ()


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

ALWAYS_THERE = _KNOWN_FIELDS - {
    "_request_param_names",
    "security_requirements",
    "security_scopes",
    "own_oauth_scopes",
    "parent_oauth_scopes",
    "cache_key",
    "scope",
    "concurrency",
}

_UNKNOWN_FIELDS = tuple(field for field in FIELDS if field.name not in _KNOWN_FIELDS)


FIELD_NAMES = tuple(field.name for field in FIELDS)

_LIST_NAMES = ("dependencies", "body_params")

# Those of which a dependant may have none.
_SCOPE_LISTS = ("security_scopes", "own_oauth_scopes", "parent_oauth_scopes")


# What is read of a dependant on the way of a request: its call, and the list of its dependencies.
CALL, DEPENDENCIES = "call", "dependencies"

PARAMETER_LISTS = ("path_params", "query_params", "header_params", "cookie_params")


def lists_of(dependant: Dependant) -> list[list[Any]]:
    """List the lists of a dependant that tools add to or take from."""
    scopes = [getattr(dependant, name, None) for name in _SCOPE_LISTS]
    return [
        *(getattr(dependant, name) for name in (*_LIST_NAMES, *PARAMETER_LISTS)),
        *(each for each in scopes if type(each) is list),
    ]


class SeenDependant:
    """A dependant as it is when this is made: its fields, and what is in those that are lists.

    Parameters:
        dependant: FastAPI's own, or whatever is in its place.
    """

    __slots__ = ("_dependant", "_said")

    def __init__(self, dependant: Dependant) -> None:
        self._dependant = dependant
        self._said = _said_by(dependant)

    def is_as_seen(self) -> bool:
        """Say whether nothing of it is another object now."""
        said = _said_by(self._dependant)
        return len(said) == len(self._said) and all(map(is_, said, self._said))


def _said_by(dependant: Dependant) -> list[Any]:
    said: list[Any] = []
    for name in FIELD_NAMES:
        value = getattr(dependant, name, None)
        said.append(value)
        if type(value) is list:
            said += value
    return said


def unknown_part(dependant: Dependant) -> str | None:
    """Name a part of `dependant` that is not supported and not at its default."""
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
    if (ask := _looked_up(function)) is not None:
        return bool(ask(dependant.call))
    if hasattr(Dependant, older):
        return bool(getattr(dependant, older))
    return bool(getattr(_utils, older)(dependant.call))


def _looked_up(name: str) -> Any:
    """Find a function of models where FastAPI looks it up: in utils."""
    return getattr(_utils, name, None) or getattr(_models, name, None)


def cache_key(dependant: Dependant, known: dict[int, Any]) -> Any:
    """Give the key of `dependant` in the dependency cache.

    Parameters:
        dependant: as declared, not as overridden.
        known: what is kept between the calls for one tree; empty at first.
    """
    if (give := _looked_up("_get_cache_key")) is not None:  # 0.140
        return give(dependant=dependant, uses_scopes_cache=known)
    return dependant.cache_key


def security_scopes(dependant: Dependant) -> list[str]:
    """Give the scopes that `SecurityScopes` has in `dependant`."""
    if (give := _looked_up("_get_oauth_scopes")) is not None:  # 0.140
        return list(give(dependant=dependant))
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


def names_of(fields: Iterable[Any]) -> list[str]:
    """List the keywords that the values of FastAPI's fields are passed by."""
    return [field.name for field in fields]


def keywords_of(dependant: Dependant) -> set[str]:
    """List the keywords that the call of `dependant` gets."""
    return set(_all_keywords_of(dependant))


def repeats_keywords(dependant: Dependant) -> bool:
    """Say whether the call of `dependant` gets two values by one keyword; the last one counts."""
    names = _all_keywords_of(dependant)
    return len(set(names)) < len(names)


def made_of_parameters(dependant: Dependant) -> dict[str, Any]:
    """Give what FastAPI made of the parameters of a call when the dependant was made, by name.

    Of those that it validates the `FieldInfo`, of those that it makes by itself the class.
    """
    made: dict[str, Any] = {getattr(dependant, name): cls for name, cls in _MADE_BY_ITSELF.items()}
    for attribute in (*PARAMETER_LISTS, "body_params"):
        made.update((field.name, field.field_info) for field in getattr(dependant, attribute))
    return made


_MADE_BY_ITSELF: dict[str, type] = {
    "request_param_name": Request,
    "websocket_param_name": WebSocket,
    "http_connection_param_name": HTTPConnection,
    "response_param_name": Response,
    "background_tasks_param_name": BackgroundTasks,
    "security_scopes_param_name": SecurityScopes,
}


def _all_keywords_of(dependant: Dependant) -> list[str]:
    names = [each.name for each in dependant.dependencies]
    for attribute in (*PARAMETER_LISTS, "body_params"):
        names += names_of(getattr(dependant, attribute))
    names += [getattr(dependant, name) for name in FIELD_NAMES if name.endswith("_param_name")]
    return [name for name in names if name is not None]
