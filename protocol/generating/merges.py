"""merges.json: what the copies of a shard, and two changes of a keyring, come to."""

from generating import age, groups
from generating.account_state import keyring
from generating.forms import DAY, NOW, Person, an_id, b64, compact

ANN, BOB, EVE = Person("ann"), Person("bob"), Person("eve")


def make(vectors):
    vectors.add_json(
        "merges.json",
        {
            "spec": "keyring-and-state.md",
            "contacts": [_pair(one, other, _join_contact) for one, other in _contacts()],
            "settings": [_pair(one, other, _later) for one, other in _settings()],
            "kept": [_pair(one, other, _join_flags) for one, other in _kept()],
            "groups": groups.merges(),
            "seen": [_pair(one, other, min) for one, other in _seen()],
            "keyring": [_three(*case) for case in _keyrings()],
        },
    )


def _pair(one, other, join):
    """One key of a shard in two copies."""
    return {"one": one, "other": other, "merged": join(one, other)}


def _later(one, other):
    return max(one, other, key=lambda entry: (entry["at"], compact(entry)))


def _join_contact(one, other):
    merged = {}
    for key in ("pin", "verified", "name", "blocked", "request"):
        held = [side[key] for side in (one, other) if key in side]
        if len(held) == 2:
            held = [max(held, key=_pin_order) if key == "pin" else _later(*held)]
        merged |= {key: held[0]} if held else {}
    return merged


def _pin_order(pin):
    return (pin["era"], pin["rev"], pin["record"], pin["sign"], pin["former"])


def _pin(era, rev, person=BOB, record=0, former=()):
    pin = {"era": era, "rev": rev, "record": b64(bytes([record]) * 32), "sign": person.sign}
    return {"pin": pin | {"former": list(former)}}


def _contacts():
    yes, no = {"value": True, "at": NOW}, {"value": False, "at": NOW}
    return [
        ({}, _pin(0, 1)),
        (_pin(0, 1), _pin(0, 2)),
        (_pin(0, 9), _pin(1, 1, EVE)),
        (_pin(0, 2, record=1), _pin(0, 2, record=2)),
        (_pin(0, 2, EVE, former=[BOB.sign]), _pin(0, 2)),
        ({"blocked": yes}, {"blocked": no}),
        ({"blocked": yes}, {"blocked": no | {"at": NOW + 1}}),
        ({"verified": {"sign": BOB.sign, "at": NOW}}, {"verified": {"sign": None, "at": NOW}}),
        ({"name": {"value": "Robert", "at": NOW}}, {"name": {"value": "Bob", "at": NOW}}),
        ({"name": {"value": "Zoë", "at": NOW}}, {"name": {"value": "Zoe", "at": NOW}}),
        (
            {"request": {"state": "pending", "at": NOW}},
            _pin(0, 1) | {"request": {"state": "accepted", "at": NOW}},
        ),
    ]


def _settings():
    values = [None, True, False, 1, 10, 9, "1", ""]
    pairs = [(one, other) for i, one in enumerate(values) for other in values[i + 1 :]]
    equal = [({"value": one, "at": NOW}, {"value": other, "at": NOW}) for one, other in pairs]
    return [*equal, ({"value": "late", "at": NOW + 1}, {"value": "zzz", "at": NOW})]


def _join_flags(one, other):
    keys = [key for key in ("kept", "archived") if key in one or key in other]
    held = {key: [side[key] for side in (one, other) if key in side] for key in keys}
    return {key: _later(*sides) if len(sides) == 2 else sides[0] for key, sides in held.items()}


def _kept():
    yes, no = {"value": True, "at": NOW}, {"value": False, "at": NOW}
    return [
        ({}, {"kept": yes}),
        ({"kept": yes}, {"kept": no}),
        ({"kept": yes}, {"kept": no | {"at": NOW + 1}}),
        ({"kept": yes, "archived": no}, {"archived": yes | {"at": NOW + 1}}),
    ]


def _seen():
    return [(b64(bytes(8)), b64(b"\x01" * 8)), (b64(b"\xff" * 8), b64(b"\xfb" * 8))]


def _device(number, label="desk"):
    recipient = age.recipient_text(age.drawn(f"device {number}", 32))
    return {
        "did": an_id("dev", f"device {number}"),
        "label": label,
        "recipient": recipient,
        "created": NOW + number,
    }


def _enc(number, **changes):
    identity = age.hybrid_identity_text(age.drawn(f"rotation {number}", 32))
    times = {"from": NOW + number, "until": NOW + 400 * DAY, "retired": False}
    return {"id": an_id("enc", f"rotation {number}"), "identity": identity} | times | changes


def _ring(**changes):
    base = keyring(ANN) | {"rev": 5, "enc": [_enc(0)], "devices": [_device(0), _device(1)]}
    return base | {"rev": 6} | changes if changes else base


def _three(name, mine, theirs, expected, base=None):
    """``merged`` is one set of entries by id, whatever their order; ``code`` if there is none."""
    case = {"name": name, "base": base or _ring(), "mine": mine, "theirs": theirs}
    return case | ({"code": expected} if isinstance(expected, str) else {"merged": _ring(rev=7) | expected})


def _keyrings():
    both = [_device(0), _device(1)]
    seed = [b64(age.drawn(f"new seed {number}", 32)) for number in range(2)]
    states = [
        _ring()["state"],
        *(age.identity_text(age.drawn(f"new state {number}", 32)) for number in range(2)),
    ]
    narrow = _enc(0, **{"from": NOW + 5, "until": NOW + DAY, "retired": True})
    sides = _ring(enc=[_enc(0, retired=True, until=NOW + DAY)]), _ring(enc=[_enc(0, **{"from": NOW + 5})])
    dropped = _ring(devices=[_device(1)])
    renamed = _ring(devices=[_device(0, "a"), _device(1)]), _ring(devices=[_device(0, "b"), _device(1)])
    return [
        (
            "both add",
            _ring(devices=[*both, _device(2)]),
            _ring(devices=[*both, _device(3)]),
            {"devices": [*both, _device(2), _device(3)]},
        ),
        ("add and drop", _ring(devices=[*both, _device(2)]), dropped, {"devices": [_device(1), _device(2)]}),
        ("drop beats change", dropped, renamed[0], {"devices": [_device(1)]}),
        ("both rename", *renamed, {"devices": [_device(0, "b"), _device(1)]}),
        ("narrower use", *sides, {"enc": [narrow]}),
        (
            "both rotate",
            _ring(enc=[_enc(0, retired=True), _enc(1)]),
            _ring(enc=[_enc(0, retired=True), _enc(2)]),
            {"enc": [_enc(0, retired=True), _enc(1), _enc(2)]},
        ),
        ("one signs anew", _ring(sign=seed[0]), dropped, {"sign": seed[0], "devices": [_device(1)]}),
        (
            "one makes a state key",
            _ring(state=states[1], former_states=[states[0]]),
            dropped,
            {"state": states[1], "former_states": [states[0]], "devices": [_device(1)]},
        ),
        (
            "both make a state key",
            _ring(state=states[1], former_states=[states[0]]),
            _ring(state=states[2], former_states=[states[0]]),
            "keyring-conflict",
        ),
        (
            "one makes a state key again while the other is done with the first",
            _ring(state=states[1]),
            _ring(state=states[2], former_states=states[:2]),
            {"state": states[2], "former_states": [states[1]]},
            _ring(rev=5, state=states[1], former_states=[states[0]]),
        ),
        ("both sign anew", _ring(sign=seed[0]), _ring(sign=seed[1]), "keyring-conflict"),
    ]
