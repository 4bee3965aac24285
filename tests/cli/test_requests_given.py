"""Which requests a command sends: lines, curl commands, HAR files, and what is none."""

import base64
import json
from pathlib import Path

import pytest

from fastapi_async_safe._cli.bad_input import BadInputError
from fastapi_async_safe._cli.requests_given import GivenRequest, requests_of

JSON = ("content-type", "application/json")
FORM = ("content-type", "application/x-www-form-urlencoded")
HOST = ("host", "shop.example")


def only(text: str) -> GivenRequest:
    (request,) = requests_of([text], None)
    return request


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/items", GivenRequest("GET", "/items")),
        ("GET /items?q=x&q=%20", GivenRequest("GET", "/items", "q=x&q=%20")),
        ("delete /items/1", GivenRequest("DELETE", "/items/1")),
        ("GET /käse/a%2Fb?ü=1", GivenRequest("GET", "/k%C3%A4se/a%2Fb", "%C3%BC=1")),
        (
            'POST /items {"name": "pen"}',
            GivenRequest("POST", "/items", headers=(JSON,), body=b'{"name": "pen"}'),
        ),
        ("PUT /items a=1&b=2", GivenRequest("PUT", "/items", headers=(FORM,), body=b"a=1&b=2")),
        ("GET //a/b?c=//d", GivenRequest("GET", "//a/b", "c=//d")),
        ("GET /\udcff?\udcfe", GivenRequest("GET", "/%FF", "%FE")),
        ("POST /a \udcff", GivenRequest("POST", "/a", headers=(FORM,), body=b"\xff")),
        ("GET http://shop.example/a?b", GivenRequest("GET", "/a", "b", headers=(HOST,))),
    ],
)
def test_a_request_is_given_as_it_is_written_in_http(text: str, expected: GivenRequest) -> None:
    assert only(text) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("curl shop.example/a?b=1", GivenRequest("GET", "/a", "b=1", (HOST,))),
        ("curl -I http://shop.example", GivenRequest("HEAD", "/", headers=(HOST,))),
        ("curl /a -X PATCH", GivenRequest("PATCH", "/a")),
        ("curl -d a=1 --data b=2 /a", GivenRequest("POST", "/a", "", (FORM,), b"a=1&b=2")),
        (
            "curl --data-urlencode 'q=ü &' /a",
            GivenRequest("POST", "/a", "", (FORM,), b"q=%C3%BC%20%26"),
        ),
        (
            "curl http://a%40b:c@shop.example/a",
            GivenRequest("GET", "/a", "", (HOST, ("authorization", "Basic YUBiOmM="))),
        ),
        ("curl -d '' /a", GivenRequest("POST", "/a", "", (FORM,))),
        (
            r"""curl /a --data-raw $'{"a": "it\'s\u0021", "ü": "€\\\\n"}'""",
            GivenRequest("POST", "/a", "", (FORM,), '{"a": "it\'s!", "ü": "€\\\\n"}'.encode()),
        ),
        (
            """curl /a -d "$'x'" -d '$' -d $'' -d "\\"$'x'" """,
            GivenRequest("POST", "/a", "", (FORM,), b"""$'x'&$&&"$'x'"""),
        ),
        ("curl -G -d a=1 '/a?b=2'", GivenRequest("GET", "/a", "b=2&a=1")),
        (
            "curl --json '{\"a\": 1}' /a",
            GivenRequest("POST", "/a", "", (JSON, ("accept", "application/json")), b'{"a": 1}'),
        ),
        (
            "curl /a -H 'X-One: 1' -H 'content-type: text/plain' --data-raw @x -s --compressed",
            GivenRequest("POST", "/a", "", (("x-one", "1"), ("content-type", "text/plain")), b"@x"),
        ),
        (
            "curl /a -u me:secret -b 'c=1; d=2' -A me",
            GivenRequest(
                "GET",
                "/a",
                "",
                (
                    ("authorization", f"Basic {base64.b64encode(b'me:secret').decode()}"),
                    ("cookie", "c=1; d=2"),
                    ("user-agent", "me"),
                ),
            ),
        ),
        (
            "curl --url /a --user me:secret --request PUT --header 'Referer: http://b:1' -D saved",
            GivenRequest(
                "PUT",
                "/a",
                "",
                (
                    ("referer", "http://b:1"),
                    ("authorization", f"Basic {base64.b64encode(b'me:secret').decode()}"),
                ),
            ),
        ),
    ],
)
def test_a_request_is_given_as_a_curl_command(command: str, expected: GivenRequest) -> None:
    assert only(command) == expected


def test_a_curl_command_sends_files_and_forms(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"one\ntwo\n")

    assert only(f"curl --data-binary @{file} /a").body == b"one\ntwo\n"
    assert only(f"curl -d @{file} /a").body == b"onetwo"
    form = only(f"curl -F name=pen -F 'file=@{file};type=text/plain' /a")

    kind = dict(form.headers)["content-type"]
    boundary = kind.removeprefix("multipart/form-data; boundary=").encode()
    assert form.method == "POST"
    assert form.body == (
        b'--%b\r\nContent-Disposition: form-data; name="name"\r\n\r\npen\r\n'
        b'--%b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\none\ntwo\n\r\n--%b--\r\n"
    ) % (boundary, boundary, boundary)


