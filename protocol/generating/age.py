"""age files made from nothing but primitives, with all randomness derived from a label: the same bytes each time.

Only the share of a post-quantum stanza is random, because the primitive takes no randomness.
"""

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CHUNK = 65_536
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_HPKE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


def drawn(label, size):
    """Bytes that look random and depend on the label alone."""
    return hashlib.shake_256(b"restante vectors " + label.encode()).digest(size)


def hkdf(ikm, *, salt, info):
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=info).derive(ikm)


def bech32(prefix, data):
    values = _regroup(data)
    checksum = _polymod(_expand(prefix) + values + [0] * 6) ^ 1
    values += [checksum >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + "1" + "".join(_BECH32[value] for value in values)


def _regroup(data):
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    return [int(bits[start : start + 5], 2) for start in range(0, len(bits), 5)]


def _expand(prefix):
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def _polymod(values):
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> i & 1 else 0
    return check


def x25519_public(secret):
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def identity_text(secret):
    return bech32("age-secret-key-", secret).upper()


def recipient_text(secret):
    return bech32("age", x25519_public(secret))


def hybrid_identity_text(seed):
    return bech32("age-secret-key-pq-", seed).upper()


def hybrid_recipient_text(seed):
    mlkem, x25519 = _hybrid(seed)
    return bech32("age1pq", mlkem.public_key().public_bytes_raw() + x25519_public(x25519))


def _hybrid(seed):
    expanded = hashlib.shake_256(seed).digest(96)
    return MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), expanded[64:]


def seal(plaintext, *secrets, label):
    """An age file to the recipients of these X25519 secrets."""
    file_key = drawn(f"{label} file key", 16)
    stanzas = b"".join(_stanza(file_key, secret, f"{label} share {i}") for i, secret in enumerate(secrets))
    return _file(file_key, stanzas, plaintext, label)


def seal_hybrid(plaintext, seed, *, label):
    """An age file to the post-quantum recipient of this seed."""
    file_key = drawn(f"{label} file key", 16)
    mlkem, x25519 = _hybrid(seed)
    public = hpke.MLKEM768X25519PublicKey(
        mlkem.public_key(), X25519PublicKey.from_public_bytes(x25519_public(x25519))
    )
    sealed = _HPKE.encrypt(file_key, public, b"age-encryption.org/mlkem768x25519")
    stanza = b"-> mlkem768x25519 " + _b64(sealed[:1120]) + b"\n" + _b64(sealed[1120:]) + b"\n"
    return _file(file_key, stanza, plaintext, label)


def _stanza(file_key, secret, label):
    ephemeral = drawn(label, 32)
    share, public = x25519_public(ephemeral), x25519_public(secret)
    shared = X25519PrivateKey.from_private_bytes(ephemeral).exchange(
        X25519PublicKey.from_public_bytes(public)
    )
    key = hkdf(shared, salt=share + public, info=b"age-encryption.org/v1/X25519")
    body = ChaCha20Poly1305(key).encrypt(bytes(12), file_key, None)
    return b"-> X25519 " + _b64(share) + b"\n" + _b64(body) + b"\n"


def _file(file_key, stanzas, plaintext, label):
    header = b"age-encryption.org/v1\n" + stanzas + b"---"
    mac = hmac.digest(hkdf(file_key, salt=None, info=b"header"), header, "sha256")
    nonce = drawn(f"{label} nonce", 16)
    cipher = ChaCha20Poly1305(hkdf(file_key, salt=nonce, info=b"payload"))
    return header + b" " + _b64(mac) + b"\n" + nonce + b"".join(_chunks(cipher, plaintext))


def _chunks(cipher, plaintext):
    count = max(1, -(-len(plaintext) // CHUNK))
    for i in range(count):
        last = b"\x01" if i == count - 1 else b"\x00"
        yield cipher.encrypt(i.to_bytes(11, "big") + last, plaintext[i * CHUNK : (i + 1) * CHUNK], None)


def _b64(data):
    return base64.b64encode(data).rstrip(b"=")
