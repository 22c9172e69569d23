"""What a sign-up must be, and what an unknown name is answered."""

import hashlib
import hmac
from dataclasses import dataclass

from restante.protocol import wire, wire_passkeys
from restante.protocol.encoding import unb64
from restante.protocol.names import is_free_to_take
from restante.server.errors import Refusal
from restante.server.keys import rules as key_rules
from restante.signing.records import Record

BEARER_BYTES = 32
SALT_BYTES = 16
NOBODY = bytes(32)
"""Compared with the bearer when there is nobody to compare with; no SHA-256 is known to be this."""


@dataclass(frozen=True, slots=True)
class UnlockMethod:
    """One way in, as it is stored."""

    type: wire.UnlockType
    bearer_sha256: bytes
    salt: bytes | None


@dataclass(frozen=True, slots=True)
class PasskeyForm:
    """A passkey at sign-up, not yet checked."""

    ceremony: str
    credential: wire_passkeys.NewCredential
    label: str
    mid: str


@dataclass(frozen=True, slots=True)
class NewAccount:
    """A sign-up that was found right in itself; whether the name is free is the transaction's to say."""

    name: str
    record: Record
    keyring: bytes
    unlock: tuple[UnlockMethod, ...]
    passkey: PasskeyForm | None
    client: wire.ClientKind


def new_account(form: wire.SignUp, *, server_name: str, now_ms: int) -> NewAccount:
    """Checks a sign-up. Raises Refusal invalid-name, too-large, invalid or invalid-record."""
    if not is_free_to_take(form.name):
        raise Refusal("invalid-name")
    record_bytes = key_rules.decode_record(form.record)
    keyring = keyring_of(form.keyring)
    types = [unlock.type for unlock in form.unlock]
    if "recovery" not in types or len(set(types)) != len(types):
        raise Refusal("invalid", detail="unlock: one recovery method is needed, and each type at most once")
    if len(types) < 2:
        raise Refusal(
            "invalid", detail="unlock: a passphrase or a passkey is needed beside the recovery method"
        )
    unlock = tuple(_unlock_method(unlock) for unlock in form.unlock if unlock.type != "passkey")
    passkey = next((_passkey(unlock) for unlock in form.unlock if unlock.type == "passkey"), None)
    record = key_rules.first_record(record_bytes, acct=f"{form.name}@{server_name}", now_ms=now_ms)
    return NewAccount(form.name, record, keyring, unlock, passkey, form.client)


def keyring_of(text: str) -> bytes:
    """Reads the keyring of a sign-up, or of a change of ways in. Raises Refusal too-large or invalid."""
    return key_rules.decode_keyring(text)


def bearer_sha256(bearer: str) -> bytes:
    """Hashes a bearer as it is stored. Raises Refusal invalid when it is not 32 bytes."""
    return hashlib.sha256(_bytes(bearer, BEARER_BYTES, "bearer")).digest()


def is_bearer(sha256: bytes, stored: bytes | None) -> bool:
    """Compares in constant time, also when there is nothing stored."""
    return hmac.compare_digest(sha256, stored or NOBODY) and stored is not None


def fake_salt(key: bytes, name: str) -> bytes:
    """The salt of a name that has none: always the same, and like a real one from outside."""
    return hmac.new(key, name.encode(), hashlib.sha256).digest()[:SALT_BYTES]


def unlock_method(type_: wire.UnlockType, bearer: str | None, salt: str | None) -> UnlockMethod:
    """Checks a way in by a bearer. Raises Refusal invalid."""
    if bearer is None:
        raise Refusal("invalid", detail="unlock: the bearer is missing")
    if type_ != "passphrase" and salt is not None:
        raise Refusal("invalid", detail="unlock: only a passphrase has a salt")
    if type_ == "passphrase" and salt is None:
        raise Refusal("invalid", detail="unlock: a passphrase needs its salt")
    stored_salt = None if salt is None else _bytes(salt, SALT_BYTES, "salt")
    return UnlockMethod(type_, bearer_sha256(bearer), stored_salt)


def _unlock_method(unlock: wire.Unlock) -> UnlockMethod:
    assert unlock.type != "passkey"
    return unlock_method(unlock.type, unlock.bearer, unlock.salt)


def _passkey(unlock: wire.Unlock) -> PasskeyForm:
    if unlock.ceremony is None or unlock.credential is None or unlock.label is None or unlock.mid is None:
        raise Refusal("invalid", detail="unlock: a passkey needs ceremony, credential, label and mid")
    return PasskeyForm(unlock.ceremony, unlock.credential, unlock.label, unlock.mid)


def _bytes(text: str, size: int, what: str) -> bytes:
    try:
        return unb64(text, size=size)
    except ValueError as error:
        raise Refusal("invalid", detail=f"{what}: {error}") from error
