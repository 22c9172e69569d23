"""What travels about guest links: how an owner makes and sees them, and what a guest is told.

``NewLink`` stands in ``wire.Send`` too, for a message that goes to a link at once.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from restante.protocol.wire_base import B64, Instant, LinkId, MessageId, MessageKind

Opens = Annotated[int, Meta(ge=1, le=10_000)]
LinkState = Literal["open", "expired", "used-up", "revoked", "gone"]


class NewLink(msgspec.Struct, frozen=True):
    """A guest link as its owner wants it.

    ``bearer_sha256`` is SHA-256 of the bearer that its secret gives (32 bytes). Without ``expires_at`` or ``most_opens`` it
    lives as long as the message. ``may_save`` is a wish that an honest page respects; ``may_answer`` lets guests leave a
    video for the owner.
    """

    bearer_sha256: Annotated[B64, Meta(min_length=43, max_length=43)]
    expires_at: Instant | None = None
    most_opens: Opens | None = None
    may_save: bool = True
    may_answer: bool = False


class AddLink(NewLink, frozen=True, kw_only=True):
    """A link for a message that is stored already; ``envelope`` is envelope.age for the link."""

    envelope: Annotated[B64, Meta(min_length=1, max_length=32_768)]


class Link(msgspec.Struct, frozen=True):
    """A link as its owner sees it; ``gone`` when the message is."""

    id: LinkId
    message: MessageId
    state: LinkState
    created_at: Instant
    expires_at: Instant | None
    most_opens: int | None
    opens: int
    last_opened_at: Instant | None
    may_save: bool
    may_answer: bool


class Links(msgspec.Struct, frozen=True):
    """The newest first."""

    items: list[Link]


class LinkView(msgspec.Struct, frozen=True):
    """One counted open: ``token`` gives details and video until ``until``."""

    token: str
    until: Instant
    message: MessageId
    kind: MessageKind
    video_bytes: int
    may_save: bool
    may_answer: bool


class LinkFound(msgspec.Struct, frozen=True):
    """The link that belongs to a bearer, for whoever made its secret before there was a link."""

    id: LinkId
