"""A FastAPI that nobody has seen: whatever its next release changes, no answer is ever wrong.

Each test edits FastAPI's source in a process of its own, before it is imported, and serves one
application there, first on that FastAPI alone and then with `init_app`.
"""

from __future__ import annotations

import ast
import importlib.util
from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import fastapi
import pytest

from fastapi_async_safe import resolver_backend
from tests.future_fastapi import edits as tomorrow
from tests.future_fastapi.application import REQUESTS
from tests.future_fastapi.edits import MODELS, ROUTING, UTILS, Edit
from tests.future_fastapi.serving import serve

pytestmark = [pytest.mark.slow, pytest.mark.accelerated]

_FASTAPI = version("fastapi")


@dataclass(frozen=True)
class Outcome:
    """What came of serving the application under an edited FastAPI."""

    stock: dict[str, list[Any]]
    accelerated: dict[str, list[Any]]
    calls: list[Any]
    said: list[str]

    def check_answers(self) -> None:
        """Check that nobody can tell the difference: the same answers, the same calls."""
        assert answers_of(self.accelerated) == answers_of(self.stock)
        for name, times in self.accelerated.items():
            for time, stock in zip(times, self.stock[name], strict=True):
                assert [call for call, *_ in time[1]] == [call for call, *_ in stock[1]], name

    @cached_property
    def declined(self) -> set[str]:
        """The routes whose marked dependencies fell back to FastAPI, at least once."""
        return {
            sent.route
            for sent in REQUESTS
            for _, visits in self.accelerated[sent.name]
            for call, is_inline, by_fastapi in visits
            if is_marked_dependency(call) and (by_fastapi or not is_inline)
        }

    @cached_property
    def threads(self) -> set[str]:
        """What else is marked and was called in a thread: endpoints, parts of streams, tasks."""
        return {
            call
            for times in self.accelerated.values()
            for _, visits in times
            for call, is_inline, _ in visits
            if call.startswith(AFTER_SOLVING) and not is_inline
        }

    @cached_property
    def accelerated_routes(self) -> set[str]:
        """The routes whose marked dependencies always ran on the loop."""
        return routes_with_marks(self.accelerated) - self.declined

    @cached_property
    def read_by_fastapi(self) -> set[str]:
        """The parameters that were read by FastAPI's own function, and not once only to compare."""
        counts = Counter(name for names in self.calls for name in names)
        return {name for name, count in counts.items() if count > 2}

    def check_said(self) -> None:
        """Check that what fell back to FastAPI was said, once, with route, reason and release."""
        assert len(self.said) == len(set(self.said)), self.said
        for line in self.said:
            assert _FASTAPI in line
        if len(self.said) == 1 and not self.accelerated_routes:
            return  # one line for all of them
        if self.threads:
            assert self.said
        for route in self.declined:
            assert [line for line in self.said if line.startswith(f"route {route} ")], (
                route,
                self.said,
            )


AFTER_SOLVING = ("marked endpoint", "marked part", "marked task")


def is_marked_dependency(call: str) -> bool:
    return call.startswith("marked") and not call.startswith(AFTER_SOLVING)


