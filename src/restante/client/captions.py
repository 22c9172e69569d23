r"""Captions: read from WebVTT or SRT, kept as plain WebVTT; web/src/media/captions.ts reads the same.

>>> print(normalised("1\n00:00:01,5 --> 00:00:02,000\n<i>Hello</i>\n"))
WEBVTT
<BLANKLINE>
00:00:01.500 --> 00:00:02.000
Hello
<BLANKLINE>
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from restante.client.errors import CaptionsEmpty, CaptionsMalformed, CaptionsTooLarge
from restante.protocol.limits import KIB

CAPTIONS_BYTES = 24 * KIB
"""As JSON in the details, so that poster, hashes and a caption fit beside it."""
_CUES = 1000
_CHARS = 1 << 20
_ARROW = "-->"
_HEAD = re.compile(r"WEBVTT(?:[ \t].*)?\Z")
_TIMES = re.compile(r"[ \t]*([0-9:.,]+)[ \t]*-->[ \t]*([0-9:.,]+)(?:[ \t].*)?\Z")
_TIME = re.compile(r"(?:([0-9]{1,4}):)?([0-5]?[0-9]):([0-5]?[0-9])[.,]([0-9]{1,3})\Z")
_LINES = re.compile(r"\r\n|\r|\n")
_MARKUP = re.compile(r"</?[a-z0-9][^<>]*>|\{\\[^{}]*\}", re.IGNORECASE | re.ASCII)
_ENTITY = re.compile(r"&(?:amp|lt|gt|nbsp|lrm|rlm);")
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&nbsp;": "\xa0", "&lrm;": "\u200e", "&rlm;": "\u200f"}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SPACE = " \t\n\v\f\xa0\ufeff\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What is trimmed: the same as in the browser."""


@dataclass(frozen=True, slots=True)
class Cue:
    """What is said from one moment to another: plain text, its lines separated by newlines."""

    from_ms: int
    to_ms: int
    text: str


def normalised(text: str) -> str:
    """Gives captions the form in which they are sent. Raises CaptionsEmpty, CaptionsMalformed or CaptionsTooLarge."""
    written = write(parse(text))
    if len(json.dumps(written, ensure_ascii=False).encode()) > CAPTIONS_BYTES:
        raise CaptionsTooLarge
    return written


def parse(text: str) -> list[Cue]:
    """Reads WebVTT or SRT; notes, styles, places on the screen and markup are left out."""
    if len(text) > _CHARS:
        raise CaptionsTooLarge
    lines = _LINES.split(text.removeprefix("\ufeff"))
    is_web_vtt = _HEAD.match(lines[0]) is not None
    found = (
        _cue(number, block, is_web_vtt=is_web_vtt) for number, block in _blocks(lines, 1 if is_web_vtt else 0)
    )
    cues = sorted((cue for cue in found if cue is not None), key=lambda cue: (cue.from_ms, cue.to_ms))
    if not cues:
        raise CaptionsEmpty
    if len(cues) > _CUES:
        raise CaptionsTooLarge
    return cues


def write(cues: Sequence[Cue]) -> str:
    """Writes WebVTT."""
    blocks = [f"{_clock(cue.from_ms)} {_ARROW} {_clock(cue.to_ms)}\n{_escaped(cue.text)}\n" for cue in cues]
    return "\n".join(["WEBVTT\n", *blocks])


def _blocks(lines: Sequence[str], first: int) -> Iterator[tuple[int, list[str]]]:
    """Yields what empty lines separate, each with the number of its first line, from 1."""
    block: list[str] = []
    for index in range(first, len(lines) + 1):
        line = lines[index] if index < len(lines) else ""
        if line.strip(_SPACE + "\r"):
            block.append(line)
        elif block:
            yield index - len(block) + 1, block
            block = []


def _cue(number: int, block: Sequence[str], *, is_web_vtt: bool) -> Cue | None:
    """Reads a block; None for what is no caption: a note, a style, the rest of the head, a caption without words."""
    at = next((index for index, line in enumerate(block) if _ARROW in line), None)
    if at is None and is_web_vtt:
        return None
    if at is None or at > 1:
        raise CaptionsMalformed(f"line {number}")
    times = _TIMES.match(block[at])
    if times is None:
        raise CaptionsMalformed(f"line {number + at}")
    from_ms, to_ms = _ms(times[1]), _ms(times[2])
    if from_ms is None or to_ms is None or to_ms <= from_ms:
        raise CaptionsMalformed(f"line {number + at}")
    text = _plain(block[at + 1 :])
    return Cue(from_ms, to_ms, text) if text else None


def _ms(time: str) -> int | None:
    found = _TIME.match(time)
    if found is None:
        return None
    hours, minutes, seconds, fraction = found.groups()
    return (int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0"))


def _clock(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{ms:03}"


def _plain(lines: Sequence[str]) -> str:
    cleaned = []
    for line in lines:
        bare = _ENTITY.sub(lambda entity: _ENTITIES[entity[0]], _MARKUP.sub("", line))
        cleaned.append(_CONTROL.sub("", bare).strip(_SPACE))
    return "\n".join(line for line in cleaned if line)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
