"""OAuth2 with a password: tokens are read on the event loop, accounts in the database."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import jwt
from fastapi import Depends, HTTPException, Security, WebSocketException
from fastapi.security import OAuth2PasswordBearer, SecurityScopes

from benchmarks.apps.production.connections import Connection, SyncSession
from benchmarks.apps.production.resources import SettingsHere
from benchmarks.apps.production.settings import Settings
from benchmarks.apps.production.tables import Account
from fastapi_async_safe import async_safe

SCOPES = {"items:read": "Read items.", "items:write": "Write items."}
ALGORITHM = "HS256"

bearer = OAuth2PasswordBearer(tokenUrl="token", scopes=SCOPES)


def new_token(settings: Settings, account: str, scopes: list[str]) -> str:
    """A signed token for an account."""
    expires = datetime.now(UTC) + timedelta(minutes=settings.token_minutes)
    claims = {"sub": account, "scope": " ".join(scopes), "exp": expires}
    return jwt.encode(claims, settings.secret_key.get_secret_value(), ALGORITHM)


def read_token(settings: Settings, token: str, required: list[str]) -> dict[str, Any]:
    """The claims of a token, or 401 if it is not ours, and 403 if it lacks a scope."""
    headers = {"WWW-Authenticate": "Bearer"}
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            settings.secret_key.get_secret_value(),
            [ALGORITHM],
            options={"require": ["exp", "sub"]},
        )
    except jwt.InvalidTokenError:
        raise HTTPException(401, "Not a valid token", headers) from None
    if missing := set(required) - set(str(claims.get("scope", "")).split()):
        raise HTTPException(403, f"The token lacks {', '.join(sorted(missing))}", headers)
    return claims


# Some 20 microseconds of arithmetic, and nothing to wait for: marked.
@async_safe
def claims_of_token(
    required: SecurityScopes, settings: SettingsHere, token: Annotated[str, Depends(bearer)]
) -> dict[str, Any]:
    """What the bearer token of the request says."""
    return read_token(settings, token, required.scopes)


@async_safe
def claims_of_websocket(settings: SettingsHere, token: str) -> dict[str, Any]:
    """The same for a WebSocket, where browsers send no headers."""
    try:
        return read_token(settings, token, ["items:read"])
    except HTTPException as error:
        raise WebSocketException(1008, str(error.detail)) from None


Claims = Annotated[dict[str, Any], Depends(claims_of_token)]
Reader = Annotated[dict[str, Any], Security(claims_of_token, scopes=["items:read"])]
Writer = Annotated[dict[str, Any], Security(claims_of_token, scopes=["items:write"])]


def _checked(account: Account | None) -> Account:
    if account is None:
        raise HTTPException(401, "No such account", {"WWW-Authenticate": "Bearer"})
    if account.disabled:
        raise HTTPException(403, "The account is disabled")
    return account


# These two ask the database through a sync driver, so they are not marked. The token comes first:
# whoever has none takes no connection, and what goes to a thread is not parted by what is awaited.
def current_account(claims: Claims, connection: Connection) -> Account:
    """The account of the token, by psycopg."""
    row = connection.execute(
        "select name, password_hash, scopes, disabled from account where name = %s",
        [claims["sub"]],
    ).fetchone()
    return _checked(Account(**row) if row else None)


def current_account_of_session(claims: Claims, session: SyncSession) -> Account:
    """The account of the token, by SQLAlchemy."""
    return _checked(session.get(Account, claims["sub"]))


CurrentReader = Annotated[Account, Security(current_account, scopes=["items:read"])]
CurrentWriter = Annotated[Account, Security(current_account, scopes=["items:write"])]
SessionReader = Annotated[Account, Security(current_account_of_session, scopes=["items:read"])]
