"""Sizes and orientations: pure arithmetic between a source's picture and the one that is sent."""

import struct
from dataclasses import dataclass
from fractions import Fraction

LONG_SIDE = 1280
SHORT_SIDE = 720

# Signs of (a, b, c, d) of a display matrix, which takes (x, y) to (ax + cy, bx + dy) with y downwards.
_FILTERS = {
    (1, 0, 0, 1): (),
    (-1, 0, 0, 1): (("hflip", None),),
    (1, 0, 0, -1): (("vflip", None),),
    (-1, 0, 0, -1): (("hflip", None), ("vflip", None)),
    (0, 1, -1, 0): (("transpose", "clock"),),
    (0, -1, 1, 0): (("transpose", "cclock"),),
    (0, 1, 1, 0): (("transpose", "cclock_flip"),),
    (0, -1, -1, 0): (("transpose", "clock_flip"),),
}


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    @property
    def swapped(self) -> "Size":
        """The same on its side."""
        return Size(self.height, self.width)


@dataclass(frozen=True, slots=True)
class Turn:
    """How a stored picture has to be turned or mirrored: the libavfilter steps that do it."""

    steps: tuple[tuple[str, str | None], ...] = ()

    @property
    def swaps(self) -> bool:
        """Whether width and height change places."""
        return any(name == "transpose" for name, _ in self.steps)


def turn_of(matrix: bytes | None) -> Turn:
    """Reads a display matrix (nine native 32-bit integers); turns that are no quarter are rounded to one."""
    if matrix is None or len(matrix) != struct.calcsize("=9i"):
        return Turn()
    a, b, _, c, d, *_ = struct.unpack("=9i", matrix)
    key = (_sign(a), 0, 0, _sign(d)) if abs(a) >= abs(b) else (0, _sign(b), _sign(c), 0)
    return Turn(_FILTERS.get(key, ()))


def shown(stored: Size, *, pixel_aspect: Fraction, turn: Turn) -> Size:
    """Returns the size at which a picture is meant to be seen: square pixels, upright."""
    if pixel_aspect > 1:
        stored = Size(round(stored.width * pixel_aspect), stored.height)
    elif 0 < pixel_aspect < 1:
        stored = Size(stored.width, round(stored.height / pixel_aspect))
    return stored.swapped if turn.swaps else stored


def fitted(size: Size) -> Size:
    """Returns the largest even size of the same shape in 1280x720, or 720x1280 upright; never enlarges."""
    long, short = max(size.width, size.height), min(size.width, size.height)
    scale = min(Fraction(1), Fraction(LONG_SIDE, long), Fraction(SHORT_SIDE, short))
    return Size(_even(size.width * scale), _even(size.height * scale))


def inside(size: Size, frame: Size) -> Size:
    """Returns the largest even size of the same shape that fits in a frame."""
    scale = min(Fraction(frame.width, size.width), Fraction(frame.height, size.height))
    return Size(min(frame.width, _even(size.width * scale)), min(frame.height, _even(size.height * scale)))


def _even(length: Fraction) -> int:
    return max(2, round(length) // 2 * 2)


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
