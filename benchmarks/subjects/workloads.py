"""The workloads as data: which app, which request, and in which variants it can be had."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from importlib.util import find_spec
from typing import Any

from fastapi import FastAPI

from benchmarks.apps import (
    account,
    all_async,
    chains,
    headers_and_cookies,
    json_body,
    many_parameters,
    memory_store,
    no_dependencies,
    oauth2,
    overrides,
    query_class,
    query_classes,
    services,
    sync_endpoint,
    two_sessions,
    unmarked,
    websocket,
)
from benchmarks.subjects import async_by_hand, by_hand
from benchmarks.subjects.client import ClientRequest
from benchmarks.subjects.coroutine_wrapper import wrap_marked
from fastapi_async_safe import init_app


class Variant(StrEnum):
    """The ways to run one workload."""

    STOCK = "stock"
    ASYNC_BY_HAND = "async_by_hand"
    WRAPPER = "wrapper"
    BY_HAND = "by_hand"
    PYTHON = "python"
    COMPILED = "compiled"

    @property
    def label(self) -> str:
        """How tables name it."""
        return LABELS[self]


LABELS = {
    Variant.STOCK: "stock",
    Variant.ASYNC_BY_HAND: "async def by hand",
    Variant.WRAPPER: "coroutine wrapper",
    Variant.BY_HAND: "by hand in endpoint",
    Variant.PYTHON: "Python core",
    Variant.COMPILED: "compiled core",
}


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One app and one request to it.

    `extract` is what the by-hand variant does with its request where a dependency would have done
    it; it is what its time is at the level of `solve_dependencies`. `marks_endpoint` says that the
    endpoint is marked, too.
    """

    name: str
    title: str
    request: ClientRequest
    create_app: Callable[[], FastAPI]
    async_by_hand: Callable[[], FastAPI] | None = None
    by_hand: Callable[[], FastAPI] | None = None
    extract: Callable[[Any], object] | None = None
    wrapped: bool = True
    marks_endpoint: bool = False

    def variants(self) -> tuple[Variant, ...]:
        """The variants that apply to this workload, stock first."""
        missing = {
            Variant.ASYNC_BY_HAND: self.async_by_hand is None,
            Variant.BY_HAND: self.by_hand is None,
            Variant.WRAPPER: not self.wrapped,
        }
        return tuple(variant for variant in Variant if not missing.get(variant, False))

    def app(self, variant: Variant) -> FastAPI:
        """A fresh app of that variant.

        Raises:
            ValueError: the variant does not apply to this workload.
        """
        if variant not in self.variants():
            raise ValueError(f"{self.name} has no variant {variant!r}")
        match variant:
            case Variant.ASYNC_BY_HAND if self.async_by_hand:
                return self.async_by_hand()
            case Variant.BY_HAND if self.by_hand:
                return self.by_hand()
            case Variant.WRAPPER:
                return wrap_marked(self.create_app())
            case Variant.PYTHON:
                return init_app(self.create_app())
            case Variant.COMPILED:
                return init_app(self.create_app(), accelerated=True)
            case _:
                return self.create_app()


ITEMS = ClientRequest("/items", "q=book&limit=20&sort=price&maximum=25.5")
THREE_INVALID = ClientRequest("/items", "q=book&limit=many&descending=perhaps&maximum=cheap")


def _chain(length: int) -> Workload:
    return Workload(
        name=f"W10/{length}",
        title=f"chain of {length:,} classes",
        request=ClientRequest(f"/chain/{length}"),
        create_app=lambda: chains.create_app([length]),
        async_by_hand=async_by_hand.chain_app if length == 20 else None,
        wrapped=length == 20,
    )


def _parameters(count: int) -> Workload:
    return Workload(
        name=f"parameters/{count}",
        title=f"one class, {count} query parameters",
        request=ClientRequest(
            f"/parameters/{count}", "&".join(f"p{at}={at}" for at in range(count))
        ),
        create_app=lambda: many_parameters.create_app([count]),
        wrapped=False,
    )


ACCOUNT = ClientRequest("/account", headers={"authorization": "Bearer token-of-ada"})
LARGE_POOL = 64


def _database() -> Iterator[Workload]:
    if find_spec("sqlalchemy"):
        for name, title, pool in (
            ("W17", "W15 on SQLAlchemy, pool of 5 + 10", {}),
            ("W17/64", f"W15 on SQLAlchemy, pool of {LARGE_POOL}", {"pool_size": LARGE_POOL}),
        ):
            yield Workload(
                name=name,
                title=title,
                request=ACCOUNT,
                create_app=partial(_database_app, **pool),
                wrapped=False,
            )


def _database_app(**pool: int) -> FastAPI:
    from benchmarks.apps import database  # makes a file when it is imported

    return database.create_app(**pool)


