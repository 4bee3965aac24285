"""Several copies of the package in one process: imported anew, reloaded, vendored.

Each case runs in a process of its own, where it leaves what it likes. It is done for stock FastAPI
too, which says what the answers have to be.
"""

import functools
import gc
import importlib
import itertools
import logging
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Annotated, Any, ClassVar

import anyio
import fastapi.dependencies.utils
import fastapi.routing
import pytest
import starlette._exception_handler
import starlette.background
import starlette.concurrency
from fastapi import APIRouter, BackgroundTasks, Body, Depends, FastAPI, HTTPException
from fastapi.responses import StreamingResponse

from tests.hooks.conftest import Run, names_beside, of_variant
from tests.support.serving import Exchange, exchange, expected_backend, here, needs_lazy_routers

PACKAGE = "fastapi_async_safe"
VARIANTS = ("stock", "python", "compiled")

HOOKED = (
    fastapi.dependencies.utils.solve_dependencies,
    fastapi.routing.run_endpoint_function,
    fastapi.routing.serialize_response,
    starlette.concurrency.iterate_in_threadpool,
    starlette.background.BackgroundTask.__call__,
    starlette._exception_handler.wrap_app_handling_exceptions,
)


# ---- what the cases are made of ---------------------------------------------------------------


def modules_of(package: str) -> list[str]:
    return [name for name in sys.modules if name == package or name.startswith(f"{package}.")]


def imported_anew() -> Any:
    """Import a copy of the package, as a test suite does that isolates imports."""
    for name in modules_of(PACKAGE):
        del sys.modules[name]
    return importlib.import_module(PACKAGE)


@functools.cache
def vendor_folder() -> str:
    folder = tempfile.mkdtemp()
    sys.path.insert(0, folder)
    return folder


def vendored(name: str) -> Any:
    """Import a copy of the package under another name, with a compiled core of its own."""
    vendor(name, vendor_folder())
    return importlib.import_module(name)


def vendor(name: str, folder: str) -> None:
    """Copy the package to where it can be imported under another name."""
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    target = Path(folder, name)
    shutil.copytree(Path(spec.origin).parent, target)
    core = importlib.util.find_spec(f"{PACKAGE}._core")
    if core is not None:
        assert core.origin is not None
        shutil.copy(core.origin, target)
    importlib.invalidate_caches()


@functools.cache
def first_modules() -> dict[str, Any]:
    imported_anew()
    return {name: sys.modules[name] for name in modules_of(PACKAGE)}


def first() -> Any:
    """Import the copy of the process to which the compiled core belongs, if there is one."""
    modules = first_modules()
    for name in modules_of(PACKAGE):
        del sys.modules[name]
    sys.modules.update(modules)
    return importlib.import_module(PACKAGE)


class Copy:
    """One copy of the package, with an application that tells where its parts ran."""

    made: ClassVar[list["Copy"]] = []

    def __init__(self, variant: str, package: Any) -> None:
        self.made.append(self)
        self.variant, self.package = variant, package
        self.hooks = package._hooks
        self.app = self.init(make_app(package))

    def init(self, root: Any, **options: Any) -> Any:
        """Initialise something as the variant under test has it."""
        if self.variant == "stock":
            return root
        return self.package.init_app(root, accelerated=self.variant == "compiled", **options)


def make_app(package: Any) -> FastAPI:
    """Make an application in which a wrong token must not come in."""
    mark, app = package.async_safe, FastAPI()
    threads: dict[str, int] = {}

    @mark
    def guard(token: Annotated[str, Body(embed=True)]) -> None:
        threads["guard"] = here()
        if token != "right":
            raise HTTPException(403)

    @mark
    def task() -> None:
        threads["task"] = here()

    async def tasks(tasks: BackgroundTasks) -> None:
        tasks.add_task(task)

    @app.post("/", dependencies=[Depends(guard), Depends(tasks)], response_model=str)
    @mark
    def endpoint() -> str:
        threads["endpoint"] = here()
        return "in"

    @app.get("/stream")
    @mark
    def stream() -> StreamingResponse:
        def items() -> Iterator[str]:
            threads["stream"] = here()
            yield "item"

        return StreamingResponse(items())

    @app.get("/threads")
    async def inline() -> list[str]:
        found = [name for name, thread in threads.items() if thread == here()]
        threads.clear()
        return sorted(found)

    return app


