"""The C2SP vectors: each opens, or is refused for the very reason it was made for, however it is cut."""

import hashlib
import itertools
import random
import sys
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from restante.crypto.age import (
    AgeError,
    BadMac,
    HeaderError,
    NoMatch,
    PayloadError,
    Reader,
    Unsealer,
    X25519Identity,
    parse_identity,
)

TESTDATA = Path("protocol/vectors/cctv/testdata")
SMALL = 300_000
"""Byte by byte up to here; the vectors of 16 MiB near each chunk's border only."""
SEALED_CHUNK = 65_552
NOT_READ = {
    "armored": "ASCII armour: files are binary only",
    "passphrase": "scrypt recipient: passphrases go through Argon2id to an X25519 identity",
}
REASONS = {
    "HMAC failure": BadMac,
    "header failure": HeaderError,
    "no match": NoMatch,
    "payload failure": PayloadError,
}


@dataclass(frozen=True)
class Vector:
    name: str
    keys: dict
    identities: tuple
    data: bytes

    @property
    def not_read(self):
        """The kind of vector that Restante refuses whole, if it is one; one scrypt vector has an identity."""
        if "armored" in self.keys:
            return "armored"
        return "passphrase" if "passphrase" in self.keys and not self.identities else None


def load(path):
    head, _, data = path.read_bytes().partition(b"\n\n")
    pairs = [line.split(": ", 1) for line in head.decode().splitlines()]
    keys = dict(pairs)
    identities = tuple(parse_identity(value) for key, value in pairs if key == "identity")
    return Vector(path.name, keys, identities, zlib.decompress(data) if "compressed" in keys else data)


VECTORS = [load(path) for path in sorted(TESTDATA.iterdir())]
JUDGED = [vector for vector in VECTORS if vector.not_read is None]
REFUSED = [vector for vector in VECTORS if vector.not_read]


def whole(data):
    return [data]


def odd(data):
    """Pieces of odd sizes up to two chunks, the same in every run."""
    draw, pieces, at = random.Random(len(data)), [], 0
    while at < len(data):
        size = draw.choice((1, 15, 16, 17, 211, 4_099, 65_551, 65_553, 131_101))
        pieces.append(data[at : at + size])
        at += size
    return pieces


def bytewise(data):
    if len(data) <= SMALL:
        return [data[at : at + 1] for at in range(len(data))]
    header = data.index(b"\n--- ") + 49
    borders = [header + 16 + SEALED_CHUNK * number for number in range(len(data) // SEALED_CHUNK + 2)]
    cuts = {0, len(data), *range(header + 16)}
    cuts.update(border + near for border in borders for near in range(-20, 21))
    at = sorted(cut for cut in cuts if cut <= len(data))
    return [data[start:end] for start, end in itertools.pairwise(at)]


def attempt(pieces, identities):
    """Returns what was released, and the refusal or None."""
    released, unsealer = [], Unsealer(*identities)
    try:
        released.extend(unsealer.update(piece) for piece in pieces)
        released.append(unsealer.finish())
    except AgeError as error:
        return b"".join(released), error
    return b"".join(released), None


@pytest.mark.parametrize("cut", [whole, odd, bytewise])
@pytest.mark.parametrize("vector", JUDGED, ids=lambda vector: vector.name)
def test_vector_opens_or_is_refused_for_its_reason(vector, cut):
    pieces = cut(vector.data)
    assert b"".join(pieces) == vector.data
    released, error = attempt(pieces, vector.identities)
    assert hashlib.sha256(released).hexdigest() == vector.keys.get("payload", hashlib.sha256(b"").hexdigest())
    if vector.keys["expect"] == "success":
        assert error is None
    else:
        assert isinstance(error, REASONS[vector.keys["expect"]])
        assert isinstance(error, BadMac) == (vector.keys["expect"] == "HMAC failure")


@pytest.mark.parametrize("vector", JUDGED, ids=lambda vector: vector.name)
def test_vector_read_by_range_gives_the_same(vector):
    released, error = [], None
    try:
        reader = Reader(
            lambda at, length: vector.data[at : at + length], len(vector.data), *vector.identities
        )
        released.extend(reader.stream())
    except AgeError as caught:
        error = caught
    if vector.keys["expect"] == "success":
        assert error is None
        assert hashlib.sha256(b"".join(released)).hexdigest() == vector.keys["payload"]
    else:
        assert isinstance(error, REASONS[vector.keys["expect"]])
        sequential, _ = attempt([vector.data], vector.identities)
        assert sequential.startswith(b"".join(released))


@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: vector.name)
def test_vector_of_a_form_not_read_is_refused_whole(vector):
    released, error = attempt([vector.data], vector.identities or [X25519Identity.generate()])
    assert released == b""
    assert isinstance(error, HeaderError if vector.not_read == "armored" else HeaderError | NoMatch)


def test_every_vector_is_judged_or_its_form_named(capsys):
    assert len(VECTORS) == 143
    count = Counter(vector.not_read for vector in VECTORS)
    assert count == {None: 86, "armored": 33, "passphrase": 24}
    with capsys.disabled():
        print(
            f"\nCCTV: {count[None]} of {len(VECTORS)} vectors judged exactly; refused whole, as they must be:",
            file=sys.stderr,
        )
        for kind, reason in NOT_READ.items():
            names = " ".join(vector.name for vector in REFUSED if vector.not_read == kind)
            print(f"  {count[kind]} ({reason}): {names}", file=sys.stderr)