def _stream() -> Iterator[Workload]:
    # FastAPI before 0.135 does not send what a generator endpoint yields.
    if find_spec("fastapi.sse"):
        from benchmarks.apps import sync_stream

        yield Workload(
            name="stream",
            title="def generator, five JSON lines",
            request=ClientRequest("/readings"),
            create_app=sync_stream.create_app,
            async_by_hand=async_by_hand.sync_stream_app,
            wrapped=False,
            marks_endpoint=True,
        )


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(
            name="W0",
            title="no dependencies",
            request=ClientRequest("/items"),
            create_app=no_dependencies.create_app,
            wrapped=False,
        ),
        Workload(
            name="W1",
            title="one class, three query parameters",
            request=ClientRequest("/items", "q=book&limit=20"),
            create_app=query_class.create_app,
            async_by_hand=async_by_hand.query_class_app,
            by_hand=by_hand.query_class_app,
            extract=by_hand.read_query_class,
        ),
        Workload(
            name="W2",
            title="four classes, nine query parameters",
            request=ITEMS,
            create_app=query_classes.create_app,
            async_by_hand=all_async.create_app,
            by_hand=by_hand.query_classes_app,
            extract=by_hand.read_query_classes,
        ),
        Workload(
            name="W3",
            title="services over an async connection",
            request=ClientRequest("/orders", "only_open=true&limit=5"),
            create_app=services.create_app,
            async_by_hand=async_by_hand.services_app,
            by_hand=by_hand.services_app,
        ),
        Workload(
            name="W4",
            title="yield store in memory, two classes, service",
            request=ClientRequest("/books/7"),
            create_app=memory_store.create_app,
            async_by_hand=async_by_hand.memory_store_app,
            by_hand=by_hand.memory_store_app,
        ),
        Workload(
            name="W5",
            title="OAuth2 bearer, user, scopes",
            request=ClientRequest("/me", headers={"authorization": "Bearer token-of-ada"}),
            create_app=oauth2.create_app,
            async_by_hand=async_by_hand.oauth2_app,
            by_hand=by_hand.oauth2_app,
            extract=by_hand.read_oauth2,
        ),
        Workload(
            name="W6",
            title="path, headers and cookies",
            request=ClientRequest(
                "/shops/paper/items/12",
                headers={
                    "accept-language": "de",
                    "x-request-id": "4f2a",
                    "cookie": "visit=a81c; theme=dark",
                },
            ),
            create_app=headers_and_cookies.create_app,
            async_by_hand=async_by_hand.headers_and_cookies_app,
            by_hand=by_hand.headers_and_cookies_app,
            extract=by_hand.read_headers_and_cookies,
        ),
        Workload(
            name="W7",
            title="JSON body, two classes",
            request=ClientRequest(
                "/items",
                "notify=true",
                method="POST",
                headers={"content-type": "application/json", "x-request-id": "4f2a"},
                body=b'{"name": "pen", "price": 1.5, "tags": ["blue", "new"]}',
            ),
            create_app=json_body.create_app,
            async_by_hand=async_by_hand.json_body_app,
            by_hand=by_hand.json_body_app,
        ),
        Workload(
            name="W8",
            title="W2, every dependency async def",
            request=ITEMS,
            create_app=all_async.create_app,
            wrapped=False,
        ),
        Workload(
            name="W9",
            title="W2, nothing marked",
            request=ITEMS,
            create_app=unmarked.create_app,
            wrapped=False,
        ),
        *(_chain(length) for length in chains.LENGTHS),
        Workload(
            name="W10/diamond",
            title="diamond of 100, 211 edges",
            request=ClientRequest("/diamond"),
            create_app=lambda: chains.create_app([]),
            wrapped=False,
        ),
        Workload(
            name="W11",
            title="WebSocket with W2's classes",
            request=ClientRequest("/items", ITEMS.query, kind="websocket"),
            create_app=websocket.create_app,
            async_by_hand=async_by_hand.websocket_app,
        ),
        Workload(
            name="W12",
            title="def endpoint with a response model",
            request=ClientRequest("/items/pen"),
            create_app=sync_endpoint.create_app,
            async_by_hand=async_by_hand.sync_endpoint_app,
            wrapped=False,
            marks_endpoint=True,
        ),
        *_stream(),
        Workload(
            name="W13",
            title="W2, three parameters invalid",
            request=THREE_INVALID,
            create_app=query_classes.create_app,
            async_by_hand=all_async.create_app,
        ),
        Workload(
            name="W14",
            title="W2 with an override",
            request=ITEMS,
            create_app=overrides.create_app,
            async_by_hand=async_by_hand.overrides_app,
            wrapped=False,
        ),
        Workload(
            name="W15",
            title="sync session, user, services, def endpoint",
            request=ACCOUNT,
            create_app=account.create_app,
            by_hand=by_hand.account_app,
            wrapped=False,
        ),
        Workload(
            name="W16",
            title="two sync sessions, marked classes between",
            request=ClientRequest("/orders", "limit=20&q=p", headers=ACCOUNT.headers),
            create_app=two_sessions.create_app,
            wrapped=False,
        ),
        *_database(),
        *(_parameters(count) for count in many_parameters.COUNTS),
        Workload(
            name="long query",
            title="W2, query string of 100,000 pairs",
            request=ClientRequest("/items", "&".join(["q=book"] * 100_000)),
            create_app=query_classes.create_app,
            wrapped=False,
        ),
    )
}

_IN_A_HURRY = "W0 W1 W2 W3 W4 W5 W6 W7 W8 W9 W10/20 W11 W12 stream W13 W14 W15 W16 W17"
SHOWN = tuple(name for name in _IN_A_HURRY.split() if name in WORKLOADS)
"""The workloads for tables and plots that are read by people in a hurry."""
