"""What a server, a co-recipient or a stranger may do to a message, and that the receiver notices."""

import dataclasses
import random

import pytest

from restante.crypto import envelopes, errors, kdf, pins, receiving
from restante.crypto.age import AgeError, X25519Identity, seal, unseal
from restante.crypto.details import Kind, details_sha256, open_details
from restante.crypto.receiving import Trust
from restante.crypto.video import VideoOpener
from restante.protocol.limits import ENVELOPE_BYTES
from restante.signing import container
from restante.signing.errors import NeedsNewerVersion, ProtocolError, WrongType
from tests.protocol.people import DAY, NOW, nobody_pinned, person, receive, sealed_details, sealed_video, sent


@pytest.fixture(scope="module")
def ann():
    return person("ann")


@pytest.fixture(scope="module")
def bob():
    return person("bob")


@pytest.fixture(scope="module")
def eve():
    return person("eve")


def to_bob(ann, bob, **changes):
    message = dataclasses.replace(sent().message, **changes)
    return envelopes.seal_for_account(message, ann.sender, bob.record)


def test_message_arrives_whole(ann, bob):
    pinned = {ann.acct: pins.first_use(ann.record)}.get
    opened = receive(to_bob(ann, bob), bob, pinned=pinned)
    assert opened.trust is Trust.PINNED
    assert opened.fields.from_.acct == ann.acct
    details = opened.open_details(sent().details)
    opener = VideoOpener(opened.key, details.video.manifest())
    mp4 = opener.update(sent().video) + opener.finish()
    assert mp4.startswith(sent().mp4)
    assert mp4[len(sent().mp4) + 4 :].startswith(b"free")


def test_envelopes_of_fifty_recipients_stay_small(ann, bob):
    names = [f"{'n' * 20}{number:03}@{'server' * 8}.example" for number in range(50)]
    own = envelopes.seal_own_copy(sent().message, ann.sender, ann.keyring.own_recipient(NOW), sent_to=names)
    assert len(own) <= ENVELOPE_BYTES
    assert len(to_bob(ann, bob)) < 6500
    copy = receiving.open_own_copy(own, identities=ann.keyring.identities, me=ann.me, now_ms=NOW)
    assert copy.fields.sent_to == tuple(names)


def test_guest_opens_by_link_secret_alone(ann):
    access = kdf.link_access(bytes(range(32)))
    sealed = envelopes.seal_for_link(sent().message, ann.sender, access.identity.recipient())
    opened = receiving.open_link_envelope(sealed, identity=access.identity, pinned=nobody_pinned, now_ms=NOW)
    assert opened.open_details(sent().details).caption == "hello"


def test_caller_without_account_is_always_shown_as_unsigned(ann, bob):
    sealed = envelopes.seal_for_account(sent().message, envelopes.Caller("Ann"), bob.record)
    opened = receive(sealed, bob, pinned={ann.acct: pins.first_use(ann.record)}.get)
    assert (opened.trust, opened.fields.from_.name) == (Trust.UNSIGNED, "Ann")


def test_video_swapped_by_co_recipient_opens_without_the_hash_and_is_refused_with_it(ann, bob):
    """A co-recipient knows the message key, so age alone would take their file for the sender's."""
    forged, forged_manifest = sealed_video(sent().key, b"not what the sender said " * 9000, seed="forged")
    lax = VideoOpener(sent().key, forged_manifest)
    assert (lax.update(forged) + lax.finish()).startswith(b"not what")
    opened = receive(to_bob(ann, bob), bob)
    strict = VideoOpener(opened.key, opened.open_details(sent().details).video.manifest())
    with pytest.raises(errors.PartSwapped):
        strict.update(forged + bytes(len(sent().video)))


def test_details_swapped_by_co_recipient_open_without_the_hash_and_are_refused_with_it(ann, bob):
    forged = sealed_details(sent().key, sent().manifest, caption="send money")
    assert b"send money" in unseal(forged, sent().key)
    opened = receive(to_bob(ann, bob), bob)
    with pytest.raises(errors.DetailsSwapped):
        opened.open_details(forged)


