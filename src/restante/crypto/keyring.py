"""``keyring.age``: an account's secrets, sealed to all its ways in (docs/protocol/keyring-and-state.md)."""

import secrets
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated

import msgspec

from restante.crypto.age import (
    AgeError,
    HybridIdentity,
    Identity,
    NoMatch,
    Recipient,
    X25519Identity,
    X25519Recipient,
    seal,
    unseal,
)
from restante.crypto.errors import (
    KeyringDamaged,
    KeyringForged,
    KeyringMalformed,
    KeyringNoMatch,
    KeyringRolledBack,
    KeyringTooLarge,
)
from restante.crypto.fields import Label, Millis, Rev
from restante.protocol.encoding import unb64
from restante.protocol.limits import KEYRING_BYTES
from restante.signing import container, records, successions
from restante.signing.container import Container
from restante.signing.errors import BadSuccession, PayloadMalformed
from restante.signing.keys import KEY_BYTES, SigningKey


class MethodType(StrEnum):
    """How a person unlocks the keyring."""

    PASSPHRASE = "passphrase"  # noqa: S105 - a word of the format, not a secret
    RECOVERY_CODE = "recovery"
    PASSKEY = "passkey"


class EncryptionIdentity(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """An ``AGE-SECRET-KEY-PQ-1…`` and the time in which senders use it; a retired one only opens what waits."""

    id: str
    identity: str
    from_: Millis
    until: Millis
    retired: bool = False

    def __repr__(self) -> str:
        return f"EncryptionIdentity({self.id})"


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """An unlock method; ``recipient`` is the public half of its derived identity."""

    mid: str
    type: MethodType
    label: Label
    recipient: str
    created: Millis


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A device with an identity of its own: a trusted browser, a paired command line."""

    did: str
    label: Label
    recipient: str
    created: Millis


class Keyring(msgspec.Struct, frozen=True, kw_only=True):
    """The payload; ``sign`` is the base64url seed, ``state`` an ``AGE-SECRET-KEY-1…``.

    ``successions`` are the base64url containers by which earlier signing keys led to this one; unset when there was none.
    ``former_states`` are earlier state keys, as long as a shard may be sealed to one of them.
    """

    rev: Rev
    acct: str
    sign: str
    enc: Annotated[tuple[EncryptionIdentity, ...], msgspec.Meta(min_length=1)]
    state: str
    unlock: tuple[Method, ...] = ()
    devices: tuple[Device, ...] = ()
    successions: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    former_states: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET

    def __repr__(self) -> str:
        return f"Keyring(rev={self.rev})"

    @property
    def signing_key(self) -> SigningKey:
        """The account's Ed25519 key."""
        return SigningKey(unb64(self.sign, size=KEY_BYTES))

    @property
    def own_keys(self) -> tuple[bytes, ...]:
        """The account's own signing public keys, the current one first: what an earlier one signed is still ours."""
        current = self.signing_key.public
        former = successions.former_keys(self.successions or (), acct=self.acct, current=current)
        return (current, *reversed(former))

    def succession_from(self, old: bytes) -> bytes | None:
        """Returns the succession that leads from ``old`` to the present signing key, if that is one step."""
        keys = self.own_keys
        if not self.successions or len(keys) < 2 or keys[1] != old:
            return None
        return unb64(self.successions[-1])

    @property
    def identities(self) -> list[Identity]:
        """Everything that opens envelopes, the newest first."""
        newest = sorted(self.enc, key=lambda entry: entry.from_, reverse=True)
        return [HybridIdentity.parse(entry.identity) for entry in newest]

    @property
    def state_identity(self) -> X25519Identity:
        """The key of the state shards."""
        return X25519Identity.parse(self.state)

    @property
    def former_state_identities(self) -> list[X25519Identity]:
        """Earlier keys of the state shards, which open what is not yet sealed to the present one."""
        return [X25519Identity.parse(text) for text in self.former_states or ()]

    @property
    def recipients(self) -> list[Recipient]:
        """Whom the keyring is sealed to: every unlock method and device."""
        texts = [entry.recipient for entry in self.unlock] + [entry.recipient for entry in self.devices]
        return [X25519Recipient.parse(text) for text in texts]

    def own_recipient(self, now_ms: int) -> Recipient:
        """Where the sender's own copies are sealed to: the current encryption identity."""
        begun = [entry for entry in self.enc if entry.from_ <= now_ms < entry.until and not entry.retired]
        entry = max(begun or self.enc, key=lambda entry: (entry.from_, entry.id))
        return HybridIdentity.parse(entry.identity).recipient()

    def record(
        self,
        *,
        now_ms: int,
        previous: records.Record | None = None,
        succession: bytes | None = None,
        alias: bytes | None = None,
    ) -> bytes:
        """Signs the account record that publishes this keyring's keys."""
        enc = [
            records.EncryptionKey(
                id=entry.id,
                recipient=str(HybridIdentity.parse(entry.identity).recipient()),
                from_=entry.from_,
                until=entry.until,
            )
            for entry in self.enc
            if not entry.retired
        ]
        return records.build(
            self.signing_key,
            self.acct,
            enc,
            now_ms=now_ms,
            previous=previous,
            succession=succession,
            alias=alias,
        )


def seal_keyring(keyring: Keyring, *, random: Callable[[int], bytes] = secrets.token_bytes) -> bytes:
    """Signs and seals to every unlock method and device in it. Raises KeyringTooLarge."""
    plaintext = container.write_padded(container.Type.KEYRING, keyring, key=keyring.signing_key)
    sealed = seal(plaintext, *keyring.recipients, random=random)
    if len(sealed) > KEYRING_BYTES:
        raise KeyringTooLarge
    return sealed


def open_keyring(
    sealed: bytes, *identities: X25519Identity, acct: str, known: bytes | None = None
) -> Keyring:
    """Opens with an unlock method's or a device's identity.

    ``known`` is the signing key that this device remembers, or one before it; without one, compare ``signing_key.public`` with
    the account record. Raises KeyringError or SigningError.
    """
    if len(sealed) > KEYRING_BYTES:
        raise KeyringTooLarge
    box = container.read(_unseal(sealed, identities), container.Type.KEYRING, limit=KEYRING_BYTES)
    signer = box.require_signer()
    if known is not None and not _follows(box, signer, acct, known):
        raise KeyringForged
    try:
        keyring = box.decode(Keyring)
    except PayloadMalformed as error:
        raise KeyringMalformed(error.detail) from error
    _check(keyring, signer, acct)
    return keyring


def check_not_rolled_back(keyring: Keyring, *, highest_rev: int) -> None:
    """Compares with the highest rev that this device has seen. Raises KeyringRolledBack: warn, and go on if told so."""
    if keyring.rev < highest_rev:
        raise KeyringRolledBack


def _unseal(sealed: bytes, identities: Sequence[X25519Identity]) -> bytes:
    try:
        return unseal(sealed, *identities)
    except NoMatch as error:
        raise KeyringNoMatch from error
    except AgeError as error:
        raise KeyringDamaged from error


def _check(keyring: Keyring, signer: bytes, acct: str) -> None:
    try:
        public = keyring.signing_key.public
        keyring.state_identity  # noqa: B018 - reading it is the check
        keyring.former_state_identities  # noqa: B018 - likewise
        keyring.identities  # noqa: B018 - likewise
        keyring.recipients  # noqa: B018 - likewise
    except ValueError as error:
        raise KeyringMalformed from error
    if public != signer or keyring.acct != acct:
        raise KeyringForged
    try:
        keyring.own_keys  # noqa: B018 - likewise
    except BadSuccession as error:
        raise KeyringMalformed from error


class _Led(msgspec.Struct, frozen=True):
    """As much of a keyring as tells which keys led to its own."""

    successions: tuple[str, ...] = ()


def _follows(box: Container, signer: bytes, acct: str, known: bytes) -> bool:
    """Tells whether the signer is the key that is known here, or one that successions lead to from it."""
    if signer == known:
        return True
    try:
        led = box.decode(_Led).successions
        return known in successions.former_keys(led, acct=acct, current=signer)
    except (PayloadMalformed, BadSuccession):
        return False
