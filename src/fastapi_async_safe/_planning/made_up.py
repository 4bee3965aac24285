"""Made-up fields and requests, by which FastAPI is asked how it reads parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from inspect import Parameter, Signature
from typing import Annotated, Any, Literal, TypeAlias

from annotated_types import Ge, MaxLen
from fastapi import Cookie, Header, Path, Query
from pydantic import AfterValidator
from starlette.datastructures import Headers, QueryParams

from .. import _fastapi
from .._core_py import (
    CONSTANT,
    ERROR,
    FACTORY,
    FASTAPI,
    FLOAT,
    HEADER,
    INT,
    PATH,
    PYDANTIC,
    QUERY,
    TEXT,
)
from .kinds import Kind

_NAME = "made_up"
_MaybeShort: TypeAlias = Annotated[str, MaxLen(2)] | None


@cache
def missing_error() -> dict[str, Any]:
    """Give the error of the installed FastAPI for a parameter that is not there, at some place."""
    field = _made_up_field(Kind(QUERY, False, ERROR, TEXT), str, Query, None)
    _, (error,) = _fastapi.extract_nothing(QUERY, field)
    return dict(error)


@cache
def is_default_plain() -> bool:
    """Say whether the installed FastAPI gives a default as it is, made once, without validating it.

    It does from 0.148; before, it validated defaults and made those of a factory twice.
    """
    made: list[str] = []

    def make() -> str:
        made.append("made up")
        return "made up"

    fresh = _made_up_field(Kind(QUERY, False, FACTORY, INT), int, Query, None, default=make)
    if _fastapi.extract_nothing(QUERY, fresh) != ({_NAME: "made up"}, []) or len(made) != 1:
        return False
    for default in ("made up", "7", 7, 7.5, True, None):
        shared = Kind(QUERY, False, CONSTANT, INT)
        field = _made_up_field(shared, int, Query, None, default=default)
        found, wrong = _fastapi.extract_nothing(QUERY, field)
        if wrong or found.get(_NAME, ...) is not default:
            return False
    return True


def made_up_fields(kind: Kind) -> Iterable[Any]:
    marker: Callable[..., Any] = (Path, Query, Header, Cookie)[kind.source]
    annotations: dict[int, list[Any]] = {
        TEXT: [str, str | None],
        INT: [int, int | None],
        FLOAT: [float, float | None],
        PYDANTIC: [Annotated[int, Ge(1)], Literal["a", "1"], _MaybeShort],
        FASTAPI: [
            Annotated[str, AfterValidator(str.upper)],
            Annotated[int, AfterValidator(_positive)],
        ],
    }
    for annotation in annotations[kind.convert]:
        for alias in (None, "other-Name"):
            yield _made_up_field(
                kind,
                annotation,
                marker,
                alias,
                default=None if kind.if_missing == CONSTANT else _made_up_default,
            )


def _positive(value: int) -> int:
    if value < 1:
        raise ValueError("must be positive")
    return value


def _made_up_field(
    kind: Kind,
    annotation: Any,
    marker: Callable[..., Any],
    alias: str | None,
    default: Any = None,
) -> Any:
    options: dict[str, Any] = {} if alias is None else {"alias": alias}
    if kind.if_missing == FACTORY:
        options["default_factory"] = default
    kept: Any = list[annotation] if kind.many else annotation
    declared = Parameter(
        _NAME,
        Parameter.KEYWORD_ONLY,
        default=default if kind.if_missing == CONSTANT else Parameter.empty,
        annotation=Annotated[kept, marker(**options)],
    )

    def call(**values: Any) -> None: ...

    call.__signature__ = Signature([declared])  # type: ignore[attr-defined]
    path = f"/{{{_NAME}}}" if kind.source == PATH else "/"
    (field,) = _fastapi.fields_of(path, call, kind.source)
    return field


def _made_up_default() -> list[str]:
    return ["made", "up"]


def made_up_requests(kind: Kind, alias: str) -> Iterable[Any]:
    texts = [[], [""], ["1"], ["x"], ["007"], ["-3"], [" 4 "], ["a", "1"], ["a b&ü%"], ["9" * 30]]
    texts += [["2.5"], ["1e3"], [".5"], ["1_0.0"], ["nan"]]
    for found in texts:
        if kind.source == QUERY:
            yield QueryParams([(alias, text) for text in found] + [("else", "1")])
        elif kind.source == HEADER:
            key = alias.lower().encode("latin-1")
            yield Headers(raw=[(key, text.encode("latin-1")) for text in found])
        else:
            yield {alias: found[-1]} if found else {}
