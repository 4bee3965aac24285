"""Serves the application under an edited FastAPI, in a process that has not imported FastAPI."""

from __future__ import annotations

import faulthandler
import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import decode_source
from multiprocessing.context import BaseContext
from types import CodeType, ModuleType
from typing import Any

from tests.future_fastapi.edits import UTILS, Edit, Edits
from tests.support.said import listening

# What takes long to import and is the same under each edit.
_NOT_EDITED = ["pydantic", "python_multipart", "starlette.testclient"]
_TIME_LIMIT = 120.0


class _EditedFile(SourceFileLoader):
    edits: Edits

    def get_code(self, fullname: str) -> CodeType:
        tree = self.edits.change(fullname, decode_source(self.get_data(self.path)))
        if tree is None:
            code = super().get_code(fullname)
            assert code is not None
            return code
        return compile(tree, self.path, "exec", dont_inherit=True)


class _Importer(MetaPathFinder):
    """Imports FastAPI's modules from their edited source."""

    def __init__(self, edits: Edits) -> None:
        self._edits = edits

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != "fastapi":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            loader = _EditedFile(spec.loader.name, spec.loader.path)
            loader.edits = self._edits
            spec.loader = loader
        return spec


def serve(variant: str, edits: Sequence[Edit]) -> dict[str, Any]:
    """Serve it in a process of its own.

    Returns:
        The `stock` and `accelerated` answers, the `calls` that an edit noted and what was `said`.
    """
    with ProcessPoolExecutor(1, _context()) as executor:
        return executor.submit(_serve, variant, Edits(edits)).result()


def _context() -> BaseContext:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_NOT_EDITED)
    return context


def _serve(variant: str, edits: Edits) -> dict[str, Any]:
    """Serve on stock, then in `variant`."""
    faulthandler.dump_traceback_later(_TIME_LIMIT, exit=True)
    sys.meta_path.insert(0, _Importer(edits))
    # NOTE: the application imports FastAPI, which must not happen before it is edited.
    assert "fastapi" not in sys.modules
    from tests.future_fastapi.application import answers, is_marked, make

    stock = answers(make())
    edits.check()
    calls = getattr(sys.modules[UTILS], "calls_of_tomorrow", [])
    calls.clear()
    with listening() as said:
        from fastapi import FastAPI

        from fastapi_async_safe import init_app

        app = make()
        for root in (app, FastAPI()):
            init_app(root, predicates=[is_marked], accelerated=variant == "compiled")
        accelerated = answers(app)
    return {"stock": stock, "accelerated": accelerated, "calls": calls, "said": said}
