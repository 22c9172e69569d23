"""Account records: the public, self-signed, chained list of an account's keys (docs/protocol/account-record.md)."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import msgspec

from restante.protocol.encoding import b64, unb64
from restante.protocol.limits import JSON_INT, RECORD_BYTES, RECORD_VALID_FOR
from restante.protocol.names import split_acct
from restante.signing import aliases, container, successions
from restante.signing.errors import (
    BadSuccession,
    NeedsNewerVersion,
    RecordChainBroken,
    RecordKeyChanged,
    RecordMalformed,
    RecordNotSelfSigned,
    RecordOtherAccount,
    RecordRollback,
    RecordTooLong,
)
from restante.signing.keys import SigningKey

Millis = Annotated[int, msgspec.Meta(ge=0, le=JSON_INT)]
Rev = Annotated[int, msgspec.Meta(ge=1, le=JSON_INT)]

SIGN_ALG = "ed25519"
_RECIPIENT = re.compile(r"age1pq1[02-9ac-hj-np-z]{1952}\Z")
_ENC_ID = re.compile(r"[a-z0-9_]{1,64}\Z")
_MILLISECOND = timedelta(milliseconds=1)


class EncryptionKey(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A public encryption recipient (``age1pq1…``) and the time in which senders use it."""

    id: str
    recipient: str
    from_: Millis
    until: Millis


class RecordFields(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The payload; ``sign`` is base64url, ``prev`` the base64url SHA-256 of the previous record's bytes."""

    acct: str
    rev: Rev
    sign: str
    sign_alg: str
    enc: tuple[EncryptionKey, ...]
    prev: str | None
    created: Millis
    until: Millis
    succession: str | None = None
    alias: Any = None


@dataclass(frozen=True, slots=True)
class Record:
    """A record that is right in itself: form, signature, validity. Whose it is, its chain and a pin decide."""

    fields: RecordFields
    sign: bytes
    raw: bytes

    @property
    def acct(self) -> str:
        """The account's address, ``name@server-name``."""
        return self.fields.acct

    @property
    def rev(self) -> int:
        """Counts from 1."""
        return self.fields.rev

    @property
    def sha256(self) -> str:
        """What the next record's ``prev`` must be."""
        return b64(hashlib.sha256(self.raw).digest())

    @property
    def alias(self) -> aliases.Alias | None:
        """What it says of a move to or from another server; a bad one says nothing."""
        found = aliases.read(self.fields.alias, sign=self.sign)
        return found if found and self.acct in (found.old, found.new) else None

    def is_expired(self, now_ms: int) -> bool:
        """Tells that the account has not renewed its record: quiet information, not an alarm."""
        return now_ms >= self.fields.until

    def current_recipient(self, now_ms: int) -> str:
        """Chooses where to encrypt to: the valid key that began last; if none is valid, the one that began last."""
        begun = [key for key in self.fields.enc if key.from_ <= now_ms < key.until]
        return max(begun or self.fields.enc, key=lambda key: (key.from_, key.id)).recipient


def build(
    key: SigningKey,
    acct: str,
    enc: Iterable[EncryptionKey],
    *,
    now_ms: int,
    previous: Record | None = None,
    succession: bytes | None = None,
    alias: bytes | None = None,
) -> bytes:
    """Signs the first record, or the one after ``previous``, valid for 400 days.

    ``succession`` is the container made by ``successions.build`` and needed when the signing key is new; ``alias`` the one made by
    ``aliases.build`` at a move.
    """
    fields = RecordFields(
        acct=acct,
        rev=previous.rev + 1 if previous else 1,
        sign=b64(key.public),
        sign_alg=SIGN_ALG,
        enc=tuple(enc),
        prev=previous.sha256 if previous else None,
        created=now_ms,
        until=now_ms + RECORD_VALID_FOR // _MILLISECOND,
        succession=b64(succession) if succession else None,
        alias=b64(alias) if alias else None,
    )
    return container.write(container.Type.ACCOUNT, fields, key=key)


def read(data: bytes) -> Record:
    """Reads a record and checks all that can be checked without its history. Raises SigningError."""
    box = container.read(data, container.Type.ACCOUNT, limit=RECORD_BYTES)
    signer = box.require_signer()
    fields = box.decode(RecordFields)
    if fields.sign_alg != SIGN_ALG:
        raise NeedsNewerVersion(f"signature algorithm {fields.sign_alg[:32]}")
    if fields.sign != b64(signer):
        raise RecordNotSelfSigned
    _check_fields(fields)
    return Record(fields, signer, data)


def check_first(data: bytes) -> Record:
    """Reads what must be the first record of a chain. Raises SigningError."""
    record = read(data)
    if record.rev != 1:
        raise RecordChainBroken
    return record


def check_successor(previous: bytes, following: bytes) -> Record:
    """Reads ``following`` and checks that it is the next record after ``previous``. Raises SigningError."""
    old, new = read(previous), read(following)
    if new.acct != old.acct:
        raise RecordOtherAccount
    if new.rev <= old.rev:
        raise RecordRollback
    if new.rev != old.rev + 1 or new.fields.prev != old.sha256:
        raise RecordChainBroken
    _check_key(old, new)
    return new


def _check_key(old: Record, new: Record) -> None:
    succession = new.fields.succession
    if new.sign == old.sign:
        if succession is not None:
            raise BadSuccession
        return
    if succession is None:
        raise RecordKeyChanged
    try:
        data = unb64(succession)
    except ValueError as error:
        raise BadSuccession from error
    successions.check(data, acct=new.acct, old=old.sign, new=new.sign)


def _check_fields(fields: RecordFields) -> None:
    _check_acct(fields.acct)
    if not 0 < fields.until - fields.created <= RECORD_VALID_FOR // _MILLISECOND:
        raise RecordTooLong
    if (fields.rev == 1) != (fields.prev is None) or (fields.rev == 1 and fields.succession is not None):
        raise RecordMalformed("prev and rev")
    if fields.prev is not None:
        _check_hash(fields.prev)
    _check_enc(fields.enc)


def _check_acct(acct: str) -> None:
    try:
        split_acct(acct)
    except ValueError as error:
        raise RecordMalformed("acct") from error


def _check_hash(text: str) -> None:
    try:
        unb64(text, size=32)
    except ValueError as error:
        raise RecordMalformed("prev") from error


def _check_enc(enc: tuple[EncryptionKey, ...]) -> None:
    if not enc or len({key.id for key in enc}) != len(enc):
        raise RecordMalformed("enc needs at least one key, each id once")
    for key in enc:
        if not _ENC_ID.match(key.id) or not _RECIPIENT.match(key.recipient) or key.until <= key.from_:
            raise RecordMalformed("an encryption key")
