"""record/, chain/, succession/, pin/: account records alone, after one another, and against what a contact remembers."""

from generating import age
from generating.forms import DAY, NOW, Person, b64, container, sha256

ACCOUNT = "restante/1 account"
_SPEC = "account-record.md"


def fields(person, *, rev=1, prev=None, **changes):
    enc = {
        "id": "enc_first",
        "recipient": age.hybrid_recipient_text(person.pq),
        "from": NOW,
        "until": NOW + 400 * DAY,
    }
    base = {
        "acct": person.acct,
        "rev": rev,
        "sign": person.sign,
        "sign_alg": "ed25519",
        "enc": [enc],
        "prev": b64(sha256(prev)) if prev else None,
        "created": NOW + rev,
        "until": NOW + rev + 400 * DAY,
    }
    return base | changes


def record(person, **options):
    return container(ACCOUNT, fields(person, **options), person)


def succession(old, new, /, *, acct=None, signer=None, **changes):
    content = {"acct": acct or old.acct, "old": old.sign, "new": new.sign, "created": NOW} | changes
    return container("restante/1 succession", content, signer or old)


def make(vectors):
    _alone(vectors)
    _chains(vectors)
    _successions(vectors)
    _pins(vectors)


def _alone(vectors):
    ann, bob = Person("ann"), Person("bob")
    good = record(ann)
    vectors.add("record/ok", "success", _SPEC, good, acct=ann.acct, rev="1", sha256=b64(sha256(good)))
    enc = fields(ann)["enc"][0]
    faults = {
        "unsigned": ("signature-missing", container(ACCOUNT, fields(ann))),
        "not-self-signed": ("record-not-self-signed", container(ACCOUNT, fields(ann), bob)),
        "algorithm-unknown": ("needs-newer-version", record(ann, sign_alg="ml-dsa-65")),
        "valid-for-401-days": ("record-validity", record(ann, until=NOW + 1 + 401 * DAY)),
        "valid-for-a-millisecond-more": ("record-validity", record(ann, until=NOW + 2 + 400 * DAY)),
        "valid-for-nothing": ("record-validity", record(ann, until=NOW + 1)),
        "acct-without-server": ("record-malformed", record(ann, acct="ann")),
        "acct-upper-case": ("record-malformed", record(ann, acct="Ann@post.example")),
        "first-with-prev": ("record-malformed", record(ann, prev=good)),
        "second-without-prev": ("record-malformed", record(ann, rev=2)),
        "prev-short": (
            "record-malformed",
            container(ACCOUNT, fields(ann, rev=2) | {"prev": b64(bytes(31))}, ann),
        ),
        "rev-0": ("payload-malformed", record(ann, rev=0)),
        "rev-text": ("payload-malformed", container(ACCOUNT, fields(ann) | {"rev": "1"}, ann)),
        "no-encryption-key": ("record-malformed", record(ann, enc=[])),
        "encryption-key-twice": ("record-malformed", record(ann, enc=[enc, enc])),
        "encryption-key-not-hybrid": (
            "record-malformed",
            record(ann, enc=[enc | {"recipient": age.recipient_text(ann.state)}]),
        ),
        "encryption-key-without-time": ("record-malformed", record(ann, enc=[enc | {"until": enc["from"]}])),
        "too-large": ("container-too-large", record(ann, filler="x" * 8192)),
        "envelope": ("container-type", container("restante/1 envelope", fields(ann), ann)),
    }
    for name, (expect, body) in faults.items():
        vectors.add(f"record/{name}", expect, _SPEC, body)


def _chains(vectors):
    ann, bob, new = Person("ann"), Person("bob"), Person("ann", generation=" 2")
    first = record(ann)
    second = record(ann, rev=2, prev=first)
    handed = b64(succession(ann, new))
    cases = {
        "ok": ("success", first, second),
        "ok-succession": ("success", first, record(new, rev=2, prev=first, succession=handed)),
        "same": ("record-rollback", first, first),
        "older": ("record-rollback", second, first),
        "gap": ("record-chain-broken", first, record(ann, rev=3, prev=second)),
        "prev-of-another": ("record-chain-broken", first, record(ann, rev=2, prev=second)),
        "other-account": ("record-other-account", first, record(bob, rev=2, prev=first)),
        "new-key": ("record-key-changed", first, record(new, rev=2, prev=first)),
        "succession-of-nothing": ("succession-bad", first, record(ann, rev=2, prev=first, succession=handed)),
        "succession-by-new-key": (
            "succession-bad",
            first,
            _after(first, new, succession(ann, new, signer=new)),
        ),
        "succession-by-stranger": (
            "succession-bad",
            first,
            _after(first, new, succession(ann, new, signer=bob)),
        ),
        "succession-to-another": ("succession-bad", first, _after(first, new, succession(ann, bob))),
        "succession-of-other-account": (
            "succession-bad",
            first,
            _after(first, new, succession(ann, new, acct=bob.acct)),
        ),
        "succession-unsigned": ("succession-bad", first, _after(first, new, _unsigned(ann, new))),
        "succession-not-base64url": ("succession-bad", first, record(new, rev=2, prev=first, succession="?")),
    }
    for name, (expect, previous, following) in cases.items():
        vectors.add(f"chain/{name}", expect, _SPEC + ", Chain", following, previous=b64(previous))


