"""Sending: all of a message or nothing, once, whatever is repeated."""

import hashlib
import json
import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection

import httpx
import pytest

from restante.protocol.encoding import b64, unb64
from restante.protocol.ids import Prefix, new_id
from restante.protocol.limits import DETAILS_BYTES, ENVELOPE_BYTES
from tests.api.parcels import (
    TUS,
    Parcel,
    get,
    inbox,
    make_parcel,
    make_upload,
    new_key,
    post,
    send,
    send_video,
    sent,
)
from tests.api.people import Person, assert_problem, make_account, new_client, sealed
from tests.databases import looking_into
from tests.serving import Server

KEY = "0123456789abcdef"


@pytest.fixture(scope="module")
def ann(server: Server) -> Person:
    return make_account(server.url)


@pytest.fixture(scope="module")
def bob(server: Server) -> Person:
    return make_account(server.url)


def test_a_message_reaches_its_recipient_as_it_was_sent(ann: Person, bob: Person):
    parcel = send_video(ann, bob, data=b"v" * 5000)
    item = get(bob, parcel.id).json()
    assert unb64(item["envelope"]) == parcel.envelopes[bob.name]
    assert (item["sender"], item["kind"], item["video_bytes"]) == (ann.name, "video", 5000)
    assert item["fetched_at"] is None
    assert bob.client.get(f"/api/v1/messages/{parcel.id}/details").content == parcel.details
    assert bob.client.get(f"/api/v1/messages/{parcel.id}/video").content == b"v" * 5000
    own = get(ann, parcel.id).json()
    assert unb64(own["envelope"]) == parcel.sent
    untold = ("fetched_at", "played_at", "deleted_at", "delivery_receipt", "play_receipt")
    assert own["deliveries"] == [{"recipient": bob.name} | dict.fromkeys(untold)]


def test_fifty_recipients_each_get_their_own_envelope(server: Server, ann: Person):
    with ThreadPoolExecutor(8) as pool:
        people = list(pool.map(lambda _: make_account(server.url), range(50)))
    parcel = make_parcel(*people)
    full = replace(parcel, envelopes={name: sealed(ENVELOPE_BYTES) for name in parcel.envelopes})
    assert post(ann, full).status_code == 201
    for person in people[::7]:
        assert unb64(get(person, parcel.id).json()["envelope"]) == full.envelopes[person.name]
    assert len(get(ann, parcel.id).json()["deliveries"]) == 50
    too_many = parcel.but(recipients=[*parcel.message["recipients"], "one-more"])
    assert_problem(post(ann, too_many), 422, "invalid")


def test_a_message_to_oneself_is_received_and_sent(ann: Person):
    parcel = send(ann, ann)
    assert unb64(get(ann, parcel.id).json()["envelope"]) == parcel.envelopes[ann.name]
    assert unb64(get(ann, parcel.id, box="sent").json()["envelope"]) == parcel.sent


# What the parts must be

