"""Padding of a video by a trailing MP4 ``free`` box (docs/protocol/video.md, "Padding").

Works at the end of the stream, when only the number of bytes written so far is known.
"""

from enum import Enum

from restante.crypto.age import sealed_size
from restante.crypto.errors import VideoTooLarge
from restante.protocol.limits import KIB, UPLOAD_BYTES

LIVE_STEP_BYTES = 64 * KIB
BOX_HEADER_BYTES = 8
_HEADER_BYTES = 168
"""An age header with one X25519 stanza."""


class Padding(Enum):
    """To which size a video is filled up."""

    LIVE = "live"
    """To the next 64 KiB: the timing of a live recording tells its length anyway."""
    FILE = "file"
    """By Padmé, at most 12 %: the size tells only the order of magnitude and a few bits."""


def video_size(plaintext_bytes: int) -> int:
    """Computes the size of ``video.age`` from the size of its plaintext."""
    return _HEADER_BYTES + sealed_size(plaintext_bytes)


MAX_PLAINTEXT_BYTES = UPLOAD_BYTES - (video_size(UPLOAD_BYTES) - UPLOAD_BYTES)
"""What fits into 64 MiB when sealed."""


def padme(size: int) -> int:
    """Rounds up so that about log2(log2(size)) bits of the size remain (Nikitin et al., PURBs, 2019)."""
    if size < 2:
        return size
    exponent = size.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (size + mask) & ~mask


def padding_bytes(size: int, padding: Padding) -> int:
    """Computes how many bytes of ``free`` box follow ``size`` bytes: 0, or at least its header's 8.

    Raises VideoTooLarge when not even the bare plaintext fits.
    """
    if size > MAX_PLAINTEXT_BYTES:
        raise VideoTooLarge
    target = _target(size, padding)
    if 0 < target - size < BOX_HEADER_BYTES:
        target = _target(size + BOX_HEADER_BYTES, padding)
    free = min(target, MAX_PLAINTEXT_BYTES) - size
    return free if free >= BOX_HEADER_BYTES else 0


def free_box(size: int) -> bytes:
    """Makes an MP4 ``free`` box of exactly ``size`` bytes; 0 makes none."""
    if size == 0:
        return b""
    return size.to_bytes(4, "big") + b"free" + bytes(size - BOX_HEADER_BYTES)


def _target(size: int, padding: Padding) -> int:
    if padding is Padding.LIVE:
        return -(-size // LIVE_STEP_BYTES) * LIVE_STEP_BYTES
    return padme(size)
