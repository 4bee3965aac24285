"""Every `await` of a resolution.

One source for both cores: the core computes until something has to be awaited, the driver here
awaits it and lets the core go on.
"""

from __future__ import annotations

import sys
from typing import Any

from . import _fastapi
from ._core_py import (
    AWAIT,
    BODY,
    CALL,
    CONTEXT,
    COROUTINE,
    INLINE,
    INLINE_CONTEXT_LIMITED,
    INLINE_LIMITED,
    LOOP,
    SEPARATELY,
    THREAD,
)
from ._trips import serving_of, take_trip


async def drive(
    solver: Any,
    entry: Any,
    run: Any,
    solved: Any,
    body: Any,
    overrides_provider: Any,
    async_exit_stack: Any,
    embed_body_fields: bool,
) -> Any:
    # By the hook in `solve_dependencies`, which is called by FastAPI's handler or by a tool.
    serving = serving_of(entry, run, sys._getframe(2))
    if solved is not None:
        if serving is not None and not run.errors:
            solved = await take_trip(run, solved, serving)
    else:
        while solved is None:
            node, action = run.node, run.action
            if action == CALL and node.threaded:
                solved = await take_trip(run, None, serving)
                continue
            try:
                if action == AWAIT:
                    solved = run.advance(await run.awaitable)
                elif action == LOOP:
                    solved = run.advance()
                elif action == BODY:
                    run.take_body(
                        *await _fastapi.extract_body(
                            node.body_fields, body, embed_body_fields, run.request
                        )
                    )
                    solved = run.advance()
                elif action == SEPARATELY:
                    background_tasks, response, dependency_cache = run.shared_state()
                    run.take_solved(
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
                    solved = run.advance()
                else:
                    solved = run.advance(await _call(run, node))
            except BaseException:
                run.forget()
                raise
    solver.record(entry, run)
    return solved


async def _call(run: Any, node: Any) -> Any:
    kind, values = node.kind, run.values
    if kind in (THREAD, INLINE) and not node.limited:  # inline, but for values not as expected
        return await _fastapi.run_in_thread(node.call, values)
    stack = run.function_stack if node.function_scoped else run.request_stack
    if kind == CONTEXT:
        return await _fastapi.enter_context(node.used, stack, values, run.request)
    concurrency = _fastapi.concurrency_of(node.used)
    if kind == INLINE_CONTEXT_LIMITED:
        return await stack.enter_async_context(_fastapi.limited(node.call(**values), concurrency))
    async with _fastapi.limit_of(concurrency):
        if kind == INLINE_LIMITED:
            if node.watch is None:
                return _fastapi.called_as_in_thread(node.call, **values)
            return _fastapi.called_as_in_thread(node.watch.call, node.call, values)
        if kind == COROUTINE:
            return await node.call(**values)
        return await _fastapi.run_in_thread(node.call, values)
