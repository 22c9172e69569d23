"""Aliases: an account says that it goes on under another address, by the same signing key (docs/protocol/account-record.md)."""

from contextlib import suppress

import msgspec

from restante.protocol.encoding import b64, unb64
from restante.protocol.names import split_acct
from restante.signing import container
from restante.signing.errors import ContainerError
from restante.signing.keys import SigningKey

ALIAS_BYTES = 1024


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """The payload: the account ``old`` goes on as ``new``; ``sign`` is the public key of both, base64url."""

    old: str
    new: str
    sign: str


def build(key: SigningKey, *, old: str, new: str) -> bytes:
    """Signs that one account goes on as another."""
    return container.write(container.Type.ALIAS, Alias(old=old, new=new, sign=b64(key.public)), key=key)


def read(encoded: object, *, sign: bytes) -> Alias | None:
    """Reads an alias in base64url that this key signed. None for whatever else it is: a bad alias says nothing."""
    if not isinstance(encoded, str):
        return None
    with suppress(ContainerError, ValueError):
        box = container.read(unb64(encoded), container.Type.ALIAS, limit=ALIAS_BYTES)
        alias = box.decode(Alias)
        split_acct(alias.old)
        split_acct(alias.new)
        if box.signer == sign and alias.sign == b64(sign) and alias.old != alias.new:
            return alias
    return None
