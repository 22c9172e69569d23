"""Laws of the keyring: every way in opens it, no other does, and two devices never lose each other's change."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restante.crypto import accounts, errors, kdf, keyring
from restante.crypto.age import X25519Identity
from restante.crypto.keyring_changes import (
    merge,
    with_device,
    with_encryption_identity,
    with_method,
    with_signing_key,
    with_state_key,
    without_device,
    without_former_states,
    without_method,
)
from restante.protocol.encoding import b64
from restante.protocol.limits import KEYRING_BYTES
from restante.signing import records, successions
from restante.signing.keys import SigningKey
from tests.protocol.people import DAY, NOW, drawn, person

DEVICES = [X25519Identity.generate(random=drawn(f"device {number}")) for number in range(6)]
ANN = person("ann")


def device(number, label="desk"):
    return accounts.new_device(f"dev_{number}", DEVICES[number], label=label, now_ms=NOW + number)


def opened(sealed, identity, **options):
    return keyring.open_keyring(sealed, identity, acct=ANN.acct, known=ANN.key.public, **options)


def test_every_way_in_opens_it_and_no_other():
    ring = with_device(ANN.keyring, device(0))
    sealed = keyring.seal_keyring(ring)
    assert opened(sealed, ANN.access.identity) == ring
    assert opened(sealed, DEVICES[0]) == ring
    with pytest.raises(errors.KeyringNoMatch):
        opened(sealed, DEVICES[1])


def test_dropped_device_opens_the_old_keyring_and_no_later_one():
    before = with_device(ANN.keyring, device(0))
    after = without_device(before, "dev_0")
    assert opened(keyring.seal_keyring(before), DEVICES[0]).rev == before.rev
    with pytest.raises(errors.KeyringNoMatch):
        opened(keyring.seal_keyring(after), DEVICES[0])
    assert after.rev == before.rev + 1


def test_lost_method_is_replaced_without_touching_the_others():
    new = kdf.unlock_access(b"\x01" * 20)
    method = accounts.new_method(keyring.MethodType.RECOVERY_CODE, new, label="code 2", now_ms=NOW)
    ring = without_method(with_method(with_device(ANN.keyring, device(0)), method), ANN.keyring.unlock[0].mid)
    sealed = keyring.seal_keyring(ring)
    assert opened(sealed, new.identity) == opened(sealed, DEVICES[0]) == ring
    with pytest.raises(errors.KeyringNoMatch):
        opened(sealed, ANN.access.identity)


def test_older_keyring_is_told_apart():
    keyring.check_not_rolled_back(ANN.keyring, highest_rev=ANN.keyring.rev)
    with pytest.raises(errors.KeyringRolledBack):
        keyring.check_not_rolled_back(ANN.keyring, highest_rev=ANN.keyring.rev + 1)


def test_keyring_with_another_accounts_key_is_refused_by_a_device_that_knows_better():
    """Even somebody who learned an unlock recipient can only make a keyring that another key signed."""
    eve = person("eve").keyring
    forged = msgspec.structs.replace(eve, acct=ANN.acct, unlock=ANN.keyring.unlock)
    sealed = keyring.seal_keyring(forged)
    with pytest.raises(errors.KeyringForged):
        opened(sealed, ANN.access.identity)
    fresh = keyring.open_keyring(sealed, ANN.access.identity, acct=ANN.acct)
    assert fresh.signing_key.public != ANN.record.sign


def test_rotated_identity_opens_what_was_sealed_before_and_after():
    new = accounts.new_encryption_identity(now_ms=NOW + 300 * DAY, random=drawn("rotation"))
    ring = with_encryption_identity(ANN.keyring, new)
    record = records.read(ring.record(now_ms=NOW + 300 * DAY, previous=ANN.record))
    records.check_successor(ANN.record.raw, record.raw)
    assert [entry.id for entry in record.fields.enc] == [new.id]
    assert record.current_recipient(NOW + 301 * DAY) == str(ring.own_recipient(NOW + 301 * DAY))
    assert {str(identity) for identity in ring.identities} >= {str(ANN.keyring.identities[0])}
    assert str(ring.identities[0]) == new.identity


def test_new_signing_key_needs_the_old_ones_word():
    key = SigningKey.generate(random=drawn("new key"))
    ring = msgspec.structs.replace(ANN.keyring, sign=b64(key.seed), rev=ANN.keyring.rev + 1)
    word = successions.build(ANN.key, ANN.acct, new=key.public, now_ms=NOW)
    with_word = ring.record(now_ms=NOW, previous=ANN.record, succession=word)
    assert records.check_successor(ANN.record.raw, with_word).sign == key.public


def test_keyring_beyond_64_kib_is_not_sealed():
    ring = ANN.keyring
    entries = tuple(
        msgspec.structs.replace(device(0, label="x" * 64), did=f"dev_{number:060}") for number in range(300)
    )
    with pytest.raises(errors.KeyringTooLarge):
        keyring.seal_keyring(msgspec.structs.replace(ring, devices=entries))
    assert len(keyring.seal_keyring(ring)) < KEYRING_BYTES


BASE = with_device(with_device(ANN.keyring, device(0)), device(1))
CHANGES = st.one_of(
    st.integers(0, 5).map(lambda n: ("add", n)),
    st.integers(0, 5).map(lambda n: ("drop", n)),
    st.tuples(st.just("rename"), st.integers(0, 5), st.sampled_from("abc")),
    st.just(("rotate",)),
)
ROTATED = [accounts.new_encryption_identity(now_ms=NOW + n, random=drawn(f"enc {n}")) for n in range(2)]


def change(ring, step, side):
    match step:
        case ("add", number):
            return with_device(ring, device(number))
        case ("drop", number):
            return without_device(ring, f"dev_{number}")
        case ("rename", number, label):
            held = {entry.did for entry in ring.devices}
            return with_device(ring, device(number, label)) if f"dev_{number}" in held else ring
        case _:
            return with_encryption_identity(ring, ROTATED[side])


def changed(steps, side):
    ring = BASE
    for step in steps:
        ring = change(ring, step, side)
    return ring


def content(ring):
    return (
        set(ring.enc),
        set(ring.unlock),
        set(ring.devices),
        ring.sign,
        ring.state,
    )


@settings(max_examples=80, deadline=None)
@given(mine=st.lists(CHANGES, max_size=4), theirs=st.lists(CHANGES, max_size=4))
def test_merge_does_not_depend_on_who_merges_and_loses_no_change(mine, theirs):
    one, other = changed(mine, 0), changed(theirs, 1)
    merged = merge(BASE, one, other)
    assert merged == merge(BASE, other, one)
    assert merged.rev > max(one.rev, other.rev)
    base = {entry.did for entry in BASE.devices}
    for side in (one, other):
        held = {entry.did for entry in side.devices}
        assert held - base <= {entry.did for entry in merged.devices}
        assert not (base - held) & {entry.did for entry in merged.devices}
        assert {entry.id for entry in side.enc} <= {entry.id for entry in merged.enc}


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(CHANGES, max_size=4))
def test_merge_with_the_unchanged_and_with_itself_is_the_change(steps):
    ring = changed(steps, 0)
    assert content(merge(BASE, ring, BASE)) == content(merge(BASE, ring, ring)) == content(ring)


def test_race_of_two_devices_ends_with_both_changes():
    """PUT with If-Match: the second writer gets 412, fetches, merges, and puts again."""
    mine, theirs = with_device(BASE, device(2)), without_device(BASE, "dev_0")
    stored = keyring.seal_keyring(theirs)
    fetched = opened(stored, ANN.access.identity)
    merged = opened(keyring.seal_keyring(merge(BASE, mine, fetched)), DEVICES[2])
    assert {entry.did for entry in merged.devices} == {"dev_1", "dev_2"}


def test_two_new_signing_keys_at_once_are_a_conflict():
    sides = [
        msgspec.structs.replace(BASE, sign=b64(SigningKey.generate(random=drawn(f"k{number}")).seed))
        for number in range(2)
    ]
    with pytest.raises(errors.KeyringConflict):
        merge(BASE, *sides)
    assert merge(BASE, sides[0], with_device(BASE, device(3))).sign == sides[0].sign


def with_new_state(ring, label):
    return with_state_key(ring, X25519Identity.generate(random=drawn(label)))


def test_former_state_keys_are_kept_until_dropped_and_a_drop_and_an_addition_both_hold():
    once = with_new_state(BASE, "one")
    assert (once.former_states, once.former_state_identities) == ((BASE.state,), [BASE.state_identity])
    assert opened(keyring.seal_keyring(once), ANN.access.identity) == once
    done, twice = without_former_states(once, once.former_states), with_new_state(once, "two")
    assert done.former_states is msgspec.UNSET
    assert "former_states" not in msgspec.to_builtins(done)
    merged = merge(once, done, twice)
    assert merged == merge(once, twice, done)
    assert (merged.state, merged.former_states) == (twice.state, (once.state,))
    with pytest.raises(errors.KeyringConflict):
        merge(BASE, once, with_new_state(BASE, "other"))


def rotated(ring, label):
    return with_signing_key(ring, SigningKey.generate(random=drawn(label)), now_ms=NOW)


def test_a_device_follows_its_account_over_new_signing_keys_and_no_other_key():
    once = rotated(ANN.keyring, "once")
    twice = rotated(once, "twice")
    assert opened(keyring.seal_keyring(twice), ANN.access.identity) == twice
    assert twice.own_keys == (twice.signing_key.public, once.signing_key.public, ANN.key.public)
    stranger = msgspec.structs.replace(ANN.keyring, sign=b64(SigningKey.generate().seed))
    with pytest.raises(errors.KeyringForged):
        opened(keyring.seal_keyring(stranger), ANN.access.identity)


def test_a_chain_of_keys_that_does_not_lead_to_the_present_one_is_refused():
    once = rotated(ANN.keyring, "once")
    gap = msgspec.structs.replace(rotated(once, "twice"), successions=once.successions)
    with pytest.raises(errors.KeyringForged):
        opened(keyring.seal_keyring(gap), ANN.access.identity)
    with pytest.raises(errors.KeyringMalformed):
        keyring.open_keyring(keyring.seal_keyring(gap), ANN.access.identity, acct=ANN.acct)


def test_a_published_succession_is_one_step():
    once = rotated(ANN.keyring, "once")
    twice = rotated(once, "twice")
    assert once.succession_from(ANN.key.public) is not None
    assert twice.succession_from(ANN.key.public) is None
    first = records.read(ANN.keyring.record(now_ms=NOW))
    following = once.record(now_ms=NOW, previous=first, succession=once.succession_from(ANN.key.public))
    assert records.check_successor(first.raw, following).sign == once.signing_key.public


@pytest.mark.parametrize("turned", [False, True])
def test_a_new_signing_key_and_another_change_are_both_kept(turned):
    sides = [rotated(ANN.keyring, "once"), with_device(ANN.keyring, device(1))]
    merged = merge(ANN.keyring, *(reversed(sides) if turned else sides))
    assert merged.own_keys == sides[0].own_keys
    assert [entry.did for entry in merged.devices] == ["dev_1"]


def test_two_successors_of_one_signing_key_are_a_conflict():
    with pytest.raises(errors.KeyringConflict):
        merge(ANN.keyring, rotated(ANN.keyring, "one"), rotated(ANN.keyring, "other"))
