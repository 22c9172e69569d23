"""The poster: a small WebP of the first sharp frame."""

from fractions import Fraction

from av.codec import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from restante.media.geometry import Size, inside
from restante.protocol.limits import POSTER_BYTES

_SEARCH_S = 3
_STEP_S = Fraction(1, 4)
_SHARP_ENOUGH = 0.6
_SIDES = (480, 320, 160)
_QUALITIES = (80, 60, 40, 20)
_SAMPLE = Size(64, 64)


class Poster:
    """Gathers candidates of the first three seconds, four a second, and chooses one at the end."""

    def __init__(self) -> None:
        self._candidates: list[tuple[float, VideoFrame]] = []
        self._next_s = Fraction(0)

    def consider(self, frame: VideoFrame, time_s: Fraction) -> None:
        """Looks at a rendered frame; later ones than the search covers are ignored."""
        if time_s < self._next_s or time_s >= _SEARCH_S:
            return
        self._next_s = time_s + _STEP_S
        small = _sized(frame, inside(Size(frame.width, frame.height), _box(frame, _SIDES[0])))
        self._candidates.append((_sharpness(frame), small))

    def webp(self) -> bytes | None:
        """Encodes the first frame that is nearly as sharp as the sharpest, in at most 24 KiB."""
        if not self._candidates:
            return None
        best = max(score for score, _ in self._candidates)
        frame = next(frame for score, frame in self._candidates if score >= _SHARP_ENOUGH * best)
        for side in _SIDES:
            small = _sized(frame, inside(Size(frame.width, frame.height), _box(frame, side)))
            for quality in _QUALITIES:
                data = _encoded(small, quality)
                if len(data) <= POSTER_BYTES:
                    return data
        return None


def _box(frame: VideoFrame, side: int) -> Size:
    return Size(min(side, frame.width), min(side, frame.height))


def _sized(frame: VideoFrame, size: Size) -> VideoFrame:
    return frame.reformat(width=size.width, height=size.height)


def _sharpness(frame: VideoFrame) -> float:
    """Mean square of the second differences of a small grey picture; black and blur have little of it."""
    grey = frame.reformat(
        width=_SAMPLE.width, height=_SAMPLE.height, format="gray", interpolation="POINT"
    ).planes[0]
    data, step = bytes(grey), grey.line_size
    total = 0
    for row in range(1, _SAMPLE.height - 1):
        for at in range(row * step + 1, row * step + _SAMPLE.width - 1):
            total += (4 * data[at] - data[at - 1] - data[at + 1] - data[at - step] - data[at + step]) ** 2
    return total / (_SAMPLE.width * _SAMPLE.height)


def _encoded(frame: VideoFrame, quality: int) -> bytes:
    encoder = CodecContext.create("libwebp", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"quality": str(quality), "compression_level": "4"}
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
