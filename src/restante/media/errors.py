"""What can be wrong with a video, each with a stable code, a sentence for people and a way out.

MediaError
├── NotAVideo   noise, a text, a playlist
├── NoPicture   sound only, or no frame decodes
├── TooLong     more than a recording may hold
└── Damaged     recognised, but its index is missing or nothing of it can be read

A missing or unreadable file stays the OSError that it is; so does a full disk.
"""

from typing import ClassVar


class MediaError(Exception):
    """A video that cannot be used; ``str()`` is the sentence."""

    code: ClassVar[str]
    sentence: ClassVar[str]
    hint: ClassVar[str]

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or self.sentence)


class NotAVideo(MediaError):
    """The bytes are of no kind that is known to hold a video."""

    code = "not-a-video"
    sentence = "This is not a video."
    hint = "Choose a video file, such as .mp4, .mov, .mkv or .webm."


class NoPicture(MediaError):
    """There is no picture to show: sound only, an unknown codec, or no frame that decodes."""

    code = "no-picture"
    sentence = "There is no picture in this file."
    hint = "Check that it plays; a sound recording is not a video."


class TooLong(MediaError):
    """More media time than a recording may hold; ``duration_ms`` is what is known of its length."""

    code = "too-long"
    sentence = "The video is longer than 3 minutes."
    hint = "Shorten it, or let it be cut after 3 minutes."

    def __init__(self, duration_ms: int) -> None:
        minutes, seconds = divmod(duration_ms // 1000, 60)
        super().__init__(f"The video lasts {minutes} min {seconds} s; 3 minutes are possible.")
        self.duration_ms = duration_ms


class Damaged(MediaError):
    """The kind of file is known, but it is cut off or broken so that nothing of it can be read."""

    code = "damaged-video"
    sentence = "The video file is damaged or incomplete."
    hint = "Copy it again from where it was recorded."
