"""What somebody who passes a message on, or the server, may do to it, and that the receiver notices."""

import dataclasses

import msgspec
import pytest

from restante.crypto import envelopes, errors, pins
from restante.crypto.age import parse_recipient, seal
from restante.crypto.errors import WrongSigner
from restante.crypto.forwarding import read_original
from restante.crypto.receiving import Trust
from restante.protocol.encoding import b64
from restante.signing import container
from tests.protocol.people import NOW, person, receive, sent

ANN, BOB, EVE, CAT = map(person, ("ann", "bob", "eve", "cat"))


def received(**changes):
    message = dataclasses.replace(sent().message, **{"may_forward": True, **changes})
    return receive(envelopes.seal_for_account(message, ANN.sender, BOB.record), BOB)


def passed_on(opened, who=BOB, to=CAT, **changes):
    """What ``who`` seals, whatever their client should have refused."""
    sealed = envelopes.seal_forward(opened.fields, opened.container, who.sender, to.record, now_ms=NOW)
    if not changes:
        return sealed
    fields = msgspec.structs.replace(receive(sealed, to).fields, **changes)
    plain = container.write_padded(container.Type.ENVELOPE, fields, key=who.key)
    return seal(plain, parse_recipient(to.record.current_recipient(NOW)))


def test_who_knows_the_sender_sees_them_and_who_does_not_sees_the_forwarder():
    opened = receive(passed_on(received()), CAT, pinned={ANN.acct: pins.first_use(ANN.record)}.get)
    assert (opened.original.acct, opened.fields.from_.acct) == (ANN.acct, BOB.acct)
    assert opened.trust is Trust.FIRST
    assert opened.details_sha256 == sent().message.details_sha256
    stranger = receive(passed_on(received()), CAT)
    assert (stranger.original.acct, stranger.original.name) == ("", None)


def test_a_message_that_was_not_passed_on_has_no_original():
    assert received().original is None


def test_the_original_of_a_known_sender_is_signed_by_their_key():
    with pytest.raises(WrongSigner):
        receive(passed_on(received()), CAT, pinned={ANN.acct: pins.first_use(EVE.record)}.get)


@pytest.mark.parametrize(
    "changes",
    [{"key": str(sent().key).replace("1", "2", 1)}, {"expires": NOW + 1}, {"details": b64(bytes(32))}],
    ids=lambda changes: next(iter(changes)),
)
def test_the_message_is_the_one_that_the_sender_signed(changes):
    fields = receive(passed_on(received()), CAT).fields
    with pytest.raises(errors.ForwardMalformed):
        read_original(msgspec.structs.replace(fields, **changes), BOB.key.public)


def test_only_the_one_it_was_written_to_passes_it_on():
    """Eve got at Bob's container; her own signature and name do not make it hers."""
    with pytest.raises(errors.ForwardMalformed):
        receive(passed_on(received(), who=EVE), CAT)


@pytest.mark.parametrize("terms", [{"may_forward": False}, {"once": True}], ids=str)
def test_what_the_sender_did_not_allow_is_refused_by_the_receiver_too(terms):
    with pytest.raises(errors.ForwardNotAllowed):
        receive(passed_on(received(**terms)), CAT)


def test_what_was_passed_on_is_not_passed_on_again():
    again = receive(passed_on(received()), CAT)
    with pytest.raises((errors.ForwardNotAllowed, errors.ForwardMalformed)):
        receive(passed_on(again, who=CAT, to=EVE), EVE)


@pytest.mark.parametrize(
    "raw", ["", "!", b64(b"restante/1 envelope\n-\n-\n{}")], ids=["empty", "no b64", "unsigned"]
)
def test_an_original_that_is_none_is_refused(raw):
    with pytest.raises(errors.ForwardMalformed):
        receive(passed_on(received(), forwarded=raw), CAT)
