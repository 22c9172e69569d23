"""Merges of shards and keyrings against protocol/vectors/merges.json, in both orders."""

import msgspec
import pytest

from restante.crypto import state
from restante.crypto.contacts import Contact, join_contacts
from restante.crypto.groups import Group
from restante.crypto.keyring import Keyring
from restante.crypto.keyring_changes import merge
from tests.protocol import vector_files

MERGES = vector_files.values("merges.json")
MONTH = "seen-2027-01"


def both_orders(case, read, join):
    one, other = read(case["one"]), read(case["other"])
    assert join(one, other) == join(other, one) == read(case["merged"])


@pytest.mark.parametrize("case", MERGES["contacts"], ids=lambda case: "+".join(case["merged"]))
def test_contacts(case):
    both_orders(case, lambda value: msgspec.convert(value, Contact), join_contacts)


@pytest.mark.parametrize("case", MERGES["settings"], ids=str)
def test_settings(case):
    def read(value):
        return state.Settings(settings={"x": msgspec.convert(value, state.Setting)})

    both_orders(case, read, state.Settings.merge)


@pytest.mark.parametrize("case", MERGES["kept"], ids=str)
def test_kept(case):
    both_orders(case, lambda value: msgspec.convert(value, state.Flags), state.Flags.join)


@pytest.mark.parametrize("case", MERGES["groups"], ids=str)
def test_groups(case):
    both_orders(case, lambda value: msgspec.convert(value, Group), Group.join)


@pytest.mark.parametrize("case", MERGES["seen"], ids=str)
def test_seen(case):
    both_orders(case, lambda value: state.Seen(shard=MONTH, ids={"x": value}), state.Seen.merge)


def in_any_order(ring):
    entries = (ring.enc, ring.unlock, ring.devices, ring.former_states or ())
    return (ring.rev, ring.acct, ring.sign, ring.state, *map(set, entries))


@pytest.mark.parametrize("case", MERGES["keyring"], ids=lambda case: case["name"])
def test_keyring(case):
    base, mine, theirs = (msgspec.convert(case[side], Keyring) for side in ("base", "mine", "theirs"))
    expected = msgspec.convert(case["merged"], Keyring) if "merged" in case else None
    for sides in ((mine, theirs), (theirs, mine)):
        merged, code = vector_files.outcome(lambda sides=sides: merge(base, *sides))
        assert code == case.get("code")
        assert (merged and in_any_order(merged)) == (expected and in_any_order(expected))
