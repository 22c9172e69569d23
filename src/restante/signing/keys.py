"""Ed25519 signing keys, strict verification (RFC 8032) and fingerprints."""

import hashlib
import secrets
from collections.abc import Callable
from typing import Self, final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from restante.protocol.encoding import b64
from restante.signing.errors import BadSignature, BadSigningKey

KEY_BYTES = 32
SIGNATURE_BYTES = 64

# [Note: Strict keys] A public key is taken only as 32 bytes whose y is below p and whose point is not of small
# order. OpenSSL alone would accept y >= p and the eight small points, other libraries would not; with this rule
# both languages agree, and no key exists under which a signature fits every message. OpenSSL itself checks that
# S is below the group order and compares R as bytes.
_P = 2**255 - 19
_Y_ORDER_8 = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
_SMALL_ORDER_Y = frozenset({0, 1, _P - 1, _Y_ORDER_8, _P - _Y_ORDER_8})


@final
class SigningKey:
    """An account's Ed25519 key; its repr does not show the seed."""

    __slots__ = ("_key", "public", "seed")

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.seed = seed
        self.public = self._key.public_key().public_bytes_raw()

    @classmethod
    def generate(cls, *, random: Callable[[int], bytes] = secrets.token_bytes) -> Self:
        """Makes a key from 32 random bytes."""
        return cls(random(KEY_BYTES))

    def sign(self, message: bytes) -> bytes:
        """Signs; the same message always gives the same 64 bytes."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"SigningKey({fp(self.public)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SigningKey) and other.seed == self.seed

    def __hash__(self) -> int:
        return hash(self.public)


def check_public(public: bytes) -> None:
    """Refuses what is not a canonical key of large order ([Note: Strict keys]). Raises BadSigningKey."""
    if len(public) != KEY_BYTES:
        raise BadSigningKey
    y = int.from_bytes(public, "little") & (2**255 - 1)
    if y >= _P or y in _SMALL_ORDER_Y:
        raise BadSigningKey


def verify(public: bytes, signature: bytes, message: bytes) -> None:
    """Verifies strictly. Raises BadSigningKey or BadSignature."""
    check_public(public)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature as error:
        raise BadSignature from error


def fp(public: bytes) -> str:
    """Writes the fingerprint of a public key: 22 characters."""
    return b64(hashlib.sha256(b"restante/1 fp\x00" + public).digest()[:16])
