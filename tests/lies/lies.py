"""The lies of a server, each a small function: what it makes of an honest question or answer.

What both clients must say of each stands in `table.py`. A lie about messages is told of those that the stage does not
yet know, so that the honest ones beside them are the control.
"""

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from restante.client.account import now_ms
from restante.crypto.age import X25519Identity
from restante.crypto.details import Kind
from restante.crypto.envelopes import EnvelopeFields, From, To
from restante.protocol.encoding import b64, unb64
from restante.protocol.ids import Prefix, new_id
from restante.signing import container, records
from restante.signing.keys import fp
from tests.cli.middleman import Ask, Change, Exchange, Request, honestly, named, truly
from tests.lies.answers import (
    ENDLESS,
    SEALED_CHUNK,
    answering,
    chunks_bytes,
    first,
    header_bytes,
    in_range,
    in_the_place_of,
    json_of,
    more,
    replace_enc,
    with_envelope,
)
from tests.lies.stage import Stage, altered

ONE = r"/api/v1/messages/(msg_\w+)"
ELSEWHERE = "https://elsewhere.example/"
FAR = "99999999"
COST = 2**40


@dataclass(frozen=True)
class Told:
    """A lie in force."""

    ask: Ask = honestly
    change: Change = truly


Lie = Callable[[Stage], Told]


# --- about a contact's keys ---


def _records(make: Callable[[Stage], list[bytes]]) -> Lie:
    """Shows another history of ann's records."""

    def lie(stage: Stage) -> Told:
        made = make(stage)

        def change(exchange: Exchange) -> Exchange:
            name = stage.ann.name
            if exchange.path == f"/api/v1/accounts/{name}/records":
                items = [
                    {"acct": stage.ann_acct, "rev": rev, "record": b64(data), "leaf": rev}
                    for rev, data in enumerate(made, start=1)
                ]
                return answering(exchange, {"items": items})
            return exchange

        return Told(change=change)

    return lie


def _other_key(stage: Stage) -> list[bytes]:
    """1: the accomplice's keys under ann's address."""
    assert stage.accomplices_enc is not None
    return [records.build(stage.accomplice, stage.ann_acct, [stage.accomplices_enc], now_ms=now_ms())]


def _added_key(stage: Stage) -> list[bytes]:
    """2: ann's record with one more key in it."""
    assert stage.accomplices_enc is not None
    raw = stage.honest[-1]
    more = replace_enc(raw, stage.accomplices_enc)
    return [*stage.honest[:-1], b"\n".join([*raw.split(b"\n", 3)[:3], more])]


def _unsigned(stage: Stage) -> list[bytes]:
    """3: a record of the right shape that nobody signed."""
    return [container.write(container.Type.ACCOUNT, altered(stage.honest[0]), key=None)]


def _older(stage: Stage) -> list[bytes]:
    """4: the list as it once was."""
    return stage.honest[:1]


def _forked(stage: Stage) -> list[bytes]:
    """16: to this device another record under a number that was seen before."""
    return [stage.honest[0], stage.forked]


def _downgraded(stage: Stage) -> list[bytes]:
    """11: the record with an encryption key that is not post-quantum."""
    fields = altered(stage.honest[0])
    weak = records.EncryptionKey(id="enc_weak", recipient="age1" + "q" * 58, from_=0, until=now_ms() * 2)
    payload = altered(stage.honest[0], enc=(weak, *fields.enc))
    raw = stage.honest[0].split(b"\n", 3)[:3]
    return [b"\n".join([*raw, json_of(payload)])]


def _invited(stage: Stage) -> Told:
    """17: behind an honest link, another key than the link's."""
    acct, _ = stage.invitation
    assert stage.accomplices_enc is not None
    made = records.build(stage.accomplice, acct, [stage.accomplices_enc], now_ms=now_ms())

    def change(exchange: Exchange) -> Exchange:
        if exchange.path != f"/api/v1/accounts/{stage.mallory.name}/records":
            return exchange
        return answering(exchange, {"items": in_the_place_of(exchange, [made])})

    return Told(change=change)


# --- about the list of messages ---