def _successions(vectors):
    """Each is read as one that leads ann from her first key to her second."""
    ann, bob, new = Person("ann"), Person("bob"), Person("ann", generation=" 2")
    right = succession(ann, new)
    kind, signer, signature, payload = right.split(b"\n", 3)
    bodies = {
        "by-the-new-key": succession(ann, new, signer=new),
        "by-a-stranger": succession(ann, new, signer=bob),
        "to-another-key": succession(ann, bob),
        "from-another-key": succession(ann, new, old=bob.sign),
        "to-the-same-key": succession(ann, new, new=ann.sign),
        "of-another-account": succession(ann, new, acct=bob.acct),
        "unsigned": _unsigned(ann, new),
        "signature-of-another-date": b"\n".join((kind, signer, signature, payload.replace(b"1800", b"1801"))),
        "alias": container("restante/1 alias", {"old": ann.acct, "new": bob.acct, "sign": ann.sign}, ann),
        "as-an-alias": right.replace(b"succession", b"alias", 1),
        "later-version": right.replace(b"restante/1", b"restante/2", 1),
        "without-date": succession(ann, new, created=None),
        "date-in-words": succession(ann, new, created="today"),
        "too-large": succession(ann, new, filler="x" * 1024),
        "no-json": container("restante/1 succession", b"hello", ann),
        "key-twice": container("restante/1 succession", payload.replace(b"{", b'{"acct":"x",', 1), ann),
        "empty": b"",
    }
    keys = {"acct": ann.acct, "old": ann.sign, "new": new.sign}
    spec = _SPEC + ", Chain"
    vectors.add("succession/ok", "success", spec, right, **keys)
    vectors.add("succession/ok-unknown-keys", "success", spec, succession(ann, new, later=[1]), **keys)
    for name, body in bodies.items():
        vectors.add(f"succession/{name}", "succession-bad", spec, body, **keys)


def _after(first, new, handed):
    return record(new, rev=2, prev=first, succession=b64(handed))


def _unsigned(old, new):
    return container(
        "restante/1 succession", {"acct": old.acct, "old": old.sign, "new": new.sign, "created": NOW}
    )


def _pins(vectors):
    ann, new, thief = Person("ann"), Person("ann", generation=" 2"), Person("ann", generation=" 3")
    r1 = record(ann)
    r2 = record(ann, rev=2, prev=r1)
    r3 = record(ann, rev=3, prev=r2)
    s3 = record(new, rev=3, prev=r2, succession=b64(succession(ann, new)))
    fork2 = record(ann, rev=2, prev=r1, until=NOW + DAY)
    at_1, at_2, at_s3 = _pin(ann, 1, r1), _pin(ann, 2, r2), _pin(new, 3, s3, former=[ann.sign])
    cases = {
        "ok-same": ("success", at_2, [r2], at_2),
        "ok-two-steps": ("success", at_1, [r1, r2, r3], _pin(ann, 3, r3)),
        "ok-earlier-history": ("success", at_2, [r1, r2, r3], _pin(ann, 3, r3)),
        "ok-succession": ("success", at_2, [r2, s3], at_s3),
        "ok-succession-seen-again": ("success", at_s3, [r1, r2, s3], at_s3),
        "rolled-back": ("record-rollback", at_2, [r1], None),
        "rolled-back-before-succession": ("record-rollback", at_s3, [r1, r2], None),
        "forked": ("record-forked", at_2, [r1, fork2], None),
        "gap": ("record-chain-broken", at_1, [r1, r3], None),
        "unanchored": ("record-chain-broken", at_1, [r2, r3], None),
        "key-changed": ("safety-number-changed", at_1, [r1, record(thief, rev=2, prev=r1)], None),
        "name-taken-over": ("safety-number-changed", at_2, [record(thief)], None),
        "other-account": ("record-other-account", at_1, [record(Person("bob"))], None),
    }
    for name, (expect, pin, history, moved) in cases.items():
        keys = {"pin": pin} | ({"moved": moved} if moved else {})
        history_text = [b64(data) for data in history]
        vectors.add(f"pin/{name}", expect, _SPEC + ", Pins", b"", acct=ann.acct, **keys, record=history_text)


def _pin(person, rev, data, *, former=()):
    return {"era": 0, "rev": rev, "record": b64(sha256(data)), "sign": person.sign, "former": list(former)}
