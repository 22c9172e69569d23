"""What travels as JSON of messages besides what wire.py has: passing on, and the account's chain of deletions."""

from typing import Annotated

import msgspec
from msgspec import Meta

from restante.protocol.wire_base import B64, Name


class Forward(msgspec.Struct, frozen=True):
    """Passes a message on: for each name an envelope.age, signed by who passes it on."""

    envelopes: Annotated[dict[Name, B64], Meta(min_length=1, max_length=5)]


class AuditLine(msgspec.Struct, frozen=True):
    """One line of the chain: the exact text that is hashed, strict JSON (docs/protocol/audit.md)."""

    line: Annotated[str, Meta(max_length=1024)]


class AuditLines(msgspec.Struct, frozen=True):
    """Lines in the order of the chain; ``more`` tells that others follow."""

    items: list[AuditLine]
    more: bool


class VideoPiece(msgspec.Struct, frozen=True):
    """Bytes ``offset`` to ``offset + size`` of a video, and the whole address from which a GET without credentials reads them."""

    offset: Annotated[int, Meta(ge=0)]
    size: Annotated[int, Meta(ge=1)]
    url: Annotated[str, Meta(max_length=4096)]


class VideoPieces(msgspec.Struct, frozen=True):
    """Where a video, or a part of it, may be read for ``for_s`` seconds: pieces without gaps, the first with the first byte asked for.

    They may end before what was asked for does; whoever wants more asks again from there.
    """

    pieces: Annotated[list[VideoPiece], Meta(min_length=1, max_length=64)]
    for_s: Annotated[int, Meta(ge=1)]


VIDEO_PIECES = "application/vnd.restante.pieces+json"
"""In ``Accept`` of a video's GET: addresses will do, too."""
