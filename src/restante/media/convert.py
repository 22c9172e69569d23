"""Any video to the one form that is sent: H.264 and AAC in a fragmented MP4 of at most three minutes."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum, auto
from fractions import Fraction
from pathlib import Path

from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from restante.media.errors import TooLong
from restante.media.fragments import Fragments
from restante.media.inlet import Inlet, Readable
from restante.media.reel import LIMIT_S, Reel
from restante.media.result import Converted
from restante.media.source import Source, opened, opened_stream, span_of
from restante.protocol.limits import RECORDING_TOLERATED_MS

TOLERATED_S = Fraction(RECORDING_TOLERATED_MS, 1000)
_MISSING_S = Fraction(1, 2)
_OVERSHOOT_S = 10
"""How far a badly interleaved file is read beyond the limit for the other stream's share."""


class Shorten(Enum):
    """What to do with a video that is longer than a recording may be."""

    REFUSE = auto()
    CUT = auto()


def convert(
    source: Path | Readable | Iterable[bytes],
    sink: Callable[[bytes], object],
    *,
    shorten: Shorten,
    progress: Callable[[float], object] = lambda _: None,
) -> Converted:
    """Converts a file, handing the result to the sink in pieces as it comes; ``progress`` gets 0 to 1.

    A source without sound gets a silent track, so that every player and every judge finds both. Whatever the sink or
    ``progress`` raises ends the conversion and comes out unchanged, and so does what a reader raises, of whom a length
    that is refused is known only when it is read. Raises NotAVideo, NoPicture, TooLong, Damaged, or OSError when the
    file cannot be read.
    """
    if isinstance(source, Path) and shorten is Shorten.REFUSE:
        _refuse_long(source)
    with _opened(source) as opened_source, Fragments.to(sink) as fragments:
        return _Conversion(opened_source, fragments, shorten=shorten, progress=progress).run()


@contextmanager
def _opened(source: Path | Readable | Iterable[bytes]) -> Iterator[Source]:
    if isinstance(source, Path):
        with opened(source) as opened_source:
            yield opened_source
        return
    inlet = Inlet(source)
    with opened_stream(inlet) as opened_source:
        yield opened_source
        inlet.check()


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
    """One run: joins the source's frames to the output."""

    def __init__(
        self, source: Source, fragments: Fragments, *, shorten: Shorten, progress: Callable[[float], object]
    ) -> None:
        self._source, self._shorten, self._progress = source, shorten, progress
        video = source.video
        self._reel = Reel(fragments, pixel_aspect=video.sample_aspect_ratio, rate=video.average_rate)
        self._film_end = self._sound_end = Fraction(0)
        self._expected = min(source.header_s or LIMIT_S, LIMIT_S)

    def run(self) -> Converted:
        for frame, time_s in self._source.frames():
            self._check_length(frame, time_s)
            if isinstance(frame, VideoFrame):
                self._show(frame, time_s)
            else:
                self._reel.hear(frame, time_s)
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
        if not self._reel.show(frame, time_s):
            return
        if self._source.audio is None:
            self._reel.hush(time_s)
        self._progress(max(0.0, min(1.0, float(time_s / self._expected))))

    def _is_full(self, time_s: Fraction) -> bool:
        """Tells whether the rest would be cut; where length is refused, all of it is looked at."""
        if self._shorten is Shorten.REFUSE:
            return False
        ends = [self._film_end] + ([self._sound_end] if self._source.audio else [])
        return min(ends) >= LIMIT_S or time_s >= LIMIT_S + _OVERSHOOT_S

    def _finish(self) -> Converted:
        written = self._reel.finish(self._film_end)
        self._progress(1.0)
        end_s = Fraction(written.duration_ms, 1000)
        return replace(written, damaged=self._source.damaged or self._is_short(end_s))

    def _is_short(self, end_s: Fraction) -> bool:
        claim = self._source.header_s
        return claim is not None and min(claim, LIMIT_S) - end_s > _MISSING_S
