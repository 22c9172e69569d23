"""Receipts: a recipient signs that a message was delivered to them, or played (docs/protocol/receipts.md).

>>> raw = write_receipt(Receipt.PLAYED, opened, me="bob@localhost", key=key, now_ms=now)
>>> check_receipt(raw, Receipt.PLAYED, of=own_copy, by="bob@localhost", keys={key.public}, now_ms=now).at == now
True
"""

from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum

import msgspec

from restante.crypto.envelopes import EnvelopeFields, To
from restante.crypto.errors import FromTheFuture, ReceiptForged, ReceiptMalformed, ReceiptOfOther
from restante.crypto.fields import Millis
from restante.protocol.limits import CREATED_AHEAD, RECEIPT_BYTES
from restante.signing import container
from restante.signing.errors import PayloadMalformed
from restante.signing.keys import SigningKey, fp


class Receipt(StrEnum):
    """What is confirmed; played confirms delivered too."""

    DELIVERED = "delivered"
    PLAYED = "played"


class By(msgspec.Struct, frozen=True, kw_only=True):
    """The recipient who signs."""

    acct: str


class ReceiptFields(msgspec.Struct, frozen=True, kw_only=True, rename={"by": "from"}):
    """The payload of a container ``restante/1 receipt``; ``details`` is the hash that the envelope signed."""

    id: str
    kind: Receipt
    at: Millis
    by: By
    to: To
    details: str


def write_receipt(
    kind: Receipt, fields: EnvelopeFields, *, me: str, signer: bytes, key: SigningKey, now_ms: int
) -> bytes:
    """Confirms a message to the account that signed its envelope, with ``signer``."""
    assert fields.from_ is not None
    content = ReceiptFields(
        id=fields.id,
        kind=kind,
        at=now_ms,
        by=By(acct=me),
        to=To(acct=fields.from_.acct, fp=fp(signer)),
        details=fields.details,
    )
    return container.write(container.Type.RECEIPT, content, key=key)


def check_receipt(
    raw: bytes,
    kind: Receipt,
    *,
    of: EnvelopeFields,
    by: str,
    keys: Collection[bytes],
    my_keys: Collection[bytes],
    now_ms: int,
) -> ReceiptFields:
    """Checks a receipt for a message by one's own copy; ``keys`` are the recipient's, by their pin.

    In this order: the container, its signer, its content, what it is for, its date. Raises ReceiptError or SigningError.
    """
    box = container.read(raw, container.Type.RECEIPT, limit=RECEIPT_BYTES)
    if box.require_signer() not in keys:
        raise ReceiptForged
    try:
        fields = box.decode(ReceiptFields)
    except PayloadMalformed as error:
        raise ReceiptMalformed(error.detail) from error
    mine = {fp(key) for key in my_keys}
    if (fields.id, fields.details, fields.kind) != (of.id, of.details, kind) or fields.by.acct != by:
        raise ReceiptOfOther
    if fields.to.acct != of.to.acct or fields.to.fp not in mine or by not in (of.sent_to or ()):
        raise ReceiptOfOther
    if fields.at > now_ms + CREATED_AHEAD // timedelta(milliseconds=1):
        raise FromTheFuture
    return fields
