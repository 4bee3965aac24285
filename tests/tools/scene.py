"""A scene: an application with a tool, played on stock or a variant in a process of its own.

Tools patch FastAPI for good, so that what was installed first shows only in a fresh process.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import anyio.to_thread
import sniffio

from tests.support.said import listening

Call = TypeVar("Call", bound=Callable[..., Any])

STOCK = "stock"
_CHECKOUT = Path(__file__).parents[2]


class Scene:
    """What a scene has at hand while it is played.

    Parameters:
        variant: stock, python or compiled.
        order: what is installed first, the tool or this package.
    """

    def __init__(self, variant: str, order: str) -> None:
        self.variant = variant
        self.order = order
        self.visits: list[tuple[str, bool, bool]] = []
        self.hops = 0
        self._marked: list[Any] = []
        self._is_installed = False

    def marked(self, call: Call) -> Call:
        """Mark `call` as safe on the loop, at once or as soon as this package is installed."""
        self._marked.append(call)
        if self._is_installed:
            self._mark()
        return call

    def visit(self, name: str) -> None:
        """Note that the dependency of that name is called here; `marked ...` has to be inline."""
        self.visits.append((name, _is_on_loop(), _is_called_by_fastapi()))

    def install(self, root: Any, tool: Callable[[], Any] = lambda: None, **options: Any) -> None:
        """Install the tool, and this package for an application or router, in their order."""
        if self.order == "tool first":
            tool()
            self.init(root, **options)
        else:
            self.init(root, **options)
            tool()

    def init(self, root: Any, **options: Any) -> None:
        """Install this package for an application or router."""
        if self.variant == STOCK:
            return
        from fastapi_async_safe import init_app

        self._is_installed = True
        self._mark()
        init_app(root, accelerated=self.variant == "compiled", **options)

    def _mark(self) -> None:
        from fastapi_async_safe import async_safe

        while self._marked:
            async_safe(self._marked.pop())


@dataclass(frozen=True)
class Played:
    """What came of a scene."""

    seen: Any  # what the tool saw, and what clients got
    visits: list[list[Any]]
    hops: int
    said: list[str]


def check(scene: Callable[[Scene], Any], variant: str, order: str) -> None:
    """Play a scene on stock and in a variant, and check that the tool sees no difference, and that
    what is marked was called inline, by this package.
    """
    stock, played = play(scene, STOCK, order), play(scene, variant, order)
    assert played.seen == stock.seen
    assert [name for name, *_ in played.visits] == [name for name, *_ in stock.visits]
    ours = [visit for visit in played.visits if visit[0].startswith("marked")]
    assert ours, "the scene has nothing marked"
    assert [name for name, is_inline, _ in ours if not is_inline] == []
    assert [name for name, _, by_fastapi in ours if by_fastapi] == []
    theirs = [visit for visit in stock.visits if visit[0].startswith("marked")]
    assert any(not is_inline for _, is_inline, _ in theirs), "nothing to gain on stock"
    assert played.hops < stock.hops
    assert played.said == []


def play(scene: Callable[[Scene], Any], variant: str, order: str) -> Played:
    """Play a scene in a process of its own."""
    return _played(scene.__module__, scene.__name__, variant, order)


@functools.cache
def _played(module: str, name: str, variant: str, order: str) -> Played:
    finished = subprocess.run(
        [sys.executable, "-m", "tests.tools", module.rpartition(".")[2], name, variant, order],
        cwd=_CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stderr
    return Played(**json.loads(finished.stdout.splitlines()[-1]))


def main(scene: Callable[[Scene], Any], variant: str, order: str) -> None:
    """Play a scene here, and print what came of it."""
    hand = Scene(variant, order)
    _count_hops(hand)
    with listening() as said:
        seen = scene(hand)
    result = {"seen": seen, "visits": hand.visits, "hops": hand.hops, "said": said}
    print(json.dumps(result, default=repr))


def _count_hops(hand: Scene) -> None:
    run_sync = anyio.to_thread.run_sync

    @functools.wraps(run_sync)
    async def counting(*args: Any, **options: Any) -> Any:
        hand.hops += 1
        return await run_sync(*args, **options)

    anyio.to_thread.run_sync = counting  # type: ignore[assignment]


def _is_on_loop() -> bool:
    try:
        sniffio.current_async_library()
    except sniffio.AsyncLibraryNotFoundError:
        return False
    return True


def _is_called_by_fastapi() -> bool:
    """Say whether FastAPI's own `solve_dependencies` is what called here."""
    import fastapi.dependencies.utils

    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if (
            frame.f_code.co_filename == fastapi.dependencies.utils.__file__
            and frame.f_code.co_name == "solve_dependencies"
        ):
            return True
    return False
