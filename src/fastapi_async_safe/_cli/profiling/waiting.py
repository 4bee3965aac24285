"""Whether a call that runs in a thread waits for something, and for what.

No one sign sees all. A file that is in memory waits for nothing today, so what is *called* counts
as much as how the thread fared: Python's audit events (always), the built-in and Python functions
that are known to wait and the system's count of reads and writes (in traced calls, which are not
timed), and how often the thread gave its processor away (in timed ones).
"""

from __future__ import annotations

import sys
import sysconfig
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import BuiltinFunctionType, FrameType, ModuleType
from typing import Any

from ..._proof import blocking

if sys.platform == "linux":
    import resource

#: Whether the system says how often a thread gave its processor away; where it does not, the
#: processor's time alone tells who waited.
COUNTS_SWITCHES = sys.platform == "linux"

_PACKAGE = str(Path(__file__).parents[2])
_INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})

# Audit events of what touches the world outside of the process, by what is before the first dot.
_FILES = ("fcntl", "glob", "mmap", "open", "os", "shutil", "sqlite3", "tempfile")
_NETWORK = ("ftplib", "http", "imaplib", "nntplib", "poplib", "smtplib", "socket", "urllib")
_OTHERS = ("msvcrt", "subprocess", "syslog", "time", "webbrowser", "winreg")
_EVENTS = frozenset({*_FILES, *_NETWORK, *_OTHERS})
_QUICK_EVENTS = frozenset({"os.putenv", "os.unsetenv", "socket.gethostname"})

# System calls that are answered from memory.
_SYSTEM = ("posix", "nt")
_OF_PROCESS = ("cpu_count", "fspath", "getcwd", "getegid", "geteuid", "getgid", "getpid", "getppid")
_OF_SYSTEM = ("getuid", "putenv", "strerror", "times", "umask", "uname", "unsetenv", "urandom")
_OF_PATHS = ("isabs", "join", "normpath", "splitroot", "splitroot_ex")  # they compute
_QUICK_CALLS = frozenset({*_OF_PROCESS, *_OF_SYSTEM, *(f"_path_{name}" for name in _OF_PATHS)})


@dataclass(frozen=True)
class Sighting:
    """Something that waits, or may, and the line of the callable's code that led there."""

    what: str
    where: str


@dataclass
class Watch:
    """One call, watched from inside its thread: `with Watch(...)` around it.

    Attributes:
        seen: what was called that waits or may.
        run: nanoseconds from beginning to end.
        cpu: nanoseconds on the processor.
        switches: how often the thread gave its processor away, 0 where nobody counts.
    """

    traced: bool
    seen: list[Sighting] = field(default_factory=list)
    begin: int = 0
    run: int = 0
    cpu: int = 0
    switches: int = 0

    def __enter__(self) -> Watch:
        if self.traced:
            first, self._operations = _count_of_operations(), _count_of_operations()
            self._own_operations = self._operations - first  # counting them is some, too
        _watches[threading.get_ident()] = self
        if self.traced:
            self._profile = sys.getprofile()
            sys.setprofile(self._trace)
        self._switches = _switches()
        self._cpu = time.thread_time_ns()
        self.begin = time.perf_counter_ns()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.run = time.perf_counter_ns() - self.begin
        self.cpu = time.thread_time_ns() - self._cpu
        self.switches = _switches() - self._switches
        if self.traced:
            sys.setprofile(self._profile)
        _watches.pop(threading.get_ident(), None)
        if self.traced:
            done = _count_of_operations() - self._operations - self._own_operations
            if done > 0 and not self.seen:
                self.seen.append(Sighting(f"reads or writes ({done} system calls)", ""))

    def note(self, what: str, frame: FrameType | None) -> None:
        """Note what was seen, once with each line."""
        sighting = Sighting(what, _line_of(frame))
        if sighting not in self.seen:
            self.seen.append(sighting)

    def _trace(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            what = _why_builtin_waits(argument)
        elif event == "call":
            what = _why_function_waits(frame)
        else:
            return
        if what is not None:
            self.note(what, frame)


def watch_audit_events() -> None:
    """Let watches see Python's audit events; without effect where they do already.

    An audit hook cannot be taken out of a process. Without a watch it does nothing.
    """
    global _is_audited  # noqa: PLW0603
    if not _is_audited:
        _is_audited = True
        sys.addaudithook(_audit)


_is_audited = False
_watches: dict[int, Watch] = {}


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watches or event.partition(".")[0] not in _EVENTS or event in _QUICK_EVENTS:
        return
    watch = _watches.get(threading.get_ident())
    if watch is None:
        return
    detail = f" {arguments[0]!r}" if event == "open" and arguments else ""
    watch.note(f"{event}{detail}", sys._getframe(1))


def _why_builtin_waits(function: Any) -> str | None:
    owner = getattr(function, "__self__", None)
    name = getattr(function, "__name__", "")
    if isinstance(function, BuiltinFunctionType) and isinstance(owner, (ModuleType, type(None))):
        module = getattr(function, "__module__", None) or "builtins"
        if module in _SYSTEM and name not in _QUICK_CALLS:
            return f"calls os.{name}"
        why = blocking.why_function_blocks(function)
        return None if why is None else f"calls {module.lstrip('_')}.{name}, which {why}"
    kind = owner if isinstance(owner, type) else type(owner)
    return _told(kind, name, blocking.why_method_blocks(kind, name))


def _why_function_waits(frame: FrameType) -> str | None:
    code = frame.f_code
    name = f"{frame.f_globals.get('__name__')}.{code.co_qualname}"
    if (why := blocking.FUNCTIONS.get(name)) is not None:
        return f"calls {name}, which {why}"
    owner, _, method = name.rpartition(".")
    if owner not in blocking.CLASSES or not code.co_argcount:
        return None
    kind = type(frame.f_locals.get(code.co_varnames[0]))
    return _told(kind, method, blocking.why_method_blocks(kind, method))


def _told(kind: type, method: str, why: str | None) -> str | None:
    # Locks are everywhere and mostly free: whoever waits for one gives the processor away.
    if why is None or why == blocking.WAITS_FOR_THREADS:
        return None
    return f"calls {kind.__qualname__}.{method}, which {why}"


def _line_of(frame: FrameType | None) -> str:
    """Name the innermost line of the project; where there is none that of an installed package, and
    where there is none of these either the innermost of all.
    """
    lines: dict[int, str] = {}
    while frame is not None and not frame.f_code.co_filename.startswith(_PACKAGE):
        path = frame.f_code.co_filename
        lines.setdefault(_distance(path), f"{short_path(path)}:{frame.f_lineno}")
        frame = frame.f_back
    return lines[min(lines)] if lines else ""


def _distance(path: str) -> int:
    if is_of_project(path):
        return 0
    return 1 if "-packages" in path else 2


def is_of_project(path: str) -> bool:
    """Say whether a file is neither of an installed package nor of Python itself."""
    return not path.startswith(("<", *_INSTALLED))


def short_path(path: str) -> str:
    """Name a file as seen from the working directory, if it is in there."""
    with suppress(ValueError):
        return str(Path(path).relative_to(Path.cwd()))
    return path


def _switches() -> int:
    if sys.platform != "linux":
        return 0
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


def _count_of_operations() -> int:
    """Say how many reads and writes this thread has made; 0 where nobody counts them."""
    try:
        text = Path("/proc/thread-self/io").read_bytes()
    except OSError:
        return 0
    fields = dict(line.split(b": ") for line in text.splitlines())
    return int(fields[b"syscr"]) + int(fields[b"syscw"])
