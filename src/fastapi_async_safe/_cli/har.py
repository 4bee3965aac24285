"""The requests of a HAR file, as browsers save what they sent (HTTP Archive 1.2)."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

from .bad_input import BadInputError


def requests_in(text: str, name: str) -> list[tuple[str, str, list[tuple[str, str]], bytes]]:
    """List method, URL, headers and body of each request to the host that the first one goes to.

    Parameters:
        text: of the file.
        name: of the file, for messages.

    Raises:
        BadInputError: it is no HAR file, or has no request.
    """
    try:
        entries = json.loads(text)["log"]["entries"]
        found = [_request_of(entry["request"]) for entry in entries]
        hosts = [urlsplit(url).netloc for _, url, _, _ in found]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInputError(
            f"{name} is no HAR file ({type(error).__name__}: {error}): save one in the network tab "
            "of a browser, or give requests one a line"
        ) from None
    if not found:
        raise BadInputError(
            f"{name} is a HAR file without a request: reload the page with the network tab open, "
            "and save it again"
        )
    return [each for each, host in zip(found, hosts, strict=True) if host == hosts[0]]


def _request_of(request: dict[str, Any]) -> tuple[str, str, list[tuple[str, str]], bytes]:
    headers = [(each["name"], each["value"]) for each in request.get("headers", ())]
    method, url = request["method"], request["url"]
    for text in (method, url, *(part for header in headers for part in header)):
        if not isinstance(text, str):
            raise TypeError(f"a request has {text!r} where it needs a text")
    return method.upper(), url, headers, _body(request.get("postData") or {})


def _body(data: dict[str, Any]) -> bytes:
    text = data.get("text") or ""
    if data.get("encoding") == "base64":
        return base64.b64decode(text)
    if not text and data.get("params"):
        return urlencode(
            [(each["name"], each.get("value", "")) for each in data["params"]]
        ).encode()
    return str(text).encode()
