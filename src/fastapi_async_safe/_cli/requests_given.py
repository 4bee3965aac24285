"""The requests that a command is to send: given as text, as curl commands, or as a HAR file."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from . import curl, har
from .bad_input import BadInputError
from .curl import UNREADABLE

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")
_EXAMPLE = 'write "GET /items?q=x", "POST /items {\\"name\\": \\"pen\\"}", or a curl command'

#: What stays as it is in a path: all that a URL may have, and what is escaped already.
_LEFT_IN_PATH = "/%:@!$&'()*+,;=~-._"


@dataclass(frozen=True)
class GivenRequest:
    """One request, as it is sent each time.

    Attributes:
        path: percent-encoded, as it stands in the request line.
        query: without the question mark.
        headers: names and values; without `content-length`, which follows from the body.
    """

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def __str__(self) -> str:
        return f"{self.method} {self.path}{'?' + self.query if self.query else ''}"


def requests_of(
    texts: list[str], file: Path | None, headers: list[str] | None = None
) -> list[GivenRequest]:
    """Read all the requests of one command, each once.

    Parameters:
        texts: each `METHOD /path?query` with a body after it if there is one, or a curl command.
        file: with lines of that kind, or a HAR file, as browsers save it.
        headers: as `Name: value`, for all of them that do not have one of that name.

    Raises:
        BadInputError: something of it is no request, or there is none.
    """
    given = [_of_text(text) for text in texts]
    if file is not None:
        given += _of_file(file)
    if not given:
        raise BadInputError(
            'there is no request to send: add --request "GET /items", or --from FILE'
        )
    common = [_header(text) for text in headers or []]
    return list(dict.fromkeys(replace(each, headers=_with(each.headers, common)) for each in given))


def _of_file(file: Path) -> list[GivenRequest]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise BadInputError(
            f"{file} cannot be read ({reason}): give a file of requests, one a line, or a HAR file"
        ) from None
    if file.suffix.lower() == ".har" or text.lstrip().startswith("{"):
        parts = har.requests_in(text, str(file))
        try:
            given = [_made(*each) for each in parts]
        except ValueError as error:
            raise BadInputError(f"{file} has a request that cannot be sent ({error})") from None
    else:
        given = [_of_text(line) for line in _lines(text)]
    if not given:
        raise BadInputError(f"{file} has no request in it: {_EXAMPLE}, one a line")
    return given


def _lines(text: str) -> list[str]:
    """Join lines that end with a backslash, as copied curl commands have them."""
    joined = text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines()
    return [line.strip() for line in joined if line.strip() and not line.lstrip().startswith("#")]


def _of_text(text: str) -> GivenRequest:
    text = text.strip()
    try:
        if text.split(maxsplit=1)[:1] == ["curl"]:
            return _made(*curl.request_of(curl.words_of(text)[1:]))
        return _of_line(text)
    except ValueError as error:
        raise BadInputError(f"{_short(text)} cannot be read ({error}): {_EXAMPLE}") from None


def _of_line(text: str) -> GivenRequest:
    method, target, body = _parts(text)
    headers: list[tuple[str, str]] = []
    if body:
        try:
            json.loads(body)
        except ValueError:
            headers.append(("content-type", "application/x-www-form-urlencoded"))
        else:
            headers.append(("content-type", "application/json"))
    return _made(method, target, headers, body.encode(errors=UNREADABLE))


def _parts(text: str) -> tuple[str, str, str]:
    first, _, rest = text.partition(" ")
    if first.upper() not in _METHODS:
        first, rest = "GET", text
    target, _, body = rest.strip().partition(" ")
    if not target.startswith(("/", "http://", "https://")):
        raise BadInputError(f"{_short(text)} is no request: {_EXAMPLE}")
    return first.upper(), target, body.strip()


def _made(method: str, url: str, headers: list[tuple[str, str]], body: bytes) -> GivenRequest:
    # What begins with two slashes is a path here, and no host.
    parts = urlsplit(f"http://{url}")._replace(netloc="") if url.startswith("/") else urlsplit(url)
    sent = [
        (name.lower(), value)
        for name, value in headers
        # What follows from the body, what HTTP/2 has in place of a request line, and what is for
        # the next machine only.
        if not name.startswith(":") and name.lower() not in ("content-length", "connection")
    ]
    if parts.netloc and all(name != "host" for name, _ in sent):
        sent.insert(0, ("host", parts.netloc.rpartition("@")[2]))
    if parts.username is not None and all(name != "authorization" for name, _ in sent):
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        sent.append(("authorization", f"Basic {base64.b64encode(login).decode()}"))
    for name, value in sent:
        if any(ord(letter) > 255 for letter in name + value):
            raise BadInputError(f"the header {name!r} of {url} has letters that no header can have")
    path = quote(parts.path or "/", safe=_LEFT_IN_PATH, errors=UNREADABLE)
    query = quote(parts.query, safe=_LEFT_IN_PATH + "?", errors=UNREADABLE)
    return GivenRequest(method, path, query, tuple(sent), body)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise BadInputError(f'{_short(text)} is no header: write "Name: value"')
    return name.strip().lower(), value.strip()


def _with(own: Any, common: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    names = {name for name, _ in own}
    return (*own, *((name, value) for name, value in common if name not in names))


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
