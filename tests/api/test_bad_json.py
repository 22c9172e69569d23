"""Every operation with a JSON body against every kind of body that is none (strict I-JSON, RFC 7493)."""

import contextlib
import gzip
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from restante.protocol.limits import JSON_BYTES
from tests.api.people import Person, assert_problem, make_account
from tests.serving import Server, serving

KNOWN = {
    ("POST", "/api/v1/accounts"),
    ("POST", "/api/v1/sign-in"),
    ("POST", "/api/v1/sign-in/passkey"),
    ("POST", "/api/v1/passkeys/registration"),
    ("POST", "/api/v1/passkeys/assertion"),
    ("PUT", "/api/v1/account/record"),
    ("PUT", "/api/v1/account/ways-in/{way_id}"),
    ("POST", "/api/v1/account/ways-in/passkeys"),
    ("DELETE", "/api/v1/account/ways-in/{way_id}"),
    ("POST", "/api/v1/account/verification"),
    ("POST", "/api/v1/messages/{message_id}/marks"),
}
NEED_NOTHING = {
    ("POST", "/api/v1/passkeys/registration"),
    ("POST", "/api/v1/passkeys/assertion"),
    ("POST", "/api/v1/account/plan/management"),
    ("POST", "/api/v1/availability/waiting"),
    ("POST", "/api/v1/operator/invites"),
}
"""Any object has their shape."""
EXAMPLES = {
    "name": "ann",
    "shard": "contacts",
    "session_id": "current",
    "way_id": "passphrase",
    "lookup": "a" * 16,
    "message_id": "msg_" + "a" * 26,
    "report_id": "rep_" + "a" * 26,
}
JSON = {"content-type": "application/json"}
DEEP = 100_000

NOT_JSON: dict[str, bytes] = {
    "empty": b"",
    "spaces": b"  \n ",
    "no JSON": b"name=ann",
    "cut off": b'{"name": "ann"',
    "two values": b"{}{}",
    "trailing comma": b'{"name": "ann",}',
    "single quotes": b"{'name': 'ann'}",
    "comment": b'{"name": "ann" /* hi */}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"name": "ann"}'.encode("utf-16"),
    "UTF-32": '{"name": "ann"}'.encode("utf-32"),
    "Latin-1": b'{"name": "\xe4nn"}',
    "broken UTF-8": b'{"name": "\xc3("}',
    "encoded surrogate": b'{"name": "\xed\xa0\x80"}',
    "overlong UTF-8": b'{"name": "\xc0\xaf"}',
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": Infinity}',
    "-Infinity": b'{"name": -Infinity}',
    "number too large": b'{"name": 1e999}',
    "integer of 2^53": b'{"name": 9007199254740992}',
    "integer of 2^63": b'{"name": 9223372036854775808}',
    "integer of 5,000 digits": b'{"name": ' + b"9" * 5000 + b"}",
    "leading zero": b'{"name": 01}',
    "hexadecimal": b'{"name": 0x10}',
    "underscore": b'{"name": 1_0}',
    "duplicate key": b'{"name": "ann", "name": "bob"}',
    "duplicate key in disguise": b'{"name": "ann", "n\\u0061me": "bob"}',
    "duplicate key deep down": b'{"unlock": [{"type": "recovery", "type": "passphrase"}]}',
    "lone surrogate": b'{"name": "\\ud800"}',
    "surrogates the wrong way round": b'{"name": "\\udc00\\ud800"}',
    "lone surrogate as key": b'{"\\udfff": 1}',
    "U+0000": b'{"name": "a\\u0000b"}',
    "U+0000 as key": b'{"\\u0000": 1}',
    "raw control character": b'{"name": "a\x01b"}',
    "raw newline": b'{"name": "a\nb"}',
    "100,000 open brackets": b"[" * DEEP,
    "33 levels": b'{"name": ' + b"[" * 32 + b"]" * 32 + b"}",
    "50,000 levels of objects": b'{"a":' * (DEEP // 4),
    "gzip": gzip.compress(b'{"name": "ann"}'),
}
WRONG_SHAPE: dict[str, bytes] = {
    "null": b"null",
    "list": b"[]",
    "string": b'"ann"',
    "number": b"1",
    "true": b"true",
    "empty object": b"{}",
    "wrong types": b'{"name": 1, "record": 2, "keyring": [], "unlock": {}, "client": null, "type": false, '
    b'"bearer": {}, "mark": 3}',
    "32 levels": b'{"name": ' + b"[" * 31 + b"]" * 31 + b"}",
    "injection": b'{"name": "ann\' OR \'1\'=\'1", "record": "\'; DROP TABLE accounts; --", "bearer": "\' || sleep(9)", '
    b'"mark": "\' OR 1=1 --"}',
}
CONTENT_TYPES = [
    "text/plain",
    "text/plain; charset=utf-8",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "application/xml",
    "application/jsonx",
    "application/problem+json",
    "application/msgpack",
    "application/x-msgpack",
    "json",
    "",
]


@pytest.fixture(scope="module")
def person(server: Server) -> Person:
    return make_account(server.url)


@pytest.fixture(scope="module")
def operations(server: Server, person: Person) -> list[tuple[str, str]]:
    """Every operation that says it takes JSON, by the server's own description."""
    document: dict[str, Any] = person.client.get("/api/v1/openapi/openapi.json").json()
    found = [
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    ]
    assert set(found) >= KNOWN
    return found


def send(
    person: Person, operation: tuple[str, str], body: bytes, headers: dict[str, str] = JSON
) -> httpx.Response:
    method, path = operation
    for name, example in EXAMPLES.items():
        path = path.replace(f"{{{name}}}", example)
    assert "{" not in path, f"no example for {path}"
    return person.client.request(method, path, content=body, headers=headers)


@pytest.mark.parametrize("what", NOT_JSON)
def test_what_is_not_strict_json_is_refused(
    person: Person, operations: list[tuple[str, str]], what: str
) -> None:
    for operation in operations:
        assert_problem(send(person, operation, NOT_JSON[what]), 400, "bad-json")


@pytest.mark.parametrize("what", WRONG_SHAPE)
def test_json_of_another_shape_is_refused(
    person: Person, operations: list[tuple[str, str]], what: str
) -> None:
    is_object = WRONG_SHAPE[what].startswith(b"{")
    for operation in operations if not is_object else set(operations) - NEED_NOTHING:
        problem = assert_problem(send(person, operation, WRONG_SHAPE[what]), 422, "invalid")
        assert "DROP TABLE" not in str(problem), "a refusal does not echo its input"


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_json_must_be_called_json(
    person: Person, operations: list[tuple[str, str]], content_type: str
) -> None:
    for operation in operations:
        answer = send(person, operation, b"{}", {"content-type": content_type})
        assert_problem(answer, 415, "wrong-content-type")


def test_json_without_a_name_is_not_json(person: Person, operations: list[tuple[str, str]]) -> None:
    for operation in operations:
        assert_problem(send(person, operation, b"{}", {}), 415, "wrong-content-type")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/json;"],
)
def test_json_may_say_more_of_itself(
    person: Person, operations: list[tuple[str, str]], content_type: str
) -> None:
    for operation in set(operations) - NEED_NOTHING:
        assert_problem(send(person, operation, b"{}", {"content-type": content_type}), 422, "invalid")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity, gzip", "x"])
