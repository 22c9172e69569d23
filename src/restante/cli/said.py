"""What goes with a video at the command line: a line, and captions from a file."""

from pathlib import Path
from typing import NamedTuple, Self


class Said(NamedTuple):
    """A line, and the text of a WebVTT or SRT file."""

    caption: str | None = None
    captions: str | None = None

    @classmethod
    def of(cls, caption: str | None, captions: Path | None) -> Self:
        """Reads the file as UTF-8, or as old editors write; which captions it has is looked at later."""
        if captions is None:
            return cls(caption)
        data = captions.read_bytes()
        try:
            return cls(caption, data.decode("utf-8-sig"))
        except UnicodeDecodeError:
            return cls(caption, data.decode("cp1252", errors="replace"))
