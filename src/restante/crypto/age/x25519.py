"""The recipient type ``X25519``: 32-byte keys, ``age1…`` and ``AGE-SECRET-KEY-1…``."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from restante.crypto.age import bech32
from restante.crypto.age.errors import BadKey, HeaderError
from restante.crypto.age.header import Stanza, b64, derive, unb64

KEY_BYTES = 32
WRAPPED_BYTES = 32
"""A file key of 16 bytes and its tag."""

_TYPE = "X25519"
_INFO = b"age-encryption.org/v1/X25519"
_NONCE = bytes(12)


@dataclass(frozen=True)
class X25519Recipient:
    """A public key that seals: 32 bytes, a point not of low order."""

    key: bytes

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise BadKey(f"not {KEY_BYTES} bytes")
        if is_low_order(self.key):
            raise BadKey("a point of low order: anybody could open what it seals")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads ``age1…``. Raises BadKey."""
        return cls(bech32.decode("age", text, size=KEY_BYTES))

    def __str__(self) -> str:
        return bech32.encode("age", self.key)

    def wrap(self, file_key: bytes, random: Callable[[int], bytes]) -> Stanza:
        """Wraps the file key under a fresh share."""
        ephemeral = X25519PrivateKey.from_private_bytes(random(KEY_BYTES))
        share = ephemeral.public_key().public_bytes_raw()
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(self.key))
        key = derive(shared, salt=share + self.key, info=_INFO)
        return Stanza((_TYPE, b64(share)), ChaCha20Poly1305(key).encrypt(_NONCE, file_key, None))


@dataclass(frozen=True)
class X25519Identity:
    """A private key that opens; only ``str()`` shows it."""

    _key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self._key) != KEY_BYTES:
            raise BadKey(f"not {KEY_BYTES} bytes")

    @classmethod
    def generate(cls, random: Callable[[int], bytes] = secrets.token_bytes) -> Self:
        """Makes a fresh identity."""
        return cls(random(KEY_BYTES))

    @classmethod
    def from_bytes(cls, key: bytes) -> Self:
        """Takes 32 bytes that are as hard to guess as random ones, such as the output of a key derivation."""
        return cls(key)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads ``AGE-SECRET-KEY-1…``. Raises BadKey."""
        if not text.isupper():
            raise BadKey("an identity is written in capitals")
        return cls(bech32.decode("age-secret-key-", text.lower(), size=KEY_BYTES))

    def __str__(self) -> str:
        return bech32.encode("age-secret-key-", self._key).upper()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._recipient}>"

    def recipient(self) -> X25519Recipient:
        """Returns the public half."""
        return self._recipient

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Returns the file key of the first stanza that opens. Raises HeaderError on a malformed one."""
        for stanza in stanzas:
            if stanza.args[0] == _TYPE and (file_key := self._open(stanza)) is not None:
                return file_key
        return None

    @cached_property
    def _recipient(self) -> X25519Recipient:
        private = X25519PrivateKey.from_private_bytes(self._key)
        return X25519Recipient(private.public_key().public_bytes_raw())

    def _open(self, stanza: Stanza) -> bytes | None:
        share = read_share(stanza, size=KEY_BYTES)
        if is_low_order(share):
            raise HeaderError("a share of low order")
        private = X25519PrivateKey.from_private_bytes(self._key)
        shared = private.exchange(X25519PublicKey.from_public_bytes(share))
        key = derive(shared, salt=share + self._recipient.key, info=_INFO)
        try:
            return ChaCha20Poly1305(key).decrypt(_NONCE, stanza.body, None)
        except InvalidTag:
            return None


def read_share(stanza: Stanza, *, size: int) -> bytes:
    """Returns the one argument after the type, and checks the body's length before anything is opened.

    [Note: Length before opening] A body of another length could carry a longer file key and make one file
    open differently for different recipients (a partitioning oracle), says the specification.
    """
    if len(stanza.args) != 2:
        raise HeaderError(f"a stanza of type {stanza.args[0]} takes one argument")
    share = unb64(stanza.args[1])
    if len(share) != size:
        raise HeaderError(f"a share of {len(share)} bytes where {size} are expected")
    if len(stanza.body) != WRAPPED_BYTES:
        raise HeaderError(f"a wrapped file key of {len(stanza.body)} bytes")
    return share


def is_low_order(point: bytes) -> bool:
    """Tells whether every exchange with this point gives zeros, so that no secret enters it."""
    try:
        _ANY_KEY.exchange(X25519PublicKey.from_public_bytes(point))
    except ValueError:
        return True
    return False


# Clamping makes every private key a multiple of the cofactor, so any one finds out every point of low order.
_ANY_KEY = X25519PrivateKey.from_private_bytes(bytes(KEY_BYTES))
