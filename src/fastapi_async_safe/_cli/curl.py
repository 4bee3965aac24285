"""A request out of a curl command, with the options that browsers and documentations write."""

from __future__ import annotations

import argparse
import base64
import re
import secrets
import shlex
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit, urlunsplit

from .bad_input import BadInputError

#: How bytes that are no UTF-8 are kept in text, as Python does with those of a command line.
UNREADABLE = "surrogateescape"

# What is quoted in a shell command; the group is what $'...' quotes, as browsers write it.
_QUOTED = re.compile(
    r"""\\. | '[^']*' | "(?:\\.|[^"\\])*" | \$'((?:\\.|[^'\\])*)'""", re.VERBOSE | re.DOTALL
)

_FORM = "application/x-www-form-urlencoded"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInputError(f"the curl command cannot be read ({message}): leave that option out")


class _Data(argparse.Action):
    """Keeps data of all kinds in the order in which it was given."""

    def __call__(self, parser: Any, namespace: Any, value: Any, option: str | None = None) -> None:
        namespace.data = [*(namespace.data or []), (option, value)]


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="curl", add_help=False, allow_abbrev=False)
    parser.add_argument("urls", nargs="*")
    parser.add_argument("--url", action="append", default=[])
    parser.add_argument("-X", "--request")
    parser.add_argument("-H", "--header", action="append", default=[])
    for names in (
        ("-d", "--data", "--data-ascii"),
        ("--data-raw",),
        ("--data-binary",),
        ("--data-urlencode",),
        ("--json",),
    ):
        parser.add_argument(*names, action=_Data, dest="data", default=None)
    parser.add_argument("-F", "--form", action="append", default=[])
    parser.add_argument("--form-string", action="append", default=[])
    parser.add_argument("-G", "--get", action="store_true")
    parser.add_argument("-I", "--head", action="store_true")
    parser.add_argument("-u", "--user")
    parser.add_argument("--oauth2-bearer")
    parser.add_argument("-b", "--cookie", action="append", default=[])
    parser.add_argument("-A", "--user-agent")
    parser.add_argument("-e", "--referer")
    # Of what happens outside of a request.
    for flags in (
        "-s --silent",
        "-S --show-error",
        "-k --insecure",
        "-L --location",
        "-i --include",
        "-v --verbose",
        "-f --fail",
        "-g --globoff",
        "-N --no-buffer",
        "-# --progress-bar",
        "--compressed",
        "--http1.1",
        "--http2",
        "--fail-with-body",
        "--path-as-is",
    ):
        parser.add_argument(*flags.split(), action="store_true", dest="ignored")
    for options in (
        "-o --output",
        "-w --write-out",
        "-m --max-time",
        "--connect-timeout",
        "--retry",
        "-c --cookie-jar",
        "-x --proxy",
        "--cacert",
        "-D --dump-header",
    ):
        parser.add_argument(*options.split(), dest="ignored_value")
    return parser


def words_of(text: str) -> list[str]:
    """Split a command as a shell does.

    Raises:
        ValueError: a quotation has no end, or escapes nothing that is known.
    """
    return shlex.split(_QUOTED.sub(_plainly_quoted, text))


def _plainly_quoted(found: re.Match[str]) -> str:
    escaped = found[1]
    if escaped is None:
        return found[0]
    # NOTE: by this codec's rules, which are the shell's for all that browsers escape.
    text = escaped.encode("latin-1", "backslashreplace").decode("unicode_escape")
    return shlex.quote(text)


