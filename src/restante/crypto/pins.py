"""Pins: what is known of an account since first contact, and which new records it accepts.

Implements docs/protocol/account-record.md, "Pins".
"""

import itertools
from collections.abc import Sequence

import msgspec

from restante.crypto.errors import RecordForked, SafetyNumberChanged, WrongSigner
from restante.crypto.fields import Count
from restante.protocol.encoding import b64, unb64
from restante.signing import records
from restante.signing.errors import RecordChainBroken, RecordKeyChanged, RecordOtherAccount, RecordRollback
from restante.signing.records import Record


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """The signing key of an account and the last record seen.

    ``era`` counts how often the person accepted a changed key; ``rev`` and ``record`` are the number and SHA-256 of
    the last record; ``former`` are the keys that ``sign`` followed by succession. Keys are base64url.
    """

    era: Count
    rev: Count
    record: str
    sign: str
    former: tuple[str, ...] = ()

    @property
    def key(self) -> bytes:
        """The pinned public key."""
        return unb64(self.sign, size=32)

    def order(self) -> tuple[int, int, str, str, tuple[str, ...]]:
        """Total order by which devices agree on one of several pins: the later era, then the higher rev."""
        return (self.era, self.rev, self.record, self.sign, self.former)


def first_use(record: Record, *, signer: bytes | None = None) -> Pin:
    """Pins an account at first contact; ``signer`` is who signed the envelope that made the contact.

    Raises WrongSigner when the account's record names another key: then somebody else wrote the envelope.
    """
    if signer is not None and signer != record.sign:
        raise WrongSigner
    return Pin(era=0, rev=record.rev, record=record.sha256, sign=b64(record.sign))


def follow(pin: Pin, acct: str, history: Sequence[bytes]) -> Pin:
    """Checks the records from ``pin.rev`` on, oldest first, and returns the pin moved to the last of them.

    The server gives the history; an older first record is welcome. Raises SafetyNumberChanged (sending is blocked
    until the person accepts), RecordRollback, RecordForked, or any other SigningError.
    """
    chain = [records.read(data) for data in history]
    if not chain:
        raise RecordChainBroken
    if any(record.acct != acct for record in chain):
        raise RecordOtherAccount
    _check_anchor(pin, chain)
    former = list(pin.former)
    for old, new in itertools.pairwise(chain):
        _check_step(pin, old, new)
        if new.rev > pin.rev and new.sign != old.sign:
            former.append(b64(old.sign))
    last = chain[-1]
    return Pin(era=pin.era, rev=last.rev, record=last.sha256, sign=b64(last.sign), former=tuple(former))


def accept_changed_key(pin: Pin, record: Record) -> Pin:
    """Pins the new key after the person accepted it; any ``verified`` mark was for the old one."""
    return Pin(era=pin.era + 1, rev=record.rev, record=record.sha256, sign=b64(record.sign))


def _check_anchor(pin: Pin, chain: list[Record]) -> None:
    """Finds the pinned record in the chain, or says what its absence means."""
    anchors = [record for record in chain if record.rev == pin.rev]
    last = chain[-1]
    if anchors and anchors[0].sha256 == pin.record:
        return
    if b64(last.sign) in pin.former:
        raise RecordRollback
    if last.sign != pin.key:
        raise SafetyNumberChanged(old=pin.key, new=last.sign)
    if last.rev < pin.rev:
        raise RecordRollback
    if anchors:
        raise RecordForked
    raise RecordChainBroken


def _check_step(pin: Pin, old: Record, new: Record) -> None:
    try:
        records.check_successor(old.raw, new.raw)
    except RecordKeyChanged as error:
        raise SafetyNumberChanged(old=pin.key, new=new.sign) from error
