"""Serves the application under an edited FastAPI; edits come in pickled, what came of it goes out
as JSON."""

from __future__ import annotations

import ast
import json
import logging
import pickle
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

from tests.future_fastapi.edits import UTILS, Edits

_PACKAGE = "fastapi_async_safe"


class _EditedFile(SourceFileLoader):
    edits: Edits

    def get_code(self, fullname: str) -> CodeType:
        tree = ast.parse(self.get_data(self.path))
        if not self.edits.change(fullname, tree):
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


class _Said(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def main(variant: str) -> None:
    """Serve on stock, then in `variant`, and print."""
    edits: Edits = pickle.load(sys.stdin.buffer)
    sys.meta_path.insert(0, _Importer(edits))
    # NOTE: the application imports FastAPI, which must not happen before it is edited.
    from tests.future_fastapi.application import answers, is_marked, make

    stock = answers(make())
    edits.check()
    calls = getattr(sys.modules[UTILS], "calls_of_tomorrow", [])
    calls.clear()
    said = _Said()
    logging.getLogger(_PACKAGE).addHandler(said)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        from fastapi import FastAPI

        from fastapi_async_safe import init_app

        app = make()
        for root in (app, FastAPI()):
            init_app(root, predicates=[is_marked], accelerated=variant == "compiled")
        accelerated = answers(app)
    result: dict[str, Any] = {
        "stock": stock,
        "accelerated": accelerated,
        "calls": calls,
        "said": [
            *(str(warning.message) for warning in caught if "async-safe" in str(warning.message)),
            *said.messages,
        ],
    }
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
