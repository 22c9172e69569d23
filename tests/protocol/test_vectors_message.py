"""Envelopes, details and videos against protocol/vectors/; videos whole, streamed, byte by byte and by range."""

import hashlib
import json

import pytest

from restante.crypto import receiving
from restante.crypto.age import X25519Identity, parse_identity
from restante.crypto.details import Kind, open_details
from restante.crypto.pins import Pin
from restante.crypto.video import VideoManifest, VideoOpener
from restante.crypto.video_reader import VideoReader
from restante.protocol.encoding import unb64
from restante.signing.errors import ProtocolError
from tests.protocol import vector_files


def vectors(name):
    return pytest.mark.parametrize("vector", vector_files.family(name), ids=lambda vector: vector.name)


def pinned(vector):
    entries = [json.loads(text) for text in vector.texts("pin")]
    return {entry["acct"]: pin_of(entry) for entry in entries}.get


def pin_of(entry):
    return Pin(era=0, rev=1, record="", sign=entry["sign"], former=tuple(entry.get("former", ())))


def open_from_box(vector):
    now_ms = vector.number("now")
    identity = parse_identity(vector.text("identity"))
    if vector.text("box") == "link":
        return receiving.open_link_envelope(
            vector.body, identity=identity, pinned=pinned(vector), now_ms=now_ms
        )
    keys = tuple(unb64(text) for text in vector.texts("sign"))
    me = receiving.Me(vector.text("acct"), keys, frozenset(vector.texts("alias")))
    if vector.text("box") == "sent":
        return receiving.open_own_copy(vector.body, identities=[identity], me=me, now_ms=now_ms)
    seen = vector.json("seen") or {"id": None, "digest": None}
    return receiving.open_envelope(
        vector.body,
        identities=[identity],
        me=me,
        pinned=pinned(vector),
        seen=lambda message_id, _: {seen["id"]: seen["digest"]}.get(message_id),
        now_ms=now_ms,
    )


@vectors("envelope")
def test_envelope(vector):
    opened, code = vector_files.outcome(lambda: open_from_box(vector))
    assert code == vector.refusal()
    if opened is None:
        return
    assert opened.trust.value == vector.text("trust", opened.trust.value)
    assert opened.fields.id == vector.text("id", opened.fields.id)
    assert opened.digest == vector.text("digest", opened.digest)
    assert opened.seen_shard == vector.text("seen-shard", opened.seen_shard)


@vectors("forward")
def test_forward(vector):
    opened, code = vector_files.outcome(lambda: open_from_box(vector))
    assert code == vector.refusal()
    if opened is None:
        return
    assert (opened.trust.value, opened.digest) == (vector.text("trust"), vector.text("digest"))
    assert opened.fields.from_.acct == vector.text("from")
    assert (opened.original.acct or "-") == vector.text("original")
    assert opened.original.name == vector.text("original-name")
    assert opened.original.created == vector.number("original-created")


@vectors("details")
def test_details(vector):
    key = X25519Identity.parse(vector.text("key"))
    sha256, kind = unb64(vector.text("sha256")), Kind(vector.text("kind"))
    details, code = vector_files.outcome(lambda: open_details(vector.body, key, sha256=sha256, kind=kind))
    assert code == vector.refusal()
    assert details is None or details.caption == vector.text("caption")


def edited(vector):
    data = bytearray((vector_files.FOLDER / "video" / vector.text("base")).read_bytes())
    for edit in vector.texts("edit"):
        _edit(data, *edit.split())
    return bytes(data)


def _edit(data, verb, *args):
    part = 262_144
    match verb:
        case "flip":
            data[int(args[0])] ^= 1
        case "cut":
            del data[int(args[0]) :]
        case "append":
            data += bytes.fromhex(args[0])
        case "swap" | "copy":
            one, two = (slice(int(arg) * part, (int(arg) + 1) * part) for arg in args)
            first, second = data[one], data[two]
            data[two] = first
            if verb == "swap":
                data[one] = second
        case _:
            raise AssertionError(verb)


def manifest(vector):
    return VideoManifest(vector.number("size"), tuple(unb64(text) for text in vector.texts("part")))


def streamed(data, key, signed, *, step):
    """What is released and how it ends."""
    opener, released = VideoOpener(key, signed), bytearray()
    try:
        for start in range(0, len(data), step):
            released += opener.update(data[start : start + step])
        released += opener.finish()
    except ProtocolError as error:
        return bytes(released), error.code
    return bytes(released), None


@pytest.mark.parametrize("step", [2**30, 65_536, 9_973], ids=["whole", "streamed", "odd"])
@vectors("video")
def test_video_streamed(vector, step):
    released, code = streamed(
        edited(vector), X25519Identity.parse(vector.text("key")), manifest(vector), step=step
    )
    assert code == vector.refusal()
    assert len(released) == vector.number("released")
    assert hashlib.sha256(released).hexdigest() == vector.text("released-sha256")


@pytest.mark.parametrize("name", ["ok-short", "swapped-by-co-recipient", "byte-added", "cut-in-part"])
def test_video_byte_by_byte(name):
    vector = vector_files.read(vector_files.FOLDER / "video" / name)
    released, code = streamed(
        edited(vector), X25519Identity.parse(vector.text("key")), manifest(vector), step=1
    )
    assert code == vector.refusal()
    assert len(released) == vector.number("released")


@vectors("video")
def test_video_by_range(vector):
    data = edited(vector)

    def read_all():
        reader = VideoReader(
            lambda offset, length: data[offset : offset + length],
            X25519Identity.parse(vector.text("key")),
            manifest(vector),
        )
        return hashlib.sha256(b"".join(reader.stream())).hexdigest()

    if vector.name == "byte-added":  # what follows the signed size is never asked for
        assert vector_files.outcome(read_all)[1] is None
    else:
        digest, code = vector_files.outcome(read_all)
        assert code == vector.refusal()
        assert digest in (None, vector.text("released-sha256"))
