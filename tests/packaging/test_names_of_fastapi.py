"""FastAPI's and Starlette's privates are named in one folder: `_fastapi/`, and nowhere else."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (ROOT / "src/fastapi_async_safe", ROOT / "src/fastapi_async_safe_pytest")
COMPILED = ROOT / "csrc/_core"

#: What is public, and may be imported anywhere.
PUBLIC = {
    "fastapi",
    "fastapi.params",
    "fastapi.security",
    "starlette.datastructures",
    "starlette.requests",
    "starlette.websockets",
}

#: What only FastAPI's or Starlette's own objects and modules have under these names.
PRIVATE = {
    # `Dependant`
    "background_tasks_param_name",
    "body_params",
    "cache_key",
    "cookie_params",
    "header_params",
    "http_connection_param_name",
    "is_async_gen_callable",
    "is_coroutine_callable",
    "is_gen_callable",
    "oauth_scopes",
    "own_oauth_scopes",
    "parent_oauth_scopes",
    "request_param_name",
    "response_param_name",
    "security_requirements",
    "security_scopes_param_name",
    "websocket_param_name",
    # fields of parameters and responses
    "_type_adapter",
    "field_info",
    "response_field",
    # `SolvedDependency`, as far as nothing else is called so
    "dependency_cache",
    # routes, and what is made of them where they are included
    "dependency_overrides_provider",
    "effective_route_context",
    "effective_route_contexts",
    "get_request_handler",
    "original_route",
    "original_router",
    "starlette_route",
    # requests and what they keep
    "_cookies",
    "_headers",
    "_query_params",
    "fastapi_function_astack",
    "fastapi_inner_astack",
    # functions
    "contextmanager_in_threadpool",
    "get_dependant",
    "is_body_allowed_for_status_code",
    "iterate_in_threadpool",
    "request_body_to_args",
    "request_params_to_args",
    "run_endpoint_function",
    "run_in_threadpool",
    "serialize_response",
    "solve_dependencies",
    "solve_generator",
    "wrap_app_handling_exceptions",
}

#: What is FastAPI's wherever it is called so: handed on, and never looked into. `declared` and
#: `used` are records of ours but in a node.
OPAQUE = r"(?:\w+\.)*(?:dependant|field|solved|node\.declared|node\.used)"

PRIVATE_IN_TEXT = re.compile(rf"(?<![\w.]){OPAQUE}\.(?!__class__\b)[a-z_]\w*")


def breaches(source: str) -> Iterator[str]:
    """What Python source names of FastAPI's and Starlette's privates."""
    tree = ast.parse(source)
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"import {each.name}" for each in node.names if is_private(each.name))
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for each in node.names:
                if is_private(node.module or "", each.name):
                    yield f"from {node.module} import {each.name}"
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) != "_fastapi":
            if node.attr in PRIVATE or PRIVATE_IN_TEXT.fullmatch(ast.unparse(node)):
                yield ast.unparse(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from () if id(node) in docstrings else breaches_in_text(node.value)


def is_private(module: str, name: str = "") -> bool:
    """Whether a module of these libraries, or what is imported of one, is not public."""
    if module.split(".")[0] not in ("fastapi", "starlette") or f"{module}.{name}" in PUBLIC:
        return False
    # What is public there are classes.
    return module not in PUBLIC or not (name == "" or name[0].isupper())


def breaches_in_text(text: str) -> Iterator[str]:
    """What a string says, or a source that is compiled, or one in Cython without its comments."""
    if text in PRIVATE or re.fullmatch(r"(fastapi|starlette)(\.\w+)+", text):
        yield text
    for found in PRIVATE_IN_TEXT.finditer(text):
        yield found[0]
    for found in re.finditer(r"(?:\.|\bdef )(\w+)\b", text):
        if found[1] in PRIVATE:
            yield found[0]


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted(package.rglob("*.py")):
            if "_fastapi" not in path.relative_to(package).parts:
                yield path


def test_python_modules_name_no_privates() -> None:
    named = {str(path.relative_to(ROOT)): [*breaches(path.read_text())] for path in sources()}

    assert len(named) > 50
    assert {path: found for path, found in named.items() if found} == {}


@pytest.mark.skipif(not COMPILED.exists(), reason="the sources are not beside the tests here")
def test_the_compiled_core_names_no_privates() -> None:
    named = {
        path.name: [
            found
            for line in re.sub(r'""".*?"""', "", path.read_text(), flags=re.DOTALL).splitlines()
            for found in breaches_in_text(line.split("#")[0])
        ]
        for path in sorted(COMPILED.glob("*.p*"))
    }

    assert "solver.pxi" in named
    assert {path: found for path, found in named.items() if found} == {}


@pytest.mark.parametrize(
    "source",
    [
        "from fastapi.dependencies.utils import get_dependant",
        "from fastapi.dependencies import models",
        "from fastapi import _compat",
        "from fastapi import routing",
        "import fastapi.routing",
        "from starlette._utils import is_async_callable",
        "import_module('fastapi.dependencies.utils')",
        "used.body_params",
        "getattr(route, 'response_field', None)",
        "dependant.call",
        "node.used.call",
        "entry.dependant.path",
        "solved.errors",
        "param.field.default",
        "hook('async def run_endpoint_function(*, dependant): ...')",
        "hook('return dependant.call(**values)')",
    ],
)
def test_a_private_is_found_in_whatever_way_it_is_named(source: str) -> None:
    assert [*breaches(source)]


@pytest.mark.parametrize(
    "source",
    [
        "from fastapi import APIRouter, FastAPI",
        "from starlette.datastructures import Headers",
        "'''As FastAPI's `solve_dependencies` does: dependant.call'''",
        "say('solve_dependencies was called with more')",
        "request.path_params",
        "_fastapi.cache_key(dependant, keys)",
        "declared.call",
        "entry.dependant is dependant",
    ],
)
def test_what_is_public_or_ours_is_none(source: str) -> None:
    assert [*breaches(source)] == []
