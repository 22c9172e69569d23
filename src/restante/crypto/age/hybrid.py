"""The recipient type ``mlkem768x25519``: safe against a later quantum computer, ``age1pq1…``.

The file key is sealed by HPKE (RFC 9180) with the hybrid KEM MLKEM768-X25519, which ``cryptography`` brings.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from restante.crypto.age import bech32
from restante.crypto.age.errors import BadKey, HeaderError
from restante.crypto.age.header import Stanza, b64
from restante.crypto.age.x25519 import is_low_order, read_share

_SEED_BYTES = 32
_MLKEM_SEED_BYTES = 64
_MLKEM_KEY_BYTES = 1184
_PUBLIC_BYTES = _MLKEM_KEY_BYTES + 32
_MLKEM_SHARE_BYTES = 1088
_SHARE_BYTES = _MLKEM_SHARE_BYTES + 32

_TYPE = "mlkem768x25519"
_INFO = b"age-encryption.org/mlkem768x25519"
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


@dataclass(frozen=True)
class HybridRecipient:
    """A public key that seals: an ML-KEM-768 encapsulation key and an X25519 point, 1,216 bytes."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != _PUBLIC_BYTES:
            raise BadKey(f"not {_PUBLIC_BYTES} bytes")
        if is_low_order(self.key[_MLKEM_KEY_BYTES:]):
            raise BadKey("a point of low order")
        try:
            MLKEM768PublicKey.from_public_bytes(self.key[:_MLKEM_KEY_BYTES])
        except ValueError as error:
            raise BadKey("not an ML-KEM-768 key") from error

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads ``age1pq1…``. Raises BadKey."""
        return cls(bech32.decode("age1pq", text, size=_PUBLIC_BYTES))

    def __str__(self) -> str:
        return bech32.encode("age1pq", self.key)

    def wrap(self, file_key: bytes, random: Callable[[int], bytes]) -> Stanza:  # noqa: ARG002 - the same shape as X25519's
        """Wraps the file key; the share's randomness is always the operating system's."""
        public = hpke.MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(self.key[:_MLKEM_KEY_BYTES]),
            X25519PublicKey.from_public_bytes(self.key[_MLKEM_KEY_BYTES:]),
        )
        sealed = _SUITE.encrypt(file_key, public, _INFO)
        return Stanza((_TYPE, b64(sealed[:_SHARE_BYTES])), sealed[_SHARE_BYTES:])


@dataclass(frozen=True)
class HybridIdentity:
    """A private key that opens, grown from a seed of 32 bytes; only ``str()`` shows it."""

    _seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self._seed) != _SEED_BYTES:
            raise BadKey(f"not {_SEED_BYTES} bytes")

    @classmethod
    def generate(cls, random: Callable[[int], bytes] = secrets.token_bytes) -> Self:
        """Makes a fresh identity."""
        return cls(random(_SEED_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads ``AGE-SECRET-KEY-PQ-1…``. Raises BadKey."""
        if not text.isupper():
            raise BadKey("an identity is written in capitals")
        return cls(bech32.decode("age-secret-key-pq-", text.lower(), size=_SEED_BYTES))

    def __str__(self) -> str:
        return bech32.encode("age-secret-key-pq-", self._seed).upper()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {str(self.recipient())[:24]}…>"

    def recipient(self) -> HybridRecipient:
        """Returns the public half."""
        mlkem, x25519 = self._keys
        return HybridRecipient(mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw())

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Returns the file key of the first stanza that opens. Raises HeaderError on a malformed one."""
        for stanza in stanzas:
            if stanza.args[0] == _TYPE and (file_key := self._open(stanza)) is not None:
                return file_key
        return None

    @cached_property
    def _keys(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        grown = hashlib.shake_256(self._seed).digest(_MLKEM_SEED_BYTES + 32)
        return (
            MLKEM768PrivateKey.from_seed_bytes(grown[:_MLKEM_SEED_BYTES]),
            X25519PrivateKey.from_private_bytes(grown[_MLKEM_SEED_BYTES:]),
        )

    def _open(self, stanza: Stanza) -> bytes | None:
        share = read_share(stanza, size=_SHARE_BYTES)
        if is_low_order(share[_MLKEM_SHARE_BYTES:]):
            raise HeaderError("a share of low order")
        private = hpke.MLKEM768X25519PrivateKey(*self._keys)
        try:
            return _SUITE.decrypt(share + stanza.body, private, _INFO)
        except InvalidTag:
            return None