def request_of(words: list[str]) -> tuple[str, str, list[tuple[str, str]], bytes]:
    """Read a curl command.

    Parameters:
        words: those after `curl`.

    Returns:
        Method, URL, headers, body.

    Raises:
        BadInputError: it has options that are not known here, or not one URL.
    """
    given = _parser().parse_intermixed_args(words)
    urls = [*given.urls, *given.url]
    if len(urls) != 1:
        raise BadInputError(f"a curl command needs one URL, this one has {len(urls)}: {urls}")
    url = urls[0]
    if "://" not in url and not url.startswith("/"):
        url = f"http://{url}"
    headers = [(name.strip(), value.strip()) for name, value in map(_split_header, given.header)]
    body, is_posted = b"", False
    if given.form or given.form_string:
        body, kind = _multipart(given.form, given.form_string)
        is_posted = True
        headers = [
            *(each for each in headers if each[0].lower() != "content-type"),
            ("Content-Type", kind),
        ]
    elif given.data is not None:
        body = _body(given.data)
        if given.get:
            url = _with_query(url, body.decode(errors=UNREADABLE))
            body = b""
        else:
            is_posted = True
            is_json = any(option == "--json" for option, _ in given.data)
            _add(headers, "Content-Type", "application/json" if is_json else _FORM)
            if is_json:
                _add(headers, "Accept", "application/json")
    if given.user is not None:
        login = base64.b64encode(given.user.encode(errors=UNREADABLE)).decode()
        _add(headers, "Authorization", f"Basic {login}")
    if given.oauth2_bearer is not None:
        _add(headers, "Authorization", f"Bearer {given.oauth2_bearer}")
    for cookies in given.cookie:
        if "=" not in cookies:
            raise BadInputError(f"cookies of a file ({cookies}) are not read: write -b name=value")
    if given.cookie:
        _add(headers, "Cookie", "; ".join(given.cookie))
    for name, value in (("User-Agent", given.user_agent), ("Referer", given.referer)):
        if value is not None:
            _add(headers, name, value)
    method = given.request or ("HEAD" if given.head else "POST" if is_posted else "GET")
    return method.upper(), url, headers, body


def _split_header(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name, value


def _add(headers: list[tuple[str, str]], name: str, value: str) -> None:
    if all(name.lower() != own.lower() for own, _ in headers):
        headers.append((name, value))


def _body(data: list[tuple[str, str]]) -> bytes:
    parts = []
    for option, value in data:
        if option == "--data-urlencode":
            parts.append(_urlencoded(value))
        elif value.startswith("@") and option != "--data-raw":
            content = _read(value[1:])
            if option in ("-d", "--data", "--data-ascii"):  # as curl does
                content = content.replace(b"\r", b"").replace(b"\n", b"")
            parts.append(content)
        else:
            parts.append(value.encode(errors=UNREADABLE))
    return (b"" if data[-1][0] == "--json" else b"&").join(parts)


def _urlencoded(value: str) -> bytes:
    name, sign, content = value.partition("=")
    if not sign:
        name, content = "", value
    quoted = quote(content, errors=UNREADABLE)
    return (f"{name}={quoted}" if name else quoted).encode(errors=UNREADABLE)


def _with_query(url: str, query: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, query)))))


def _multipart(fields: list[str], texts: list[str]) -> tuple[bytes, str]:
    boundary = secrets.token_hex(16)
    lines: list[bytes] = []
    for text, is_form in [*((each, True) for each in fields), *((each, False) for each in texts)]:
        name, sign, value = text.partition("=")
        if not sign:
            raise BadInputError(f"{text!r} is no form field: write -F name=value, or -F name=@file")
        disposition, content, kind = (
            f'form-data; name="{name}"',
            value.encode(errors=UNREADABLE),
            "",
        )
        if is_form and value.startswith(("@", "<")):
            path, _, options = value[1:].partition(";")
            content = _read(path)
            if value.startswith("@"):
                disposition += f'; filename="{Path(path).name}"'
                kind = "application/octet-stream"
            if options.startswith("type="):
                kind = options.removeprefix("type=")
        lines += [f"--{boundary}".encode(), f"Content-Disposition: {disposition}".encode()]
        if kind:
            lines.append(f"Content-Type: {kind}".encode())
        lines += [b"", content]
    lines += [f"--{boundary}--".encode(), b""]
    return b"\r\n".join(lines), f"multipart/form-data; boundary={boundary}"


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BadInputError(
            f"{path}, which a curl command names, cannot be read ({error.strerror})"
        ) from None
