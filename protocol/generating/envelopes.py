"""envelope/: each check of a receiver, one fault per file.

All but the post-quantum ones are sealed to an X25519 identity, so that they come out the same each time.
"""

from generating import age
from generating.forms import DAY, NOW, Person, an_id, b64, container, fp, padded, sha256

ENVELOPE = "restante/1 envelope"
_SPEC = "envelopes.md, Receiving"
KEY = age.drawn("message key", 32)
ANN, BOB, EVE = Person("ann"), Person("bob"), Person("eve")
LINK = age.drawn("link identity", 32)
MESSAGE = an_id("msg", "message")


def fields(**changes):
    base = {
        "id": MESSAGE,
        "kind": "video",
        "created": NOW,
        "to": {"acct": BOB.acct, "fp": fp(BOB.public)},
        "from": {"acct": ANN.acct, "name": "Ann"},
        "key": age.identity_text(KEY),
        "details": b64(sha256(b"details")),
        "upload": an_id("upl", "upload"),
    }
    merged = base | {key.rstrip("_"): value for key, value in changes.items()}
    return {key: value for key, value in merged.items() if value != "absent"}


def link_fp(secret):
    return b64(sha256(b"restante/1 link\x00" + age.recipient_text(secret).encode())[:16])


def digest(plaintext):
    return b64(sha256(plaintext)[:8])


def make(vectors):
    case = _Cases(vectors)
    _good(case)
    _sealing(case)
    _container(case)
    _content(case)
    _sender(case)
    _recipient(case)
    _replay_and_date(case)


class _Cases:
    """Adds envelopes that Bob receives; what a case says replaces what is usual."""

    def __init__(self, vectors):
        self.vectors = vectors

    def plain(self, name, expect, plaintext, **keys):
        self.sealed(name, expect, age.seal(plaintext, BOB.x25519, label=f"envelope {name}"), **keys)

    def sealed(self, name, expect, body, **keys):
        usual = {
            "box": "inbox",
            "identity": age.identity_text(BOB.x25519),
            "acct": BOB.acct,
            "sign": BOB.sign,
            "pin": {"acct": ANN.acct, "sign": ANN.sign},
            "now": str(NOW),
        }
        merged = {key: value for key, value in (usual | keys).items() if value is not None}
        self.vectors.add(f"envelope/{name}", expect, _SPEC, body, **merged)

    def made(self, name, expect, content, *, by=ANN, **keys):
        self.plain(name, expect, padded(ENVELOPE, content, by), **keys)


def _good(case):
    plaintext = padded(ENVELOPE, fields(), ANN)
    told = {"trust": "pinned", "id": MESSAGE, "digest": digest(plaintext), "seen-shard": "seen-2027-01"}
    case.plain("ok", "success", plaintext, **told)
    case.made("ok-first-contact", "success", fields(), pin=None, trust="first")
    case.made("ok-former-key", "success", fields(), trust="former", pin=_pin(EVE.sign, former=[ANN.sign]))
    case.made("ok-unsigned", "success", fields(from_=None), by=None, trust="unsigned")
    case.made("ok-unsigned-name", "success", fields(from_={"name": "Ann"}), by=None, trust="unsigned")
    case.made("ok-unknown-key", "success", fields(later={"a": [1]}), trust="pinned")
    case.made(
        "ok-alias",
        "success",
        fields(to={"acct": "bob@old.example", "fp": fp(BOB.public)}),
        alias="bob@old.example",
    )
    case.made("ok-a-day-ahead", "success", fields(created=NOW + DAY), trust="pinned")
    case.made("ok-months-old", "success", fields(created=NOW - 300 * DAY), trust="pinned")
    case.made("ok-text", "success", fields(kind="text", upload="absent"), trust="pinned")
    case.plain("ok-seen-same", "success", plaintext, seen={"id": MESSAGE, "digest": digest(plaintext)})
    case.made("ok-to-myself", "success", _to_bob_himself(), by=BOB, trust="own")
    case.made("ok-own-copy", "success", _to_bob_himself(sent_to=[ANN.acct]), by=BOB, box="sent", trust="own")
    body = age.seal(padded(ENVELOPE, fields(to={"link": link_fp(LINK)}), ANN), LINK, label="envelope link")
    case.sealed(
        "ok-link",
        "success",
        body,
        box="link",
        identity=age.identity_text(LINK),
        acct=None,
        sign=None,
        trust="pinned",
    )
    pq = age.seal_hybrid(plaintext, BOB.pq, label="envelope pq")
    case.sealed(
        "ok-pq", "success", pq, random=True, identity=age.hybrid_identity_text(BOB.pq), trust="pinned"
    )


def _pin(sign, *, former=()):
    return {"acct": ANN.acct, "sign": sign, "former": list(former)}


def _to_bob_himself(**changes):
    return fields(from_={"acct": BOB.acct, "name": "Bob"}, **changes)