def answers(app: FastAPI) -> list[Any]:
    """Ask an application for what it answers, and last for what of it ran inline."""

    async def asked() -> list[Any]:
        found: list[Any] = []
        for token in ("wrong", "right"):
            body = b'{"token": "%s"}' % token.encode()
            headers = [(b"content-type", b"application/json")]
            answer = await Exchange("/", method="POST", body=body, headers=headers).run(app)
            found.append((answer.status, answer.body, str(answer.error)))
        found.append((await Exchange("/stream").run(app)).body)
        found.append((await Exchange("/threads").run(app)).body.decode())
        return found

    return anyio.run(asked)


STOCK = [
    (403, b'{"detail":"Forbidden"}', "None"),
    (200, b'"in"', "None"),
    b"item",
]
ALL_INLINE = '["endpoint","guard","stream","task"]'


def check(copy: Copy, *, inline: bool = True) -> None:
    """Check that nobody can tell what a copy serves from stock, and where it ran."""
    *given, threads = answers(copy.app)
    assert given == STOCK
    assert threads == (ALL_INLINE if inline and copy.variant != "stock" else "[]"), threads


def check_untouched(variant: str) -> None:
    """Check that an application that nobody initialised is as on stock."""
    app = make_app(importlib.import_module(PACKAGE))
    assert answers(app) == [*STOCK, "[]"]


# ---- the cases --------------------------------------------------------------------------------


def a_guard_on_a_token_in_the_body_lets_no_wrong_one_in(variant: str) -> None:
    copies = [
        Copy(variant, package())
        for package in (first, imported_anew, functools.partial(vendored, "guarding"))
    ]
    for order in itertools.permutations(copies):
        for copy in order:
            check(copy)
    check_untouched(variant)


def copies_are_put_in_in_any_order(variant: str) -> None:
    packages = [first(), imported_anew(), vendored("going_in")]
    for order in itertools.permutations(packages):
        copies = [Copy(variant, package) for package in order]
        for copy in copies:
            check(copy)
        check_untouched(variant)
        for package in packages:
            package._hooks.remove()


def copies_are_taken_out_in_any_order(variant: str) -> None:
    packages = [first(), imported_anew(), vendored("going_out")]
    codes = [function.__code__ for function in HOOKED]
    names = [names_beside(function) for function in HOOKED]
    for order in itertools.permutations(range(3)):
        copies = [Copy(variant, package) for package in packages]
        for copy in copies:
            check(copy)
        for place, number in enumerate(order):
            copies[number].hooks.remove()
            for other in order[place + 1 :]:
                check(copies[other])
            for other in order[: place + 1]:
                check(copies[other], inline=False)
            check_untouched(variant)
        assert [function.__code__ for function in HOOKED] == codes
        assert all(f.__code__ is code for f, code in zip(HOOKED, codes, strict=True))
        gc.collect()  # a call that raised is kept by its traceback, and keeps what it calls
        assert [names_beside(function) for function in HOOKED] == names


def a_copy_may_go_and_come_again_below_the_others(variant: str) -> None:
    copies = Copy(variant, first()), Copy(variant, imported_anew())
    for _ in range(2):
        for copy, other in (copies, copies[::-1]):
            copy.hooks.remove()
            check(copy, inline=False)
            check(other)
            copy.init(FastAPI())
            check(copy)
            check(other)


def modules_are_reloaded_in_any_order(variant: str) -> None:
    copy = Copy(variant, vendored("reloaded"))
    check(copy)
    names = [name for name in modules_of("reloaded") if not name.endswith("._core")]
    for order in (names, names[::-1], sorted(names)):
        for name in order:
            importlib.reload(sys.modules[name])
        # Where it ran depends on what the modules still have of each other.
        for each in (copy, Copy(variant, sys.modules["reloaded"])):
            *given, _ = answers(each.app)
            assert given == STOCK
        check_untouched(variant)


def each_module_is_reloaded_alone(variant: str) -> None:
    copy = Copy(variant, vendored("reloading"))
    for name in [name for name in modules_of("reloading") if not name.endswith("._core")]:
        importlib.reload(sys.modules[name])
        *given, _ = answers(copy.app)
        assert given == STOCK, name
        *given, _ = answers(Copy(variant, sys.modules["reloading"]).app)
        assert given == STOCK, name
        check_untouched(variant)


def modules_are_dropped_one_by_one(variant: str) -> None:
    copy = Copy(variant, first())
    for name in modules_of(PACKAGE):
        sys.modules.pop(name, None)
        *given, _ = answers(Copy(variant, importlib.import_module(PACKAGE)).app)
        assert given == STOCK, name
        check(copy)