SPOILED = {
    "another hash": (lambda p: p.but(details_sha256=b64(bytes(32))), 422, "claim-mismatch"),
    "a short hash": (lambda p: p.but(details_sha256="AAAA"), 422, "invalid"),
    "a padded hash": (lambda p: p.but(details_sha256=p.message["details_sha256"] + "="), 422, "invalid"),
    "an unknown kind": (lambda p: p.but(kind="fax"), 422, "invalid"),
    "a video without upload": (lambda p: p.but(kind="video"), 422, "invalid"),
    "no recipients": (lambda p: replace(p, envelopes={}).but(recipients=[]), 422, "invalid"),
    "a recipient twice": (lambda p: p.but(recipients=p.message["recipients"] * 2), 422, "invalid"),
    "a recipient with a bad name": (lambda p: p.but(recipients=["Ann"]), 422, "invalid"),
    "a foreign id": (lambda p: p.but(id="upl" + p.id[3:]), 422, "invalid"),
    "an id in capitals": (lambda p: p.but(id=p.id.upper()), 422, "invalid"),
    "an id with bits to spare": (lambda p: p.but(id=p.id[:-1] + "b"), 422, "invalid"),
    "an id with a line feed": (lambda p: p.but(id=p.id + "\n"), 422, "invalid"),
    "an expiry in the past": (lambda p: p.but(expires_at=1), 422, "invalid"),
    "a negative expiry": (lambda p: p.but(expires_at=-1), 422, "invalid"),
    "an expiry beyond 2^53": (lambda p: p.but(expires_at=2**53), 400, "bad-json"),
    "an expiry in words": (lambda p: p.but(expires_at="soon"), 422, "invalid"),
    "NaN": (lambda p: p.but(expires_at=float("nan")), 400, "bad-json"),
    "a lone surrogate": (lambda p: p.but(note="\ud800"), 400, "bad-json"),
    "deep nesting": (lambda p: p.but(note=json.loads("[" * 40 + "]" * 40)), 400, "bad-json"),
    "a message that is too large": (lambda p: p.but(note="x" * 17_000), 413, "too-large"),
    "an envelope missing": (lambda p: replace(p, envelopes={}), 400, "bad-multipart"),
    "an envelope too many": (
        lambda p: replace(p, envelopes={**p.envelopes, "nobody": b"x"}),
        400,
        "bad-multipart",
    ),
    "an envelope for a bad name": (
        lambda p: replace(p, envelopes={**p.envelopes, "../x": b"x"}),
        400,
        "bad-multipart",
    ),
    "an empty envelope": (lambda p: replace(p, envelopes=dict.fromkeys(p.envelopes, b"")), 422, "invalid"),
    "an empty copy of one's own": (lambda p: replace(p, sent=b""), 422, "invalid"),
    "plaintext for an envelope": (
        lambda p: replace(p, envelopes=dict.fromkeys(p.envelopes, b'{"key":"AGE-SECRET-KEY-1"}')),
        422,
        "invalid",
    ),
    "plaintext for details": (
        lambda p: replace(p, details=b"{}").but(details_sha256=b64(hashlib.sha256(b"{}").digest())),
        422,
        "invalid",
    ),
    "an envelope that is too large": (
        lambda p: replace(p, envelopes=dict.fromkeys(p.envelopes, sealed(ENVELOPE_BYTES + 1))),
        413,
        "too-large",
    ),
    "an own copy that is too large": (
        lambda p: replace(p, sent=sealed(ENVELOPE_BYTES + 1)),
        413,
        "too-large",
    ),
    "details that are too large": (lambda p: replace(p, details=sealed(DETAILS_BYTES + 1)), 413, "too-large"),
    "an unknown upload": (lambda p: p.but(upload=new_id(Prefix.UPLOAD)), 404, "not-found"),
    "an upload that is a path": (lambda p: p.but(upload="../../etc"), 422, "invalid"),
}


@pytest.mark.parametrize("what", SPOILED)
def test_a_spoiled_send_stores_nothing(ann: Person, bob: Person, what: str):
    spoil, status, code = SPOILED[what]
    right = make_parcel(bob)
    key = new_key()
    assert_problem(post(ann, spoil(right), key), status, code)
    assert_problem(get(bob, right.id), 404, "not-found")
    assert post(ann, right, key).status_code == 201


def test_a_send_may_be_as_large_as_the_limits_say(ann: Person, bob: Person):
    parcel = make_parcel(bob)
    details = sealed(DETAILS_BYTES)
    claim = make_parcel(bob).but(id=parcel.id)
    full = replace(
        claim, details=details, sent=sealed(ENVELOPE_BYTES), envelopes={bob.name: sealed(ENVELOPE_BYTES)}
    ).but(details_sha256=b64(hashlib.sha256(details).digest()))
    assert post(ann, full).status_code == 201


def test_unknown_recipients_are_all_named_and_nobody_gets_it(ann: Person, bob: Person):
    parcel = make_parcel(bob, "no-such-one", "no-such-two")
    problem = assert_problem(post(ann, parcel), 404, "no-such-recipient")
    assert problem["recipients"] == ["no-such-one", "no-such-two"]
    assert_problem(get(bob, parcel.id), 404, "not-found")


def test_unknown_fields_are_ignored_and_never_applied(ann: Person, bob: Person):
    parcel = make_parcel(bob).but(account_id=1, sender="root", received_at=1, state="played")
    assert post(ann, parcel).status_code == 201
    item = get(bob, parcel.id).json()
    assert item["sender"] == ann.name
    assert item["received_at"] > 1


# The multipart body itself

Parts = list[tuple[str, bytes]]
DISPOSITION = 'Content-Disposition: form-data; name="{}"'


def encode(parts: Parts, boundary: str = "b0undary") -> bytes:
    lines = [f"--{boundary}\r\n{head}\r\n\r\n".encode() + data + b"\r\n" for head, data in parts]
    return b"".join(lines) + f"--{boundary}--\r\n".encode()


def named(parcel: Parcel) -> Parts:
    return [(DISPOSITION.format(name), data) for name, (_, data, _) in parcel.files()]


