"""What a command raises where its input is of no use; `main` prints it and exits with 2."""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path

#: The exit code.
BAD_INPUT = 2

# Those that import an application stand above its own frames.
_IMPORTING = (str(Path(__file__).parent), str(Path(importlib.__file__).parent), "<frozen importlib")


class BadInputError(Exception):
    """The text is one line, which says what is wrong and what to do next."""


class AppError(Exception):
    """The code of an application raised an exception. The text is its traceback, from the
    application's first line on.
    """

    def __init__(self, error: BaseException) -> None:
        step = error.__traceback__
        while step is not None and step.tb_frame.f_code.co_filename.startswith(_IMPORTING):
            step = step.tb_next
        super().__init__("".join(traceback.format_exception(type(error), error, step)))
