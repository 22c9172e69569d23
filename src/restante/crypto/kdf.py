"""Key derivation: a secret becomes an age identity that opens, and a bearer that the server knows the hash of.

Implements docs/protocol/keys.md, "Derived keys".
"""

import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from restante.crypto.age import X25519Identity
from restante.protocol.encoding import b64

SALT_BYTES = 16
_ARGON2_KIB = 64 * 1024
_ARGON2_PASSES = 3


@dataclass(frozen=True, slots=True)
class Access:
    """One way in: ``identity`` stays on the device, ``bearer`` (32 bytes) is shown to the server."""

    identity: X25519Identity
    bearer: bytes = field(repr=False)

    @property
    def bearer_sha256(self) -> bytes:
        """What the server stores to recognise the bearer."""
        return hashlib.sha256(self.bearer).digest()


def kdf(ikm: bytes, info: str) -> bytes:
    """Derives 32 bytes: HKDF-SHA256 with an empty salt."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info.encode()).derive(ikm)


def argon2id(secret: bytes, *, salt: bytes) -> bytes:
    """Stretches a typed secret to 32 bytes: Argon2id, 64 MiB, 3 passes, 1 lane; takes a third of a second."""
    return Argon2id(salt=salt, length=32, iterations=_ARGON2_PASSES, lanes=1, memory_cost=_ARGON2_KIB).derive(
        secret
    )


def unlock_access(secret: bytes) -> Access:
    """Derives the way in of an unlock method from its secret U."""
    return _access(secret, secret, "unlock")


def link_access(secret: bytes) -> Access:
    """Derives the way in of a guest link from the 32 bytes in its fragment."""
    return _access(secret, secret, "link")


def link_access_with_password(secret: bytes, stretched: bytes) -> Access:
    """Derives the way in of a guest link with a password, ``stretched`` by argon2id over ``link_salt``."""
    return _access(secret + stretched, secret, "link")


def link_salt(secret: bytes) -> bytes:
    """Derives the salt of a guest link's password."""
    return kdf(secret, "restante/1 link salt")[:SALT_BYTES]


def greeting_access(secret: bytes) -> Access:
    """Derives the way in of an answering page's link from the 16 bytes in its fragment."""
    return _access(secret, secret, "greeting")


def link_fp(recipient: str) -> str:
    """Writes the fingerprint by which an envelope names a link's recipient (``age1…``): 22 characters."""
    return b64(hashlib.sha256(b"restante/1 link\x00" + recipient.encode()).digest()[:16])


def _access(identity_secret: bytes, bearer_secret: bytes, use: str) -> Access:
    identity = X25519Identity.from_bytes(kdf(identity_secret, f"restante/1 {use} identity"))
    return Access(identity, kdf(bearer_secret, f"restante/1 {use} auth"))
