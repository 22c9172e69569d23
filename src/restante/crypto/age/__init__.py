"""age, version 1 (C2SP ``age.md``): files sealed to public keys, in binary form.

    >>> identity = X25519Identity.generate()
    >>> unseal(seal(b"a message", identity.recipient()), identity)
    b'a message'

Native recipient types ``X25519`` and ``mlkem768x25519``; files opened with a passphrase (``scrypt``) and the
ASCII armour are refused, since nothing here makes them.
"""

from restante.crypto.age.errors import (
    AgeError,
    BadKey,
    BadMac,
    HeaderError,
    NoMatch,
    PayloadError,
    Truncated,
)
from restante.crypto.age.hybrid import HybridIdentity, HybridRecipient
from restante.crypto.age.keys import Identity, Recipient, parse_identity, parse_recipient
from restante.crypto.age.opening import Unsealer, unseal
from restante.crypto.age.payload import CHUNK_BYTES, sealed_size
from restante.crypto.age.reader import Fetch, Reader
from restante.crypto.age.sealing import Sealer, seal
from restante.crypto.age.x25519 import X25519Identity, X25519Recipient

__all__ = [
    "CHUNK_BYTES",
    "AgeError",
    "BadKey",
    "BadMac",
    "Fetch",
    "HeaderError",
    "HybridIdentity",
    "HybridRecipient",
    "Identity",
    "NoMatch",
    "PayloadError",
    "Reader",
    "Recipient",
    "Sealer",
    "Truncated",
    "Unsealer",
    "X25519Identity",
    "X25519Recipient",
    "parse_identity",
    "parse_recipient",
    "seal",
    "sealed_size",
    "unseal",
]
