"""forward/: messages that Bob passes on to Cat, as Bob, the server or a stranger may bend them; one fault per file."""

from generating import age
from generating.envelopes import ENVELOPE, digest, fields
from generating.forms import DAY, NOW, Person, an_id, b64, container, fp, padded, sha256

_SPEC = "envelopes.md, Forwarding"
ANN, BOB, CAT, EVE = (Person(name) for name in ("ann", "bob", "cat", "eve"))
LATER = NOW + DAY


def make(vectors):
    case = _Cases(vectors)
    _good(case)
    _original(case)
    _terms(case)
    _another_message(case)


class _Cases:
    """Adds what Cat receives; what a case says replaces what is usual."""

    def __init__(self, vectors):
        self.vectors = vectors

    def add(self, name, expect, content, *, by=BOB, **keys):
        plaintext = padded(ENVELOPE, content, by)
        usual = {
            "box": "inbox",
            "identity": age.identity_text(CAT.x25519),
            "acct": CAT.acct,
            "sign": CAT.sign,
            "pin": [_pin(BOB), _pin(ANN)],
            "now": str(LATER),
        }
        if expect == "success":
            usual |= {"trust": "pinned", "from": BOB.acct, "original": ANN.acct, "original_name": "Ann"}
            usual |= {"original_created": str(NOW), "digest": digest(plaintext)}
        merged = {key: value for key, value in (usual | keys).items() if value is not None}
        body = age.seal(plaintext, CAT.x25519, label=f"forward {name}")
        self.vectors.add(f"forward/{name}", expect, _SPEC, body, **merged)

    def of(self, name, expect, raw, **keys):
        """What Bob makes of an original."""
        self.add(name, expect, passed_on(raw), **keys)


def _pin(person, *, former=()):
    return {"acct": person.acct, "sign": person.sign, "former": [each.sign for each in former]}


def written(**changes):
    """What Ann wrote to Bob and allowed to be passed on."""
    return padded(ENVELOPE, fields(**({"may_forward": True} | changes)), ANN)


def passed_on(raw, **changes):
    usual = {
        "created": LATER,
        "to": {"acct": CAT.acct, "fp": fp(CAT.public)},
        "from_": {"acct": BOB.acct, "name": "Bob"},
        "forwarded": b64(raw),
    }
    return fields(**(usual | changes))


def _good(case):
    case.of("ok", "success", written())
    unknown = {"original": "-", "original_name": None}
    case.of("ok-sender-unknown", "success", written(), pin=_pin(BOB), **unknown)
    case.of("ok-nobody-known", "success", written(), pin=None, trust="first", **unknown)
    case.of("ok-sender-by-former-key", "success", written(), pin=[_pin(BOB), _pin_formerly(ANN)])
    case.of(
        "ok-forwarder-by-former-key",
        "success",
        written(),
        pin=[_pin_formerly(BOB), _pin(ANN)],
        trust="former",
    )
    own = padded(ENVELOPE, fields(may_forward=True, from_={"acct": CAT.acct, "name": "Cat"}), CAT)
    case.of("ok-my-own", "success", own, original=CAT.acct, original_name="Cat")
    case.of("ok-without-name", "success", written(from_={"acct": ANN.acct}), original_name=None)
    answer = written(reply_to=an_id("msg", "question"), prev=an_id("msg", "before"))
    case.of("ok-of-an-answer", "success", answer)
    lasting = {"expires": NOW + 9 * DAY}
    case.add("ok-expires", "success", passed_on(written(**lasting), **lasting))
    text = {"kind": "text", "upload": "absent"}
    case.add("ok-text", "success", passed_on(written(**text), **text))


def _pin_formerly(person):
    return _pin(Person(person.name, generation=" 2"), former=[person])


def _original(case):
    case.add("original-no-base64", "forward-malformed", passed_on(b"", forwarded="!"))
    case.add("original-empty", "forward-malformed", passed_on(b""))
    case.of("original-unsigned", "forward-malformed", padded(ENVELOPE, fields(may_forward=True, from_=None)))
    case.of("original-unsigned-with-account", "forward-malformed", padded(ENVELOPE, fields(may_forward=True)))
    nameless = padded(ENVELOPE, fields(may_forward=True, from_={"name": "Ann"}), ANN)
    case.of("original-without-account", "forward-malformed", nameless)
    case.of("original-altered", "forward-malformed", written().replace(b'"Ann"', b'"Amy"'))
    case.of(
        "original-of-another-type",
        "forward-malformed",
        container("restante/1 state", fields(may_forward=True), ANN),
    )
    case.of(
        "original-newer", "forward-malformed", container("restante/1 parcel", fields(may_forward=True), ANN)
    )
    case.of("original-no-json", "forward-malformed", container(ENVELOPE, b"{", ANN))
    case.of("original-own-copy", "forward-malformed", written(sent_to=[BOB.acct]))
    case.of("original-by-another", "wrong-signer", padded(ENVELOPE, fields(may_forward=True), EVE))


def _terms(case):
    case.of("not-allowed", "forward-not-allowed", padded(ENVELOPE, fields(), ANN))
    case.of("said-no", "forward-not-allowed", written(may_forward=False))
    once = {"once": True}
    case.add("once", "forward-not-allowed", passed_on(written(**once), **once))
    again = padded(ENVELOPE, fields(may_forward=True, forwarded=b64(b"x")), ANN)
    case.of("passed-on-again", "forward-not-allowed", again)


def _another_message(case):
    case.of("of-another-id", "forward-malformed", written(id=an_id("msg", "another")))
    case.of(
        "of-another-key", "forward-malformed", written(key=age.identity_text(age.drawn("another key", 32)))
    )
    case.of("of-other-details", "forward-malformed", written(details=b64(sha256(b"others"))))
    case.of("of-another-upload", "forward-malformed", written(upload=an_id("upl", "another")))
    case.of("of-another-kind", "forward-malformed", written(kind="text", upload="absent"))
    case.of("of-another-expiry", "forward-malformed", written(expires=NOW + DAY))
    case.add("expiry-added", "forward-malformed", passed_on(written(), expires=NOW + 9 * DAY))
    for name, to in {
        "not-to-the-forwarder": {"acct": EVE.acct, "fp": fp(EVE.public)},
        "to-another-key": {"acct": BOB.acct, "fp": fp(EVE.public)},
        "to-another-account": {"acct": EVE.acct, "fp": fp(BOB.public)},
        "to-a-link": {"link": b64(sha256(b"a link")[:16])},
    }.items():
        case.of(f"original-{name}", "forward-malformed", written(to=to))
    stolen = passed_on(written(), from_={"acct": EVE.acct, "name": "Eve"})
    case.add("by-who-did-not-get-it", "forward-malformed", stolen, by=EVE, pin=[_pin(EVE), _pin(ANN)])
    case.add("unsigned", "forward-malformed", passed_on(written(), from_=None), by=None)
