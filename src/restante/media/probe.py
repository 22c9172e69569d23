"""What a video is, before anything is done with it."""

from dataclasses import dataclass
from pathlib import Path

from av.video.frame import VideoFrame

from restante.media.errors import NoPicture
from restante.media.picture import Picture
from restante.media.source import opened


@dataclass(frozen=True, slots=True)
class Probe:
    """``duration_ms`` is the header's claim, or None; width and height are those of the upright picture."""

    duration_ms: int | None
    width: int
    height: int
    has_audio: bool


def probe(path: Path) -> Probe:
    """Reads the header and the first picture. Raises NotAVideo, NoPicture, Damaged, or OSError."""
    with opened(path) as source:
        picture = Picture(pixel_aspect=source.video.sample_aspect_ratio)
        for frame, _ in source.frames():
            if isinstance(frame, VideoFrame):
                picture.measure(frame)
                break
        if picture.natural is None:
            raise NoPicture
        claim = source.header_s
        return Probe(
            duration_ms=None if claim is None else round(claim * 1000),
            width=picture.natural.width,
            height=picture.natural.height,
            has_audio=source.audio is not None,
        )
