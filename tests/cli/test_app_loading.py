"""Which application a command gets, and what it says where there is none."""

import subprocess
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI

from fastapi_async_safe._cli.app_loading import load_app
from fastapi_async_safe._cli.bad_input import AppError, BadInputError

SHOP = """
from unittest.mock import NonCallableMock

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

app = FastAPI(title="shop")
wrapped = GZipMiddleware(app)
settings = {"debug": True}


class Apps:
    admin = FastAPI(title="admin")


def create_app():
    return FastAPI(title="made")


class Around:
    def __init__(self):
        self.app = self


around_itself = Around()
mock = NonCallableMock()


def broken():
    raise RuntimeError("no database")
"""


NO_APP = "{0} is no FastAPI application but a function; if it makes one, write {0}()"
OR = "; write {}:app"
ANY_APP = "write module:attribute or module:factory(), such as main:app"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module in the working directory; its name."""
    name = f"shop_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(SHOP, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return name


@pytest.mark.parametrize(
    ("attribute", "title"),
    [("app", "shop"), ("wrapped", "shop"), ("Apps.admin", "admin"), ("create_app()", "made")],
)
def test_the_application_is_found_from_the_working_directory(
    shop: str, attribute: str, title: str
) -> None:
    app = load_app(f"{shop}:{attribute}")

    assert isinstance(app, FastAPI)
    assert app.title == title


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("{}", "'{}' names no application: write module:attribute, such as {}:app"),
        ("./{}.py", "'./{}.py' names no application: write module:attribute, such as {}:app"),
        ("{}.py:app", "'{}.py:app' names no application: write module:attribute, such as {}:app"),
        (".{}:app", "'.{}:app' names no application: " + ANY_APP),
        ("{}:around_itself", "{}:around_itself is no FastAPI application but a Around of {}" + OR),
        (
            "{}:mock",
            "{}:mock is no FastAPI application but a NonCallableMock of unittest.mock" + OR,
        ),
        ("a b:c", "'a b:c' names no application: " + ANY_APP),
        ("{}:", "'{}:' names no application: write module:attribute, such as {}:app"),
        ("{}:application", "{} has no 'application'; write {}:app"),
        ("{}:Apps.shop", "{} has no 'Apps.shop'; write {}:app"),
        (
            "{}:settings",
            "{}:settings is no FastAPI application but a dict; write {}:app",
        ),
        (
            "{}:broken",
            NO_APP.format("{}:broken"),
        ),
        (
            "{}:settings()",
            "{}:settings() cannot be called, it is a dict; write {}:settings",
        ),
    ],
)
def test_a_name_that_leads_nowhere_gives_one_line(shop: str, name: str, text: str) -> None:
    with pytest.raises(BadInputError) as raised:
        load_app(name.replace("{}", shop))

    assert str(raised.value) == text.replace("{}", shop)


def test_a_module_that_is_not_there_is_told_with_the_directory(shop: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=f"there is no module 'no_shop' in {tmp_path} or among"):
        load_app("no_shop.api:app")


def test_what_an_application_raises_is_its_own_traceback(shop: str) -> None:
    with pytest.raises(AppError) as raised:
        load_app(f"{shop}:broken()")

    lines = str(raised.value).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert f"{shop}.py" in lines[1]
    assert lines[-1] == "RuntimeError: no database"
    assert "fastapi_async_safe" not in str(raised.value)


@pytest.mark.parametrize(
    ("code", "last"),
    [
        ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("from fastapi import NoSuch", "ImportError: cannot import name 'NoSuch' from 'fastapi'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def f(:", "SyntaxError: invalid syntax"),
        ("raise SystemExit('set DATABASE_URL')", "SystemExit: set DATABASE_URL"),
    ],
)
def test_an_error_of_an_import_is_shown_from_the_application_on(
    tmp_path: Path, code: str, last: str
) -> None:
    (tmp_path / "inner.py").write_text(f"\n{code}\n", encoding="utf-8")
    (tmp_path / "outer.py").write_text("import inner\n", encoding="utf-8")

    script = (
        "from fastapi_async_safe._cli.app_loading import load_app\n"
        "from fastapi_async_safe._cli.bad_input import AppError\n"
        "try:\n    load_app('outer:app')\nexcept AppError as error:\n    print(error, end='')\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout

    assert 'outer.py", line 1' in shown
    assert shown.splitlines()[-1].startswith(last)
    assert "importlib" not in shown
    assert "app_loading" not in shown
