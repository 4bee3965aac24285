"""What was called on a trip already: the endpoint, and the validation of its response.

FastAPI's handler asks for both after the dependencies are solved, and gets them from here.
"""

from __future__ import annotations

import threading
from contextvars import Context
from typing import Any

from .. import _fastapi

# By identity of the values that the endpoint was called with. Nothing is awaited between the end of
# a resolution and the handler's call of the endpoint, which takes it from here.
_called: dict[int, CalledEndpoint] = {}


class _Here(threading.local):
    validated: _fastapi.Validated | None = None


# Nothing is awaited either between the handler's call of the endpoint and that of its validation.
_here = _Here()


class CalledEndpoint:
    """An endpoint that is called in a thread, and the validation of its response.

    Parameters:
        values: what it is called with.
        call: the endpoint.
    """

    __slots__ = ("_call", "_content", "_error", "_raised", "_validated", "values")

    def __init__(self, values: dict[str, Any], call: Any) -> None:
        self.values = values
        self._call = call
        self._content: Any = None
        self._raised: BaseException | None = None  # in the thread
        self._error: BaseException | None = None  # what came of it on its way to the loop
        self._validated: _fastapi.Validated | None = None

    def call(self, context: Context) -> bool:
        """Call it in a copy of a context.

        Returns:
            True if it gave what is to be validated.
        """
        try:
            self._content = context.copy().run(self._call, **self.values)
        except BaseException as error:
            self._raised = error
            raise
        return not _fastapi.is_response(self._content)

    def validate(self, field: Any, context: Context) -> None:
        """Validate what it returned by FastAPI's field, if that is there."""
        if field is None:
            return
        self._validated = _fastapi.Validated(field, self._content)
        try:
            self._validated.run(context)
        except BaseException as error:
            self._raised = error
            raise

    def takes(self, error: BaseException) -> bool:
        """Keep an exception for FastAPI's handler, if that is what was raised in the thread."""
        raised, self._raised = self._raised, None
        # A StopIteration becomes another exception on its way.
        if raised is None or (error is not raised and error.__cause__ is not raised):
            return False
        if self._validated is None:
            self._error = error
        else:
            self._validated.error = error
        return True

    def result(self) -> Any:
        """Give what the endpoint returned, or raise what it raised."""
        error, self._error = self._error, None
        if error is not None:
            _fastapi.raise_again(error)
        _here.validated = self._validated
        return self._content


def keep(endpoint: CalledEndpoint) -> None:
    """Keep an endpoint that was called for FastAPI's handler."""
    _called[id(endpoint.values)] = endpoint


def called_on_trip(values: dict[str, Any]) -> CalledEndpoint | None:
    """Give the endpoint that was called with these values on a trip, once."""
    return _called.pop(id(values), None) if _called else None


def validated_on_trip(field: Any, content: Any) -> _fastapi.Validated | None:
    """Give the validation of a response that was done on a trip, once."""
    validated = _here.validated
    if validated is None:
        return None
    _here.validated = None
    return validated if validated.is_of(field, content) else None
