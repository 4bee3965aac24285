"""Which rule decides where a dependency runs, when several say something."""

import functools
import sys
import types
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.dependencies.models import Dependant
from starlette.testclient import TestClient

from fastapi_async_safe import async_safe, async_unsafe
from tests.support.kinds import a_class, a_function, app_with_dependency, is_on_loop, on_loop
from tests.support.serving import Init, Serve, here


def always(call: Any) -> bool:
    """A predicate that is true of everything."""
    return True


def never(call: Any) -> bool:
    """A predicate that is true of nothing."""
    return False


pytestmark = pytest.mark.accelerated


@pytest.mark.parametrize(
    ("mark", "options", "inline"),
    [
        (None, {}, False),
        (None, {"all_classes_safe": True}, True),
        (None, {"predicates": [always]}, True),
        (None, {"predicates": [never]}, False),
        (None, {"predicates": [never], "all_classes_safe": True}, True),
        (None, {"predicates": [never, always]}, True),
        (None, {"predicates": (always,)}, True),
        (async_safe, {}, True),
        (async_safe, {"predicates": [never]}, True),
        (async_unsafe, {}, False),
        (async_unsafe, {"all_classes_safe": True}, False),
        (async_unsafe, {"predicates": [always]}, False),
        (async_unsafe, {"predicates": [always], "all_classes_safe": True}, False),
    ],
)
def test_the_rules_for_a_class(mark: Any, options: Any, inline: bool, serve: Serve) -> None:
    dependency = a_class() if mark is None else mark(a_class())
    assert serve(app_with_dependency(dependency), **options).get("/").json() is inline


@pytest.mark.parametrize(
    ("mark", "options", "inline"),
    [
        (None, {}, False),
        (None, {"all_classes_safe": True}, False),
        (None, {"predicates": [always]}, True),
        (async_safe, {"predicates": [never]}, True),
        (async_unsafe, {"predicates": [always]}, False),
    ],
)
def test_the_rules_for_a_function(mark: Any, options: Any, inline: bool, serve: Serve) -> None:
    dependency = a_function() if mark is None else mark(a_function())
    assert serve(app_with_dependency(dependency), **options).get("/").json() is inline


def test_a_subclass_marked_unsafe_of_a_safe_class_stays_in_the_pool(serve: Serve) -> None:
    @async_unsafe
    class Excepted(async_safe(a_class())):  # type: ignore[misc]
        pass

    assert serve(app_with_dependency(Excepted), all_classes_safe=True).get("/").json() is False


def test_a_partial_of_a_class_is_no_class(serve: Serve) -> None:
    client = serve(app_with_dependency(functools.partial(a_class())), all_classes_safe=True)
    assert client.get("/").json() is False


def test_a_predicate_gets_each_sync_callable_as_it_was_declared(serve: Serve) -> None:
    async def coroutine() -> None: ...

    plain, partial, marked = a_function(), functools.partial(a_function()), async_safe(a_function())
    asked: list[Any] = []

    def predicate(call: Any) -> bool:
        asked.append(call)
        return False

    app = FastAPI(dependencies=[Depends(on_loop)])
    dependencies = [Depends(call) for call in (plain, partial, marked, coroutine)]

    @app.get("/", dependencies=dependencies)
    async def endpoint() -> None: ...

    client = serve(app, predicates=[predicate])
    assert client.get("/").status_code == 200
    assert asked == [plain, partial]
    assert client.get("/").status_code == 200
    assert len(asked) == 2, "a plan asks once"


def test_predicates_are_asked_in_order_until_one_is_true(serve: Serve) -> None:
    asked: list[str] = []

    def predicate(name: str, answer: bool) -> Any:
        def ask(call: Any) -> bool:
            asked.append(name)
            return answer

        return ask

    predicates = [predicate("first", False), predicate("second", True), predicate("third", True)]
    assert serve(app_with_dependency(a_function()), predicates=predicates).get("/").json() is True
    assert asked == ["first", "second"]


@pytest.mark.parametrize("answer", [1, "yes", [0]])
def test_a_predicate_may_answer_with_anything_that_is_true(answer: Any, serve: Serve) -> None:
    client = serve(app_with_dependency(a_function()), predicates=[lambda call: answer])
    assert client.get("/").json() is True


@pytest.mark.declines
@pytest.mark.parametrize("inline", [None, always])
def test_a_wrapper_of_what_is_marked_goes_where_fastapi_sends_it_and_this_is_said(
    inline: Any, init: Init, caplog: pytest.LogCaptureFixture
) -> None:
    marked = async_safe(a_function())

    @functools.wraps(marked)
    def wrapper() -> Any:
        return marked()

    app = init(app_with_dependency(wrapper), predicates=None if inline is None else [inline])
    for _ in range(3):
        assert TestClient(app).get("/").json() is (inline is not None)
    said = [text for text in caplog.messages if "mark the outermost wrapper" in text]
    assert len(said) == (inline is None)
    assert all(repr(wrapper) in text for text in said)
    assert serve_marked(init, wrapper) is True