def test_no_body_is_decompressed(person: Person, operations: list[tuple[str, str]], encoding: str) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    for operation in operations:
        answer = send(person, operation, bomb, JSON | {"content-encoding": encoding})
        assert_problem(answer, 415, "wrong-content-type")


def test_a_body_too_large_is_refused_announced_or_not(
    person: Person, operations: list[tuple[str, str]]
) -> None:
    def unannounced():
        yield b'{"name": "'
        for _ in range(JSON_BYTES // 1000 + 1):
            yield b"a" * 1000

    for operation in operations:
        problem = assert_problem(send(person, operation, b" " * (JSON_BYTES + 1)), 413, "too-large")
        assert problem["limit"] == JSON_BYTES
        assert_problem(send(person, operation, unannounced()), 413, "too-large")  # type: ignore[arg-type] # httpx takes both


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that waits for a body for a second only."""
    with serving(tmp_path_factory.mktemp("impatient") / "data", RESTANTE_BODY_TIMEOUT_S="1") as running:
        yield running


@pytest.mark.parametrize("trickles", [False, True])
@pytest.mark.parametrize(
    "head",
    [
        "POST /api/v1/sign-in\r\nContent-Type: application/json",
        'PUT /api/v1/account/keyring\r\nContent-Type: application/octet-stream\r\nIf-Match: "x"',
    ],
)
def test_a_body_that_stalls_or_trickles_is_ended(impatient: Server, head: str, trickles: bool) -> None:
    ann = make_account(impatient.url)
    line, _, rest = head.partition("\r\n")
    announced = f"Authorization: Bearer {ann.token}\r\nContent-Length: 1000"
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=10) as wire:
        wire.sendall(f"{line} HTTP/1.1\r\nHost: x\r\n{rest}\r\n{announced}\r\n\r\n".encode())
        started_s = time.monotonic()
        wire.settimeout(0.2 if trickles else 10)
        answer = b""
        while not answer and time.monotonic() - started_s < 10:
            wire.sendall(b" " if trickles else b"")
            with contextlib.suppress(TimeoutError):
                answer = wire.recv(65536)
        wire.settimeout(10)
        while more := wire.recv(65536):  # head and body may come apart
            answer += more
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"timeout"' in answer
    assert b"connection: close" in answer.lower()
    assert 0.5 < time.monotonic() - started_s < 10
    assert ann.sign_in().status_code == 201


def test_the_server_is_unharmed(person: Person) -> None:
    assert person.sign_in().status_code == 201
    ready = person.client.get("/readyz").json()
    assert {"database", "disk", "serving"} <= set(ready)
    assert all(ready.values())
