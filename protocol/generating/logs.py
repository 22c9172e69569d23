"""log.json: logs of account records, their checkpoints and tiles, and what a client must say of them."""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from generating import age
from generating.forms import HOST, b64, sha256

ORIGIN = f"{HOST}/tlog"
_SIZES = (0, 1, 5, 256, 300)
_WIDTH = 256


def make(vectors):
    honest = [entry(f"p{number}@{HOST}", f"record {number}".encode()) for number in range(300)]
    forked = [*honest[:2], entry(f"p2@{HOST}", b"another record"), *honest[3:]]
    own, foreign = Key("log"), Key("another log")
    logs = {"honest": honest, "forked": forked}
    notes = {f"honest {size}": own.note(honest[:size]) for size in _SIZES}
    notes |= {f"forked {size}": own.note(forked[:size]) for size in (1, 5, 300)}
    notes["foreign 5"] = foreign.note(honest[:5])
    notes["elsewhere 5"] = own.note(honest[:5], origin="other.example/tlog")
    notes["changed 5"] = notes["honest 5"].replace("\n5\n", "\n6\n")
    notes["no checkpoint"] = own.sign(f"{ORIGIN}\n")
    vectors.add_json(
        "log.json",
        {
            "origin": ORIGIN,
            "keys": {"own": own.text, "foreign": foreign.text},
            "notes": notes,
            "tiles": {name: tiles(entries) for name, entries in logs.items()},
            "following": list(_following()),
            "records": list(_records()),
        },
    )


def entry(acct, record):
    return sha256(b"restante/1 log\x00" + acct.encode()) + sha256(record)


class Key:
    """A log's key."""

    def __init__(self, label):
        self.key = Ed25519PrivateKey.from_private_bytes(age.drawn(f"{label} key", 32))
        public = b"\x01" + self.key.public_key().public_bytes_raw()
        self.id = sha256(ORIGIN.encode() + b"\n" + public)[:4]
        self.text = f"{ORIGIN}+{self.id.hex()}+{standard(public)}"

    def note(self, entries, origin=ORIGIN):
        return self.sign(f"{origin}\n{len(entries)}\n{standard(tree(entries))}\n")

    def sign(self, text):
        return f"{text}\n\u2014 {ORIGIN} {standard(self.id + self.key.sign(text.encode()))}\n"


def standard(data):
    return base64.b64encode(data).decode()


def tree(entries):
    """RFC 6962 section 2.1."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0])
    half = 1
    while half * 2 < len(entries):
        half *= 2
    return sha256(b"\x01" + tree(entries[:half]) + tree(entries[half:]))


def tiles(entries):
    """Every tile of every size, by its path."""
    made = {}
    for size in _SIZES:
        for level in (0, 1):
            span = _WIDTH**level
            hashes = [tree(entries[at * span : (at + 1) * span]) for at in range(size // span)]
            for index in range((len(hashes) + _WIDTH - 1) // _WIDTH):
                part = hashes[index * _WIDTH : (index + 1) * _WIDTH]
                suffix = f".p/{len(part)}" if len(part) < _WIDTH else ""
                made[f"tile/{level}/{index:03}{suffix}"] = b64(b"".join(part))
    return made


def _following():
    """From what was seen (null: nothing yet) to what is shown now, and what must be said of it."""
    for old in _SIZES:
        for new in _SIZES:
            expect = "success" if old <= new else "log-rollback"
            yield _step(f"honest {old}", f"honest {new}", "honest", expect)
    for note in ("honest 0", "honest 300", "forked 5"):
        yield _step(None, note, "honest", "success")
    yield _step("honest 5", "forked 5", "forked", "log-forked")
    yield _step("honest 5", "forked 300", "forked", "log-forked")
    yield _step("honest 256", "forked 300", "forked", "log-forked")
    yield _step("forked 5", "honest 300", "honest", "log-forked")
    yield _step("honest 5", "honest 300", "forked", "log-forked")
    yield _step("honest 1", "forked 5", "forked", "success")  # they part later
    yield _step("honest 5", "foreign 5", "honest", "log-signature")
    yield _step("honest 5", "foreign 5", "honest", "log-key-changed", key="foreign")
    yield _step(None, "foreign 5", "honest", "success", key="foreign")
    yield _step("honest 5", "elsewhere 5", "honest", "log-malformed")
    yield _step("honest 5", "changed 5", "honest", "log-signature")
    yield _step(None, "no checkpoint", "honest", "log-malformed")


def _step(seen, shown, log, expect, key="own"):
    return {"seen": seen, "shown": shown, "key": key, "tiles": log, "expect": expect}


def _records():
    """Whether a record stands in the log of a checkpoint where the server says."""
    for size, leaf in ((1, 0), (5, 0), (5, 4), (256, 255), (300, 0), (300, 255), (300, 256), (300, 299)):
        yield _claim(size, leaf, leaf, "success")
    yield _claim(5, 5, 5, "log-omission")
    yield _claim(0, 0, 0, "log-omission")
    yield _claim(300, 4, 5, "log-omission")
    yield _claim(300, 300, 299, "log-omission")
    yield _claim(300, 2, 2, "success", log="forked")  # its own place is not asked for
    yield _claim(300, 3, 3, "log-omission", log="forked")


def _claim(size, leaf, number, expect, log="honest"):
    return {
        "checkpoint": f"honest {size}",
        "tiles": log,
        "leaf": leaf,
        "acct": f"p{number}@{HOST}",
        "record": b64(f"record {number}".encode()),
        "expect": expect,
    }
