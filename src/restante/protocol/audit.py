"""The chain of deletions of one account: lines that hash the one before (docs/protocol/audit.md); pure."""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from restante.protocol import ijson
from restante.protocol.encoding import b64
from restante.protocol.wire_base import B64, Instant, MessageId, Name

Act = Literal["deleted", "expired", "removed"]
START = b64(bytes(32))
"""What the first line names as the one before."""


class ChainBroken(ValueError):
    """A line does not follow the one before it."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to a message. ``by`` is the sender who took it back; ``details`` the hash that every envelope signs."""

    seq: Annotated[int, Meta(ge=1)]
    at: Instant
    act: Act
    message: MessageId
    by: Name | None
    details: B64
    prev: B64


def hash_of(line: str) -> str:
    """Hashes the exact text of a line."""
    return b64(hashlib.sha256(b"restante/1 audit\0" + line.encode()).digest())


def write(line: Line) -> str:
    """The text that is stored, handed out and hashed."""
    return ijson.encode(line).decode()


def follow(texts: Iterable[str], *, seq: int, head: str | None) -> list[Line]:
    """Reads lines that come after line ``seq``, whose hash is ``head`` (None: whichever). Raises ChainBroken."""
    lines: list[Line] = []
    for text in texts:
        try:
            line = ijson.decode(text.encode(), Line)
        except ijson.BadJson as error:
            raise ChainBroken("a line") from error
        if (seq or lines) and line.seq != seq + 1:
            raise ChainBroken(f"line {seq + 1} is missing")
        if head is not None and line.prev != head:
            raise ChainBroken(f"line {line.seq} follows another one")
        lines.append(line)
        seq, head = line.seq, hash_of(text)
    return lines