def test_envelope_passed_on_is_refused(ann, bob, eve):
    """Eve opens what she got and seals it, still with Ann's signature, for Bob."""
    to_eve = envelopes.seal_for_account(sent().message, ann.sender, eve.record)
    plaintext = unseal(to_eve, *eve.keyring.identities)
    passed_on = seal(plaintext, bob.keyring.identities[0].recipient())
    with pytest.raises(errors.WrongRecipient):
        receive(passed_on, bob)


def test_same_envelope_again_is_harmless_and_same_id_with_other_bytes_is_refused(ann, bob):
    first = receive(to_bob(ann, bob), bob)

    def seen(message_id, shard):
        return {(first.fields.id, first.seen_shard): first.digest}.get((message_id, shard))

    assert receive(to_bob(ann, bob), bob, seen=seen).digest == first.digest
    with pytest.raises(errors.MessageIdReused):
        receive(to_bob(ann, bob, expires_ms=NOW + 1), bob, seen=seen)


def test_old_messages_are_taken_and_future_ones_are_not(ann, bob):
    receive(to_bob(ann, bob), bob, now_ms=NOW + 400 * DAY)
    receive(to_bob(ann, bob), bob, now_ms=NOW - DAY)
    with pytest.raises(errors.FromTheFuture):
        receive(to_bob(ann, bob), bob, now_ms=NOW - DAY - 1)


def test_contact_cannot_be_forged(ann, bob, eve):
    as_ann = envelopes.Sender(ann.acct, "Ann", eve.key)
    forged = envelopes.seal_for_account(sent().message, as_ann, bob.record)
    with pytest.raises(errors.WrongSigner):
        receive(forged, bob, pinned={ann.acct: pins.first_use(ann.record)}.get)


def test_stranger_cannot_be_impersonated_at_first_contact(ann, bob, eve):
    """Nothing is pinned yet, so only Ann's own record tells that Eve signed."""
    as_ann = envelopes.Sender(ann.acct, "Ann", eve.key)
    opened = receive(envelopes.seal_for_account(sent().message, as_ann, bob.record), bob)
    assert opened.trust is Trust.FIRST
    with pytest.raises(errors.WrongSigner):
        pins.first_use(ann.record, signer=opened.signer)
    honest = receive(to_bob(ann, bob), bob)
    assert pins.first_use(ann.record, signer=honest.signer).key == ann.key.public


def test_nobody_can_write_to_me_in_my_name(bob, eve):
    as_bob = envelopes.Sender(bob.acct, "Bob", eve.key)
    with pytest.raises(errors.WrongSigner):
        receive(envelopes.seal_for_account(sent().message, as_bob, bob.record), bob)


def test_unsigned_envelope_naming_an_account_is_refused(ann, bob):
    fields = envelopes.EnvelopeFields(
        id=sent().message.id,
        kind=Kind.VIDEO.value,
        created=NOW,
        to=envelopes.To(acct=bob.acct, fp=receive(to_bob(ann, bob), bob).fields.to.fp),
        from_=envelopes.From(acct=ann.acct),
        key=str(sent().key),
        details=receive(to_bob(ann, bob), bob).fields.details,
        upload=sent().message.upload,
    )
    plaintext = container.write_padded(container.Type.ENVELOPE, fields, key=None)
    with pytest.raises(errors.SenderNotSigned):
        receive(seal(plaintext, bob.keyring.identities[0].recipient()), bob)


def test_own_copy_never_passes_for_a_message(ann, bob):
    own = envelopes.seal_own_copy(
        sent().message, ann.sender, ann.keyring.own_recipient(NOW), sent_to=[bob.acct]
    )
    with pytest.raises(errors.WrongBox):
        receive(own, ann)


@pytest.mark.parametrize("kind", [kind for kind in container.Type if kind is not container.Type.ENVELOPE])
def test_other_containers_are_no_envelopes(kind, ann, bob):
    plaintext = container.write_padded(kind, ann.keyring, key=ann.key)
    with pytest.raises(WrongType):
        receive(seal(plaintext, bob.keyring.identities[0].recipient()), bob)


