"""Parameter objects. They keep what they are given, so all of them are marked."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Query

from benchmarks.apps.production.resources import SettingsHere
from fastapi_async_safe import async_safe


class Order(StrEnum):
    """What a list is sorted by."""

    NAME = "name"
    PRICE = "price"


@async_safe
class Page:
    """Which part of a list; no larger than the settings allow."""

    def __init__(
        self,
        settings: SettingsHere,
        skip: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1)] = 20,
    ) -> None:
        if limit > settings.largest_page:
            raise HTTPException(422, f"limit is at most {settings.largest_page}")
        self.skip = skip
        self.limit = limit


@async_safe
class Prices:
    """A range of prices in cents, both ends included."""

    def __init__(
        self,
        at_least: Annotated[int | None, Query(ge=0)] = None,
        at_most: Annotated[int | None, Query(ge=0)] = None,
    ) -> None:
        self.at_least = at_least
        self.at_most = at_most


@async_safe
class Search:
    """Part of a name, and the order of what is found."""

    def __init__(self, name: str | None = None, order: Order = Order.NAME) -> None:
        self.name = name
        self.order = order


@async_safe
class ItemQuery:
    """Everything that a list of items can be asked for."""

    def __init__(
        self,
        page: Annotated[Page, Depends()],
        prices: Annotated[Prices, Depends()],
        search: Annotated[Search, Depends()],
    ) -> None:
        self.page = page
        self.prices = prices
        self.search = search

    def values(self) -> dict[str, Any]:
        """The values of the placeholders in a query, in the order of their names below."""
        return {
            "name": f"%{self.search.name}%" if self.search.name else None,
            "at_least": self.prices.at_least,
            "at_most": self.prices.at_most,
            "by_price": self.search.order is Order.PRICE,
            "limit": self.page.limit,
            "skip": self.page.skip,
        }


Items = Annotated[ItemQuery, Depends()]
