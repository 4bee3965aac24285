"""Writes a script that shows a difference without anything of this test suite."""

from __future__ import annotations

import inspect

from . import driver, recorder
from .description import Description
from .source import PRELUDE, source_of

_MAIN = '''
def outcomes(variant):
    """Build the application in one variant, send the requests, and say what came of each."""
    from fastapi_async_safe import AsyncSafeMixin, async_safe, async_unsafe, init_app

    def unmarked(value, **settings):
        return value

    def initialised(root, **settings):
        return init_app(root, accelerated=variant == "compiled", **settings)

    import sys, types

    module = sys.modules["random_tree_application"] = types.ModuleType("random_tree_application")
    names = vars(module)
    T = Recorder()
    names.update(T=T, HandledError=HandledError, UnhandledError=UnhandledError, Abort=Abort)
    names.update(
        dict.fromkeys(("init_app", "async_safe", "async_unsafe"), unmarked),
        AsyncSafeMixin=type("AsyncSafeMixin", (), {}),
    )
    if variant != "stock":
        names.update(
            init_app=initialised,
            async_safe=async_safe,
            async_unsafe=async_unsafe,
            AsyncSafeMixin=AsyncSafeMixin,
        )
    try:
        exec(compile(PRELUDE + APPLICATION, "<application>", "exec", dont_inherit=True), names)
    except Exception as exc:
        return [f"cannot be built: {exc!r}"]

    async def every():
        for number, request in enumerate(REQUESTS):
            names["before_request"](number)
            overrides = names["overrides"] if request.overridden else {}
            names["provider"].dependency_overrides = dict(overrides)
            T.start(request.failures)
            messages, error = await exchange(names["app"], request)
            lines = [str(message) for message in messages]
            lines.append(f"error: {T.show_exception(error)}")
            lines += [f"  handling {each}" for each in T.history(error)]
            for event in T.finish():
                place = "loop  " if event.on_loop else "thread"
                lines.append(f"  {place} {event.kind} {event.who} {event.detail}")
            yield "\\n".join(lines)

    async def collect():
        return [each async for each in every()]

    try:
        return asyncio.run(collect())
    finally:
        put_back()


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    print(APPLICATION)
    shown = {variant: outcomes(variant) for variant in ("stock", "python", "compiled")}
    for number, request in enumerate(REQUESTS):
        print(f"\\n=== request {number}: {request}")
        for variant, results in shown.items():
            print(f"--- {variant}")
            print(results[min(number, len(results) - 1)])
'''


def reproducer(description: Description) -> str:
    """Write the script for an example; it needs FastAPI and this package only."""
    requests = "".join(f"    {request!r},\n" for request in description.requests)
    parts = [
        "from __future__ import annotations",
        *(_embedded(module) for module in (driver, recorder)),
        "# The example, for `python -m tests.random_trees --example FILE`:",
        f"# {description!r}",
        f"PRELUDE = r'''\n{PRELUDE}'''",
        f"APPLICATION = r'''\n{source_of(description)}'''",
        f"REQUESTS = (\n{_renamed(requests)})",
    ]
    return "\n\n".join(parts) + _MAIN


def _embedded(module: object) -> str:
    text = inspect.getsource(module)  # type: ignore[arg-type]
    _, _, rest = text.partition("from __future__ import annotations\n")
    if module is driver:
        return _renamed(rest.replace("class Request(", "class SentRequest("))
    return rest


def _renamed(text: str) -> str:
    """Tell the driver's requests from those of FastAPI."""
    return (
        text.replace("    Request(", "    SentRequest(")
        .replace(": Request", ": SentRequest")
        .replace("request: SentRequest)", "request: SentRequest)")
    )
