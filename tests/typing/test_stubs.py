"""The stub of the compiled core says what the core is that is in use, as stubtest sees it."""

import os
import subprocess
import sys
from pathlib import Path

import fastapi_async_safe
from tests.support.serving import expected_backend

# stubtest with the Python core in the place of the compiled one, for which its stub holds too. What
# the Python core has beside that is its own.
OF_THE_PYTHON_CORE = """
import sys
from types import ModuleType
from mypy import stubtest
from fastapi_async_safe import _core_py

core = ModuleType("fastapi_async_safe._core")
vars(core).update({name: getattr(_core_py, name) for name in _core_py.__all__})
sys.modules[core.__name__] = core
sys.exit(stubtest.main())
"""
# What makes an object of a class in C has no signature.
CONSTRUCTORS = r"fastapi_async_safe\._core\.(Entry|Group|Node|Param|Plan|Seen|Solver)\.__init__"


def test_the_stub_of_the_core_says_what_the_core_is(tmp_path: Path) -> None:
    allowed = tmp_path / "allowed.txt"
    options = ["--allowlist", str(allowed), "--ignore-disjoint-bases"]
    if expected_backend() == "compiled":
        command = [sys.executable, "-m", "mypy.stubtest"]
        allowed.write_text(CONSTRUCTORS)
    else:
        command = [sys.executable, "-c", OF_THE_PYTHON_CORE, "--ignore-missing-stub"]
        # Only the Python core makes them by calling the class.
        allowed.write_text(r"fastapi_async_safe\._core\.CurrentRequest\.__init__")
    environment = dict(os.environ)
    folder = Path(fastapi_async_safe.__file__).parents[1]
    if folder.name != "site-packages":  # where mypy looks by itself, and nowhere else
        environment["MYPYPATH"] = str(folder)
    done = subprocess.run(
        [*command, "fastapi_async_safe._core", *options],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
