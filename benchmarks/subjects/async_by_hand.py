"""What people do today: every plain dependency rewritten as an `async def` that builds the same.

One function a workload; each makes an app that answers exactly as the workload's own app does.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Cookie, Depends, FastAPI, Header, Path, Security, WebSocket
from fastapi.security import SecurityScopes

from benchmarks.apps import all_async as rewritten
from benchmarks.apps import (
    chains,
    headers_and_cookies,
    json_body,
    memory_store,
    oauth2,
    query_class,
    query_classes,
    services,
    sync_endpoint,
)


def query_class_app() -> FastAPI:
    async def get_search(
        q: str | None = None, skip: int = 0, limit: int = 100
    ) -> query_class.Search:
        return query_class.Search(q, skip, limit)

    app = FastAPI()

    @app.get("/items")
    async def read_items(
        search: Annotated[query_class.Search, Depends(get_search)],
    ) -> dict[str, Any]:
        return vars(search)

    return app


def services_app() -> FastAPI:
    Connection = Annotated[services.Connection, Depends(services.get_connection)]  # noqa: N806

    async def user_repository(connection: Connection) -> services.UserRepository:
        return services.UserRepository(connection)

    UserRepository = Annotated[services.UserRepository, Depends(user_repository)]  # noqa: N806

    async def order_repository(connection: Connection) -> services.OrderRepository:
        return services.OrderRepository(connection)

    async def user_service(users: UserRepository) -> services.UserService:
        return services.UserService(users)

    async def order_service(
        orders: Annotated[services.OrderRepository, Depends(order_repository)],
        users: UserRepository,
    ) -> services.OrderService:
        return services.OrderService(orders, users)

    async def current_user(
        service: Annotated[services.UserService, Depends(user_service)],
    ) -> str:
        return await service.login("ada")

    async def current_orders(
        user: Annotated[str, Depends(current_user)],
        service: Annotated[services.OrderService, Depends(order_service)],
    ) -> list[dict[str, Any]]:
        return await service.of(user)

    async def get_filter(
        only_open: bool = False, skip: int = 0, limit: int = 10
    ) -> services.Filter:
        return services.Filter(only_open, skip, limit)

    app = FastAPI()

    @app.get("/orders")
    async def read_orders(
        user: Annotated[str, Depends(current_user)],
        orders: Annotated[list[dict[str, Any]], Depends(current_orders)],
        wanted: Annotated[services.Filter, Depends(get_filter)],
    ) -> dict[str, Any]:
        return services.selected(user, orders, wanted)

    return app


def memory_store_app() -> FastAPI:
    async def get_store() -> AsyncIterator[memory_store.Store]:
        store = memory_store.Store()
        try:
            yield store
        finally:
            store.close()

    Opened = Annotated[memory_store.Store, Depends(get_store)]  # noqa: N806

    async def get_books(store: Opened) -> memory_store.Books:
        return memory_store.Books(store)

    async def get_authors(store: Opened) -> memory_store.Authors:
        return memory_store.Authors(store)

    async def get_library(
        books: Annotated[memory_store.Books, Depends(get_books)],
        authors: Annotated[memory_store.Authors, Depends(get_authors)],
    ) -> memory_store.Library:
        return memory_store.Library(books, authors)

    app = FastAPI()

    @app.get("/books/{key}")
    async def read_book(
        key: int, library: Annotated[memory_store.Library, Depends(get_library)]
    ) -> dict[str, Any]:
        return library.book(key)

    return app


def oauth2_app() -> FastAPI:
    async def current_user(
        required: SecurityScopes, token: Annotated[str, Depends(oauth2.bearer)]
    ) -> oauth2.User:
        return oauth2.user_of(token, required.scopes)

    async def active_user(user: Annotated[oauth2.User, Depends(current_user)]) -> oauth2.User:
        return oauth2.checked(user)

    app = FastAPI()

    @app.get("/me")
    async def read_me(
        user: Annotated[oauth2.User, Security(active_user, scopes=["items"])],
    ) -> dict[str, Any]:
        return {"name": user.name, "scopes": user.scopes}

    return app


def headers_and_cookies_app() -> FastAPI:
    async def get_target(shop: str, item: Annotated[int, Path(ge=1)]) -> headers_and_cookies.Target:
        return headers_and_cookies.Target(shop, item)

    async def get_client(
        user_agent: Annotated[str, Header()],
        accept_language: Annotated[str, Header()] = "en",
        x_request_id: Annotated[str | None, Header()] = None,
    ) -> headers_and_cookies.Client:
        return headers_and_cookies.Client(user_agent, accept_language, x_request_id)

    async def get_visitor(
        visit: Annotated[str, Cookie()], theme: Annotated[str, Cookie()] = "light"
    ) -> headers_and_cookies.Visitor:
        return headers_and_cookies.Visitor(visit, theme)

    app = FastAPI()

    @app.get("/shops/{shop}/items/{item}")
    async def read_item(
        target: Annotated[headers_and_cookies.Target, Depends(get_target)],
        client: Annotated[headers_and_cookies.Client, Depends(get_client)],
        visitor: Annotated[headers_and_cookies.Visitor, Depends(get_visitor)],
    ) -> dict[str, Any]:
        return headers_and_cookies.description(target, client, visitor)

    return app


def json_body_app() -> FastAPI:
    async def get_options(notify: bool = False, currency: str = "EUR") -> json_body.Options:
        return json_body.Options(notify, currency)

    async def get_client(
        user_agent: Annotated[str, Header()],
        x_request_id: Annotated[str | None, Header()] = None,
    ) -> json_body.Client:
        return json_body.Client(user_agent, x_request_id)

    app = FastAPI()

    @app.post("/items")
    async def create_item(
        item: json_body.Item,
        options: Annotated[json_body.Options, Depends(get_options)],
        client: Annotated[json_body.Client, Depends(get_client)],
    ) -> dict[str, Any]:
        return json_body.receipt(item, options, client)

    return app


def chain_app() -> FastAPI:
    """The chain of 20; the others show growth, which needs no second writing."""

    async def first() -> chains.Link:
        return chains.Link()

    def after(previous: Any) -> Any:
        async def following(link: Annotated[chains.Link, Depends(previous)]) -> chains.Link:
            made = chains.Link()
            made.length = link.length + 1
            return made

        return following

    last: Any = first
    for _ in range(19):
        last = after(last)
    app = FastAPI()

    @app.get("/chain/20")
    async def read_chain(link: Annotated[chains.Link, Depends(last)]) -> dict[str, int]:
        return {"length": link.length}

    return app


def websocket_app() -> FastAPI:
    app = FastAPI()

    @app.websocket("/items")
    async def send_items(
        websocket: WebSocket,
        search: Annotated[query_classes.Search, Depends(rewritten.get_search)],
        page: Annotated[query_classes.Page, Depends(rewritten.get_page)],
        order: Annotated[query_classes.Order, Depends(rewritten.get_order)],
        price: Annotated[query_classes.Price, Depends(rewritten.get_price)],
    ) -> None:
        await websocket.accept()
        await websocket.send_json(query_classes.listing(search, page, order, price))
        await websocket.close()

    return app


def sync_endpoint_app() -> FastAPI:
    app = FastAPI()

    @app.get("/items/{name}")
    async def read_item(name: str) -> sync_endpoint.Item:
        return sync_endpoint.Item(name=name, price=12.5, tags=["new", "paper"])

    return app


def sync_stream_app() -> FastAPI:
    from benchmarks.apps import sync_stream

    app = FastAPI()

    @app.get("/readings")
    async def stream_readings() -> AsyncIterator[sync_stream.Reading]:
        for second in range(5):
            yield sync_stream.Reading(second=second, celsius=20 + second / 10)

    return app


def overrides_app() -> FastAPI:
    async def newest_first() -> query_classes.Order:
        return query_classes.Order("date", descending=True)

    app = rewritten.create_app()
    app.dependency_overrides[rewritten.get_order] = newest_first
    return app