def serve_marked(init: Init, dependency: Any) -> Any:
    app = init(app_with_dependency(async_safe(dependency)))
    return TestClient(app).get("/").json()


def test_a_wrapper_of_what_is_unsafe_is_never_inline(serve: Serve) -> None:
    wrapper = functools.wraps(unsafe := async_unsafe(a_function()))(lambda: unsafe())  # noqa: PLW0108 - a wrapper
    client = serve(app_with_dependency(wrapper), predicates=[always], all_classes_safe=True)
    assert client.get("/").json() is False


def test_a_partial_marked_safe_of_what_is_unsafe_is_never_inline(serve: Serve) -> None:
    partial = async_safe(functools.partial(async_unsafe(a_function())))
    client = serve(app_with_dependency(partial), predicates=[always], all_classes_safe=True)
    assert client.get("/").json() is False


def raises(call: Any) -> bool:
    """A predicate that fails."""
    raise LookupError("of the predicate")


def no_truth(call: Any) -> Any:
    """A predicate whose answer is neither true nor false."""

    class Answer:
        def __bool__(self) -> bool:
            raise LookupError("of the predicate")

    return Answer()


@pytest.mark.declines
@pytest.mark.parametrize("predicate", [raises, no_truth])
def test_a_predicate_that_fails_is_named_with_what_it_failed_on(
    predicate: Any, init: Init, caplog: pytest.LogCaptureFixture
) -> None:
    dependency = a_class()
    app = init(
        app_with_dependency(dependency), predicates=[predicate, always], all_classes_safe=True
    )
    app.dependency_overrides[a_function] = a_function  # plans are made anew
    for _ in range(3):
        assert TestClient(app).get("/").json() is False
        app.dependency_overrides[a_function()] = a_function
    (record,) = [each for each in caplog.records if repr(dependency) in each.getMessage()]
    assert repr(predicate) in record.getMessage()
    assert record.exc_info is not None
    assert "of the predicate" in str(record.exc_info[1])


@pytest.mark.declines
def test_where_a_predicate_fails_only_that_callable_stays_in_the_pool(serve: Serve) -> None:
    threads: dict[str, int] = {}

    def recorder(name: str) -> Any:
        def dependency() -> None:
            threads[name] = here()

        return dependency

    wrong, right, marked = recorder("wrong"), recorder("right"), async_safe(recorder("marked"))

    def predicate(call: Any) -> bool:
        if call is wrong:
            raise LookupError
        return True

    app = FastAPI()

    @app.get("/", dependencies=[Depends(call) for call in (wrong, right, marked)])
    async def endpoint() -> dict[str, bool]:
        return {name: thread == here() for name, thread in threads.items()}

    answer = serve(app, predicates=[predicate]).get("/").json()
    assert answer == {"wrong": False, "right": True, "marked": True}


@pytest.mark.declines
def test_a_predicate_that_gives_something_to_await_has_failed(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async def answer(call: Any) -> bool:
        return True

    client = serve(
        app_with_dependency(a_function()),
        predicates=[lambda call: answer(call)],  # noqa: PLW0108 - no coroutine function itself
    )
    assert client.get("/").json() is False
    assert "not True or False" in caplog.text


@pytest.mark.declines
def test_a_route_falls_back_to_fastapi_with_all_that_is_below_it(serve: Serve) -> None:
    threads: list[int] = []

    @async_safe
    def lower() -> None:
        threads.append(here())

    @async_safe
    def upper(nothing: Annotated[None, Depends(lower)]) -> None:
        threads.append(here())

    class Unknown(Dependant):
        __slots__ = ()

    app = FastAPI(dependencies=[Depends(on_loop)])

    @app.get("/left", dependencies=[Depends(upper), Depends(a_function())])
    @app.get("/planned", dependencies=[Depends(upper)])
    async def endpoint() -> list[bool]:
        return [thread == here() for thread in threads]

    (left,) = [route for route in app.routes if getattr(route, "path", "") == "/left"]
    left.dependant.dependencies[-1].__class__ = Unknown  # type: ignore[attr-defined]
    client = serve(app)
    for path, inline in (("/left", False), ("/planned", True)) * 2:
        threads.clear()
        assert client.get(path).json() == [inline, inline]


def test_changing_the_list_of_predicates_later_changes_nothing(init: Init) -> None:
    predicates: list[Any] = []
    app = init(app_with_dependency(a_function()), predicates=predicates)
    predicates.append(always)
    assert TestClient(app).get("/").json() is False


class Provide:
    """Stands for the marker of dependency-injector, which is called in the place of a provider."""

    def __call__(self) -> bool:
        return is_on_loop()


def test_what_dependency_injector_provides_runs_inline(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiring = types.ModuleType("dependency_injector.wiring")
    wiring.Provide = Provide  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "dependency_injector.wiring", wiring)
    assert serve(app_with_dependency(Provide())).get("/").json() is True
    assert serve(app_with_dependency(async_unsafe(Provide()))).get("/").json() is False


def test_without_dependency_injector_nothing_is_provided_by_it(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "dependency_injector.wiring", raising=False)
    assert serve(app_with_dependency(Provide())).get("/").json() is False