def _sealing(case):
    plaintext = padded(ENVELOPE, fields(), ANN)
    good = age.seal(plaintext, BOB.x25519, label="envelope sealing")
    case.sealed("no-match", "envelope-no-match", age.seal(plaintext, EVE.x25519, label="envelope no match"))
    two = age.seal(plaintext, BOB.x25519, EVE.x25519, label="envelope two stanzas")
    case.sealed("two-stanzas", "envelope-damaged", two)
    mac = good.index(b"--- ") + 4
    for name, place in {
        "share": 40,
        "mac": mac,
        "nonce": mac + 50,
        "middle": 2000,
        "last": len(good) - 1,
    }.items():
        body = good[:place] + bytes([good[place] ^ 2]) + good[place + 1 :]
        case.sealed(f"flipped-{name}", "envelope-no-match" if name == "share" else "envelope-damaged", body)
    for name, cut in {
        "empty": 0,
        "in-header": 100,
        "before-payload": mac + 44,
        "one-byte": len(good) - 1,
    }.items():
        case.sealed(f"cut-{name}", "envelope-damaged", good[:cut])
    case.sealed("trailing-byte", "envelope-damaged", good + b"\x00")
    case.sealed("armored", "envelope-damaged", b"-----BEGIN AGE ENCRYPTED FILE-----\n" + good)
    case.made("too-large", "envelope-too-large", fields(filler="x" * 24_576))
    case.made("plaintext-too-large", "container-too-large", fields(filler="x" * 16_000))


def _container(case):
    content = fields()
    case.plain("type-keyring", "container-type", container("restante/1 keyring", content, ANN))
    case.plain("type-state", "container-type", container("restante/1 state", content, ANN))
    case.plain("type-unknown", "needs-newer-version", container("restante/1 parcel", content, ANN))
    case.plain("no-container", "container-malformed", b'{"id":"x"}')
    good = padded(ENVELOPE, content, ANN)
    case.plain("altered-by-recipient", "signature-bad", good.replace(b'"Ann"', b'"Amy"'))
    case.plain("signer-replaced", "signature-bad", good.replace(ANN.sign.encode(), EVE.sign.encode()))


def _content(case):
    bad = {
        "id-upper-case": ("envelope-malformed", {"id": MESSAGE.upper()}),
        "id-of-an-upload": ("envelope-malformed", {"id": an_id("upl", "upload")}),
        "id-not-canonical": ("envelope-malformed", {"id": MESSAGE[:-1] + "b"}),
        "video-without-upload": ("envelope-malformed", {"upload": "absent"}),
        "text-with-upload": ("envelope-malformed", {"kind": "text"}),
        "details-short": ("envelope-malformed", {"details": b64(bytes(31))}),
        "to-nobody": ("envelope-malformed", {"to": {}}),
        "to-both": (
            "envelope-malformed",
            {"to": {"acct": BOB.acct, "fp": fp(BOB.public), "link": link_fp(LINK)}},
        ),
        "to-without-fp": ("envelope-malformed", {"to": {"acct": BOB.acct}}),
        "from-malformed": ("envelope-malformed", {"from_": {"acct": "ann"}}),
        "key-post-quantum": ("envelope-malformed", {"key": age.hybrid_identity_text(KEY)}),
        "key-lower-case": ("envelope-malformed", {"key": age.identity_text(KEY).lower() + "x"}),
        "reply-to-malformed": ("envelope-malformed", {"reply_to": "x"}),
        "kind-unknown": ("needs-newer-version", {"kind": "hologram"}),
        "from-absent": ("payload-malformed", {"from_": "absent"}),
        "key-absent": ("payload-malformed", {"key": "absent"}),
        "created-negative": ("payload-malformed", {"created": -1}),
        "created-text": ("payload-malformed", {"created": str(NOW)}),
    }
    for name, (expect, changes) in bad.items():
        case.made(f"content-{name}", expect, fields(**changes))
    doubled = b'{"id":"x",' + padded(ENVELOPE, fields(), ANN).split(b"\n", 3)[3][1:]
    case.plain("content-duplicate-key", "payload-malformed", container(ENVELOPE, doubled, ANN))


def _sender(case):
    case.made("unsigned-with-account", "sender-not-signed", fields(), by=None)
    case.made("signed-by-nobody", "signer-unnamed", fields(from_=None))
    case.made("signed-without-account", "signer-unnamed", fields(from_={"name": "Ann"}))
    case.made("signed-by-another", "wrong-signer", fields(), by=EVE)
    case.made("signed-by-another-as-me", "wrong-signer", _to_bob_himself(), by=EVE)
    case.made("own-copy-by-another", "wrong-signer", fields(sent_to=[ANN.acct]), box="sent")


def _recipient(case):
    to_eve = {"acct": EVE.acct, "fp": fp(EVE.public)}
    case.made("retargeted", "wrong-recipient", fields(to=to_eve))
    case.made("retargeted-name-only", "wrong-recipient", fields(to={"acct": EVE.acct, "fp": fp(BOB.public)}))
    case.made("retargeted-key-only", "wrong-recipient", fields(to={"acct": BOB.acct, "fp": fp(EVE.public)}))
    case.made("retargeted-from-link", "wrong-recipient", fields(to={"link": link_fp(LINK)}))
    link = {"box": "link", "identity": age.identity_text(LINK), "acct": None, "sign": None}
    for name, to in {"account": to_eve, "other-link": {"link": link_fp(KEY)}}.items():
        body = age.seal(padded(ENVELOPE, fields(to=to), ANN), LINK, label=f"envelope link {name}")
        case.sealed(f"link-retargeted-from-{name}", "wrong-recipient", body, **link)
    case.made("own-copy-in-inbox", "wrong-box", _to_bob_himself(sent_to=[ANN.acct]), by=BOB)
    case.made("message-among-own-copies", "wrong-box", _to_bob_himself(), by=BOB, box="sent")


def _replay_and_date(case):
    case.made(
        "same-id-other-bytes", "message-id-reused", fields(), seen={"id": MESSAGE, "digest": digest(b"other")}
    )
    case.made("a-day-and-a-millisecond-ahead", "from-the-future", fields(created=NOW + DAY + 1))
    case.made("end-of-numbers", "from-the-future", fields(created=2**53 - 1))
