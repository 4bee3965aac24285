"""Nothing to wait for: marked down to the `def` endpoint, so no request of it sees a thread."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from benchmarks.apps.production.parameters import Page, Search
from fastapi_async_safe import async_safe

router = APIRouter(prefix="/currencies", tags=["in memory"])


class Currency(BaseModel):
    """One currency."""

    code: str
    name: str
    digits: int


CURRENCIES = (
    Currency(code="CHF", name="Swiss franc", digits=2),
    Currency(code="EUR", name="Euro", digits=2),
    Currency(code="GBP", name="Pound sterling", digits=2),
    Currency(code="JPY", name="Yen", digits=0),
    Currency(code="KWD", name="Kuwaiti dinar", digits=3),
    Currency(code="USD", name="US dollar", digits=2),
)


@router.get("")
@async_safe
def read_currencies(
    page: Annotated[Page, Depends()], search: Annotated[Search, Depends()]
) -> list[Currency]:
    """List what is kept in memory."""
    wanted = (search.name or "").lower()
    found = [each for each in CURRENCIES if wanted in each.name.lower()]
    return found[page.skip : page.skip + page.limit]
