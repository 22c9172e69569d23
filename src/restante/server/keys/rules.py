"""What the server checks of keys that it cannot read: sizes, forms, and the public account record."""

import hashlib
import re
from datetime import timedelta

from restante.protocol.encoding import b64, unb64
from restante.protocol.limits import CREATED_AHEAD, KEYRING_BYTES, RECORD_BYTES
from restante.server.errors import Refusal
from restante.signing import records
from restante.signing.errors import (
    ContainerTooLarge,
    RecordChainBroken,
    RecordOtherAccount,
    RecordRollback,
    SigningError,
)
from restante.signing.records import Record

AGE_MAGIC = b"age-encryption.org/v1\n"
_AHEAD_MS = CREATED_AHEAD // timedelta(milliseconds=1)
_SHARD = re.compile(r"[a-z0-9-]{1,32}\Z")


def is_shard_name(text: str) -> bool:
    """Tells whether the text may name a state shard."""
    return bool(_SHARD.match(text))


def version_of(data: bytes) -> str:
    """The version of stored bytes: equal bytes have equal versions, so a repeated store is recognised."""
    return b64(hashlib.sha256(data).digest()[:16])


def check_sealed(data: bytes) -> None:
    """Refuses what is no age file: a client that would store plaintext by mistake learns it here. Raises invalid."""
    if not data.startswith(AGE_MAGIC):
        raise Refusal("invalid", detail="not an age file")


def decode(text: str, *, limit: int, what: str) -> bytes:
    """Reads base64url; the size is checked before the content. Raises Refusal too-large or invalid."""
    if len(text) > (limit * 4 + 2) // 3:
        raise Refusal("too-large", detail=what, limit=limit)
    try:
        return unb64(text)
    except ValueError as error:
        raise Refusal("invalid", detail=f"{what}: {error}") from error


def decode_keyring(text: str) -> bytes:
    """Reads the keyring of a sign-up."""
    data = decode(text, limit=KEYRING_BYTES, what="keyring")
    check_sealed(data)
    return data


def decode_record(text: str) -> bytes:
    """Reads the bytes of an account record, not yet verified."""
    return decode(text, limit=RECORD_BYTES, what="record")


def first_record(data: bytes, *, acct: str, now_ms: int) -> Record:
    """Verifies the record that a sign-up brings. Raises Refusal invalid-record."""
    try:
        record = records.check_first(data)
        return _check_ours(record, acct=acct, now_ms=now_ms)
    except SigningError as error:
        raise _refusal(error) from error


def next_record(data: bytes, *, previous: bytes, acct: str, now_ms: int) -> Record:
    """Verifies the record that follows ``previous``. Raises Refusal stale-record or invalid-record."""
    try:
        record = records.check_successor(previous, data)
        return _check_ours(record, acct=acct, now_ms=now_ms)
    except (RecordRollback, RecordChainBroken) as error:
        raise Refusal("stale-record", detail=error.code) from error
    except SigningError as error:
        raise _refusal(error) from error


def _check_ours(record: Record, *, acct: str, now_ms: int) -> Record:
    if record.acct != acct:
        raise RecordOtherAccount
    if record.fields.created > now_ms + _AHEAD_MS:
        raise Refusal("invalid-record", detail="created in the future")
    return record


def _refusal(error: SigningError) -> Refusal:
    if isinstance(error, ContainerTooLarge):
        return Refusal("too-large", limit=RECORD_BYTES)
    return Refusal("invalid-record", detail=error.code)
