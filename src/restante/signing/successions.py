"""Successions: the old signing key says which key follows it (docs/protocol/account-record.md)."""

from typing import Annotated

import msgspec

from restante.protocol.encoding import b64
from restante.protocol.limits import JSON_INT
from restante.signing import container
from restante.signing.errors import BadSuccession, ContainerError
from restante.signing.keys import SigningKey

SUCCESSION_BYTES = 1024


class Succession(msgspec.Struct, frozen=True, kw_only=True):
    """The payload; ``old`` and ``new`` are base64url public keys."""

    acct: str
    old: str
    new: str
    created: Annotated[int, msgspec.Meta(ge=0, le=JSON_INT)]


def build(old: SigningKey, acct: str, *, new: bytes, now_ms: int) -> bytes:
    """Signs with the old key that ``new`` follows it."""
    fields = Succession(acct=acct, old=b64(old.public), new=b64(new), created=now_ms)
    return container.write(container.Type.SUCCESSION, fields, key=old)


def check(data: bytes, *, acct: str, old: bytes, new: bytes) -> Succession:
    """Reads a succession and checks that it leads from this old key to this new key. Raises BadSuccession."""
    try:
        box = container.read(data, container.Type.SUCCESSION, limit=SUCCESSION_BYTES)
        fields = box.decode(Succession)
    except ContainerError as error:
        raise BadSuccession from error
    if box.signer != old or (fields.acct, fields.old, fields.new) != (acct, b64(old), b64(new)) or old == new:
        raise BadSuccession
    return fields