def test_a_file_has_a_request_a_line(tmp_path: Path) -> None:
    file = tmp_path / "requests.txt"
    file.write_text("# the shop\n/a\n\nGET /b\ncurl /c \\\n  -H 'X-One: 1'\n/a\n", encoding="utf-8")

    assert [str(each) for each in requests_of([], file)] == ["GET /a", "GET /b", "GET /c"]
    (with_colon,) = requests_of(["/d"], None, ["X-Time: 10:20"])
    assert with_colon.headers == (("x-time", "10:20"),)
    common = requests_of(["/d"], file, ["X-One: 2", "X-Two: 2"])
    assert [each.headers for each in common] == [
        (("x-one", "2"), ("x-two", "2")),
        (("x-one", "2"), ("x-two", "2")),
        (("x-one", "2"), ("x-two", "2")),
        (("x-one", "1"), ("x-two", "2")),
    ]


def har(*requests: dict[str, object]) -> str:
    return json.dumps({"log": {"version": "1.2", "entries": [{"request": r} for r in requests]}})


def test_a_har_file_has_what_a_browser_sent_to_the_first_host(tmp_path: Path) -> None:
    file = tmp_path / "saved.har"
    file.write_text(
        har(
            {
                "method": "POST",
                "url": "https://shop.example/items?q=1",
                "headers": [
                    {"name": ":authority", "value": "shop.example"},
                    {"name": "Content-Type", "value": "application/json"},
                    {"name": "Content-Length", "value": "2"},
                    {"name": "Cookie", "value": "c=1"},
                ],
                "postData": {"mimeType": "application/json", "text": "{}"},
            },
            {"method": "GET", "url": "https://elsewhere.example/font", "headers": []},
            {
                "method": "POST",
                "url": "https://shop.example/form",
                "postData": {"params": [{"name": "a", "value": "1 2"}, {"name": "b"}]},
            },
            {
                "method": "POST",
                "url": "https://shop.example/picture",
                "postData": {"encoding": "base64", "text": "AP8="},
            },
        ),
        encoding="utf-8",
    )

    assert requests_of([], file) == [
        GivenRequest("POST", "/items", "q=1", (HOST, JSON, ("cookie", "c=1")), b"{}"),
        GivenRequest("POST", "/form", "", (HOST,), b"a=1+2&b="),
        GivenRequest("POST", "/picture", "", (HOST,), b"\x00\xff"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("empty.har", har(), "is a HAR file without a request: reload the page"),
        ("other.har", '{"log": {}}', "is no HAR file (KeyError: 'entries'): save one in"),
        (
            "null.har",
            '{"log": {"entries": [{"request": {"method": "GET", "url": null}}]}}',
            "is no HAR file (TypeError: a request has None where it needs a text)",
        ),
        ("broken.har", "{", "is no HAR file (JSONDecodeError: "),
        ("none.txt", "# nothing\n", "has no request in it: write "),
        ("binary.txt", None, "cannot be read (it is not text in UTF-8): give a file"),
        ("folder", "", "cannot be read (Is a directory): give a file"),
        ("missing.txt", "", "cannot be read (No such file or directory): give a file"),
    ],
)
def test_a_file_without_requests_is_named(
    tmp_path: Path, name: str, content: str | None, text: str
) -> None:
    file = tmp_path / name
    if name == "folder":
        file.mkdir()
    elif content is None:
        file.write_bytes(b"\xff\xfe\x00")
    elif content:
        file.write_text(content, encoding="utf-8")

    with pytest.raises(BadInputError) as raised:
        requests_of([], file)

    assert f"{file} {text}" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("items", "'items' is no request: write "),
        ("FETCH /items", "'FETCH /items' is no request: write "),
        ("curl 'open", "cannot be read (No closing quotation)"),
        ("curl /a -d $'\\u12'", "cannot be read ("),
        ("GET http://[a/", "'GET http://[a/' cannot be read (Invalid IPv6 URL): write "),
        ("curl http://[a/", "'curl http://[a/' cannot be read (Invalid IPv6 URL): write "),
        ("curl", "a curl command needs one URL, this one has 0"),
        ("curl /a /b", "a curl command needs one URL, this one has 2"),
        ("curl --nonsense /a", "the curl command cannot be read (unrecognized arguments"),
        ("curl -d @/nowhere /a", "/nowhere, which a curl command names, cannot be read"),
        ("curl -b cookies.txt /a", "cookies of a file (cookies.txt) are not read"),
        ("curl -F name /a", "'name' is no form field"),
        ("curl -H 'X-One: €' /a", "the header 'x-one' of /a has letters that no header can have"),
    ],
)
def test_what_is_no_request_is_said_in_one_line(text: str, message: str) -> None:
    with pytest.raises(BadInputError) as raised:
        requests_of([text], None)

    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_headers_and_no_request_at_all() -> None:
    with pytest.raises(BadInputError, match=r"'nonsense' is no header: write"):
        requests_of(["/"], None, ["nonsense"])
    with pytest.raises(BadInputError, match=r"there is no request to send: add --request"):
        requests_of([], None)
