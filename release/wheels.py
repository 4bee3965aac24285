"""What has to be true of a wheel file, whatever it was built on."""

import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

from .notes import NotReadyError

MAX_SIZE = 365_000
# The oldest glibc that the wheels promise to run with: that of RHEL 8 and Debian 10.
MAX_GLIBC = (2, 28)
MEMBERS = re.compile(
    r"fastapi_async_safe/(?:.*\.pyi?|py\.typed|_cli/report\.html\.jinja)"
    r"|fastapi_async_safe_pytest/(?:.*\.py|py\.typed)|[^/]+\.dist-info/.*"
)
COMPILED = re.compile(r"fastapi_async_safe/_core\.[^/]+\.so")


def check_wheel(path: Path, *, compiled: bool) -> None:
    """Check contents, size, platform and exported symbols.

    Raises:
        NotReadyError: something is in the wheel that does not belong there, or the reverse.
    """
    with zipfile.ZipFile(path) as wheel:
        names = [name for name in wheel.namelist() if not name.endswith("/")]
        modules = {name: wheel.read(name) for name in names if COMPILED.fullmatch(name)}
        sboms = [name for name in names if "/sboms/" in name]
    strange = [n for n in names if n not in modules and not MEMBERS.fullmatch(n)]
    if strange:
        raise NotReadyError(f"{path.name} has files that do not belong there: {strange}")
    if "fastapi_async_safe/py.typed" not in names:
        raise NotReadyError(f"{path.name} has no py.typed")
    if not any(name.endswith(".dist-info/licenses/LICENSE") for name in names):
        raise NotReadyError(f"{path.name} has no licence")
    if len(modules) != compiled:
        raise NotReadyError(f"{path.name} has these compiled modules: {sorted(modules)}")
    if path.stat().st_size > MAX_SIZE:
        raise NotReadyError(f"{path.name} has {path.stat().st_size} bytes, more than {MAX_SIZE}")
    tag = path.stem.split("-", 2)[2]
    if compiled:
        _check_platform(path, tag)
        for name, content in modules.items():
            _check_exports(f"{path.name}/{name}", content)
    elif tag != "py3-none-any":
        raise NotReadyError(f"{path.name} is pure, but not for every platform")
    if compiled and sboms:
        # auditwheel writes one where it copied a library into the wheel.
        raise NotReadyError(f"{path.name} brings libraries with it: {sboms}")


def _check_platform(path: Path, tag: str) -> None:
    # Of the names that a wheel has the oldest glibc is the one that counts.
    found = [(int(a), int(b)) for a, b in re.findall(r"manylinux_(\d+)_(\d+)_", tag)]
    if not found or min(found) > MAX_GLIBC:
        raise NotReadyError(f"{path.name} needs a newer glibc than {MAX_GLIBC}")


def _check_exports(name: str, content: bytes) -> None:
    from elftools.elf.elffile import ELFFile  # comes with auditwheel

    table: Any = ELFFile(BytesIO(content)).get_section_by_name(".dynsym")
    exported = {
        symbol.name
        for symbol in table.iter_symbols()
        if symbol["st_shndx"] != "SHN_UNDEF" and symbol["st_info"]["bind"] != "STB_LOCAL"
    }
    if exported != {"PyInit__core"}:
        raise NotReadyError(f"{name} exports {sorted(exported)}, not just PyInit__core")
