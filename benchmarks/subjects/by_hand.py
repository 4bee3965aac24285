"""No dependencies at all: each endpoint reads its request and builds what it needs, line by line.

This is the least that the work can cost in plain FastAPI. It gives up validation, error messages
and documentation of the parameters; the functions that read a request are what the comparison with
`solve_dependencies` times.
"""

from typing import Any

from fastapi import FastAPI, HTTPException, Request

from benchmarks.apps import (
    account,
    headers_and_cookies,
    json_body,
    memory_store,
    oauth2,
    query_class,
    query_classes,
    services,
)

TRUE = frozenset({"1", "true", "on", "yes"})


def read_query_class(request: Request) -> query_class.Search:
    query = request.query_params
    return query_class.Search(
        query.get("q"), int(query.get("skip", 0)), int(query.get("limit", 100))
    )


def query_class_app() -> FastAPI:
    app = FastAPI()

    @app.get("/items")
    async def read_items(request: Request) -> dict[str, Any]:
        return vars(read_query_class(request))

    return app


def read_query_classes(
    request: Request,
) -> tuple[query_classes.Search, query_classes.Page, query_classes.Order, query_classes.Price]:
    query = request.query_params
    maximum = query.get("maximum")
    return (
        query_classes.Search(query.get("q"), query.get("category")),
        query_classes.Page(int(query.get("skip", 0)), int(query.get("limit", 100))),
        query_classes.Order(query.get("sort", "name"), query.get("descending", "false") in TRUE),
        query_classes.Price(
            float(query.get("minimum", 0.0)),
            None if maximum is None else float(maximum),
            query.get("currency", "EUR"),
        ),
    )


def query_classes_app() -> FastAPI:
    app = FastAPI()

    @app.get("/items")
    async def read_items(request: Request) -> dict[str, Any]:
        return query_classes.listing(*read_query_classes(request))

    return app


def services_app() -> FastAPI:
    app = FastAPI()

    @app.get("/orders")
    async def read_orders(request: Request) -> dict[str, Any]:
        query = request.query_params
        wanted = services.Filter(
            query.get("only_open", "false") in TRUE,
            int(query.get("skip", 0)),
            int(query.get("limit", 10)),
        )
        connection = services.Connection()
        try:
            users = services.UserRepository(connection)
            user = await services.UserService(users).login("ada")
            orders = services.OrderService(services.OrderRepository(connection), users)
            return services.selected(user, await orders.of(user), wanted)
        finally:
            connection.close()

    return app


def memory_store_app() -> FastAPI:
    app = FastAPI()

    @app.get("/books/{key}")
    async def read_book(request: Request) -> dict[str, Any]:
        store = memory_store.Store()
        try:
            library = memory_store.Library(memory_store.Books(store), memory_store.Authors(store))
            return library.book(int(request.path_params["key"]))
        finally:
            store.close()

    return app


def read_oauth2(request: Request) -> oauth2.User:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return oauth2.checked(oauth2.user_of(token, ["items"]))


def oauth2_app() -> FastAPI:
    app = FastAPI()

    @app.get("/me")
    async def read_me(request: Request) -> dict[str, Any]:
        user = read_oauth2(request)
        return {"name": user.name, "scopes": user.scopes}

    return app


def read_headers_and_cookies(
    request: Request,
) -> tuple[headers_and_cookies.Target, headers_and_cookies.Client, headers_and_cookies.Visitor]:
    path, headers, cookies = request.path_params, request.headers, request.cookies
    return (
        headers_and_cookies.Target(path["shop"], int(path["item"])),
        headers_and_cookies.Client(
            headers["user-agent"], headers.get("accept-language", "en"), headers.get("x-request-id")
        ),
        headers_and_cookies.Visitor(cookies["visit"], cookies.get("theme", "light")),
    )


def headers_and_cookies_app() -> FastAPI:
    app = FastAPI()

    @app.get("/shops/{shop}/items/{item}")
    async def read_item(request: Request) -> dict[str, Any]:
        return headers_and_cookies.description(*read_headers_and_cookies(request))

    return app


def json_body_app() -> FastAPI:
    app = FastAPI()

    @app.post("/items")
    async def create_item(request: Request) -> dict[str, Any]:
        query, headers = request.query_params, request.headers
        return json_body.receipt(
            json_body.Item.model_validate_json(await request.body()),
            json_body.Options(query.get("notify", "false") in TRUE, query.get("currency", "EUR")),
            json_body.Client(headers["user-agent"], headers.get("x-request-id")),
        )

    return app


def account_app() -> FastAPI:
    app = FastAPI()

    # Not an `async def`: the session is one that may wait, so all goes to one thread.
    @app.get("/account")
    def read_account(request: Request) -> account.Account:
        session = account.Session()
        try:
            found = session.user(request.headers["authorization"].removeprefix("Bearer "))
            if found is None:
                raise HTTPException(401)
            name, number = found
            user = account.User(name=name, number=number)
            orders, invoices = account.Orders(session, user), account.Invoices(session, user)
            return account.Account(user=user, orders=orders.titles(), owed=invoices.owed())
        finally:
            session.close()

    return app
