"""W5: an OAuth2 bearer token, the user it belongs to, and that the user is active and in scope."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes

from fastapi_async_safe import async_safe, init_app

bearer = OAuth2PasswordBearer(tokenUrl="token", scopes={"items": "Read items."})


@dataclass
class User:
    name: str
    scopes: tuple[str, ...]
    active: bool = True


USERS = {"token-of-ada": User("ada", ("items",)), "token-of-bob": User("bob", ("items",), False)}


def user_of(token: str, scopes: list[str]) -> User:
    """The user a token belongs to, or 401 if there is none or a scope is missing."""
    user = USERS.get(token)
    if user is None or not set(scopes) <= set(user.scopes):
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return user


def checked(user: User) -> User:
    """The user, or 403 if the account is closed."""
    if not user.active:
        raise HTTPException(403, "Inactive user")
    return user


@async_safe
def current_user(required: SecurityScopes, token: Annotated[str, Depends(bearer)]) -> User:
    return user_of(token, required.scopes)


@async_safe
def active_user(user: Annotated[User, Depends(current_user)]) -> User:
    return checked(user)


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/me")
    async def read_me(
        user: Annotated[User, Security(active_user, scopes=["items"])],
    ) -> dict[str, Any]:
        return {"name": user.name, "scopes": user.scopes}

    return app


app = init_app(create_app(), accelerated=True)
