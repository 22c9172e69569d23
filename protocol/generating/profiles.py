"""profile/: what an answering page says, as a server or another person may damage, forge or move it."""

from generating import age
from generating.forms import NOW, Person, an_id, b64, container, padded

PROFILE = "restante/1 profile"
_SPEC = "links.md, Answering page"
ANN, EVE = Person("ann"), Person("eve")
SECOND = Person("ann", generation=" 2")
G = age.drawn("greeting secret", 16)
GREETING = an_id("msg", "greeting")
NOTE = "Back on Monday ✉"


def make(vectors):
    def add(name, expect, plaintext, *, secret=G, edit=lambda body: body, **keys):
        identity = age.hkdf(secret, salt=None, info=b"restante/1 greeting identity")
        body = edit(age.seal(plaintext, identity, label=f"profile {name}"))
        usual = {"secret": b64(G), "acct": ANN.acct, "sign": ANN.sign}
        vectors.add(f"profile/{name}", expect, _SPEC, body, **(usual | keys))

    good = padded(PROFILE, _fields(), ANN)
    add("ok", "success", good, greeting=GREETING, note=NOTE)
    add("ok-of-several-keys", "success", good, sign=[SECOND.sign, ANN.sign], greeting=GREETING, note=NOTE)
    add("ok-says-nothing", "success", padded(PROFILE, _bare(), ANN))
    add("ok-note-only", "success", padded(PROFILE, _bare(note=NOTE), ANN), note=NOTE)
    longest = "✉" * 999 + "𝄞"
    add("ok-longest-note", "success", padded(PROFILE, _bare(note=longest), ANN), note=longest)
    add("ok-unknown-key", "success", padded(PROFILE, _fields(later=[1]), ANN), greeting=GREETING, note=NOTE)
    _sealing(add, good)
    _signed(add, good)
    bad = {
        "note-too-long": {"note": "✉" * 1001},
        "note-no-text": {"note": 1},
        "created-negative": {"created": -1},
        "created-absent": {"created": None},
        "greeting-no-id": {"greeting": "msg_x"},
        "greeting-of-an-upload": {"greeting": an_id("upl", "greeting")},
    }
    for name, changes in bad.items():
        add(f"content-{name}", "payload-malformed", padded(PROFILE, _fields(**changes), ANN))


def _bare(**changes):
    fields = {"acct": ANN.acct, "created": NOW} | changes
    return {key: value for key, value in fields.items() if value is not None}


def _fields(**changes):
    return _bare(**({"greeting": GREETING, "note": NOTE} | changes))


def _sealing(add, good):
    add("other-link", "page-damaged", good, secret=bytes(16))
    add("flipped", "page-damaged", good, edit=lambda body: body[:900] + bytes([body[900] ^ 1]) + body[901:])
    add("cut", "page-damaged", good, edit=lambda body: body[:-1])
    add("empty", "page-damaged", good, edit=lambda body: body[:0])
    add("too-large", "page-damaged", padded(PROFILE, _bare(filler="x" * 16_384), ANN))
    two = age.hkdf(G, salt=None, info=b"restante/1 greeting identity"), EVE.x25519
    add(
        "two-stanzas",
        "page-damaged",
        good,
        edit=lambda _: age.seal(good, *two, label="profile for two people"),
    )


def _signed(add, good):
    add("no-container", "container-malformed", b"Back on Monday")
    add("envelope", "container-type", container("restante/1 envelope", _fields(), ANN))
    add("type-unknown", "needs-newer-version", container("restante/1 placard", _fields(), ANN))
    add("altered", "signature-bad", good.replace(b"Monday", b"Sunday"))
    add("unsigned", "wrong-signer", padded(PROFILE, _fields()))
    add("signed-by-another", "wrong-signer", padded(PROFILE, _fields(), EVE))
    add("of-another-account", "wrong-signer", padded(PROFILE, _fields(acct=EVE.acct), ANN))
