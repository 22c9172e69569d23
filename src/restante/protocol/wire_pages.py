"""What travels about answering pages: how an owner keeps one, what callers are told, and what they leave."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from restante.protocol.wire_base import B64, Instant, LinkId, MessageId, MessageKind, Name, UploadId

PageAccess = Literal["anyone", "signed-in", "link"]
Minute = Annotated[int, Meta(ge=0, le=1440)]


class Hours(msgspec.Struct, frozen=True):
    """A span of one weekday (0 is Monday) in minutes since midnight, the end not included."""

    day: Annotated[int, Meta(ge=0, le=6)]
    start: Minute
    end: Minute


class Schedule(msgspec.Struct, frozen=True):
    """When a page takes calls, in the time of a place such as `Europe/Paris`."""

    timezone: Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z0-9_+/-]*$")]
    hours: Annotated[list[Hours], Meta(min_length=1, max_length=42)]


class PutPage(msgspec.Struct, frozen=True):
    """An answering page as its owner wants it.

    ``bearer_sha256`` is SHA-256 of the bearer in the page's link; another one makes earlier links worthless. ``profile`` is
    profile.age, sealed to the identity in the link. ``greeting`` is a guest link of one's own with that very bearer.
    """

    on: bool
    access: PageAccess = "anyone"
    bearer_sha256: Annotated[B64, Meta(min_length=43, max_length=43)] | None = None
    profile: Annotated[B64, Meta(max_length=21_846)] | None = None
    greeting: LinkId | None = None
    schedule: Schedule | None = None


class OwnPage(PutPage, frozen=True, kw_only=True):
    """A page as its owner sees it."""

    updated_at: Instant | None = None


class Page(msgspec.Struct, frozen=True):
    """A page as callers see it; ``profile`` and ``greeting`` are told to those who show the bearer of its link."""

    name: Name
    access: PageAccess
    takes_calls: bool
    opens_at: Instant | None = None
    """When it takes calls again, while it does not."""
    profile: B64 | None = None
    greeting: LinkId | None = None


class Challenge(msgspec.Struct, frozen=True):
    """A proof of work, in the form of ALTCHA 2: parameters, signed by the server."""

    parameters: dict[str, Any]
    signature: str


class NewCall(msgspec.Struct, frozen=True):
    """Asks to leave a message: ``proof`` is ALTCHA's payload (base64), ``bearer`` that of the page's link."""

    proof: Annotated[str, Meta(max_length=8192)]
    bearer: Annotated[B64, Meta(max_length=43)] | None = None


class Call(msgspec.Struct, frozen=True):
    """A capability for one message until ``until``: ``token`` makes uploads, whose own capabilities go on from there."""

    token: str
    until: Instant
    name: Name
    """For whom."""


class CallMessage(msgspec.Struct, frozen=True):
    """The part ``message`` of what a caller leaves; ``details_sha256`` is their claim, 32 bytes."""

    id: MessageId
    kind: MessageKind
    details_sha256: B64
    upload: UploadId | None = None


class Left(msgspec.Struct, frozen=True):
    """The answer to a caller; the same for each repetition."""

    id: MessageId
    received_at: Instant