MULTIPART = "multipart/form-data; boundary=b0undary"
BODIES: dict[str, tuple[Callable[[Parts], bytes], str, int, str]] = {
    "empty": (lambda _: b"", MULTIPART, 400, "bad-multipart"),
    "no part": (lambda _: b"--b0undary--\r\n", MULTIPART, 400, "bad-multipart"),
    "noise": (lambda _: os.urandom(999), MULTIPART, 400, "bad-multipart"),
    "another boundary": (encode, "multipart/form-data; boundary=other", 400, "bad-multipart"),
    "cut short": (lambda p: encode(p)[:-5], MULTIPART, 400, "bad-multipart"),
    "cut in a header": (lambda p: encode(p)[:30], MULTIPART, 400, "bad-multipart"),
    "bare line feeds": (lambda p: encode(p).replace(b"\r\n", b"\n"), MULTIPART, 400, "bad-multipart"),
    "bytes before": (lambda p: b"x" + encode(p), MULTIPART, 400, "bad-multipart"),
    "a part twice": (lambda p: encode([*p, p[1]]), MULTIPART, 400, "bad-multipart"),
    "no details": (lambda p: encode([p[0], *p[2:]]), MULTIPART, 400, "bad-multipart"),
    "no copy of one's own": (lambda p: encode([*p[:2], *p[3:]]), MULTIPART, 400, "bad-multipart"),
    "no message": (lambda p: encode(p[1:]), MULTIPART, 400, "bad-multipart"),
    "an unknown part": (
        lambda p: encode([*p, (DISPOSITION.format("plan"), b"")]),
        MULTIPART,
        400,
        "bad-multipart",
    ),
    "a part without name": (
        lambda p: encode([*p, ("Content-Disposition: form-data", b"")]),
        MULTIPART,
        400,
        "bad-multipart",
    ),
    "a part without disposition": (
        lambda p: encode([*p, ("Content-Type: text/plain", b"")]),
        MULTIPART,
        400,
        "bad-multipart",
    ),
    "a lying part length": (
        lambda p: encode([(f"{p[0][0]}\r\nContent-Length: 3", p[0][1]), *p[1:]]),
        MULTIPART,
        400,
        "bad-multipart",
    ),
    "a name that is not UTF-8": (
        lambda p: encode(p).replace(b'name="sent"', b'name="\xff\xfe"'),
        MULTIPART,
        400,
        "bad-multipart",
    ),
    "a long header": (
        lambda p: encode([(p[0][0] + "\r\nX-Fill: " + "x" * 5000, p[0][1]), *p[1:]]),
        MULTIPART,
        413,
        "too-large",
    ),
    "a thousand parts": (
        lambda p: encode([(DISPOSITION.format(f"envelope:n{i:04}"), b"x") for i in range(1000)]),
        MULTIPART,
        413,
        "too-large",
    ),
    "a body beyond everything": (lambda _: b"x" * 2_000_000, MULTIPART, 413, "too-large"),
    "message not JSON": (lambda p: encode([(p[0][0], b"{"), *p[1:]]), MULTIPART, 400, "bad-json"),
    "message with a key twice": (
        lambda p: encode([(p[0][0], b'{"id":1,"id":2}'), *p[1:]]),
        MULTIPART,
        400,
        "bad-json",
    ),
    "message with a byte order mark": (
        lambda p: encode([(p[0][0], b"\xef\xbb\xbf" + p[0][1]), *p[1:]]),
        MULTIPART,
        400,
        "bad-json",
    ),
    "message an array": (lambda p: encode([(p[0][0], b"[]"), *p[1:]]), MULTIPART, 422, "invalid"),
    "no boundary": (encode, "multipart/form-data", 415, "wrong-content-type"),
    "an endless boundary": (encode, f"multipart/form-data; boundary={'b' * 71}", 415, "wrong-content-type"),
    "JSON": (encode, "application/json", 415, "wrong-content-type"),
    "another multipart": (encode, "multipart/mixed; boundary=b0undary", 415, "wrong-content-type"),
}


@pytest.mark.parametrize("what", BODIES)
def test_a_bad_body_is_refused_and_stores_nothing(ann: Person, bob: Person, what: str):
    spoil, content_type, status, code = BODIES[what]
    parcel = make_parcel(bob)
    headers = {"idempotency-key": new_key(), "content-type": content_type}
    answer = ann.client.post("/api/v1/messages", content=spoil(named(parcel)), headers=headers)
    assert_problem(answer, status, code)
    assert_problem(get(bob, parcel.id), 404, "not-found")
    headers["content-type"] = MULTIPART
    right = ann.client.post("/api/v1/messages", content=encode(named(parcel)), headers=headers)
    assert right.status_code == 201, right.text


