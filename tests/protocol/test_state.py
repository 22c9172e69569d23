"""Laws of the state shards: a merge is commutative, associative, idempotent, and never forgets."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restante.crypto import contacts, errors, pins, state
from restante.crypto.contacts import Contact
from restante.protocol.encoding import b64
from restante.protocol.ids import Prefix, new_id
from tests.protocol.people import NOW, drawn, person

ANN = person("ann")
SIGNERS = [ANN.key.public]
ACCTS = ["bob@post.example", "eve@post.example", "zoe@elsewhere.example"]
IDS = [new_id(Prefix.MESSAGE, random=drawn(f"id {number}")) for number in range(4)]
KEYS = st.sampled_from([b64(bytes([number]) * 32) for number in range(3)])
TIMES = st.integers(0, 5)


def maybe(strategy):
    return st.none() | strategy


PINS = st.builds(
    pins.Pin,
    era=st.integers(0, 2),
    rev=st.integers(0, 3),
    record=KEYS,
    sign=KEYS,
    former=st.lists(KEYS, max_size=2).map(tuple),
)
CONTACT = st.builds(
    Contact,
    pin=maybe(PINS),
    verified=maybe(st.builds(contacts.Verified, sign=maybe(KEYS), at=TIMES)),
    name=maybe(st.builds(contacts.PetName, value=maybe(st.sampled_from("ab")), at=TIMES)),
    blocked=maybe(st.builds(contacts.Blocked, value=st.booleans(), at=TIMES)),
    request=maybe(st.builds(contacts.Request, state=st.sampled_from(contacts.RequestState), at=TIMES)),
)
CONTACTS = st.builds(
    state.Contacts, rev=st.integers(0, 3), contacts=st.dictionaries(st.sampled_from(ACCTS), CONTACT)
)
SETTING = st.builds(state.Setting, value=st.sampled_from([None, True, 1, "a"]), at=TIMES)
SETTINGS = st.builds(
    state.Settings, rev=st.integers(0, 3), settings=st.dictionaries(st.sampled_from("xyz"), SETTING)
)
SEEN = st.builds(
    state.Seen,
    shard=st.just("seen-2027-01"),
    rev=st.integers(0, 3),
    ids=st.dictionaries(
        st.sampled_from(IDS), st.sampled_from([b64(bytes([number]) * 8) for number in range(2)])
    ),
)
FLAG = maybe(st.builds(state.Flag, value=st.booleans(), at=TIMES))
KEPT = st.builds(
    state.Kept,
    shard=st.just("kept-2027-01"),
    rev=st.integers(0, 3),
    messages=st.dictionaries(st.sampled_from(IDS), st.builds(state.Flags, kept=FLAG, archived=FLAG)),
)
TRIPLES = st.one_of(*(st.tuples(shard, shard, shard) for shard in (CONTACTS, SETTINGS, SEEN, KEPT)))


@settings(max_examples=300, deadline=None)
@given(triple=TRIPLES)
def test_merge_is_commutative_associative_and_idempotent(triple):
    a, b, c = triple
    assert a.merge(b) == b.merge(a)
    assert a.merge(b).merge(c) == a.merge(b.merge(c))
    assert a.merge(b).merge(b) == a.merge(b)
    assert a.merge(a).merge(b) == a.merge(b)


@settings(max_examples=100, deadline=None)
@given(a=SEEN, b=SEEN)
def test_seen_only_grows(a, b):
    assert a.ids.keys() | b.ids.keys() == a.merge(b).ids.keys()


@settings(max_examples=100, deadline=None)
@given(a=CONTACT, b=CONTACT)
def test_pin_of_higher_rev_wins_within_an_era(a, b):
    joined = contacts.join_contacts(a, b).pin
    held = [contact.pin for contact in (a, b) if contact.pin]
    assert joined == max(held, key=pins.Pin.order, default=None)


@settings(max_examples=50, deadline=None)
@given(shard=st.one_of(CONTACTS, SETTINGS, SEEN, KEPT))
def test_open_after_seal_is_the_same(shard):
    opened = state.open_shard(
        state.seal_shard(shard, state=ANN.keyring.state_identity, key=ANN.key),
        type(shard),
        name=shard.shard,
        state=ANN.keyring.state_identity,
        signers=SIGNERS,
    )
    assert opened == shard


def test_mark_of_verification_is_for_one_key():
    old, new = b64(bytes(32)), b64(b"\x01" * 32)
    pin = pins.Pin(era=0, rev=1, record=old, sign=old)
    verified = Contact(pin=pin, verified=contacts.Verified(sign=old, at=NOW))
    assert verified.is_verified
    changed = Contact(pin=pins.Pin(era=1, rev=1, record=new, sign=new))
    assert not contacts.join_contacts(verified, changed).is_verified


def test_block_is_lifted_by_the_later_word():
    blocked = Contact(blocked=contacts.Blocked(value=True, at=NOW))
    lifted = Contact(blocked=contacts.Blocked(value=False, at=NOW + 1))
    assert contacts.join_contacts(Contact(), blocked).is_blocked
    assert not contacts.join_contacts(lifted, blocked).is_blocked


def test_race_of_two_devices_ends_with_both_contacts():
    bob, eve = (Contact(pin=pins.first_use(person(name).record)) for name in ("bob", "eve"))
    empty = state.Contacts()
    mine = state.next_rev(empty.with_contact(ACCTS[0], bob))
    theirs = state.next_rev(empty.with_contact(ACCTS[1], eve))
    merged = state.next_rev(mine.merge(theirs))
    assert merged.rev == 2
    assert merged.pin(ACCTS[0]) == bob.pin
    assert merged.pin(ACCTS[1]) == eve.pin
    assert merged.pin(ACCTS[2]) is None


def test_full_month_says_so_and_a_shard_beyond_its_size_is_not_sealed():
    digest = b64(bytes(8))
    ids = {new_id(Prefix.MESSAGE, random=drawn(number)): digest for number in range(state.SEEN_IDS)}
    full = state.Seen(shard="seen-2027-01", ids=ids)
    assert not full.has_room
    assert state.Seen(shard="seen-2027-01-2").has_room
    state.seal_shard(full, state=ANN.keyring.state_identity, key=ANN.key)
    huge = state.Settings(settings={"x": state.Setting(value="x" * 262_144, at=NOW)})
    with pytest.raises(errors.ShardTooLarge):
        state.seal_shard(huge, state=ANN.keyring.state_identity, key=ANN.key)


def test_two_merged_full_months_are_refused_rather_than_cut():
    """Readers accept a month's ids up to the limit; a writer moves the rest to the next shard."""
    digest = b64(bytes(8))
    ids = {new_id(Prefix.MESSAGE, random=drawn(number)): digest for number in range(state.SEEN_IDS + 1)}
    over = msgspec.structs.replace(state.Seen(shard="seen-2027-01"), ids=ids)
    first, rest = over.split()
    assert (len(first.ids), rest.shard) == (state.SEEN_IDS, "seen-2027-01-2")
    assert first.ids.keys() | rest.ids.keys() == ids.keys()
