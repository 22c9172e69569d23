"""Any video to the one form that is sent: H.264 and AAC in a fragmented MP4 of at most three minutes."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from fractions import Fraction
from pathlib import Path

from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from restante.media import sound
from restante.media.errors import NoPicture, TooLong
from restante.media.film import Film
from restante.media.fragments import Fragments
from restante.media.pace import Pace
from restante.media.packets import AnyPacket
from restante.media.picture import Picture
from restante.media.poster import Poster
from restante.media.sound import Sound
from restante.media.source import Source, opened, span_of
from restante.protocol.limits import RECORDING_MS, RECORDING_TOLERATED_MS

LIMIT_S = Fraction(RECORDING_MS, 1000)
TOLERATED_S = Fraction(RECORDING_TOLERATED_MS, 1000)
_MISSING_S = Fraction(1, 2)
_OVERSHOOT_S = 10
"""How far a badly interleaved file is read beyond the limit for the other stream's share."""


class Shorten(Enum):
    """What to do with a video that is longer than a recording may be."""

    REFUSE = auto()
    CUT = auto()


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written. ``damaged`` says that some of the source could not be read; ``poster`` is a WebP."""

    duration_ms: int
    width: int
    height: int
    codecs: str
    poster: bytes | None
    damaged: bool


def convert(
    source: Path,
    sink: Callable[[bytes], object],
    *,
    shorten: Shorten,
    progress: Callable[[float], object] = lambda _: None,
) -> Converted:
    """Converts a file, handing the result to the sink in pieces as it comes; ``progress`` gets 0 to 1.

    A source without sound gets a silent track, so that every player and every judge finds both. Whatever the sink or
    ``progress`` raises ends the conversion and comes out unchanged. Raises NotAVideo, NoPicture, TooLong, Damaged, or
    OSError when the file cannot be read.
    """
    if shorten is Shorten.REFUSE:
        _refuse_long(source)
    with opened(source) as opened_source, Fragments.to(sink) as fragments:
        return _Conversion(opened_source, fragments, shorten=shorten, progress=progress).run()


def _refuse_long(path: Path) -> None:
    """Refuses before anything is sent. Only when the header claims too much, or nothing, are the packets asked."""
    with opened(path) as source:
        claim = source.header_s
        if claim is not None and claim <= TOLERATED_S:
            return
        end = source.end_beyond(TOLERATED_S)
        if end is not None:
            raise TooLong(round(max(end, claim or end) * 1000))


class _Conversion:
    """One run: joins the source's frames, the two tracks and the output."""

    def __init__(
        self, source: Source, fragments: Fragments, *, shorten: Shorten, progress: Callable[[float], object]
    ) -> None:
        self._source, self._fragments, self._shorten, self._progress = source, fragments, shorten, progress
        self._picture = Picture(pixel_aspect=source.video.sample_aspect_ratio)
        self._pace = Pace(source.video.average_rate)
        self._film = Film(fragments.container)
        self._sound = Sound(fragments.container, limit_s=LIMIT_S)
        self._poster = Poster()
        self._early: list[AnyPacket] = []
        self._film_end = self._sound_end = Fraction(0)
        self._expected = min(source.header_s or LIMIT_S, LIMIT_S)

    def run(self) -> Converted:
        for frame, time_s in self._source.frames():
            self._check_length(frame, time_s)
            if isinstance(frame, VideoFrame):
                self._show(frame, time_s)
            else:
                self._hear(frame, time_s)
            if self._is_full(time_s):
                break
        return self._finish()

    def _check_length(self, frame: VideoFrame | AudioFrame, time_s: Fraction) -> None:
        end = time_s + span_of(frame, rate=self._source.video.average_rate)
        if end > TOLERATED_S and self._shorten is Shorten.REFUSE:
            raise TooLong(round(max(end, self._source.header_s or end) * 1000))
        if isinstance(frame, VideoFrame):
            self._film_end = max(self._film_end, end)
        else:
            self._sound_end = max(self._sound_end, end)

    def _show(self, frame: VideoFrame, time_s: Fraction) -> None:
        last = self._film.start_of_last_s
        time_s = Fraction(0) if last is None else time_s
        if (last is not None and time_s <= last) or time_s >= LIMIT_S or not self._pace.keeps(time_s):
            return
        rendered = self._picture.render(frame)
        if last is None:
            self._film.open(self._picture.size)
        self._poster.consider(rendered, time_s)
        self._write(self._film.take(rendered, time_s))
        if self._source.audio is None:
            self._write(self._sound.silence(time_s))
        self._progress(min(1.0, float(time_s / self._expected)))

    def _hear(self, frame: AudioFrame, time_s: Fraction) -> None:
        if time_s < LIMIT_S:
            self._write(self._sound.take(frame, time_s))

    def _is_full(self, time_s: Fraction) -> bool:
        """Tells whether the rest would be cut; where length is refused, all of it is looked at."""
        if self._shorten is Shorten.REFUSE:
            return False
        ends = [self._film_end] + ([self._sound_end] if self._source.audio else [])
        return min(ends) >= LIMIT_S or time_s >= LIMIT_S + _OVERSHOOT_S

    def _write(self, packets: list[AnyPacket]) -> None:
        """Holds packets of sound back until the first picture has told its size."""
        self._early += packets
        if self._film.is_open:
            early, self._early = self._early, []
            self._fragments.write(early)

    def _finish(self) -> Converted:
        if not self._film.is_open:
            raise NoPicture
        self._write(self._sound.drain())
        end_s = min(LIMIT_S, max(self._film_end, self._sound.end_s))
        self._write(self._film.finish(end_s) + self._sound.finish(end_s))
        self._progress(1.0)
        return Converted(
            duration_ms=round(end_s * 1000),
            width=self._picture.size.width,
            height=self._picture.size.height,
            codecs=f'video/mp4; codecs="{self._film.codec},{sound.CODEC}"',
            poster=self._poster.webp(),
            damaged=self._source.damaged or self._is_short(end_s),
        )

    def _is_short(self, end_s: Fraction) -> bool:
        claim = self._source.header_s
        return claim is not None and min(claim, LIMIT_S) - end_s > _MISSING_S
