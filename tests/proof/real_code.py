"""Counts what is proven of the dependencies of real packages: `python -m tests.proof.real_code`.

Each package is installed into an environment of its own (with uv, from the package index), an
application or routers of it are made, and every sync dependency of their routes is proven.
"""

from __future__ import annotations

import inspect
import json
import linecache
import os
import re
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()

#: What to install, and what makes the applications and routers of it.
PACKAGES: dict[str, tuple[list[str], str]] = {
    "fastapi-filter": (
        ["fastapi-filter[sqlalchemy]"],
        """
from fastapi import FastAPI
from fastapi_filter import FilterDepends
from fastapi_filter.contrib.sqlalchemy import Filter
class UserFilter(Filter):
    name: str | None = None
    age__gt: int | None = None
    order_by: list[str] | None = None
app = FastAPI()
def users(given=FilterDepends(UserFilter)): return []
app.get("/users")(users)
found = [app]
""",
    ),
    "fastapi-users": (
        ["fastapi-users", "httpx"],
        """
from fastapi_users import FastAPIUsers, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
def strategy() -> JWTStrategy: return JWTStrategy(secret="x", lifetime_seconds=3600)
async def manager(): return None
backend = AuthenticationBackend("jwt", BearerTransport(tokenUrl="x"), strategy)
users = FastAPIUsers(manager, [backend])
class User(schemas.BaseUser[int]): pass
class Update(schemas.BaseUserUpdate): pass
found = [users.get_auth_router(backend), users.get_users_router(User, Update)]
""",
    ),
    "gradio": (
        ["gradio"],
        """
import gradio
with gradio.Blocks() as blocks:
    gradio.Textbox()
found = [gradio.routes.App.create_app(blocks)]
""",
    ),
    "prefect": (
        ["prefect"],
        """
from prefect.server.api.server import create_app
found = [create_app()]
""",
    ),
    "chainlit": (
        ["chainlit"],
        """
from chainlit.server import app
found = [app]
""",
    ),
    "titiler": (
        ["titiler.application"],
        """
from titiler.application.main import app
found = [app]
""",
    ),
}


def main(names: list[str]) -> None:
    """Print the table of some packages, or of all."""
    reasons: Counter[str] = Counter()
    print("| package | sync dependencies | proven | not proven | known to block |")
    print("| --- | ---: | ---: | ---: | ---: |")
    total: Counter[str] = Counter()
    for name in names or PACKAGES:
        found = counted_apart(name)
        reasons.update(found["reasons"])
        total.update(found["verdicts"])
        print(row(found["title"], found["verdicts"]))
    print(row("all", total))
    print("\n| what is in the way first | callables |\n| --- | ---: |")
    for text, count in reasons.most_common(10):
        print(f"| {text} | {count} |")


def row(title: str, verdicts: dict[str, int]) -> str:
    proven, blocks = verdicts.get("proven", 0), verdicts.get("blocks", 0)
    unproven = verdicts.get("unknown", 0) + blocks
    return f"| {title} | {proven + unproven} | {proven} | {unproven} | {blocks} |"


def counted_apart(name: str) -> Any:
    """Count in an environment that has the package."""
    requirements, _ = PACKAGES[name]
    command = ["uv", "run", "--quiet", "--no-project", "--isolated", "--python", sys.executable]
    for requirement in requirements:
        command += ["--with", requirement]
    done = subprocess.run(
        [*command, "python", str(HERE), "--inside", name],
        # NOTE: from here, as uv would keep a build of it, whatever was changed since.
        env={
            **os.environ,
            "FASTAPI_ASYNC_SAFE_NO_EXTENSIONS": "1",
            "PYTHONPATH": str(HERE.parents[2] / "src"),
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def count(name: str, *, shows: bool) -> None:
    """Count in this environment, and print what was found as JSON."""
    from importlib import metadata

    from fastapi_async_safe import prove

    verdicts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for call in sync_dependencies(name):
        proof = prove(call)
        verdicts[proof.verdict] += 1
        reasons.update(kind_of(reason.text) for reason in proof.reasons[:1])
        if shows:
            print(proof.verdict, call, *map(str, proof.reasons[:3]), sep="\n    ", file=sys.stderr)
    requirement = re.split(r"[\[=<>]", PACKAGES[name][0][0])[0]
    title = f"{name} {metadata.version(requirement)}"
    print(json.dumps({"title": title, "verdicts": verdicts, "reasons": reasons}))


def kind_of(text: str) -> str:
    """Leave out of a reason what belongs to one place."""
    text = re.sub(r"`[^`]*`", "`...`", text)
    return re.sub(
        r"(object of the class|calls|model|enters|of|parameter) [\w.]+\.[\w.]+", r"\1 ...", text
    )


def sync_dependencies(name: str) -> Iterator[Any]:
    """Find the sync dependencies of the routes of a package."""
    namespace: dict[str, Any] = {}
    source = PACKAGES[name][1]
    file = f"<{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), namespace)
    seen: set[int] = set()
    dependants = [each for root in namespace["found"] for each in _dependants(root)]
    while dependants:
        dependant = dependants.pop()
        for below in dependant.dependencies:
            dependants.append(below)
            key = getattr(below.call, "__code__", below.call)  # functions made in a loop are one
            if id(key) not in seen and _is_sync(below.call):
                seen.add(id(key))
                yield below.call


def _dependants(root: Any) -> Iterator[Any]:
    from fastapi_async_safe._fastapi import dependants_of, mounted_within

    roots, seen = [root], set()
    while roots:
        each = roots.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if not hasattr(getattr(each, "router", each), "routes"):
            continue  # files, or an application of another kind
        roots += list(mounted_within(each))
        yield from dependants_of(getattr(each, "router", each))


def _is_sync(call: Any) -> bool:
    function = call if inspect.isroutine(call) or inspect.isclass(call) else type(call).__call__
    return not (
        inspect.iscoroutinefunction(function)
        or inspect.isasyncgenfunction(function)
        or inspect.isgeneratorfunction(function)
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        sys.path.remove(str(HERE.parent))
        warnings.simplefilter("ignore")
        count(sys.argv[2], shows=bool(os.environ.get("SHOW")))
    else:
        main(sys.argv[1:])
