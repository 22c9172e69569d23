"""keyring/ and state/: an account's secrets and shards as a server may damage, forge, swap or roll them back."""

from generating import age
from generating.forms import DAY, NOW, Person, an_id, b64, container, padded
from generating.records import succession

KEYRING, STATE = "restante/1 keyring", "restante/1 state"
ANN, EVE = Person("ann"), Person("eve")
UNLOCK = age.drawn("unlock identity", 32)
DEVICE = age.drawn("device identity", 32)
_KEYRING = "keyring-and-state.md, Keyring"
_STATE = "keyring-and-state.md, Shards"


def make(vectors):
    _keyrings(vectors)
    _shards(vectors)


def keyring(person, **changes):
    enc = {
        "id": "enc_first",
        "identity": age.hybrid_identity_text(person.pq),
        "from": NOW,
        "until": NOW + 400 * DAY,
    }
    method = {"mid": an_id("mth", "method"), "type": "recovery", "label": "Recovery code"}
    device = {
        "did": an_id("dev", "device"),
        "label": "desk",
        "recipient": age.recipient_text(DEVICE),
        "created": NOW,
    }
    base = {
        "rev": 7,
        "acct": person.acct,
        "sign": b64(person.seed),
        "enc": [enc | {"retired": False}],
        "state": age.identity_text(person.state),
        "unlock": [method | {"recipient": age.recipient_text(UNLOCK), "created": NOW}],
        "devices": [device],
    }
    return base | changes


def _keyrings(vectors):
    def add(name, expect, plaintext, *, seal_to=(UNLOCK, DEVICE), edit=lambda body: body, **keys):
        body = edit(age.seal(plaintext, *seal_to, label=f"keyring {name}"))
        usual = {
            "identity": age.identity_text(UNLOCK),
            "acct": ANN.acct,
            "known": ANN.sign,
            "highest_rev": "7",
        }
        keys = {key: value for key, value in (usual | keys).items() if value is not None}
        vectors.add(f"keyring/{name}", expect, _KEYRING, body, **keys)

    good = padded(KEYRING, keyring(ANN), ANN)
    add("ok", "success", good, rev="7")
    add("ok-device", "success", good, identity=age.identity_text(DEVICE), rev="7")
    add("ok-first-sight", "success", good, known=None, highest_rev="0", rev="7")
    add("ok-newer", "success", padded(KEYRING, keyring(ANN, rev=8), ANN), rev="8")
    add("rolled-back", "keyring-rolled-back", padded(KEYRING, keyring(ANN, rev=6), ANN))
    former = [age.identity_text(age.drawn("former state", 32))]
    add("ok-former-states", "success", padded(KEYRING, keyring(ANN, former_states=former), ANN), rev="7")
    _led(add)
    add("no-match", "keyring-no-match", good, identity=age.identity_text(EVE.x25519))
    add(
        "flipped",
        "keyring-damaged",
        good,
        edit=lambda body: body[:3000] + bytes([body[3000] ^ 1]) + body[3001:],
    )
    add("cut", "keyring-damaged", good, edit=lambda body: body[:-1])
    add("too-large", "keyring-too-large", padded(KEYRING, keyring(ANN, filler="x" * 65_536), ANN))
    add("forged-by-another", "keyring-forged", padded(KEYRING, keyring(ANN), EVE))
    add("forged-with-own-key", "keyring-forged", padded(KEYRING, keyring(EVE, acct=ANN.acct), EVE))
    add("forged-at-first-sight", "keyring-forged", padded(KEYRING, keyring(ANN), EVE), known=None)
    add("of-another-account", "keyring-forged", padded(KEYRING, keyring(EVE), EVE), known=None)
    add("unsigned", "signature-missing", padded(KEYRING, keyring(ANN)))
    add("envelope", "container-type", container("restante/1 envelope", keyring(ANN), ANN))
    for name, changes in {
        "seed-short": {"sign": b64(bytes(31))},
        "state-post-quantum": {"state": age.hybrid_identity_text(ANN.pq)},
        "former-state": {"former_states": [age.recipient_text(ANN.state)]},
        "no-encryption-identity": {"enc": []},
        "rev-0": {"rev": 0},
        "unlock-recipient": {"unlock": [keyring(ANN)["unlock"][0] | {"recipient": "age1"}]},
    }.items():
        add(f"content-{name}", "keyring-malformed", padded(KEYRING, keyring(ANN, **changes), ANN))


