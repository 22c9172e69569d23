"""receipts.json: signed confirmations, and audit lines with their hashes."""

import hashlib

from generating.forms import DAY, NOW, Person, an_id, b64, compact, container, fp

ANN, BOB, EVE = Person("ann"), Person("bob"), Person("eve")
DETAILS = b64(hashlib.sha256(b"details").digest())


def make(vectors):
    vectors.add_json(
        "receipts.json",
        {
            "spec": "receipts.md, audit.md",
            "now": NOW,
            "message": {"id": an_id("msg", "confirmed"), "details": DETAILS, "sent_to": [BOB.acct]},
            "me": {"acct": ANN.acct, "sign": ANN.sign},
            "by": {"acct": BOB.acct, "sign": BOB.sign},
            "kind": "played",
            "receipts": list(_receipts()),
            "audit": _audit(),
        },
    )


def _content(**changes):
    plain = {
        "id": an_id("msg", "confirmed"),
        "kind": "played",
        "at": NOW,
        "from": {"acct": BOB.acct},
        "to": {"acct": ANN.acct, "fp": fp(ANN.public)},
        "details": DETAILS,
    }
    return plain | changes


def _receipts():
    def case(name, code, raw):
        return {"name": name, "code": code, "raw": b64(raw)}

    def signed(content, person=BOB, kind="restante/1 receipt"):
        return container(kind, content, person)

    yield case("ok", None, signed(_content()))
    yield case("ok-a-day-ahead", None, signed(_content(at=NOW + DAY)))
    yield case("too-far-ahead", "from-the-future", signed(_content(at=NOW + DAY + 1)))
    yield case("unsigned", "signature-missing", signed(_content(), None))
    yield case("signed-by-another", "receipt-forged", signed(_content(), EVE))
    yield case("altered", "signature-bad", signed(_content()).replace(b'"played"', b'"player"'))
    yield case("not-a-receipt", "container-type", signed(_content(), kind="restante/1 state"))
    yield case("too-large", "container-too-large", signed(_content(pad="0" * 2048)))
    yield case("no-time", "receipt-malformed", signed({k: v for k, v in _content().items() if k != "at"}))
    yield case("unknown-kind", "receipt-malformed", signed(_content(kind="seen")))
    for name, changes in {
        "other-kind": {"kind": "delivered"},
        "other-message": {"id": an_id("msg", "another")},
        "other-details": {"details": b64(hashlib.sha256(b"others").digest())},
        "of-another-recipient": {"from": {"acct": EVE.acct}},
        "for-another-sender": {"to": {"acct": EVE.acct, "fp": fp(ANN.public)}},
        "for-another-key": {"to": {"acct": ANN.acct, "fp": fp(EVE.public)}},
    }.items():
        yield case(name, "receipt-of-other", signed(_content(**changes)))


def _audit():
    """A chain of two lines: text and hash of each."""
    prev, lines = b64(bytes(32)), []
    for seq, act in ((1, "deleted"), (2, "removed")):
        by = "ann" if act == "deleted" else None
        line = {"seq": seq, "at": NOW + seq, "act": act, "message": an_id("msg", "confirmed"), "by": by}
        text = compact(line | {"details": DETAILS, "prev": prev}).decode()
        prev = b64(hashlib.sha256(b"restante/1 audit\0" + text.encode()).digest())
        lines.append({"line": text, "sha256": prev})
    return lines
