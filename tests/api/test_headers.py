"""Security headers of every kind of answer, and requests that are too large to be looked at."""

import re
import socket

import httpx
import pytest

from restante.protocol.limits import REQUEST_TARGET_BYTES
from tests.api.people import Person, assert_problem, make_account, new_client, sealed
from tests.api.uploading import BODY, TUS, finished, noise, post
from tests.serving import Server

OCTETS = {"content-type": "application/octet-stream"}
JSON = {"content-type": "application/json"}
SECURITY = {
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
POLICY = {
    "default-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
}


def check(answer: httpx.Response) -> None:
    """Every header of docs/reference/headers.md, once."""
    for name, value in SECURITY.items():
        assert answer.headers.get_list(name) == [value], (
            f"{name} of {answer.request.method} {answer.request.url}"
        )
    (policy,) = answer.headers.get_list("content-security-policy")
    directives = {part.strip() for part in policy.split(";")}
    assert directives in (POLICY, {"sandbox", "default-src 'none'"})
    (permissions,) = answer.headers.get_list("permissions-policy")
    assert "camera=(self)" in permissions
    assert "geolocation=()" in permissions
    (cache,) = answer.headers.get_list("cache-control")
    assert "no-store" in cache
    assert len(answer.headers["x-request-id"]) == 16
    assert not {"x-powered-by", "access-control-allow-origin"} & set(answer.headers)
    assert not re.search("[0-9]", answer.headers["server"]), "no version is told"


@pytest.fixture(scope="module")
def ann(server: Server) -> Person:
    return make_account(server.url)


KINDS: list[tuple[int, str, str, dict[str, str], bytes]] = [
    (200, "GET", "/", {}, b""),
    (200, "GET", "/livez", {}, b""),
    (200, "GET", "/readyz", {}, b""),
    (200, "GET", "/api/v1/server", {}, b""),
    (200, "GET", "/api/v1/openapi/openapi.json", {}, b""),
    (200, "GET", "/api/v1/sessions", {}, b""),
    (200, "GET", "/api/v1/account/keyring", {}, b""),
    (200, "GET", "/api/v1/inbox", {}, b""),
    (204, "OPTIONS", "/api/v1/sessions", {}, b""),
    (204, "OPTIONS", "/api/v1/uploads", {}, b""),
    (204, "PUT", "/api/v1/account/state/headers", OCTETS | {"if-none-match": "*"}, sealed()),
    (201, "POST", "/api/v1/uploads", TUS | {"upload-length": "0"}, b""),
    (400, "POST", "/api/v1/sign-in", JSON, b"{"),
    (400, "POST", "/api/v1/uploads", TUS, b""),
    (401, "GET", "/api/v1/sessions", {"authorization": "Bearer x"}, b""),
    (404, "GET", "/api/v1/nothing", {}, b""),
    (404, "GET", "/favicon.ico", {}, b""),
    (404, "HEAD", "/api/v1/uploads/upl_aaaaaaaaaaaaaaaaaaaaaaaaaa", TUS, b""),
    (404, "GET", "/api/v1/messages/msg_aaaaaaaaaaaaaaaaaaaaaaaaaa/video", {}, b""),
    (405, "PATCH", "/api/v1/sessions", {}, b""),
    (405, "TRACE", "/api/v1/sessions", {}, b""),
    (405, "GET", "/api/v1/uploads", TUS, b""),
    (412, "HEAD", "/api/v1/uploads/x", {"tus-resumable": "0.2.2"}, b""),
    (413, "PUT", "/api/v1/account/keyring", OCTETS | {"if-match": '"x"'}, bytes(65_537)),
    (414, "GET", "/" + "a" * REQUEST_TARGET_BYTES, {}, b""),
    (415, "POST", "/api/v1/sign-in", {"content-type": "text/plain"}, b"{}"),
    (422, "POST", "/api/v1/sign-in", JSON, b"{}"),
    (428, "PUT", "/api/v1/account/keyring", OCTETS, b"x"),
    (431, "GET", "/", {"x-large": "a" * 20_000}, b""),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind[0]} {kind[1]} {kind[2][:40]}")
def test_every_answer_carries_the_security_headers(
    ann: Person, kind: tuple[int, str, str, dict[str, str], bytes]
) -> None:
    status, method, path, headers, content = kind
    answer = ann.client.request(method, path, headers=headers, content=content)
    assert answer.status_code == status, answer.text
    check(answer)
    if status >= 400 and method != "HEAD":
        assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
    if status == 405:
        assert answer.headers["allow"]
    if path.startswith("/api/v1/uploads"):
        assert answer.headers["tus-resumable"] == "1.0.0"


def test_a_refused_cookie_gets_them_too(server: Server) -> None:
    with new_client(server.url) as browser:
        answer = browser.delete("/api/v1/sessions", headers={"cookie": "__Host-session=x"})
    assert_problem(answer, 403, "forbidden-origin")
    check(answer)


def test_the_answers_to_an_upload_carry_them_too(ann: Person) -> None:
    url = finished(ann, noise(1000))
    check(ann.client.head(url, headers=TUS))
    check(ann.client.patch(url, headers=TUS | BODY | {"upload-offset": "0"}, content=b""))
    check(ann.client.delete(url, headers=TUS))
    check(post(ann, 10**12))


def test_the_live_channel_carries_them_too(ann: Person) -> None:
    with ann.client.stream("GET", "/api/v1/events") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        check(answer)


@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example", "SELF.evil.example", "SELF", "https://localhost", "*"]
)
def test_no_other_origin_may_read(ann: Person, server: Server, origin: str) -> None:
    asked = {"origin": origin.replace("SELF", server.url)}
    preflight = asked | {"access-control-request-method": "PUT", "access-control-request-headers": "if-match"}
    for answer in (
        ann.client.get("/api/v1/sessions", headers=asked),
        ann.client.options("/api/v1/account/keyring", headers=preflight),
        ann.client.options("/api/v1/uploads", headers=preflight | TUS),
        ann.client.get("/api/v1/nothing", headers=asked),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


FORGED = {
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "gopher",
    "forwarded": "host=evil.example;proto=gopher",
    "x-original-url": "/api/v1/account/keyring",
    "x-rewrite-url": "/api/v1/account/keyring",
    "x-http-method-override": "DELETE",
    "host": "evil.example",
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_headers_change_nothing(ann: Person, name: str) -> None:
    plain = ann.client.get("/api/v1/sessions")
    forged = ann.client.get("/api/v1/sessions", headers={name: FORGED[name]})
    assert forged.json() == plain.json()
    created = ann.client.post("/api/v1/uploads", headers=TUS | {"upload-length": "0", name: FORGED[name]})
    assert created.headers["location"].startswith("/api/v1/uploads/upl_")
    assert "evil.example" not in str(forged.headers) + str(created.headers) + forged.text


LARGE: dict[str, tuple[int, str, str, dict[str, str]]] = {
    "a long path": (414, "target-too-long", "/" + "a" * REQUEST_TARGET_BYTES, {}),
    "a long query": (414, "target-too-long", "/api/v1/inbox?x=" + "a" * REQUEST_TARGET_BYTES, {}),
    "a large header": (431, "headers-too-large", "/livez", {"x-large": "a" * 16_384}),
    "a large cookie": (431, "headers-too-large", "/livez", {"cookie": "a=" + "b" * 16_384}),
}


@pytest.mark.parametrize("what", LARGE)
def test_what_is_too_large_is_refused_and_the_connection_closed(server: Server, what: str) -> None:
    status, code, path, headers = LARGE[what]
    with new_client(server.url) as nobody:
        answer = nobody.get(path, headers=headers)
    assert_problem(answer, status, code)
    assert answer.headers["connection"] == "close"


def raw_status(port: int, request: bytes) -> int:
    """The status of the first answer; 0 when the connection is closed without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
        try:
            wire.sendall(request)
            line = wire.makefile("rb").readline()
        except ConnectionError:
            return 0
    return int(line.split()[1]) if line else 0


def lines(*headers: str) -> bytes:
    return "\r\n".join(["GET /livez HTTP/1.1", "Host: localhost", *headers, "", ""]).encode("latin-1")


BOMBS: dict[str, tuple[set[int], bytes]] = {
    "as many headers as are allowed": ({200}, lines(*[f"x-{i}: 1" for i in range(90)])),
    "101 headers": ({431}, lines(*[f"x-{i}: 1" for i in range(100)])),
    "2,000 headers": ({400, 431, 0}, lines(*[f"x-{i}: 1" for i in range(2000)])),
    "80 KiB of headers": ({431}, lines(*[f"x-{i}: {'a' * 8000}" for i in range(10)])),
    "1 MiB of one header": ({400, 431, 0}, lines("x: " + "a" * 2**20)),
    "no version": ({400, 505, 0}, b"GET /livez\r\n\r\n"),
    "a NUL in a header": ({400, 0}, b"GET /livez HTTP/1.1\r\nHost: x\r\nx: a\0b\r\n\r\n"),
    "not HTTP": ({400, 0}, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20),
}


@pytest.mark.parametrize("what", BOMBS)
def test_header_bombs_are_refused(server: Server, what: str) -> None:
    expected, bomb = BOMBS[what]
    assert raw_status(server.port, bomb) in expected
    assert raw_status(server.port, lines()) == 200
