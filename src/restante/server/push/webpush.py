"""Web push: who sends (VAPID, RFC 8292) and what only the browser reads (RFC 8291 over RFC 8188).

The message is one record of fixed size, so that its length tells nothing.
"""

import json
import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from restante.protocol.encoding import b64

PUBLIC_BYTES = 65
AUTH_BYTES = 16
PADDED_BYTES = 256
RECORD_BYTES = 4096
TOKEN_FOR_S = 12 * 3600
_CURVE = ec.SECP256R1()
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True, slots=True)
class Vapid:
    """The server's own key, by which push services tell senders apart."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> "Vapid":
        """Makes the key of 32 secret bytes."""
        return cls(ec.derive_private_key(int.from_bytes(secret, "big") % (_ORDER - 1) + 1, _CURVE))

    @property
    def public(self) -> str:
        """The public key as browsers take it."""
        return b64(_point(self.key.public_key()))

    def authorization(self, *, origin: str, subject: str, now_s: int) -> str:
        """The header for a push service: a token for its origin alone, good for half a day."""
        claims = {"aud": origin, "exp": now_s + TOKEN_FOR_S, "sub": subject}
        signed = f"{_json({'typ': 'JWT', 'alg': 'ES256'})}.{_json(claims)}"
        r, s = decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"vapid t={signed}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}, k={self.public}"


def is_public_key(data: bytes) -> bool:
    """Tells whether the bytes are a point of the curve, uncompressed."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, data)
    except ValueError:
        return False
    return len(data) == PUBLIC_BYTES


def seal(
    text: bytes,
    *,
    public: bytes,
    auth: bytes,
    key: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
    padded_bytes: int = PADDED_BYTES,
) -> bytes:
    """Encrypts to a browser's subscription. ``key`` and ``salt`` are fresh ones unless a test vector fixes them."""
    key, salt = key or ec.generate_private_key(_CURVE), salt or secrets.token_bytes(16)
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, public)
    ours = _point(key.public_key())
    shared = _hkdf(
        key.exchange(ec.ECDH(), theirs), salt=auth, info=b"WebPush: info\0" + public + ours, length=32
    )
    content_key = _hkdf(shared, salt=salt, info=b"Content-Encoding: aes128gcm\0", length=16)
    nonce = _hkdf(shared, salt=salt, info=b"Content-Encoding: nonce\0", length=12)
    record = (text + b"\x02").ljust(padded_bytes, b"\0")
    header = salt + RECORD_BYTES.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return header + AESGCM(content_key).encrypt(nonce, record, None)


def _hkdf(secret: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _json(value: dict[str, object]) -> str:
    return b64(json.dumps(value, separators=(",", ":")).encode())
