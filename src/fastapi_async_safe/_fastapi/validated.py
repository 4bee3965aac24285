"""What stands in for the field of a response, where that was validated already."""

from __future__ import annotations

from contextvars import Context
from typing import Any, NoReturn


class Validated:
    """Stands in for FastAPI's field, and has validated one response.

    Parameters:
        field: FastAPI's.
        content: what the endpoint returned.
    """

    __slots__ = ("_content", "_field", "_found", "error")

    def __init__(self, field: Any, content: Any) -> None:
        self._field = field
        self._content = content
        self._found: Any = None
        self.error: BaseException | None = None

    def run(self, context: Context) -> None:
        """Validate it in a copy of a context, as FastAPI's `serialize_response` does."""
        self._found = context.copy().run(self._field.validate, self._content, {}, loc=("response",))

    def is_of(self, field: Any, content: Any) -> bool:
        """Say whether this is the response that is to be validated."""
        return self._field is field and self._content is content

    def validate(self, *arguments: Any, **options: Any) -> Any:
        """Give what FastAPI's field gave, or raise what it raised."""
        error, self.error = self.error, None
        if error is not None:
            raise_again(error)
        return self._found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._field, name)


def raise_again(error: BaseException) -> NoReturn:
    """Raise an exception that came from a thread already, with the context it had then."""
    context = error.__context__
    try:
        raise error
    finally:
        error.__context__ = context
        del error
