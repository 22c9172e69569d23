"""log.json: logs of account records, their checkpoints and tiles, and what a client must say of them."""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from generating import age
from generating.forms import HOST, NOW, b64, sha256

ORIGIN = f"{HOST}/tlog"
_SIZES = (0, 1, 5, 256, 300)
_WIDTH = 256
_NOW_S = NOW // 1000


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
    witness, other = Witness("witness.example"), Witness("other.example")
    notes["witnessed 5"] = notes["honest 5"] + witness.line(notes["honest 5"])
    notes["witnessed twice 300"] = (
        notes["honest 300"] + other.line(notes["honest 300"]) + witness.line(notes["honest 300"])
    )
    notes["witnessed elsewhere 5"] = notes["honest 5"] + witness.line(notes["forked 5"])
    notes["witnessed later 5"] = notes["honest 5"] + witness.line(notes["honest 5"], signed=_NOW_S - 1)
    vectors.add_json(
        "log.json",
        {
            "origin": ORIGIN,
            "keys": {"own": own.text, "foreign": foreign.text},
            "witnesses": {"witness": witness.text, "other": other.text},
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


class Witness:
    """Somebody who signs a log's checkpoints (https://c2sp.org/tlog-cosignature)."""

    def __init__(self, name):
        self.name = name
        self.key = Ed25519PrivateKey.from_private_bytes(age.drawn(f"{name} key", 32))
        public = b"\x04" + self.key.public_key().public_bytes_raw()
        self.id = sha256(name.encode() + b"\n" + public)[:4]
        self.text = f"{name}+{self.id.hex()}+{standard(public)}"

    def line(self, note, signed=_NOW_S):
        """Its signature; with ``signed``: over another time than the line says."""
        text = note[: note.index("\n\n") + 1]
        signature = self.key.sign(f"cosignature/v1\ntime {signed}\n{text}".encode())
        return f"\u2014 {self.name} {standard(self.id + _NOW_S.to_bytes(8, 'big') + signature)}\n"


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
    both = ["witness", "other"]
    yield _step("honest 5", "witnessed 5", "honest", "success", witnesses=["witness"])
    yield _step("honest 5", "witnessed 5", "honest", "log-unwitnessed", witnesses=both)
    yield _step("honest 5", "witnessed twice 300", "honest", "success", witnesses=both)
    yield _step("honest 5", "honest 300", "honest", "log-unwitnessed", witnesses=["witness"])
    yield _step("honest 5", "witnessed elsewhere 5", "honest", "log-unwitnessed", witnesses=["witness"])
    yield _step("honest 5", "witnessed elsewhere 5", "honest", "success")
    yield _step("honest 5", "witnessed later 5", "honest", "log-unwitnessed", witnesses=["witness"])


def _step(seen, shown, log, expect, *, key="own", witnesses=()):
    """``witnesses``: who must have signed, too."""
    step = {"seen": seen, "shown": shown, "key": key, "tiles": log, "expect": expect}
    return step | {"witnesses": list(witnesses)}


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
