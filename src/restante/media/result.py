"""What is known of a video once it is written in the form that is sent."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written. ``damaged`` says that some of the source could not be read; ``poster`` is a WebP."""

    duration_ms: int
    width: int
    height: int
    codecs: str
    poster: bytes | None
    damaged: bool
