"""What other releases of FastAPI have elsewhere, in another form or not at all."""

from types import SimpleNamespace
from typing import Any

import pytest

from fastapi_async_safe._fastapi import hook_points, parameters
from fastapi_async_safe._fastapi.supported import unusable

TOLD = SimpleNamespace(field_annotation_is_sequence=lambda annotation: annotation is list)


@pytest.mark.parametrize(
    ("compat", "expected"),
    [
        (TOLD, True),  # to 0.118, and from 0.128 on
        (SimpleNamespace(shared=TOLD), True),
        (SimpleNamespace(shared=SimpleNamespace()), None),
        (SimpleNamespace(), None),
    ],
)
def test_lists_are_known_by_what_fastapi_says_of_them(
    compat: Any, expected: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parameters, "_compat", compat)
    assert parameters.annotation_is_sequence(list) is expected


@pytest.mark.parametrize("errors", [[{"type": "wrong"}], {"type": "wrong"}])
def test_a_field_may_give_one_error_or_several(errors: Any) -> None:
    field = SimpleNamespace(validate=lambda value, values, loc: (None, errors))
    assert parameters.explain(field, "x", ("query", "x")) == (None, [{"type": "wrong"}])


def own(first: int, second: int) -> None: ...


@pytest.mark.parametrize(
    ("named", "exactly", "is_found"),
    [
        (("first", "second"), True, True),
        (("first", "second"), False, True),
        (("first",), False, True),
        (("first",), True, False),
        (("first", "second", "third"), False, False),
    ],
)
def test_a_function_with_more_parameters_fits_unless_it_has_to_be_exactly_that(
    named: tuple[str, ...], exactly: bool, is_found: bool
) -> None:
    owner = SimpleNamespace(__name__=__name__, own=own)
    assert (hook_points.own_function(owner, "own", named, exactly) is own) is is_found


@pytest.mark.parametrize(
    "name", ["_is_gen_callable", "_is_async_gen_callable", "_is_coroutine_callable"]
)
def test_each_question_of_a_call_has_to_be_there(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastapi.dependencies import models, utils

    assert unusable() is None
    for module in (models, utils):
        for each in (name, name[1:]):
            monkeypatch.delattr(module, each, raising=False)
    if hasattr(models.Dependant, name[1:]):
        monkeypatch.delattr(models.Dependant, name[1:])
    assert unusable() == f"fastapi.dependencies.models has no {name}"


@pytest.mark.parametrize("name", ["_solve_generator", "solve_generator", "get_dependant"])
def test_a_function_with_other_parameters_is_said(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastapi.dependencies import utils

    monkeypatch.setattr(utils, name, lambda: None, raising=False)
    assert unusable() == f"fastapi.dependencies.utils.{name} has other parameters"
