"""More callables that hide something: behind a request, its application and what both keep."""

# mypy: ignore-errors

import time
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from starlette.datastructures import State
from starlette.requests import HTTPConnection

from tests.proof.hostile import case, hidden


class OwnRequest(Request):
    @property
    def app(self) -> Any:
        return hidden()


class OwnConnection(HTTPConnection):
    def __getattr__(self, name: str) -> Any:
        return hidden()


class OwnState(State):
    def __getattr__(self, key: Any) -> Any:
        hidden()
        return super().__getattr__(key)


class OwnApplication(FastAPI):
    @property
    def state(self) -> Any:
        return hidden()

    @state.setter
    def state(self, value: Any) -> None:
        pass


def give() -> Any: ...


@case
def reads_of_a_request_of_its_own(request: OwnRequest) -> Any:
    return request.app


@case
def reads_of_a_connection_of_its_own(request: Annotated[OwnConnection, Depends(give)]) -> Any:
    return request.anything


@case
def reads_of_a_state_of_its_own(state: Annotated[OwnState, Depends(give)]) -> Any:
    return state.anything


@case
def reads_of_an_application_of_its_own(app: Annotated[OwnApplication, Depends(give)]) -> Any:
    return app.state


@case
def calls_what_an_application_keeps(request: Request) -> Any:
    return request.app.state.anything()


@case
def compares_what_an_application_keeps(request: Request) -> Any:
    return request.app.state.anything == 1


@case
def reads_of_what_an_application_keeps(request: Request) -> Any:
    return request.app.state.anything.name


@case
def asks_what_an_application_keeps(request: Request) -> Any:
    return 1 if request.app.state.anything else 2


@case
def calls_a_method_that_no_application_has(request: Request) -> Any:
    return request.app.anything()


@case
def reads_of_the_user(request: Request) -> Any:
    return request.user.name


@case
def keeps_something_for_the_request(request: Request) -> Any:
    request.state.anything = 1
    return 1


@case
def keeps_something_for_the_application(request: Request) -> Any:
    request.app.state.anything = 1
    return 1


@case
def changes_the_scope(request: Request) -> Any:
    request.scope["path"] = "/"
    return 1


@case
def reads_the_session(request: Request) -> Any:
    return request.session


@case
def finds_a_url(request: Request) -> Any:
    return request.url_for("anything")


@case
def reads_what_is_no_part_of_a_scope(request: Request) -> Any:
    return request.scope["anything"].name


@case
def goes_through_the_scope(request: Request) -> Any:
    return [key == "x" for key in request.scope]


@case
def waits_for_what_is_missing(request: Request) -> Any:
    return getattr(request.app.state, "anything", time.sleep(0))
