"""Makes every interpreter that a test starts accelerate its apps too.

Python imports this module at start-up wherever its directory is on PYTHONPATH: in pytest, in the
workers of xdist, and in the interpreters that tests start. FastAPI is not imported earlier for it:
some tests are about what its import does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

_APPLICATIONS = "fastapi.applications"


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        from accelerate_every_app import accelerate_every

        accelerate_every(module.FastAPI)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _APPLICATIONS:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(fullname, spec.origin)
        return spec


sys.meta_path.insert(0, _Finder())
