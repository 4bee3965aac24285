"""Every `await` of a resolution.

One source for both cores: the core computes until something has to be awaited, the driver here
awaits it and lets the core go on.
"""

from __future__ import annotations

from typing import Any

from . import _fastapi
from ._core_py import (
    APART,
    AWAIT,
    BODY,
    CONTEXT,
    COROUTINE,
    INLINE_CONTEXT_LIMITED,
    INLINE_LIMITED,
    NOTHING,
    THREAD,
    marked_endpoints,
)


async def drive(
    solver: Any,
    entry: Any,
    run: Any,
    body: Any,
    overrides_provider: Any,
    async_exit_stack: Any,
    embed_body_fields: bool,
) -> Any:
    solved = None
    try:
        while solved is None:
            node, action = run.node, run.action
            if action == AWAIT:
                solved = run.advance(await run.awaitable)
            elif action == BODY:
                run.receive_body(
                    *await _fastapi.extract_body(
                        node.body_fields, body, embed_body_fields, run.request
                    )
                )
                solved = run.advance(NOTHING)
            elif action == APART:
                background_tasks, response, dependency_cache = run.share()
                run.receive_solved(
                    await _fastapi.solve_alone(
                        node.declared,
                        entry.dependant,
                        request=run.request,
                        body=body,
                        background_tasks=background_tasks,
                        response=response,
                        dependency_overrides_provider=overrides_provider,
                        dependency_cache=dependency_cache,
                        async_exit_stack=async_exit_stack,
                        embed_body_fields=embed_body_fields,
                    )
                )
                solved = run.advance(NOTHING)
            else:
                solved = run.advance(await _call(run, node))
    except BaseException:
        run.forget()
        raise
    if marked_endpoints:
        solver.note(entry, run)
    return solved


async def _call(run: Any, node: Any) -> Any:
    kind, values = node.kind, run.values
    if kind == THREAD and not node.limited:
        return await _fastapi.run_in_thread(node.call, values)
    stack = run.function_stack if node.function_scoped else run.request_stack
    if kind == CONTEXT:
        return await _fastapi.enter_context(node.dependant, stack, values, run.request)
    concurrency = _fastapi.concurrency_of(node.dependant)
    if kind == INLINE_CONTEXT_LIMITED:
        return await stack.enter_async_context(_fastapi.limited(node.call(**values), concurrency))
    async with _fastapi.limit_of(concurrency):
        if kind == INLINE_LIMITED:
            return node.call(**values)
        if kind == COROUTINE:
            return await node.call(**values)
        return await _fastapi.run_in_thread(node.call, values)