def _led(add):
    """Keyrings under ann's third key, with the successions that led to it, or some of them."""
    second, third = (Person("ann", generation=f" {number}") for number in (2, 3))
    steps = [b64(succession(ANN, second)), b64(succession(second, third))]

    def under_third(successions):
        return padded(KEYRING, keyring(third, successions=successions), third)

    whole = under_third(steps)
    add("ok-successions", "success", whole, rev="7")
    add("ok-successions-from-between", "success", whole, known=second.sign, rev="7")
    add("ok-successions-at-their-end", "success", whole, known=third.sign, rev="7")
    add("ok-successions-first-sight", "success", whole, known=None, rev="7")
    add("successions-from-elsewhere", "keyring-forged", whole, known=EVE.sign)
    other = b64(succession(ANN, second, acct=EVE.acct))
    faults = {
        "without-the-first": (steps[1:], "keyring-forged", None),
        "without-the-last": (steps[:1], "keyring-forged", "keyring-malformed"),
        "in-another-order": (steps[::-1], "keyring-forged", "keyring-malformed"),
        "of-another-account": ([other, steps[1]], "keyring-forged", "keyring-malformed"),
        "no-containers": (["AAAA"], "keyring-forged", "keyring-malformed"),
    }
    for name, (successions, to_who_knew_the_first, at_first_sight) in faults.items():
        add(f"successions-{name}", to_who_knew_the_first, under_third(successions))
        if at_first_sight:
            add(f"successions-{name}-at-first-sight", at_first_sight, under_third(successions), known=None)


def _shards(vectors):
    def add(name, expect, content, *, by=ANN, shard="contacts", secret=ANN.state, kind=STATE, **keys):
        body = age.seal(padded(kind, content, by), secret, label=f"state {name}")
        usual = {
            "shard": shard,
            "state": age.identity_text(ANN.state),
            "signer": ANN.sign,
            "highest_rev": "3",
        }
        vectors.add(f"state/{name}", expect, _STATE, body, **(usual | keys))

    pin = {"era": 0, "rev": 1, "record": b64(bytes(32)), "sign": EVE.sign, "former": []}
    contacts = {
        "shard": "contacts",
        "rev": 3,
        "contacts": {EVE.acct: {"pin": pin, "blocked": {"value": True, "at": NOW}}},
    }
    seen = {"shard": "seen-2027-01", "rev": 3, "ids": {an_id("msg", "message"): b64(bytes(8))}}
    settings = {"shard": "settings", "rev": 3, "settings": {"receipts": {"value": False, "at": NOW}}}
    add("ok-contacts", "success", contacts)
    add("ok-seen", "success", seen, shard="seen-2027-01")
    add("ok-settings", "success", settings, shard="settings")
    add("ok-newer", "success", contacts | {"rev": 4})
    add("rolled-back", "shard-rolled-back", contacts | {"rev": 2})
    add("swapped-settings", "shard-swapped", settings)
    add("swapped-month", "shard-swapped", seen | {"shard": "seen-2026-12"}, shard="seen-2027-01")
    add("forged", "shard-forged", contacts, by=EVE)
    add("unsigned", "signature-missing", contacts, by=None)
    add("other-key", "shard-damaged", contacts, secret=EVE.state)
    add("too-large", "shard-too-large", contacts | {"filler": "x" * 262_144})
    add("keyring", "container-type", contacts, kind=KEYRING)
    bad = {
        "acct": contacts | {"contacts": {"eve": {"pin": pin}}},
        "pin-key": contacts | {"contacts": {EVE.acct: {"pin": pin | {"sign": "x"}}}},
        "request-state": contacts | {"contacts": {EVE.acct: {"request": {"state": "perhaps", "at": NOW}}}},
    }
    for name, content in bad.items():
        add(f"content-{name}", "shard-malformed", content)
    add("content-seen-id", "shard-malformed", seen | {"ids": {"x": b64(bytes(8))}}, shard="seen-2027-01")
    digest = {an_id("msg", "message"): b64(bytes(32))}
    add("content-seen-digest", "shard-malformed", seen | {"ids": digest}, shard="seen-2027-01")
