"""Bytes of a video from where the server says that they lie, without telling anybody there who asks.

What comes from elsewhere is worth no more than what comes from the server: whoever opens the video checks every part.

>>> told = VideoPieces([VideoPiece(0, 1000, "https://bucket.example/one")], for_s=60)
>>> [piece.url for piece in Addresses.checked(told, offset=300).pieces]
['https://bucket.example/one']
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from restante.client.errors import AnswerMalformed
from restante.client.http import Session
from restante.protocol.limits import PART_BYTES
from restante.protocol.wire_messages import VIDEO_PIECES, VideoPiece, VideoPieces

EITHER = f"{VIDEO_PIECES}, application/octet-stream"
"""What is accepted of a video: its bytes, or where they are."""
_MARGIN_S = 15.0
"""So long before an address ends none is opened any more: the server's clock and the bucket's are two."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Pieces without gaps, to be opened for a while."""

    pieces: tuple[VideoPiece, ...]
    until_s: float = field(repr=False)
    """By the monotonic clock."""

    @classmethod
    def checked(cls, told: VideoPieces, *, offset: int) -> "Addresses":
        """Takes the server's word where it is possible at all. Raises AnswerMalformed."""
        at = told.pieces[0].offset
        for piece in told.pieces:
            if piece.offset != at:
                raise AnswerMalformed("pieces with gaps")
            at += piece.size
        if not told.pieces[0].offset <= offset < at:
            raise AnswerMalformed("other pieces than those asked for")
        return cls(tuple(told.pieces), time.monotonic() + told.for_s - _MARGIN_S)

    def read(self, session: Session, offset: int, end: int) -> Iterator[bytes]:
        """Yields the bytes from the offset on, as far as these addresses lead and last. Raises Unreachable, ServerProblem."""
        for piece in self.pieces:
            start, stop = max(offset, piece.offset), min(end, piece.offset + piece.size)
            if start >= stop:
                continue
            if time.monotonic() >= self.until_s:
                return
            yield from _read(session, piece, start, stop)


def are_told(response: httpx.Response) -> bool:
    """Tells whether an answer has addresses instead of bytes."""
    return str(response.headers.get("content-type", "")) == VIDEO_PIECES


def _read(session: Session, piece: VideoPiece, start: int, stop: int) -> Iterator[bytes]:
    headers = {"range": f"bytes={start - piece.offset}-{stop - piece.offset - 1}"}
    with session.elsewhere(piece.url, headers=headers) as response:
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            raise AnswerMalformed("another range than the one asked for")
        left = stop - start
        for data in response.iter_bytes(PART_BYTES):
            if len(data) > left:
                raise AnswerMalformed("more than was asked for")
            left -= len(data)
            yield data
        if left:
            raise AnswerMalformed("less than was asked for")