def test_where_a_body_is_cut_does_not_matter(ann: Person, bob: Person):
    parcel = make_parcel(bob)
    body = encode(named(parcel))
    headers = {"idempotency-key": new_key(), "content-type": MULTIPART}

    def pieces():
        for start in range(0, len(body), 97):
            yield body[start : start + 97]

    answer = ann.client.post("/api/v1/messages", content=pieces(), headers=headers)
    assert answer.status_code == 201, answer.text
    assert unb64(get(bob, parcel.id).json()["envelope"]) == parcel.envelopes[bob.name]


# Uploads


def test_an_upload_is_carried_by_one_message_only(ann: Person, bob: Person):
    upload = make_upload(ann, b"once")
    first = send(ann, bob, upload=upload)
    assert_problem(post(ann, make_parcel(bob, upload=upload)), 409, "upload-claimed")
    assert bob.client.get(f"/api/v1/messages/{first.id}/video").content == b"once"


def test_an_unfinished_foreign_or_removed_upload_cannot_be_sent(ann: Person, bob: Person):
    created = ann.client.post("/api/v1/uploads", headers={**TUS, "upload-length": "10"})
    location = created.headers["location"]
    unfinished = make_parcel(bob, upload=location.rpartition("/")[2])
    assert_problem(post(ann, unfinished), 409, "upload-unfinished")
    assert ann.client.delete(location, headers=TUS).status_code == 204
    assert_problem(post(ann, unfinished), 410, "upload-gone")
    assert_problem(post(ann, make_parcel(bob, upload=make_upload(bob, b"his"))), 404, "not-found")


def test_a_refused_send_leaves_its_upload_free(ann: Person, bob: Person):
    upload = make_upload(ann, b"mine")
    assert_problem(post(ann, make_parcel(bob, "no-such-one", upload=upload)), 404, "no-such-recipient")
    send(ann, bob, upload=upload)


# Idempotency


def test_the_same_request_gets_the_same_answer(ann: Person, bob: Person):
    parcel, key = make_parcel(bob), new_key()
    first, again, quoted = post(ann, parcel, key), post(ann, parcel, key), post(ann, parcel, f'"{key}"')
    assert first.status_code == again.status_code == quoted.status_code == 201
    assert first.content == again.content == quoted.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == quoted.headers["idempotent-replayed"] == "true"


def test_another_request_under_a_used_key_is_refused(ann: Person, bob: Person):
    key = new_key()
    parcel = make_parcel(bob)
    assert post(ann, parcel, key).status_code == 201
    assert_problem(post(ann, make_parcel(bob), key), 422, "key-reused")
    assert_problem(post(ann, replace(parcel, sent=sealed(300)), key), 422, "key-reused")
    assert len([item for item in sent(ann)["items"] if item["id"] == parcel.id]) == 1


def test_keys_of_two_sessions_never_meet(ann: Person, bob: Person):
    key = new_key()
    assert post(ann, make_parcel(bob), key).status_code == 201
    elsewhere = replace(ann, client=new_client(ann.url))
    elsewhere.client.headers["authorization"] = f"Bearer {ann.sign_in().json()['token']}"
    with elsewhere.client:
        assert post(elsewhere, make_parcel(bob), key).status_code == 201
    assert post(bob, make_parcel(ann), key).status_code == 201


def test_a_key_that_a_node_of_the_release_before_keeps_is_known(server: Server, ann: Person, bob: Person):
    """That one writes no account beside it."""
    key, theirs = new_key(), new_key()
    assert post(ann, make_parcel(bob), key).status_code == 201
    columns = "session_id, {}, request_sha256, answer, created_at"
    with looking_into(server.data) as database:
        database.execute(
            f"INSERT INTO idempotency_keys ({columns.format('key')})"
            f" SELECT {columns.format('?')} FROM idempotency_keys WHERE key = ?",
            (theirs, key),
        )
    assert_problem(post(ann, make_parcel(bob), theirs), 422, "key-reused")


def test_the_same_id_is_the_same_message_or_taken(ann: Person, bob: Person):
    parcel = make_parcel(bob)
    first = post(ann, parcel)
    again = post(ann, parcel)
    assert again.status_code == 201
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert_problem(post(ann, replace(make_parcel(bob), message=parcel.message)), 422, "claim-mismatch")
    assert_problem(post(ann, make_parcel(bob).but(id=parcel.id)), 409, "id-taken")
    assert_problem(post(bob, make_parcel(ann).but(id=parcel.id)), 409, "id-taken")
    assert_problem(post(bob, parcel), 409, "id-taken")
    assert unb64(get(bob, parcel.id).json()["envelope"]) == parcel.envelopes[bob.name]


