"""Finding the application that a command is given, as uvicorn and the fastapi command do."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer
from fastapi import FastAPI

from .. import _fastapi
from .bad_input import AppError, BadInputError

#: The argument of each command.
AppName = Annotated[
    str,
    typer.Argument(
        metavar="APP",
        help="The application: module:attribute or module:factory(), such as main:app.",
        show_default=False,
    ),
]

_NAME = re.compile(r"(?P<module>\w+(\.\w+)*):(?P<attribute>\w+(\.\w+)*)(?P<call>\(\))?", re.ASCII)


def load_app(name: str) -> FastAPI:
    """Import an application, from the working directory first.

    Parameters:
        name: `module:attribute`, or `module:factory()` for what calling it gives.

    Returns:
        The application, without the middleware that is wrapped around it.

    Raises:
        BadInputError: the name leads to no FastAPI application.
        AppError: the application's code raised an exception.
    """
    parts = _NAME.fullmatch(name)
    if parts is None or parts["module"].endswith(".py"):
        raise BadInputError(f"{name!r} names no application: {_example(name)}")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    module = _imported(parts["module"], folder)
    found = _attribute(module, parts["attribute"])
    if parts["call"]:
        found = _made(found, name)
    app = _within(found)
    if app is not None:
        return app
    if callable(found) and not isinstance(found, type) and not parts["call"]:
        raise BadInputError(
            f"{name} is no FastAPI application but {_described(found)}; if it makes one, write "
            f"{name}()"
        )
    raise BadInputError(
        f"{name} is no FastAPI application but {_described(found)}{_instead(module)}"
    )


def _within(found: Any) -> FastAPI | None:
    """Give the application that middleware is wrapped around, or None."""
    for _ in range(_fastapi.MOST_LAYERS):
        if _fastapi.is_application(found):
            return found  # type: ignore[no-any-return]
        try:
            found = found.app
        except AttributeError:
            return None
        except Exception as error:
            raise AppError(error) from None
    return None


def _example(name: str) -> str:
    path, _, attribute = name.partition(":")
    if path.endswith(".py"):
        module = path.removesuffix(".py").replace("\\", "/").strip("./").replace("/", ".")
        return f"write module:attribute, such as {module}:app"
    if re.fullmatch(r"[\w.]+", path) and not attribute:
        return f"write module:attribute, such as {path}:app"
    return "write module:attribute or module:factory(), such as main:app"


def _imported(name: str, folder: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise AppError(error) from None
        raise BadInputError(
            f"there is no module {error.name!r} in {folder} or among what is installed; go to the "
            "directory from which the application is started"
        ) from None
    except (Exception, SystemExit) as error:
        raise AppError(error) from None


def _attribute(module: ModuleType, path: str) -> Any:
    found: Any = module
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise BadInputError(f"{module.__name__} has no {path!r}{_instead(module)}") from None
    return found


def _made(factory: Any, name: str) -> Any:
    if not callable(factory):
        raise BadInputError(
            f"{name} cannot be called, it is {_described(factory)}; write {name.removesuffix('()')}"
        )
    try:
        return factory()
    except (Exception, SystemExit) as error:
        raise AppError(error) from None


def _described(found: Any) -> str:
    kind = type(found)
    return f"a {kind.__qualname__}" + (
        "" if kind.__module__ == "builtins" else f" of {kind.__module__}"
    )


def _instead(module: ModuleType) -> str:
    apps = [name for name, value in vars(module).items() if _fastapi.is_application(value)]
    if not apps:
        return f"; no attribute of {module.__name__} is one, so name another module or a factory()"
    return "; write " + " or ".join(f"{module.__name__}:{name}" for name in apps)
