"""What the package says in a process of its own, where pytest does not listen."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


class _Handler(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def listening() -> Iterator[list[str]]:
    """Give a list that has in the end what was logged, and then what was warned of."""
    handler = _Handler()
    logging.getLogger("fastapi_async_safe").addHandler(handler)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield handler.messages
    texts = (str(warning.message) for warning in caught)
    handler.messages += [text for text in texts if "async-safe" in text]
