"""Logging in: a slow hash and a sync driver, both in threads."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import BaseModel

from benchmarks.apps.production.connections import Connection
from benchmarks.apps.production.passwords import is_right
from benchmarks.apps.production.resources import SettingsHere
from benchmarks.apps.production.security import CurrentReader, new_token

router = APIRouter(tags=["accounts"])


class Token(BaseModel):
    """As OAuth2 has it."""

    access_token: str
    token_type: str = "bearer"


class Me(BaseModel):
    """An account without its password."""

    name: str
    scopes: list[str]


@router.post("/token")
def log_in(
    form: Annotated[OAuth2PasswordRequestForm, Depends()],
    connection: Connection,
    settings: SettingsHere,
) -> Token:
    """Exchange a password for a token with the scopes that were asked for, or all there are."""
    row = connection.execute(
        "select password_hash, scopes, disabled from account where name = %s", [form.username]
    ).fetchone()
    if not is_right(form.password, row["password_hash"] if row else None):
        raise HTTPException(401, "Wrong name or password", {"WWW-Authenticate": "Bearer"})
    assert row is not None
    if row["disabled"]:
        raise HTTPException(403, "The account is disabled")
    allowed = row["scopes"].split()
    scopes = [each for each in allowed if not form.scopes or each in form.scopes]
    return Token(access_token=new_token(settings, form.username, scopes))


@router.get("/me")
def read_me(account: CurrentReader) -> Me:
    """Say who the token belongs to."""
    return Me(name=account.name, scopes=account.scopes.split())