@pytest.mark.parametrize(
    "key",
    [
        "",
        "short",
        "x" * 15,
        "x" * 65,
        '"unbalanced0000000',
        "with space 0000000",
        "ключключключключ",
        "a,b" * 9,
    ],
)
def test_a_bad_key_is_refused(ann: Person, bob: Person, key: str):
    headers = {"idempotency-key": key.encode()}
    answer = ann.client.post("/api/v1/messages", files=make_parcel(bob).files(), headers=headers)
    assert_problem(answer, 400, "bad-idempotency-key")


def test_a_missing_or_doubled_key_is_refused(ann: Person, bob: Person):
    files = make_parcel(bob).files()
    assert_problem(ann.client.post("/api/v1/messages", files=files), 400, "bad-idempotency-key")
    twice = [("idempotency-key", KEY), ("idempotency-key", KEY)]
    assert_problem(
        ann.client.post("/api/v1/messages", files=files, headers=twice), 400, "bad-idempotency-key"
    )


def test_a_send_killed_around_its_commit_is_all_or_nothing_and_once(new_server: Callable[..., Server]):
    server = new_server()
    ann, bob = make_account(server.url), make_account(server.url)
    arrived: list[str] = []
    for edge, is_there in [("send-envelopes-stored", False), ("send-before-answer", True)]:
        parcel, key = make_parcel(bob), new_key()
        server.kill()
        server.start(RESTANTE_FAILPOINT=f"{edge}:1")
        with pytest.raises(httpx.TransportError):
            post(ann, parcel, key)
        server.kill()
        server.start(RESTANTE_FAILPOINT="")
        assert [item["id"] for item in inbox(bob)["items"]] == [parcel.id] * is_there + arrived
        answer = post(ann, parcel, key)
        assert answer.status_code == 201
        assert answer.headers.get("idempotent-replayed") == ("true" if is_there else None)
        arrived.insert(0, parcel.id)
        assert [item["id"] for item in inbox(bob)["items"]] == arrived


def test_a_thousand_sends_in_three_copies_are_a_thousand_messages(server: Server):
    """Of the answers 30 % are dropped, never all three of a send: the connection is cut as soon as the request is written."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    ann, bob = make_account(server.url), make_account(server.url)
    requests = [(encode(named(make_parcel(bob))), new_key()) for _ in range(1000)]
    copies = [(body, key, copy > 0 and chance.random() < 0.45) for body, key in requests for copy in range(3)]
    chance.shuffle(copies)

    def deliver(copy: tuple[bytes, str, bool]) -> tuple[str, bytes] | None:
        body, key, dropped = copy
        headers = {**ann.headers, "content-type": MULTIPART, "idempotency-key": key}
        with closing(HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
            connection.request("POST", "/api/v1/messages", body, headers)
            if dropped:
                return None
            answer = connection.getresponse()
            text = answer.read()
        if answer.status == 409:
            assert json.loads(text)["code"] == "idempotency-in-flight"
            return deliver(copy)
        assert answer.status == 201, text
        return key, text

    with ThreadPoolExecutor(8) as pool:
        answers = {answer for answer in pool.map(deliver, copies) if answer is not None}
    assert len(answers) == len({key for key, _ in answers})  # all copies of a send were answered alike
    ids = []
    cursor = None
    while cursor is not None or not ids:
        page = inbox(bob, limit=100, envelopes="none", **({"cursor": cursor} if cursor else {}))
        ids += [item["id"] for item in page["items"]]
        cursor = page["cursor"]
    assert len(ids) == len(set(ids)) == 1000


def test_sends_are_limited_by_rate_and_repetitions_are_free(new_server: Callable[..., Server]):
    server = new_server(RESTANTE_RATE_SENDS="3/60s")
    ann, bob = make_account(server.url), make_account(server.url)
    parcel, key = make_parcel(bob), new_key()
    assert post(ann, parcel, key).status_code == 201
    for _ in range(5):
        assert post(ann, parcel, key).status_code == 201
    send(ann, bob)
    send(ann, bob)
    refused = post(ann, make_parcel(bob))
    problem = assert_problem(refused, 429, "rate-limited")
    assert int(refused.headers["retry-after"]) == problem["retry_after"] <= 60
    send(bob, ann)


def test_only_who_is_signed_in_sends(server: Server, bob: Person):
    with new_client(server.url) as nobody:
        answer = nobody.post(
            "/api/v1/messages", files=make_parcel(bob).files(), headers={"idempotency-key": KEY}
        )
    assert_problem(answer, 401, "not-signed-in")
