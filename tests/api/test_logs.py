"""The log tells what happened and never to whom, from where, or with which secret."""

import io
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from restante.protocol.encoding import b64
from restante.server.clock import SystemClock
from restante.server.log import Log
from tests.api.parcels import make_upload, send
from tests.api.people import Person, make_account, new_client, new_name, sealed
from tests.serving import ROOT, Server

REFERENCE = ROOT / "docs" / "reference" / "logs.md"
CANARY = "canary-7f3a"
OCTETS = {"content-type": "application/octet-stream"}


def live(server: Server, ann: Person, bob: Person) -> list[str]:
    """Does a bit of everything, much of it wrongly; returns the ids of the requests that it knows of."""
    answers = [
        ann.sign_in(),
        ann.sign_in(bearer=b64(bytes(32))),
        ann.sign_in(bearer="x"),
        ann.sign_in(name=CANARY),
        ann.client.get("/api/v1/account/keyring"),
        ann.client.get("/api/v1/account/keyring", headers={"authorization": f"Bearer {CANARY}"}),
        ann.client.put(
            "/api/v1/account/state/contacts", content=sealed(), headers=OCTETS | {"if-none-match": "*"}
        ),
        ann.client.get(f"/api/v1/accounts/{bob.name}/record"),
        ann.client.get(f"/api/v1/{CANARY}?{CANARY}={CANARY}"),
        ann.client.get(f"/api/v1/messages/{CANARY}"),
        ann.client.get("/api/v1/inbox", params={"cursor": CANARY}),
        ann.client.get(
            "/livez", headers={"user-agent": CANARY, "referer": CANARY, "x-forwarded-for": "192.0.2.77"}
        ),
        ann.client.post(
            "/api/v1/sign-in", content=f'{{"{CANARY}"', headers={"content-type": "application/json"}
        ),
        ann.client.post("/api/v1/sign-in", json={"name": CANARY * 9}),
        ann.client.get("/%0d%0aSet-Cookie:%20x%1b%5b31m"),
    ]
    upload = make_upload(ann, b"\0" * 1000)
    parcel = send(ann, bob, upload=upload)
    answers += [
        bob.client.get("/api/v1/inbox"),
        bob.client.get(f"/api/v1/messages/{parcel.id}/video"),
        bob.client.get(f"/api/v1/messages/{parcel.id}/details"),
        ann.client.delete(f"/api/v1/messages/{parcel.id}", params={"for": "everyone"}),
        bob.client.delete("/api/v1/sessions/current"),
    ]
    assert all(answer.status_code < 500 for answer in answers)
    return [answer.headers["x-request-id"] for answer in answers]


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]


def test_the_log_holds_every_request_and_nothing_personal(new_server: Callable[..., Server]) -> None:
    server = new_server()
    ann, bob = make_account(server.url, new_name("ann")), make_account(server.url, new_name("bob"))
    request_ids = live(server, ann, bob)
    server.stop()
    lines = lines_of(server.log_path)
    logged = {line.get("request_id") for line in lines}
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)

    assert logged >= set(request_ids), "the search itself must find what is there"
    assert '"/api/v1/accounts/{name}/record"' in text
    assert [line["code"] for line in lines if line["event"] == "sign-in-failed"].count("sign-in-refused") == 2
    bearers = (ann.passphrase_bearer, ann.recovery_bearer, ann.salt, bytes(32))
    secrets = (ann.token, bob.token, *map(b64, bearers))
    whose = (ann.name, bob.name, CANARY, ann.session_id, "127.0.0.1", "192.0.2.", "Set-Cookie", "\x1b")
    for personal in (*secrets, *whose):
        assert personal not in text
    actors = {line["actor"] for line in lines if line.get("actor")}
    assert len(actors) == 2 * server.processes, "one keyed hash for each of the two"
    assert all(re.fullmatch(r"[0-9a-f]{16}", actor) for actor in actors)
    assert_documented(lines)


def assert_documented(lines: list[dict[str, Any]]) -> None:
    """The log speaks the words of its reference only."""
    documented = dict(
        re.findall(r"^\| `([a-z-]+)` \| [^|]* \| ([^|]*) \|", REFERENCE.read_text(), re.MULTILINE)
    )
    assert {"request", "sign-in-failed", "fault", "swept"} <= set(documented)
    for line in lines:
        allowed = {"ts", "level", "event", *re.findall(r"`([a-z_]+)`", documented[line["event"]])}
        assert set(line) <= allowed, line


def test_an_actor_is_another_one_after_a_restart(new_server: Callable[..., Server]) -> None:
    server = new_server()
    ann = make_account(server.url)

    def actor() -> str:
        request_id = ann.client.get("/api/v1/sessions").headers["x-request-id"]
        for _ in range(200):  # the line follows the answer
            for line in lines_of(server.log_path):
                if line.get("request_id") == request_id:
                    return str(line["actor"])
            time.sleep(0.02)
        raise AssertionError("the request was not logged")

    before, again = actor(), [actor() for _ in range(server.processes)]
    server.kill()
    server.start()
    assert before in again
    assert actor() not in again


def test_a_fault_is_logged_by_type_and_place_without_its_text() -> None:
    stream = io.StringIO()
    log = Log(SystemClock(), key=bytes(32), stream=stream)
    try:
        int(CANARY)  # whose error quotes it
    except ValueError as error:
        log.fault("0123456789abcdef", error)
    (line,) = [json.loads(text) for text in stream.getvalue().splitlines()]
    assert (line["level"], line["event"], line["error"]) == ("error", "fault", "ValueError")
    assert line["where"].startswith("test_logs.py:")
    assert CANARY not in stream.getvalue()


def test_nobody_is_an_actor_of_the_open_routes(server: Server) -> None:
    with new_client(server.url) as nobody:
        request_id = nobody.get("/api/v1/server").headers["x-request-id"]
    line = next(line for line in lines_of(server.log_path) if line.get("request_id") == request_id)
    assert (line["route"], line["status"], line["actor"]) == ("/api/v1/server", 200, "")
