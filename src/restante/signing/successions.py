"""Successions: the old signing key says which key follows it (docs/protocol/account-record.md)."""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from restante.protocol.encoding import b64, unb64
from restante.protocol.limits import JSON_INT
from restante.signing import container
from restante.signing.errors import BadSuccession, ContainerError
from restante.signing.keys import KEY_BYTES, SigningKey

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


def former_keys(encoded: Iterable[str], *, acct: str, current: bytes) -> tuple[bytes, ...]:
    """Returns the keys that an account had before ``current``, the oldest first, by its successions in their order.

    Raises BadSuccession when these, in base64url, do not lead to it step by step.
    """
    former: list[bytes] = []
    following: bytes | None = None
    for text in encoded:
        old, new = _keys(text)
        if following not in (None, old):
            raise BadSuccession
        check(unb64(text), acct=acct, old=old, new=new)
        former.append(old)
        following = new
    if following not in (None, current):
        raise BadSuccession
    return tuple(former)


def _keys(text: str) -> tuple[bytes, bytes]:
    try:
        box = container.read(unb64(text), container.Type.SUCCESSION, limit=SUCCESSION_BYTES)
        return box.require_signer(), unb64(box.decode(Succession).new, size=KEY_BYTES)
    except (ContainerError, ValueError) as error:
        raise BadSuccession from error