def test_keyring_delivered_as_envelope_is_refused(ann):
    """The server has the keyring's bytes, but they are sealed to none of the envelope's identities."""
    from_server = seal(b"x", ann.access.identity.recipient())
    with pytest.raises(errors.EnvelopeNoMatch):
        receive(from_server, ann)


def test_unknown_kind_asks_for_a_newer_version(ann, bob):
    plaintext = container.read(
        unseal(to_bob(ann, bob), *bob.keyring.identities), container.Type.ENVELOPE, limit=16_384
    )
    payload = plaintext.payload.replace(b'"kind":"video"', b'"kind":"waltz"')
    fields = container.Container(plaintext.kind, plaintext.signer, payload, b"").decode(
        envelopes.EnvelopeFields
    )
    newer = container.write_padded(container.Type.ENVELOPE, fields, key=ann.key)
    with pytest.raises(NeedsNewerVersion):
        receive(seal(newer, bob.keyring.identities[0].recipient()), bob)


def small_link_envelope(ann):
    access = kdf.link_access(bytes(32))
    sealed = envelopes.seal_for_link(sent().message, ann.sender, access.identity.recipient())

    def open_it(data):
        return receiving.open_link_envelope(data, identity=access.identity, pinned=nobody_pinned, now_ms=NOW)

    open_it(sealed)
    return sealed, open_it


def test_no_flipped_bit_of_an_envelope_goes_unnoticed(ann):
    sealed, open_it = small_link_envelope(ann)
    for place in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[place] ^= 1 << place % 8
        with pytest.raises((errors.EnvelopeDamaged, errors.EnvelopeNoMatch)):
            open_it(bytes(damaged))


def test_no_cut_of_an_envelope_goes_unnoticed(ann):
    sealed, open_it = small_link_envelope(ann)
    for size in range(len(sealed)):
        with pytest.raises(errors.EnvelopeDamaged):
            open_it(sealed[:size])


def test_no_flipped_bit_inside_the_signed_container_goes_unnoticed(ann, bob):
    """What a co-recipient with the plaintext could alter before sealing again."""
    plaintext = unseal(to_bob(ann, bob), *bob.keyring.identities)
    pinned = {ann.acct: pins.first_use(ann.record)}.get
    access = X25519Identity.generate()
    padding = plaintext.index(b'"pad"') + 16
    for place in (*range(padding), *range(padding, len(plaintext), 64), len(plaintext) - 1):
        altered = bytearray(plaintext)
        altered[place] ^= 1 << place % 8
        resealed = seal(bytes(altered), access.recipient())
        with pytest.raises(ProtocolError):
            receiving.open_envelope(
                resealed,
                identities=[access],
                me=bob.me,
                pinned=pinned,
                seen=lambda *_: None,
                now_ms=NOW,
            )


def test_noise_is_refused_by_name(bob):
    source = random.Random(5)
    for size in (0, 1, 100, 5000, ENVELOPE_BYTES, ENVELOPE_BYTES + 1):
        with pytest.raises(errors.EnvelopeError):
            receive(source.randbytes(size), bob)


def test_details_under_another_key_are_refused_even_when_their_hash_is_signed():
    other = X25519Identity.generate()
    sealed = sealed_details(other, sent().manifest)
    with pytest.raises(AgeError):
        unseal(sealed, sent().key)
    with pytest.raises(errors.DetailsDamaged):
        open_details(sealed, sent().key, sha256=details_sha256(sealed), kind=Kind.VIDEO)


def test_secrets_do_not_show_in_representations(ann, bob):
    opened = receive(to_bob(ann, bob), bob)
    texts = [
        repr(value) for value in (opened, opened.fields, sent().message, ann.keyring, ann.access, ann.sender)
    ]
    texts += [repr(ann.keyring.enc), str(ann.keyring)]
    assert not [text for text in texts if "AGE-SECRET-KEY" in text or ann.keyring.sign in text]
