"""A new account's keys, and its ways in (docs/protocol/lifecycle.md)."""

import secrets
from collections.abc import Callable
from datetime import timedelta

from restante.crypto.age import HybridIdentity, X25519Identity
from restante.crypto.kdf import Access
from restante.crypto.keyring import Device, EncryptionIdentity, Keyring, Method, MethodType
from restante.protocol.encoding import b64
from restante.protocol.ids import Prefix, new_id
from restante.protocol.limits import RECORD_VALID_FOR
from restante.signing.keys import SigningKey

Random = Callable[[int], bytes]
_VALID_MS = RECORD_VALID_FOR // timedelta(milliseconds=1)


def new_keyring(acct: str, *, now_ms: int, random: Random = secrets.token_bytes) -> Keyring:
    """Generates signing key, encryption identity and state key; add ways in before sealing it."""
    return Keyring(
        rev=1,
        acct=acct,
        sign=b64(SigningKey.generate(random=random).seed),
        enc=(new_encryption_identity(now_ms=now_ms, random=random),),
        state=str(X25519Identity.generate(random=random)),
    )


def new_encryption_identity(*, now_ms: int, random: Random = secrets.token_bytes) -> EncryptionIdentity:
    """Generates a post-quantum identity that senders use from now for at most 400 days."""
    return EncryptionIdentity(
        id=new_id(Prefix.ENCRYPTION, random=random),
        identity=str(HybridIdentity.generate(random=random)),
        from_=now_ms,
        until=now_ms + _VALID_MS,
    )


def new_method(
    type: MethodType, access: Access, *, label: str, now_ms: int, random: Random = secrets.token_bytes
) -> Method:
    """Describes an unlock method for the keyring; the server gets its ``mid`` and the hash of the bearer."""
    return Method(
        mid=new_id(Prefix.METHOD, random=random),
        type=type,
        label=label,
        recipient=str(access.identity.recipient()),
        created=now_ms,
    )


def new_device(did: str, identity: X25519Identity, *, label: str, now_ms: int) -> Device:
    """Describes a device for the keyring; ``did`` comes from the server."""
    return Device(did=did, label=label, recipient=str(identity.recipient()), created=now_ms)
