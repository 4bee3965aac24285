"""The Dockerfile: linted, and its steps tried, stage by stage, without a container engine.

Each stage has a directory that stands for its root, with a new virtual environment in the place of
the interpreter of its image; absolute paths of a step are taken below that directory.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from dockerfile_parse import DockerfileParser

from benchmarks.deployment.servers import PATIENCE, ROOT, free_port
from tests.deployment.shop import eventually

DOCKERFILE = ROOT / "benchmarks/apps/production/Dockerfile"


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [str(hadolint), str(DOCKERFILE)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@dataclass
class Stage:
    """What a stage has come to."""

    root: Path
    variables: dict[str, str]
    directory: str = "/"
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def below(self, path: str) -> Path:
        """Give where a path of the stage is here."""
        return self.root / os.path.join(self.directory, path).lstrip("/")  # noqa: PTH118

    def moved(self, text: str) -> str:
        """Put the stage's root before the absolute paths of a shell command or a variable."""
        return re.sub(
            r"(?<![\w.}/])/(?=(?:opt|wheels|source|install|srv)\b)", f"{self.root}/", text
        )

    def run(self, command: list[str], **more: Any) -> "subprocess.Popen[bytes]":
        """Run a command as the stage would."""
        return subprocess.Popen(
            command,
            cwd=self.below("."),
            env={**os.environ, **self.variables},
            start_new_session=True,
            **more,
        )


def new_stage(directory: Path, image: str) -> Stage:
    version = re.fullmatch(r"python:(\d+\.\d+)-(slim-)?bookworm", image)
    assert version, f"no step-in for the image {image}"
    python = directory / "usr"
    subprocess.run([sys.executable, "-m", "venv", str(python)], check=True)
    path = f"{python}/bin{os.pathsep}{os.environ['PATH']}"
    # Nobody times this wheel: without optimising, its compiler takes a quarter of the time.
    quick = {"SKBUILD_CMAKE_BUILD_TYPE": "Debug"}
    return Stage(directory, {"PATH": path, "PYTHONPATH": "", "VIRTUAL_ENV": "", **quick})


def copy(stage: Stage, value: str, stages: dict[str, Stage]) -> None:
    *sources, target = value.split()
    origin = ROOT
    if sources[0].startswith("--from="):
        origin = stages[sources.pop(0).partition("=")[2]].root
    for source in sources:
        found = origin / source.lstrip("/")
        to = stage.below(target)
        if found.is_dir():
            shutil.copytree(
                found,
                to,
                dirs_exist_ok=True,
                symlinks=True,
                ignore=shutil.ignore_patterns("__pycache__"),
            )
        elif target.endswith("/"):
            to.mkdir(parents=True, exist_ok=True)
            shutil.copy(found, to)
        else:
            shutil.copy(found, to)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Go through all steps, and give the last stage."""
    steps = DockerfileParser(str(DOCKERFILE)).structure
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for step in steps:
        name, value = step["instruction"], step["value"]
        if name == "COMMENT":
            continue
        if name == "FROM":
            image, _, label = value.partition(" AS ")
            stage = new_stage(tmp_path_factory.mktemp(label or "final"), image)
            stages[label] = stage
            continue
        assert stage is not None
        if name == "WORKDIR":
            stage.directory = value
            stage.below(".").mkdir(parents=True, exist_ok=True)
        elif name == "COPY":
            copy(stage, value, stages)
        elif name == "ENV":
            for variable in value.split():
                key, _, content = variable.partition("=")
                content = content.replace("$PATH", stage.variables["PATH"])
                stage.variables[key] = stage.moved(content)
        elif name == "RUN":
            assert stage.run(["sh", "-ec", stage.moved(value)]).wait() == 0, value
        elif name == "CMD":
            stage.command = json.loads(value)
        elif name == "HEALTHCHECK":
            stage.health = json.loads(value.partition("CMD ")[2])
        else:
            assert name in ("USER", "EXPOSE"), f"no step-in for {name}"
    assert stage is not None
    # Scripts of an environment name the interpreter where it was made.
    made_in = str(stages["environment"].root)
    for script in (stage.root / "opt/shop/bin").iterdir():
        if not script.is_symlink() and (content := script.read_bytes()).startswith(b"#!"):
            script.write_bytes(content.replace(made_in.encode(), str(stage.root).encode()))
    return stage


@pytest.fixture
def on_loopback(image: Stage, environment: dict[str, str]) -> Iterator[Stage]:
    """Give the image with the settings of a shop, on a free port of the loopback."""
    before = dict(image.variables)
    image.variables |= environment
    image.variables |= {"UVICORN_HOST": "127.0.0.1", "UVICORN_PORT": str(free_port())}
    yield image
    image.variables = before


def test_what_the_image_runs_answers_and_is_compiled(on_loopback: Stage) -> None:
    shown = (
        on_loopback.run(
            [
                "python",
                "-c",
                "import fastapi_async_safe as f; print(f.resolver_backend(), f.__file__)",
            ],
            stdout=subprocess.PIPE,
        )
        .communicate()[0]
        .decode()
    )
    assert shown.startswith(f"compiled {on_loopback.root}/")
    process = on_loopback.run(on_loopback.command)
    try:
        assert eventually(lambda: process.poll() is not None or is_open(on_loopback))
        assert eventually(lambda: process.poll() is not None or is_healthy(on_loopback))
        url = f"http://127.0.0.1:{on_loopback.variables['UVICORN_PORT']}"
        assert httpx.get(f"{url}/psycopg/items/3", timeout=PATIENCE).status_code == 200
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0
    assert not is_healthy(on_loopback)


def is_open(stage: Stage) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", int(stage.variables["UVICORN_PORT"]))).close()
        return True
    return False


def is_healthy(stage: Stage) -> bool:
    return stage.run(stage.health, stderr=subprocess.DEVNULL).wait() == 0


def test_an_image_that_cannot_start_says_why_and_ends(on_loopback: Stage) -> None:
    on_loopback.variables["SHOP_DATABASE_URL"] = "postgresql://shop@127.0.0.1:1/shop"
    process = on_loopback.run(on_loopback.command, stderr=subprocess.PIPE)
    said = process.communicate(timeout=PATIENCE)[1].decode()
    assert process.returncode == 1
    assert said.startswith("The shop: no database at 127.0.0.1:1/shop")
    assert len(said.splitlines()) == 1
