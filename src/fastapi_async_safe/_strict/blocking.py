"""Finds calls that wait: by blockbuster, and by the methods of drivers that wait in C."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from blockbuster import BlockBuster, BlockBusterFunction

#: What may wait on an event loop in a test: Python imports, and looks for the lines of tracebacks;
#: handlers write logs.
_ALLOWED: list[tuple[str, Any]] = [
    ("<frozen importlib._bootstrap>", {"_find_and_load"}),
    ("/linecache.py", {"checkcache", "updatecache"}),
    ("<frozen linecache>", {"checkcache", "updatecache"}),
    ("/coverage/python.py", {"get_python_source", "read_python_source"}),
    ("/logging/__init__.py", {"emit", "flush"}),
]

#: What blockbuster leaves out, by module; a class and its method, or a function.
_MORE: dict[str, tuple[str, ...]] = {
    "builtins": ("open",),
    "io": ("open", "TextIOWrapper.readline", "TextIOWrapper.readlines"),
    "socket": ("getaddrinfo",),
    # Drivers that wait in C, and what is the same for all of them.
    "psycopg": ("Connection.wait",),
    "psycopg.waiting": ("wait_conn",),
    "psycopg2": ("_connect",),
    "psycopg2.extensions": (
        "connection.commit",
        "connection.rollback",
        "cursor.execute",
        "cursor.executemany",
        "cursor.callproc",
    ),
    "MySQLdb.connections": ("Connection.query", "Connection.commit", "Connection.rollback"),
    "sqlalchemy.engine.default": (
        "DefaultDialect.connect",
        "DefaultDialect.do_execute",
        "DefaultDialect.do_executemany",
        "DefaultDialect.do_commit",
        "DefaultDialect.do_rollback",
    ),
}


class BlockingCalls:
    """Tells of each call that waits on an event loop; the call goes on as without.

    Parameters:
        tell: gets the name of what is called, and who may call it: ends of file names, and
            functions in them.
    """

    def __init__(self, tell: Callable[[str, list[tuple[str, Any]]], None]) -> None:
        self._tell = tell
        self._functions: list[BlockBusterFunction] = []
        self._watched: set[str] = set()
        for function in BlockBuster().functions.values():
            self._watch(function)
        self.look_for_drivers()

    def look_for_drivers(self) -> None:
        """Watch those drivers too that were imported meanwhile."""
        for name, functions in _MORE.items():
            module = sys.modules.get(name)
            if module is None or name in self._watched:
                continue
            self._watched.add(name)
            for function in functions:
                self._watch_in(module, function)

    def close(self) -> None:
        """Leave all functions as they were."""
        while self._functions:
            self._functions.pop().deactivate()

    def _watch_in(self, module: Any, function: str) -> None:
        owner_name, _, name = function.rpartition(".")
        owner = getattr(module, owner_name, None) if owner_name else module
        if owner is None or getattr(owner, name, None) is None:
            return  # another release of it
        found = BlockBusterFunction(owner, name)
        found.full_name = f"{module.__name__}.{function}"
        self._watch(found)

    def _watch(self, function: BlockBusterFunction) -> None:
        may_block, allowed = function.can_block_predicate, function.can_block_functions

        def tell(*args: Any, **values: Any) -> bool:
            if not may_block(*args, **values):
                self._tell(function.full_name, [*allowed, *_ALLOWED])
            return True

        function.can_block_predicate = tell
        function.activate()
        self._functions.append(function)
