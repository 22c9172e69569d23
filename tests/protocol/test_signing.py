"""Laws of containers, keys and records, and that the error trees are what they say."""

import inspect
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.crypto import errors as crypto_errors
from restante.crypto import pins
from restante.protocol import ijson
from restante.signing import container, records, successions
from restante.signing import errors as signing_errors
from restante.signing.errors import BadSigningKey, ContainerTooLarge, ProtocolError
from restante.signing.keys import SigningKey, check_public, fp
from tests.protocol.people import DAY, NOW, drawn, person

KEY = SigningKey(bytes(range(32)))
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=200)
CONTENT = st.dictionaries(
    TEXTS, st.one_of(TEXTS, st.integers(-(2**53) + 1, 2**53 - 1), st.none(), st.booleans())
)


@given(content=CONTENT, kind=st.sampled_from(container.Type), key=st.sampled_from([KEY, None]))
def test_read_after_write_is_the_same(content, kind, key):
    data = container.write(kind, content, key=key)
    box = container.read(data, kind, limit=len(data))
    assert ijson.loads(box.payload) == content
    assert box.signer == (KEY.public if key else None)
    with pytest.raises(ContainerTooLarge):
        container.read(data, kind, limit=len(data) - 1)


@given(content=CONTENT, key=st.sampled_from([KEY, None]))
def test_padded_containers_are_multiples_of_four_kib_and_mean_the_same(content, key):
    content.pop("pad", None)
    data = container.write_padded(container.Type.STATE, content, key=key)
    assert len(data) % 4096 == 0
    read = ijson.loads(container.read(data, container.Type.STATE, limit=len(data)).payload)
    assert set(read.pop("pad")) <= {"0"}
    assert read == content


@given(seed=st.binary(min_size=32, max_size=32))
def test_every_generated_key_passes_the_strict_rule(seed):
    check_public(SigningKey(seed).public)
    assert len(fp(SigningKey(seed).public)) == 22


@given(public=st.binary(max_size=64).filter(lambda data: len(data) != 32))
def test_keys_of_other_sizes_are_refused(public):
    with pytest.raises(BadSigningKey):
        check_public(public)


def test_record_renewed_monthly_stays_one_chain():
    ann = person("ann")
    chain = [ann.record]
    for month in range(1, 25):
        raw = ann.keyring.record(now_ms=NOW + 30 * DAY * month, previous=chain[-1])
        chain.append(records.check_successor(chain[-1].raw, raw))
    pin = pins.first_use(ann.record)
    moved = pins.follow(pin, ann.acct, [record.raw for record in chain])
    assert (moved.rev, moved.key, moved.era) == (25, ann.key.public, 0)
    assert chain[-1].is_expired(NOW + 30 * DAY * 24 + 400 * DAY)
    assert not chain[-1].is_expired(NOW + 30 * DAY * 24 + 400 * DAY - 1)


def test_first_record_is_number_one():
    ann = person("ann")
    assert records.check_first(ann.record.raw).rev == 1
    second = ann.keyring.record(now_ms=NOW + 1, previous=ann.record)
    with pytest.raises(signing_errors.RecordChainBroken):
        records.check_first(second)


def test_person_accepts_a_changed_key_and_it_outranks_the_old_pin_everywhere():
    ann, thief = person("ann"), person("eve")
    pin = pins.Pin(era=0, rev=40, record=ann.record.sha256, sign=pins.first_use(ann.record).sign)
    accepted = pins.accept_changed_key(pin, thief.record)
    assert max(pin, accepted, key=pins.Pin.order) == accepted
    assert (accepted.era, accepted.rev) == (1, 1)


def test_two_successions_leave_both_old_keys_known_as_former():
    ann = person("ann")
    keys = [SigningKey.generate(random=drawn(f"key {number}")) for number in range(2)]
    chain, signer = [ann.record], ann.key
    for key in keys:
        word = successions.build(signer, ann.acct, new=key.public, now_ms=NOW)
        raw = records.build(
            key, ann.acct, ann.record.fields.enc, now_ms=NOW, previous=chain[-1], succession=word
        )
        chain.append(records.check_successor(chain[-1].raw, raw))
        signer = key
    moved = pins.follow(pins.first_use(ann.record), ann.acct, [record.raw for record in chain])
    assert moved.key == keys[1].public
    assert len(moved.former) == 2
    with pytest.raises(signing_errors.RecordRollback):
        pins.follow(moved, ann.acct, [record.raw for record in chain[:2]])


def test_sender_encrypts_to_the_key_that_began_last():
    ann = person("ann")
    first = ann.record.fields.enc[0]
    later = records.EncryptionKey(
        id="enc_later",
        recipient=person("bob").record.fields.enc[0].recipient,
        from_=NOW + DAY,
        until=NOW + 9 * DAY,
    )
    record = records.read(records.build(ann.key, ann.acct, [first, later], now_ms=NOW))
    assert record.current_recipient(NOW) == first.recipient
    assert record.current_recipient(NOW + DAY) == later.recipient
    assert record.current_recipient(NOW + 9 * DAY) == first.recipient
    assert record.current_recipient(NOW + 900 * DAY) == later.recipient


@pytest.mark.parametrize("module", [signing_errors, crypto_errors], ids=lambda module: module.__name__)
def test_error_tree_is_as_drawn(module):
    drawn_leaves = dict(re.findall(r"── (\w+)\s{2,}([a-z0-9-]+)$", module.__doc__, re.MULTILINE))
    defined = {
        name: error.code
        for name, error in inspect.getmembers(module, inspect.isclass)
        if issubclass(error, ProtocolError) and error.__module__ == module.__name__ and hasattr(error, "code")
    }
    assert drawn_leaves == defined


def leaves(root):
    below = root.__subclasses__()
    return [leaf for child in below for leaf in leaves(child)] if below else [root]


def test_every_error_says_what_and_what_to_do_under_a_code_of_its_own():
    found = [error for error in leaves(ProtocolError) if error.__module__.startswith("restante.")]
    codes = [error.code for error in found]
    assert len(codes) == len(set(codes))
    for error in found:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", error.code)
        assert error.sentence[0].isupper()
        assert not error.sentence.endswith(".")
        assert error.hint.endswith((".", "?"))
