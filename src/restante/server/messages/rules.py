"""Pure decisions about messages: what a send must be, who may see what, and how far a message came."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from restante.protocol.encoding import b64, unb64
from restante.protocol.limits import ENVELOPE_BYTES, RECEIPT_BYTES
from restante.protocol.wire import Delivery, InboxItem, Mark, MessageState, Send, SentItem
from restante.protocol.wire_messages import Forward
from restante.protocol.wire_pages import CallMessage
from restante.server.errors import Refusal
from restante.server.keys.rules import check_sealed, decode
from restante.signing import container
from restante.signing.errors import SigningError

Box = Literal["inbox", "sent"]
Row = Any
"""A row of queries.py: the columns of ``queries.VIEW``."""

_STEPS: tuple[MessageState, ...] = ("stored", "delivered", "played")


@dataclass(frozen=True, slots=True)
class Parcel:
    """A send as received: the message, its details, an envelope for each recipient's name, the sender's own copy.

    Without an own copy it is something that its sender puts into their own inbox, such as a message of another server. ``digest`` is SHA-256 over all parts: it decides whether two requests are the same.
    """

    message: Send
    details: bytes
    envelopes: dict[str, bytes]
    sent: bytes | None
    digest: bytes
    links: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallParcel:
    """What a caller leaves, as received; ``digest`` is SHA-256 over all parts."""

    message: CallMessage
    details: bytes
    envelope: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class VideoRef:
    """Where the bytes of a message's video are; ``etag`` is strong and comes with its quotes."""

    blob_id: str
    size: int
    etag: str
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a list goes on: ``listed`` for newest first (instant and id), ``changed`` for oldest change first."""

    order: Literal["listed", "changed"]
    at: int
    id: str = ""


@dataclass(frozen=True, slots=True)
class Marks:
    """What a recipient told of a copy. ``quiet``: the sender is shown none of it."""

    fetched_at: int | None
    played_at: int | None
    quiet: bool
    delivery_receipt: bytes | None
    play_receipt: bytes | None

    def after(self, mark: Mark, receipt: bytes | None, *, now_ms: int) -> "Marks":
        """The first time and the first receipt of each kind stay; what was told once is not taken back."""
        played = mark.mark == "played"
        return Marks(
            fetched_at=now_ms if self.fetched_at is None else self.fetched_at,
            played_at=now_ms if played and self.played_at is None else self.played_at,
            quiet=not mark.tell and (self.quiet or self.fetched_at is None),
            delivery_receipt=self.delivery_receipt or (None if played else receipt),
            play_receipt=self.play_receipt or (receipt if played else None),
        )


def check_receipt(text: str, *, of: bytes) -> bytes:
    """Refuses what is no receipt signed by the account's key; its content is the sender's to check. Raises invalid."""
    try:
        box = container.read(unb64(text), container.Type.RECEIPT, limit=RECEIPT_BYTES)
        signed = box.require_signer() == of
    except (SigningError, ValueError) as error:
        raise Refusal("invalid", detail="receipt: not a signed receipt") from error
    if not signed:
        raise Refusal("invalid", detail="receipt: signed by another key")
    return box.raw


def check_parcel(parcel: Parcel) -> None:
    """Raises Refusal invalid, bad-multipart or claim-mismatch when the parts contradict each other."""
    message = parcel.message
    if len(set(message.recipients)) != len(message.recipients):
        raise Refusal("invalid", detail="recipients: a name stands twice")
    if set(message.recipients) != set(parcel.envelopes):
        raise Refusal("bad-multipart", detail="exactly one envelope for each recipient")
    if {f"link:{place}" for place in range(len(message.links))} != set(parcel.links):
        raise Refusal("bad-multipart", detail="exactly one envelope for each link")
    if not message.recipients and not message.links:
        raise Refusal("invalid", detail="recipients: nobody, and no link")
    if message.kind == "video" and message.upload is None:
        raise Refusal("invalid", detail="upload: a video message names its upload")
    own = () if parcel.sent is None else (parcel.sent,)
    for sealed in (parcel.details, *own, *parcel.envelopes.values()):
        check_sealed(sealed)
    if hashlib.sha256(parcel.details).digest() != claim_of(message):
        raise Refusal("claim-mismatch")


def check_own_copy(parcel: Parcel, sender: str) -> None:
    """Only what somebody sends to nobody but themselves needs no own copy. Raises Refusal bad-multipart."""
    if parcel.sent is None and (parcel.message.recipients != [sender] or parcel.links):
        raise Refusal("bad-multipart", detail="missing: sent")


def sealed_forwards(request: Forward) -> dict[str, bytes]:
    """The envelopes of a passing on by name. Raises Refusal too-large or invalid."""
    sealed = {name: decode(text, limit=ENVELOPE_BYTES, what=name) for name, text in request.envelopes.items()}
    for data in sealed.values():
        check_sealed(data)
    return sealed


def check_call_parcel(parcel: CallParcel) -> None:
    """Raises Refusal invalid or claim-mismatch when the parts contradict each other."""
    message = parcel.message
    if (message.kind == "video") != (message.upload is not None):
        raise Refusal("invalid", detail="upload: a video message names its upload, others have none")
    for sealed in (parcel.details, parcel.envelope):
        check_sealed(sealed)
    if hashlib.sha256(parcel.details).digest() != claim_of(message):
        raise Refusal("claim-mismatch")


def claim_of(message: Send | CallMessage) -> bytes:
    """The 32 bytes that the sender claims to be the hash of the details. Raises Refusal invalid."""
    try:
        return unb64(message.details_sha256, size=32)
    except ValueError as error:
        raise Refusal("invalid", detail="details_sha256: 32 bytes, base64url without padding") from error


def choose(rows: Sequence[Row], box: Box | None, *, now_ms: int) -> Row:
    """Picks the copy that its holder asks for, the received one first. Raises Refusal not-found or message-gone."""
    wanted = [row for row in rows if row.box == box or box is None]
    if not wanted:
        raise Refusal("not-found")
    alive = [row for row in wanted if not is_gone(row, now_ms=now_ms)]
    if not alive:
        _check_in_sight(wanted[0])
        raise Refusal("message-gone")
    return min(alive, key=lambda row: row.box)


def _check_in_sight(row: Row) -> None:
    if row.quarantined_at is not None and row.deleted_at is None:
        raise Refusal("message-quarantined", detail=row.quarantine_reason)


def is_gone(row: Row, *, now_ms: int) -> bool:
    """Tells whether a copy is a tombstone, quarantined, or expired and not swept yet: unreadable each way."""
    ended = row.deleted_at is not None or row.quarantined_at is not None
    return ended or is_past(row.expires_at, now_ms=now_ms)


def _gone_at(row: Row) -> int:
    return int(row.deleted_at or row.quarantined_at or row.expires_at)


def is_past(expires_at: int | None, *, now_ms: int) -> bool:
    """Tells whether an expiry has come."""
    return expires_at is not None and expires_at <= now_ms


def inbox_item(row: Row, *, now_ms: int) -> InboxItem:
    """Shapes a received copy."""
    gone = is_gone(row, now_ms=now_ms)
    return InboxItem(
        id=row.id,
        kind=row.kind,
        sender=row.sender,
        received_at=row.received_at,
        video_bytes=0 if gone else row.video_bytes,
        change=row.change,
        fetched_at=row.fetched_at,
        played_at=row.played_at,
        expires_at=row.expires_at,
        deleted_at=_gone_at(row) if gone else None,
        envelope=None if gone or row.envelope is None else b64(row.envelope),
        until_played=bool(row.until_played),
        may_forward=bool(row.may_forward) and row.forwarded_by is None,
        forwarded=row.forwarded_by is not None,
    )


def sent_item(row: Row, deliveries: Iterable[Row], *, now_ms: int) -> SentItem:
    """Shapes the sender's own copy with how far the message came with each recipient."""
    gone = is_gone(row, now_ms=now_ms)
    each = [_delivery(one, with_receipts=row.envelope is not None) for one in deliveries]
    return SentItem(
        id=row.id,
        kind=row.kind,
        received_at=row.received_at,
        video_bytes=0 if gone else row.video_bytes,
        change=row.change,
        state="deleted" if gone else state_of(each),
        deliveries=each,
        expires_at=row.expires_at,
        deleted_at=_gone_at(row) if gone else None,
        envelope=None if gone or row.envelope is None else b64(row.envelope),
        until_played=bool(row.until_played),
        may_forward=bool(row.may_forward),
    )


def _delivery(row: Row, *, with_receipts: bool) -> Delivery:
    """What the sender is shown: nothing of what the recipient keeps to themselves."""
    if row.quiet:
        return Delivery(row.recipient, fetched_at=None, played_at=None, deleted_at=row.deleted_at)
    receipts = (row.delivery_receipt, row.play_receipt) if with_receipts else (None, None)
    delivered, played = (None if one is None else b64(one) for one in receipts)
    return Delivery(row.recipient, row.fetched_at, row.played_at, row.deleted_at, delivered, played)


def state_of(deliveries: Sequence[Delivery]) -> MessageState:
    """The least advanced of the deliveries; one that its recipient deleted counts only when all were deleted."""
    counted = [one for one in deliveries if one.deleted_at is None] or deliveries
    return _STEPS[min((_step(one) for one in counted), default=0)]


def _step(delivery: Delivery) -> int:
    if delivery.played_at is not None:
        return 2
    return 0 if delivery.fetched_at is None else 1
