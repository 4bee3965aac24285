"""Reading the values of parameters out of what a request has received."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from pydantic_core import ValidationError

from .. import _fastapi
from .nodes import CONSTANT, FASTAPI, TEXT, Param


def extract(
    params: tuple[Param, ...], received: Any, values: dict[str, Any], errors: list[Any], /
) -> None:
    """Put the value of each parameter into `values`, and what is wrong with it into `errors`.

    Parameters:
        params: those of a group.
        received: what the request has from the source of the group, of the kind that Starlette
            makes.
        values: by name.
        errors: as FastAPI has them.
    """
    one_of_each = received
    if type(received) is _fastapi.QueryParams:
        # PERF: what `QueryParams.get` looks into.
        one_of_each = getattr(received, _fastapi.QUERY_ITEMS)
    for param in params:
        raw = (received.getlist(param.key) or None) if param.many else one_of_each.get(param.key)
        if raw is None:
            info = param.info
            if (
                info.default is not param.default_seen
                or info.default_factory is not param.factory_seen
            ):
                found, wrong = _fastapi.extract_from([param.field], {})
                values.update(found)
                errors.extend(wrong)
            elif param.if_missing == CONSTANT:
                values[param.name] = param.default
            elif param.missing is not None:
                errors.append(param.missing.copy())
            else:
                values[param.name] = deepcopy(getattr(param.field, _fastapi.FIELD_DEFAULT))
        elif param.convert == TEXT and type(raw) is str:
            values[param.name] = raw
        elif param.convert == FASTAPI:
            value, found = _fastapi.explain(param.field, raw, param.loc)
            if found:
                errors.extend(found)
            else:
                values[param.name] = value
        else:
            try:
                values[param.name] = param.validate(raw)
            except ValidationError:
                errors.extend(_fastapi.explain(param.field, raw, param.loc)[1])