def the_last_init_app_wins_whose_ever_it_was(variant: str) -> None:
    app = FastAPI()

    def unmarked() -> int:
        return here()

    @app.get("/")
    async def endpoint(value: Annotated[int, Depends(unmarked)]) -> bool:
        return value == here()

    copies = [Copy(variant, first()), Copy(variant, imported_anew())]
    for copy, inline in itertools.product(copies * 2, (True, False)):
        copy.init(app, predicates=[lambda call, inline=inline: inline])
        answer = exchange(app).body == b"true"
        assert answer is (inline and variant != "stock")


def what_is_of_one_copy_within_another_is_its_own(variant: str) -> None:
    def unmarked() -> int:
        return here()

    async def endpoint(value: Annotated[int, Depends(unmarked)]) -> bool:
        return value == here()

    def inline(call: Any) -> bool:
        return call is unmarked

    def answer(app: FastAPI, path: str) -> bool:
        return exchange(app, path).body == b"true"

    copies = [Copy(variant, first()), Copy(variant, imported_anew())]
    for (outer, inner), predicates in itertools.product(
        itertools.permutations(copies), ((inline, None), (None, inline))
    ):
        options = [{"predicates": None if each is None else [each]} for each in predicates]
        app, mounted, plain = FastAPI(), FastAPI(), FastAPI()
        for root in (app, mounted, plain):
            root.add_api_route("/", endpoint)
        mounted.mount("/plain", plain)
        app.mount("/mounted", mounted)
        outer.init(app, **options[0])
        inner.init(mounted, **options[1])
        expected = [each is inline and variant != "stock" for each in predicates]
        assert answer(app, "/") is expected[0]
        assert answer(app, "/mounted/") is expected[1]
        assert answer(app, "/mounted/plain/") is expected[1]


def a_router_of_one_copy_in_an_app_of_another_is_its_own(variant: str) -> None:
    def unmarked() -> int:
        return here()

    async def endpoint(value: Annotated[int, Depends(unmarked)]) -> bool:
        return value == here()

    def inline(call: Any) -> bool:
        return call is unmarked

    copies = [Copy(variant, first()), Copy(variant, imported_anew())]
    for outer, inner in itertools.permutations(copies):
        for around in (FastAPI, APIRouter):
            for settings in (([inline], None), (None, [inline])):
                app, root, router = FastAPI(), around(), APIRouter()
                router.add_api_route("/inner", endpoint)
                root.add_api_route("/outer", endpoint)
                inner.init(router, predicates=settings[1])
                outer.init(root, predicates=settings[0])
                root.include_router(router)
                if isinstance(root, APIRouter):
                    app.include_router(root)
                else:
                    app = root
                for path, given in (("/outer", settings[0]), ("/inner", settings[1])):
                    expected = given is not None and variant != "stock"
                    assert (exchange(app, path).body == b"true") is expected, (around, path)


def hooks_are_taken_out_while_a_request_is_on_its_way(variant: str) -> None:
    async def waited() -> None:
        copies = [Copy(variant, first()), Copy(variant, imported_anew())]
        for copy in (*copies, Copy("stock", imported_anew())):
            going, arrived = anyio.Event(), anyio.Event()
            app = make_waiting(arrived, going)
            copy.init(app)
            async with anyio.create_task_group() as group:
                found: list[Any] = []

                async def ask(app: FastAPI = app, found: list[Any] = found) -> None:
                    found.append(await Exchange().run(app))

                group.start_soon(ask)
                await arrived.wait()
                for each in copies:
                    each.hooks.remove()
                going.set()
            assert [(each.status, each.body) for each in found] == [(200, b"[1,2]")]
            assert not [
                name
                for function in HOOKED
                for name in names_beside(function)
                if name.startswith("_fastapi_async_safe")
            ]
            for each in copies:
                each.init(FastAPI())

    def make_waiting(arrived: anyio.Event, going: anyio.Event) -> FastAPI:
        app = FastAPI()

        async def waits() -> int:
            arrived.set()
            await going.wait()
            return 1

        async def below() -> int:
            return 2

        async def above(value: Annotated[int, Depends(below)]) -> int:
            return value

        @app.get("/")
        async def endpoint(
            first: Annotated[int, Depends(waits)], second: Annotated[int, Depends(above)]
        ) -> list[int]:
            return [first, second]

        return app

    anyio.run(waited)


