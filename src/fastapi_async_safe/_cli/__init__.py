"""The command line `fastapi-async-safe`; what it needs comes with the extra `cli`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from .bad_input import BAD_INPUT, AppError, BadInputError

#: The command, as help and messages name it.
NAME = "fastapi-async-safe"

_OF_EXTRA = ("asgi_lifespan", "jinja2", "rich", "typer")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line, and leave the process.

    Parameters:
        arguments: those after the command's name, None for those of the process.

    Raises:
        SystemExit: always. Its code is 0; 1 if what was asked for does not hold; 2 if the input is
            of no use, of which one line on stderr then says what to do next.
    """
    try:
        from .commands import cli
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        if package not in _OF_EXTRA:
            raise
        _end(f'{package} is not installed: pip install "{NAME}[cli]"')
    try:
        cli(None if arguments is None else list(arguments), prog_name=NAME)
    except BadInputError as error:
        _end(str(error))
    except AppError as error:
        sys.stderr.write(str(error))
    raise SystemExit(BAD_INPUT)


def _end(line: str) -> NoReturn:
    print(f"{NAME}: {line}", file=sys.stderr)
    raise SystemExit(BAD_INPUT)
