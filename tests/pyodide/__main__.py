"""Lays out Pyodide with the packages that its ABI takes, and runs `inside.py` in it."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PYODIDE = "314.0.7"


def main() -> None:
    """Run it on a wheel."""
    parser = argparse.ArgumentParser(prog="python -m tests.pyodide", description=__doc__)
    parser.add_argument("--wheel", type=Path, required=True, help="the pure wheel")
    wheel = parser.parse_args().wheel.resolve()
    with tempfile.TemporaryDirectory(prefix="pyodide-") as scratch:
        place, site = Path(scratch), Path(scratch) / "site"
        npm = ["npm", "install", "--silent", "--no-save", "--prefix", scratch]
        subprocess.run([*npm, f"pyodide@{PYODIDE}"], check=True)
        lock = place / "node_modules" / "pyodide" / "pyodide-lock.json"
        info = json.loads(lock.read_text())["info"]
        python = ".".join(info["python"].split(".")[:2])
        platform = f"pyemscripten_{info['abi_version']}_wasm32"
        print(f"Pyodide {PYODIDE}: Python {info['python']}, {platform}", flush=True)
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-compile",
            "--target",
            str(site),
        ]
        only = ["--only-binary", ":all:", "--implementation", "cp"]
        target = ["--platform", platform, "--python-version", python]
        subprocess.run([*pip, *only, *target, str(wheel)], check=True)
        _check_pydantic(site)
        # The script is beside node_modules, where node looks for `pyodide`.
        script = place / "run.mjs"
        script.write_text((HERE / "run.mjs").read_text())
        subprocess.run(["node", script, site, HERE], check=True)


def _check_pydantic(site: Path) -> None:
    """Make sure that the index gave compiled WebAssembly and no placeholder."""
    modules = list(site.glob("pydantic_core/_pydantic_core.*.so"))
    if len(modules) != 1 or modules[0].read_bytes()[:4] != b"\0asm":
        sys.exit(f"the pydantic_core for Pyodide has no WebAssembly module: {modules}")


if __name__ == "__main__":
    main()