def _items(alter: Callable[[Stage, dict[str, Any]], list[dict[str, Any]]]) -> Lie:
    """Makes something else of each new message of the list."""

    def lie(stage: Stage) -> Told:
        def change(exchange: Exchange) -> Exchange:
            if not named(exchange.path, "/api/v1/inbox") or exchange.status != 200:
                one = named(exchange.path, ONE)
                if one and one[1] not in stage.known and exchange.status == 200:
                    return answering(exchange, alter(stage, json.loads(exchange.whole))[0])
                return exchange
            page = json.loads(exchange.whole)
            page["items"] = [
                told
                for item in page["items"]
                for told in (
                    [item] if item["id"] in stage.known or item["deleted_at"] else alter(stage, item)
                )
            ]
            return answering(exchange, page)

        return Told(change=change)

    return lie


def _renamed(_: Stage, item: dict[str, Any]) -> list[dict[str, Any]]:
    """6: the same envelope once more, as another message."""
    return [item, {**item, "id": new_id(Prefix.MESSAGE)}]


def _passed_on(stage: Stage, item: dict[str, Any]) -> list[dict[str, Any]]:
    """6: what ann sent to the accomplice, as if it were for bob."""
    return [with_envelope(item, stage.passed_on)]


def _relabelled(stage: Stage, item: dict[str, Any]) -> list[dict[str, Any]]:
    """10: another sender, another time, another kind, beside the sealed ones."""
    kind = {"kind": "text", "sender": stage.mallory.name, "received_at": 1_000_000_000_000}
    return [{**item, **kind, "video_bytes": 1}]


def _other_suite(_: Stage, item: dict[str, Any]) -> list[dict[str, Any]]:
    """11: the stanza of the post-quantum suite called one of the old suite."""
    sealed = unb64(item["envelope"] or "").replace(b"-> mlkem768x25519 ", b"-> X25519 ", 1)
    return [with_envelope(item, sealed)]


def _without_signature(stage: Stage, item: dict[str, Any]) -> list[dict[str, Any]]:
    """11: in ann's name, in a container that says it is not signed."""
    return [with_envelope(item, _invented(stage, item["id"], signed=False))]


def _injected(stage: Stage, item: dict[str, Any]) -> list[dict[str, Any]]:
    """13: in ann's name, signed by the accomplice."""
    return [with_envelope(item, _invented(stage, item["id"], signed=True))]


def _withheld(stage: Stage) -> Told:
    """15: one message, as if it had never been sent."""
    held: list[str] = []

    def alter(_: Stage, item: dict[str, Any]) -> list[dict[str, Any]]:
        held.append(item["id"])
        return [] if item["id"] == held[0] else [item]

    return _items(alter)(stage)


def _negative(_: Stage, item: dict[str, Any]) -> list[dict[str, Any]]:
    """20: sizes that cannot be."""
    return [{**item, "video_bytes": -1}]


def _huge(_: Stage, item: dict[str, Any]) -> list[dict[str, Any]]:
    """20: sizes that cannot be."""
    return [{**item, "video_bytes": 2**53 - 1}]


def _named(_: Stage, item: dict[str, Any]) -> list[dict[str, Any]]:
    """22: names that a careless program would run, or stumble over."""
    return [
        {
            **item,
            "sender": "<img src=x onerror=alert(1)>",
            "__proto__": {"id": "x"},
            "constructor": "alert(1)",
        }
    ]


# --- about the video ---


def _file(alter: Callable[[bytes], bytes]) -> Lie:
    """Serves another file in the place of a new message's, in whichever range it is asked for."""

    def lie(stage: Stage) -> Told:
        def is_meant(path: str) -> bool:
            found = named(path, ONE + "/video")
            return found is not None and found[1] not in stage.known

        def ask(request: Request) -> Request:
            if not is_meant(request.path):
                return request
            kept = {key: value for key, value in request.headers.items() if key.lower() != "range"}
            return replace(request, headers=kept)

        def change(exchange: Exchange) -> Exchange:
            return in_range(exchange, alter(exchange.whole)) if is_meant(exchange.path) else exchange

        return Told(ask, change)

    return lie


