"""groups/: the shard of named lists of people; and how two copies of a list merge."""

from generating import age
from generating.account_state import STATE
from generating.forms import NOW, Person, an_id, compact, padded

ANN, BOB, EVE = Person("ann"), Person("bob"), Person("eve")
_SPEC = "keyring-and-state.md, Shards"
FAMILY = an_id("grp", "family")


def make(vectors):
    def add(name, expect, groups, *, by=ANN, secret=ANN.state, **changes):
        content = {"shard": "groups", "rev": 3, "groups": groups} | changes
        body = age.seal(padded(STATE, content, by), secret, label=f"groups {name}")
        keys = {"state": age.identity_text(ANN.state), "signer": ANN.sign, "highest_rev": "3"}
        vectors.add(f"groups/{name}", expect, _SPEC, body, shard="groups", **keys)

    family = {FAMILY: group("family", {BOB.acct: True, EVE.acct: False})}
    add("ok", "success", family)
    add("ok-empty", "success", {})
    add("ok-given-up", "success", {FAMILY: group(None, {BOB.acct: True})})
    add("ok-without-members", "success", {FAMILY: {"name": {"value": "family", "at": NOW}}})
    add("ok-unknown-key", "success", {FAMILY: group("family", {}) | {"colour": "blue"}})
    add("swapped", "shard-swapped", family, shard="contacts")
    add("rolled-back", "shard-rolled-back", family, rev=2)
    add("forged", "shard-forged", family, by=EVE)
    add("unsigned", "signature-missing", family, by=None)
    add("other-key", "shard-damaged", family, secret=EVE.state)
    bad = {
        "id": {"grp_x": group("family", {})},
        "id-of-a-message": {an_id("msg", "family"): group("family", {})},
        "acct": {FAMILY: group("family", {"bob": True})},
        "name-absent": {FAMILY: {"members": {}}},
        "name-too-long": {FAMILY: group("x" * 65, {})},
        "name-no-text": {FAMILY: group(1, {})},
        "member-no-truth": {FAMILY: group("family", {BOB.acct: 1})},
        "at-negative": {FAMILY: {"name": {"value": "family", "at": -1}, "members": {}}},
    }
    for name, groups in bad.items():
        add(f"content-{name}", "shard-malformed", groups)


def group(name, members, *, at=NOW):
    return {
        "name": {"value": name, "at": at},
        "members": {acct: {"value": value, "at": at} for acct, value in members.items()},
    }


def merges():
    """Pairs of copies of one list and what they come to."""
    later = {"at": NOW + 1}
    pairs = [
        (group("family", {}), group("family", {BOB.acct: True})),
        (group("family", {BOB.acct: True}), group("family", {EVE.acct: True})),
        (group("family", {BOB.acct: True}), group("family", {BOB.acct: False})),
        (group("family", {BOB.acct: True}), group("family", {BOB.acct: False}, **later)),
        (group("family", {BOB.acct: False}), group("family", {BOB.acct: True}, **later)),
        (group("family", {}), group("relatives", {}, **later)),
        (group("zebras", {}), group("friends", {}, **later)),
        (group("familia", {}), group("família", {})),
        (group('say "hi"', {}), group("say hi", {})),
        (group("\u2028", {}), group("~", {})),
        (group("family", {BOB.acct: True}), group(None, {}, **later)),
        (group(None, {}), group("family", {BOB.acct: True}, **later)),
        (group(None, {}), group("family", {})),
        (group(None, {}), group("", {})),
    ]
    return [{"one": one, "other": other, "merged": _join(one, other)} for one, other in pairs]


def _join(one, other):
    members = dict(one["members"])
    for acct, entry in other["members"].items():
        members[acct] = _later(members.get(acct, entry), entry)
    return {"name": _later(one["name"], other["name"]), "members": members}


def _later(one, other):
    return max(one, other, key=lambda entry: (entry["at"], compact(entry)))