def answers_of(served: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {name: [answer for answer, _ in times] for name, times in served.items()}


def routes_with_marks(served: dict[str, list[Any]]) -> set[str]:
    return {
        sent.route
        for sent in REQUESTS
        for _, visits in served[sent.name]
        if any(is_marked_dependency(call) for call, *_ in visits)
    }


@cache
def outcome(variant: str, *edits: Edit) -> Outcome:
    """Serve the application under an edited FastAPI in a process of its own."""
    return Outcome(**serve(variant, edits))


def everything(variant: str, *edits: Edit) -> Outcome:
    """Serve it, and check what holds under every edit."""
    result = outcome(variant, *edits)
    result.check_answers()
    result.check_said()
    return result


def test_under_the_installed_fastapi_all_that_is_marked_is_inline(variant: str) -> None:
    result = everything(variant, tomorrow.Unchanged())
    assert result.declined == set()
    assert result.threads == set()
    assert result.said == []
    assert len(result.accelerated_routes) >= 15


# ---- fields of Dependant ----------------------------------------------------------------------


@pytest.mark.parametrize("default", ["0", "field(default_factory=list)"])
def test_a_new_field_at_its_default_changes_nothing(variant: str, default: str) -> None:
    result = everything(variant, tomorrow.NewField("priority", default))
    assert result.declined == set()
    assert result.said == []


@pytest.mark.parametrize(
    ("name", "default"), [("weight", "0"), ("labels", "field(default_factory=list)")]
)
def test_a_route_with_a_new_field_not_at_its_default_is_left_to_fastapi(
    variant: str, name: str, default: str
) -> None:
    result = everything(variant, tomorrow.NewField(name, default))
    assert result.declined == {"/unusual"}
    assert len(result.said) == 1
    assert name in result.said[0]


def test_with_a_new_field_that_has_no_default_everything_is_left_to_fastapi(variant: str) -> None:
    result = everything(variant, tomorrow.NewField("priority", None))
    assert result.accelerated_routes == set()
    assert all("priority" in line for line in result.said)


@pytest.mark.parametrize(
    "name",
    [
        "request_param_name",
        "websocket_param_name",
        "http_connection_param_name",
        "response_param_name",
        "background_tasks_param_name",
        "security_scopes_param_name",
    ],
)
def test_a_renamed_field_is_left_to_fastapi(name: str) -> None:
    everything(resolver_backend(), tomorrow.RenamedField(name))


def test_a_route_with_a_new_kind_of_dependency_is_left_to_fastapi(variant: str) -> None:
    result = everything(variant, tomorrow.NewKind())
    assert result.declined == {"/unusual"}
    assert len(result.said) == 1
    assert "ResourceDependant" in result.said[0]


# ---- arguments of solve_dependencies ----------------------------------------------------------


def test_a_new_argument_at_its_default_changes_nothing(variant: str) -> None:
    result = everything(variant, tomorrow.NewArgument("patience", "None"))
    assert result.declined == set()
    assert result.said == []


def test_a_route_with_a_new_argument_not_at_its_default_is_left_to_fastapi(variant: str) -> None:
    result = everything(variant, tomorrow.NewArgument("deadline", "None"))
    assert ("x-deadline", "30") in result.stock["deadline"][0][0][2]
    assert result.declined == {"/deadline"}
    assert len(result.said) == 1
    assert "deadline" in result.said[0].removeprefix("/deadline")


def test_with_a_new_argument_that_has_no_default_everything_is_left_to_fastapi(
    variant: str,
) -> None:
    result = everything(variant, tomorrow.NewArgument("deadline", None))
    assert result.accelerated_routes == set()
    assert len(result.said) > 0


def test_a_new_argument_that_may_be_positional_is_never_wrong(variant: str) -> None:
    everything(variant, tomorrow.NewArgument("deadline", "None", positional=True))


# ---- what solve_dependencies gives ------------------------------------------------------------


@pytest.mark.parametrize("default", ["None", None])
def test_a_new_field_of_the_result_is_left_to_fastapi(variant: str, default: str | None) -> None:
    result = everything(variant, tomorrow.NewResult("counted", default))
    assert ("x-counted", "1") in result.stock["path"][0][0][2]
    assert result.accelerated_routes == set()


# ---- how parameters are read ------------------------------------------------------------------

_NOTED = """
    calls_of_tomorrow = []

    def noted(fields):
        names = [field.name for field in fields]
        if names and names != ["made_up"]:
            calls_of_tomorrow.append(names)
"""
_EMPTY_IS_MISSING = f"""{_NOTED}
    def request_params_to_args(fields, received_params, **told):
        noted(fields)
        if isinstance(received_params, QueryParams):
            pairs = [pair for pair in received_params.multi_items() if pair[1] != ""]
            received_params = QueryParams(pairs)
        return _request_params_to_args_of_today(fields, received_params, **told)
"""
_FIRST_WINS = f"""{_NOTED}
    def request_params_to_args(fields, received_params, **told):
        from fastapi import _compat

        is_sequence = getattr(_compat, "shared", _compat).field_annotation_is_sequence
        noted(fields)
        if isinstance(received_params, QueryParams):
            names = [f.alias for f in fields if not is_sequence(f.field_info.annotation)]
            pairs = received_params.multi_items()
            seen = {{name: value for name, value in reversed(pairs) if name in names}}
            rest = [pair for pair in pairs if pair[0] not in names]
            received_params = QueryParams([*seen.items(), *rest])
        return _request_params_to_args_of_today(fields, received_params, **told)
"""
_DEFAULTS = f"""{_NOTED}
    def request_params_to_args(fields, received_params, **told):
        noted(fields)
        values, errors = _request_params_to_args_of_today(fields, received_params, **told)
        for field in fields:
            if field.alias not in received_params and isinstance(values.get(field.name), KIND):
                values[field.name] = values[field.name] * 2
        return values, errors
"""
_WORDING = f"""{_NOTED}
    def request_params_to_args(fields, received_params, **told):
        noted(fields)
        values, errors = _request_params_to_args_of_today(fields, received_params, **told)
        return values, [{{**error, "msg": "This is wrong"}} for error in errors]
"""
_EXTRA_RESULT = f"""{_NOTED}
    class Values(dict):
        pass

    def request_params_to_args(fields, received_params, **told):
        noted(fields)
        values, errors = _request_params_to_args_of_today(fields, received_params, **told)
        values["_seen_by_tomorrow"] = True
        return values, errors
"""


def reading(source: str) -> tomorrow.Replaced:
    return tomorrow.Replaced(UTILS, "request_params_to_args", source)


@pytest.mark.parametrize("source", [_EMPTY_IS_MISSING, _FIRST_WINS], ids=["empty", "first"])
def test_kinds_of_parameters_that_are_read_differently_are_left_to_fastapi(
    variant: str, source: str
) -> None:
    result = everything(variant, reading(source))
    assert answers_of(result.stock)["query"] != answers_of(unedited())["query"]
    assert result.declined == set()
    assert result.read_by_fastapi >= {"needed", "text", "limit", "flag", "other"}
    assert result.read_by_fastapi.isdisjoint({"item", "x_text", "x_number", "session"})
    assert result.said


@pytest.mark.parametrize("kind", ["str", "int", "list", "(str, int, list)"])
def test_defaults_that_are_handled_differently_are_left_to_fastapi(variant: str, kind: str) -> None:
    result = everything(variant, reading(_DEFAULTS.replace("KIND", kind)))
    assert answers_of(result.stock)["query defaults"] != answers_of(unedited())["query defaults"]
    assert result.declined == set()
    assert result.read_by_fastapi >= {"needed", "text", "limit", "flag", "tags", "other"}
    assert "item" not in result.read_by_fastapi


def test_errors_in_other_words_are_fastapis(variant: str) -> None:
    result = everything(variant, reading(_WORDING))
    assert "This is wrong" in str(result.stock["query wrong"])
    assert result.declined == set()


def test_a_new_attribute_of_a_parameter_is_left_to_fastapi(variant: str) -> None:
    result = everything(variant, tomorrow.NewAttribute())
    assert answers_of(result.stock)["separated"][0][1] == '["a","b"]'


def unedited() -> dict[str, list[Any]]:
    """Give what the installed FastAPI answers."""
    return outcome("python", tomorrow.Unchanged()).stock


# ---- names and signatures ---------------------------------------------------------------------


@cache
def private_names() -> list[tuple[str, str]]:
    """List the names of FastAPI's resolver that this package takes from it, by module."""
    spec = importlib.util.find_spec("fastapi_async_safe._fastapi")
    assert spec is not None
    assert spec.origin is not None
    nodes = [
        node
        for path in sorted(Path(spec.origin).parent.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    ]
    aliases = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    said = {(UTILS, "solve_dependencies"), (MODELS, "Dependant")}
    defined = {
        (module, name) for module in (UTILS, MODELS, ROUTING) for name in tomorrow.defined(module)
    }
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            said.add((aliases.get(node.value.id, ""), node.attr))
        elif isinstance(node, ast.ImportFrom) and node.module in (UTILS, MODELS):
            said |= {(node.module, alias.name) for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            said |= defined & {(module, node.value) for module in (UTILS, MODELS, ROUTING)}
    names = {module: {*tomorrow.defined_or_imported(module)} for module in (UTILS, MODELS, ROUTING)}
    names[MODELS] |= set(tomorrow.members(MODELS, "Dependant"))
    return sorted(
        (module, name)
        for module, name in said
        if name in names.get(module, ()) and not (module == ROUTING and hasattr(fastapi, name))
    )


def private_functions() -> list[tuple[str, str]]:
    """List those of them that are functions of FastAPI."""
    return [
        (module, name)
        for module, name in private_names()
        if tomorrow.defines_function(module, name) and name != "solve_dependencies"
    ]


@pytest.mark.parametrize(("module", "name"), private_names())
def test_a_renamed_name_of_fastapis_is_never_wrong(module: str, name: str) -> None:
    everything(resolver_backend(), tomorrow.Renamed(module, name))


@pytest.mark.parametrize(("module", "name"), private_functions())
def test_a_new_parameter_of_fastapis_functions_is_never_wrong(module: str, name: str) -> None:
    everything(resolver_backend(), tomorrow.NewParameter(module, name))


def test_without_a_place_to_hook_applications_run_on_fastapi(variant: str) -> None:
    result = everything(variant, tomorrow.Renamed(UTILS, "solve_dependencies"))
    assert result.accelerated_routes == set()
    assert len(result.said) == 1


def test_a_function_that_says_it_is_from_elsewhere_is_never_wrong(variant: str) -> None:
    everything(variant, tomorrow.Moved(UTILS, "solve_dependencies"))


def test_the_names_that_are_renamed_are_those_that_matter() -> None:
    names = {name for _, name in private_names()}
    assert names >= {"solve_dependencies", "request_params_to_args", "get_dependant", "Dependant"}
    assert names >= {"BackgroundTasks", "run_in_threadpool", "SolvedDependency"}