def _swapped(stage: Stage) -> Told:
    """5: the video of another message."""

    def ask(request: Request) -> Request:
        found = named(request.path, ONE + "/video")
        if found is None or found[1] in stage.known:
            return request
        return replace(request, path=f"/api/v1/messages/{stage.other}/video")

    return Told(ask)


def _without_last_chunk(data: bytes) -> bytes:
    """7: everything but the last chunk, which is at a border of chunks."""
    return data[: header_bytes(data) + chunks_bytes(data) // SEALED_CHUNK * SEALED_CHUNK]


def _duplicated(data: bytes) -> bytes:
    """8: the first chunk in the place of the second, too."""
    begin = header_bytes(data)
    first = data[begin : begin + SEALED_CHUNK]
    return data[: begin + SEALED_CHUNK] + first + data[begin + 2 * SEALED_CHUNK :]


def _reordered(data: bytes) -> bytes:
    """8: the first two chunks the other way round."""
    begin = header_bytes(data)
    one, two = (data[begin + at * SEALED_CHUNK : begin + (at + 1) * SEALED_CHUNK] for at in (0, 1))
    return data[:begin] + two + one + data[begin + 2 * SEALED_CHUNK :]


def _shortened(data: bytes) -> bytes:
    """9: half of it, with a length that says so."""
    return data[: len(data) // 2]


def _endless_video(stage: Stage) -> Told:
    """20: a file that does not end."""

    def change(exchange: Exchange) -> Exchange:
        found = named(exchange.path, ONE + "/video")
        if found is None or found[1] in stage.known:
            return exchange
        return replace(exchange, body=more(exchange.whole))

    return Told(change=change)


# --- about signing in ---


def _salt(**changes: Any) -> Lie:
    """12: other parameters than the protocol's."""

    def lie(_: Stage) -> Told:
        def change(exchange: Exchange) -> Exchange:
            if not named(exchange.path, r"/api/v1/sign-in/[^/]+/salt"):
                return exchange
            return answering(exchange, {**json.loads(exchange.whole), **changes})

        return Told(change=change)

    return lie


def _older_protocol(_: Stage) -> Told:
    """11: a version that nobody ever spoke."""

    def change(exchange: Exchange) -> Exchange:
        if exchange.path != "/api/v1/server":
            return exchange
        return answering(exchange, {**json.loads(exchange.whole), "protocol": [0]})

    return Told(change=change)


def _foreign_keyring(stage: Stage) -> Told:
    """14: another account's keyring."""

    def change(exchange: Exchange) -> Exchange:
        is_meant = exchange.path == "/api/v1/account/keyring" and exchange.method == "GET"
        return replace(exchange, body=stage.foreign_keyring) if is_meant else exchange

    return Told(change=change)


# --- about an upload ---


def _beyond(method: str) -> Lie:
    """18: an offset beyond what was sent, told to each PATCH, or to the HEADs after a lost one."""

    def lie(_: Stage) -> Told:
        patches = count()

        def change(exchange: Exchange) -> Exchange | None:
            if exchange.method == "PATCH" and method == "HEAD" and next(patches) == 0:
                return None
            if exchange.method == method:
                return exchange.answering(exchange.status, upload_offset=FAR)
            return exchange

        return Told(change=change)

    return lie


def _stored_otherwise(_: Stage) -> Told:
    """19: accepts what comes, and keeps other bytes."""

    def ask(request: Request) -> Request:
        if request.method != "PATCH" or not request.body:
            return request
        return replace(request, body=request.body[:-1] + bytes([request.body[-1] ^ 1]))

    return Told(ask)


# --- about everything ---


def _endless(_: Stage) -> Told:
    """20: an answer without end."""

    def change(exchange: Exchange) -> Exchange:
        if not named(exchange.path, "/api/v1/inbox"):
            return exchange
        return replace(exchange, body=more(b'{"items":['))

    return Told(change=change)


def _swelling(_: Stage) -> Told:
    """20: little on the wire, much in memory."""
    squeeze = zlib.compressobj(9, wbits=31)
    bomb = (
        b"".join([squeeze.compress(b" " * 1_000_000) for _ in range(ENDLESS // 1_000_000)]) + squeeze.flush()
    )

    def change(exchange: Exchange) -> Exchange:
        if not named(exchange.path, "/api/v1/inbox"):
            return exchange
        return exchange.answering(200, bomb, content_encoding="gzip")

    return Told(change=change)


def _redirected(stage: Stage) -> Told:
    """21: to another host."""

    def change(exchange: Exchange) -> Exchange:
        if not named(exchange.path, "/api/v1/inbox"):
            return exchange
        return exchange.answering(307, location=f"{stage.trap.url}{exchange.path}")

    return Told(change=change)


def _hinted(stage: Stage) -> Told:
    """24: news of the live channel that name what is not there, or would be an address."""
    ids = ["javascript:alert(1)", "../../sign-out", f"{ELSEWHERE}#", "<b>", new_id(Prefix.MESSAGE)]
    kinds = ["message", "mark", "deleted", "navigate", "__proto__"]
    hints = [json.dumps({"kind": kind, "id": each}) for kind in kinds for each in ids]
    forged = "".join(f"id: {FAR}{number}\ndata: {hint}\n\n" for number, hint in enumerate(hints)).encode()

    def change(exchange: Exchange) -> Exchange:
        if exchange.path != "/api/v1/events" or exchange.status != 200:
            return exchange
        assert not isinstance(exchange.body, bytes)
        body = exchange.body
        return replace(exchange, body=first(forged, body))

    return Told(change=change)


OTHER_KEY = _records(_other_key)
ADDED_KEY = _records(_added_key)
UNSIGNED_RECORD = _records(_unsigned)
OLDER_RECORDS = _records(_older)
FORKED_RECORDS = _records(_forked)
INVITED_KEY: Lie = _invited
WEAK_KEY = _records(_downgraded)
SWAPPED_VIDEO: Lie = _swapped
RENAMED = _items(_renamed)
PASSED_ON = _items(_passed_on)
RELABELLED = _items(_relabelled)
OTHER_SUITE = _items(_other_suite)
WITHOUT_SIGNATURE = _items(_without_signature)
INJECTED = _items(_injected)
WITHHELD: Lie = _withheld
NEGATIVE_SIZE = _items(_negative)
HUGE_SIZE = _items(_huge)
NAMED = _items(_named)
WITHOUT_LAST_CHUNK = _file(_without_last_chunk)
DUPLICATED_CHUNK = _file(_duplicated)
REORDERED_CHUNKS = _file(_reordered)
SHORTENED = _file(_shortened)
ENDLESS_VIDEO: Lie = _endless_video
NO_SALT = _salt(salt="")
COSTLY_KDF = _salt(memory_kib=COST, passes=COST, N=COST, params={"m": COST, "t": 0})
OLDER_PROTOCOL: Lie = _older_protocol
FOREIGN_KEYRING: Lie = _foreign_keyring
BEYOND_IN_PATCH = _beyond("PATCH")
BEYOND_IN_HEAD = _beyond("HEAD")
STORED_OTHERWISE: Lie = _stored_otherwise
ENDLESS_ANSWER: Lie = _endless
SWELLING_ANSWER: Lie = _swelling
REDIRECTED: Lie = _redirected
FORGED_HINTS: Lie = _hinted


def _invented(stage: Stage, message_id: str, *, signed: bool) -> bytes:
    """An envelope in ann's name, sealed to bob by whoever has his public record."""
    assert stage.bobs is not None
    fields = EnvelopeFields(
        id=message_id,
        kind=Kind.VIDEO.value,
        created=now_ms(),
        to=To(acct=stage.bobs.acct, fp=fp(stage.bobs.sign)),
        from_=From(acct=stage.ann_acct, name=stage.ann.name),
        key=str(X25519Identity.generate()),
        details=b64(bytes(32)),
        upload=new_id(Prefix.UPLOAD),
    )
    key = stage.accomplice if signed else None
    return stage.sealed_to_bob(container.write_padded(container.Type.ENVELOPE, fields, key=key))
