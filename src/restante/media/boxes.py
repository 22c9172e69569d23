"""The boxes of an MP4 that comes in pieces, as far as they are whole."""

from collections.abc import Iterable, Iterator

_HEADER_BYTES = 8


def whole_boxes(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yields what the pieces give, but for an unfinished box or fragment at their end."""
    held = bytearray()
    for piece in pieces:
        held += piece
        if end := _whole_bytes(held):
            yield bytes(held[:end])
            del held[:end]


def _whole_bytes(data: bytearray) -> int:
    """Counts the bytes of whole boxes; a ``moof`` whose ``mdat`` is missing is none."""
    at = end = 0
    while len(data) >= at + _HEADER_BYTES:
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        at += size
        if size < _HEADER_BYTES or at > len(data):
            break
        if kind != b"moof":
            end = at
    return end
