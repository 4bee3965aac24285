"""What tests of endpoints share: a response and an exception."""

from pydantic import BaseModel


class Item(BaseModel):
    """A response with an optional part and an alias."""

    number: int
    name: str | None = None


class OwnError(Exception):
    """An exception of the application's."""