def code_above_that_is_unknown_stays(variant: str) -> None:
    if variant == "stock":
        return
    copy = Copy(variant, first())
    function = fastapi.dependencies.utils.solve_dependencies
    hooked = function.__code__
    calls = []
    below = FunctionType(hooked, function.__globals__)
    below.__kwdefaults__ = function.__kwdefaults__

    async def solve_dependencies(**arguments: Any) -> Any:
        calls.append(arguments)
        return await below(**arguments)

    function.__globals__["solve_with_calls"] = solve_dependencies
    source = "async def solve_dependencies(**given): return await solve_with_calls(**given)"
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    function.__code__ = above = namespace["solve_dependencies"].__code__
    copy.hooks.remove()
    assert function.__code__ is above
    *given, _ = answers(copy.app)
    assert given == STOCK
    assert calls
    function.__code__ = hooked
    copy.hooks.remove()
    assert function.__code__ is not hooked
    check(copy, inline=False)


CASES: list[Callable[[str], None]] = [
    a_guard_on_a_token_in_the_body_lets_no_wrong_one_in,
    copies_are_put_in_in_any_order,
    copies_are_taken_out_in_any_order,
    a_copy_may_go_and_come_again_below_the_others,
    the_last_init_app_wins_whose_ever_it_was,
    what_is_of_one_copy_within_another_is_its_own,
    hooks_are_taken_out_while_a_request_is_on_its_way,
    code_above_that_is_unknown_stays,
    modules_are_dropped_one_by_one,
    modules_are_reloaded_in_any_order,
    each_module_is_reloaded_alone,
]
if needs_lazy_routers.args[0] is False:
    CASES.append(a_router_of_one_copy_in_an_app_of_another_is_its_own)


def run_cases(variant: str) -> None:
    """Run one case after the other, and say which failed."""
    failed = []
    if variant == "compiled":
        assert first().resolver_backend() == "compiled"
    for case in CASES:
        try:
            case(variant)
        except Exception:
            failed.append(case.__name__)
            traceback.print_exc()
        for copy in Copy.made:
            copy.hooks.remove()
        Copy.made.clear()
    assert not failed, failed


@pytest.mark.parametrize("kind", VARIANTS if expected_backend() == "compiled" else VARIANTS[:2])
def test_copies_leave_each_other_alone_and_answer_as_stock(kind: str, run: Run) -> None:
    finished = run(f"from {__name__} import *; run_cases({kind!r})", **of_variant(kind))
    assert finished.returncode == 0, finished.stderr


# ---- the compiled core, which is there once -----------------------------------------------------


def backends() -> None:
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger(PACKAGE).addHandler(handler)
    first = imported_anew()
    second = imported_anew()
    third = vendored("third")
    fourth = vendored("fourth")
    found = [each.resolver_backend() for each in (first, second, third, fourth)]
    assert found == ["compiled", "python", "compiled", "compiled"], found
    first.init_app(FastAPI(), accelerated=True)
    assert messages == []
    for _ in range(2):
        second.init_app(FastAPI(), accelerated=True)
    assert len(messages) == 1
    assert "another copy of the package" in messages[0]


def vendored_first(folder: str) -> None:
    sys.path.insert(0, folder)
    other = importlib.import_module("other")
    own = importlib.import_module(PACKAGE)
    assert [each.resolver_backend() for each in (other, own)] == ["compiled", "compiled"]


def required() -> None:
    imported_anew()
    imported_anew()


@pytest.mark.skipif(expected_backend() != "compiled", reason="there is no compiled core here")
def test_the_compiled_core_serves_the_copy_that_had_it_first(run: Run) -> None:
    finished = run(f"from {__name__} import *; backends()")
    assert finished.returncode == 0, finished.stderr


@pytest.mark.skipif(expected_backend() != "compiled", reason="there is no compiled core here")
def test_a_vendored_copy_has_a_compiled_core_of_its_own(tmp_path: Path, run: Run) -> None:
    vendor("other", str(tmp_path))
    finished = run(f"from {__name__} import *; vendored_first({str(tmp_path)!r})")
    assert finished.returncode == 0, finished.stderr


@pytest.mark.skipif(expected_backend() != "compiled", reason="there is no compiled core here")
def test_where_it_is_demanded_a_second_copy_is_an_import_error(run: Run) -> None:
    finished = run(
        f"from {__name__} import *; required()", FASTAPI_ASYNC_SAFE_REQUIRE_EXTENSIONS="1"
    )
    assert finished.returncode == 1
    assert "import the package once" in finished.stderr.strip().splitlines()[-1]
