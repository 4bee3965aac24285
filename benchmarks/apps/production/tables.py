"""The tables, and what of them goes out."""

from sqlalchemy import Engine, text
from sqlmodel import Field, Session, SQLModel

from benchmarks.apps.production.passwords import hashed

DEMO_PASSWORD = "a long password"  # of `ada`, who may write, and `bob`, who may read
_DEMO_ITEMS = 500


class Account(SQLModel, table=True):
    """Who may log in; scopes are separated by spaces."""

    name: str = Field(primary_key=True)
    password_hash: str
    scopes: str = ""
    disabled: bool = False


class ItemIn(SQLModel):
    """What a client sends."""

    name: str = Field(min_length=1, max_length=80, index=True)
    price_cents: int = Field(ge=0, le=100_000_000)


class Item(ItemIn, table=True):
    """One article of the shop."""

    id: int | None = Field(default=None, primary_key=True)
    owner: str = Field(foreign_key="account.name")


class ItemOut(ItemIn):
    """What a client gets."""

    id: int
    owner: str


def create_tables(engine: Engine) -> None:
    """Create what is missing, with two accounts and some items if there is none."""
    SQLModel.metadata.create_all(engine, tables=[Account.__table__, Item.__table__])  # type: ignore[attr-defined]
    with Session(engine) as session, session.begin():
        # Two deployments at once: the second one waits here, and then finds the rows.
        session.execute(text("lock table account in exclusive mode"))
        if session.get(Account, "ada") is not None:
            return
        digest = hashed(DEMO_PASSWORD)
        session.add(Account(name="ada", password_hash=digest, scopes="items:read items:write"))
        session.add(Account(name="bob", password_hash=digest, scopes="items:read"))
        session.add(Account(name="eve", password_hash=digest, scopes="items:read", disabled=True))
        session.flush()
        session.add_all(
            Item(name=f"item {number:03}", price_cents=number * 10, owner="ada")
            for number in range(1, _DEMO_ITEMS + 1)
        )
