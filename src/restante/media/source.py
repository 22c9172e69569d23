"""Reading any video: opens it safely, chooses its streams, finds its zero and hands out what decodes."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.logging
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from restante.media.errors import Damaged, NoPicture, NotAVideo
from restante.media.packets import AnyPacket, Packet

# libav and x264 would write to stderr, past the command line's own words.
av.logging.set_level(None)

# Containers with a signature only. A playlist (hls, dash, concat) would make libav open whatever it
# names, a text would be drawn as a picture (tty), and noise passes for a raw stream (mp3, mpegvideo).
_FORMATS = "mov,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,mxf,gif,apng,h264,hevc,ivf,rm,dv,wtv,nut,yuv4mpegpipe,wav,flac"
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
_SPLICED = {"mpegts", "mpeg"}
"""Broadcast formats, in which files are joined by joining their bytes."""
_JUMP_S = 10
_STEP_BACK_S = Fraction(1, 2)
_HEAD_BYTES = 12
_DECODER_THREADS = 4
"""Each thread holds a frame of its own, which at 4K counts."""


class Source:
    """An open input with one picture and perhaps one sound stream.

    ``zero`` is the instant, in seconds of the source's own clock, that counts as 0. ``damaged`` turns true
    when something did not decode or the file ended early.
    """

    def __init__(self, container: InputContainer) -> None:
        self.container = container
        self.video = _best_video(container)
        self.audio = _best_audio(container)
        self.zero = _zero([self.video, self.audio])
        self.damaged = False
        streams = [stream for stream in (self.video, self.audio) if stream is not None]
        self._clocks = {stream.index: _Clock(stream) for stream in streams}
        splices = container.format.name in _SPLICED
        self._splices = {stream.index: _Splice() for stream in streams} if splices else {}
        self.video.codec_context.thread_count = _DECODER_THREADS
        self.video.codec_context.thread_type = "AUTO"

    @property
    def header_s(self) -> Fraction | None:
        """The length that the header claims; a hint, not a fact, and nothing at all once times have jumped."""
        if any(splice.shift for splice in self._splices.values()):
            return None
        claims = [
            stream.duration * stream.time_base
            for stream in (self.video, self.audio)
            if stream is not None and stream.duration and stream.time_base
        ]
        if claims:
            return max(claims)
        return Fraction(self.container.duration, av.time_base) if self.container.duration else None

    def packets(self) -> Iterator[AnyPacket]:
        """Yields the packets of both streams, the empty ones that flush the decoders last."""
        streams: list[Stream] = [self.video, *([self.audio] if self.audio else [])]
        try:
            for packet in self.container.demux(streams):
                self.damaged |= packet.is_corrupt
                if (splice := self._splices.get(packet.stream.index)) is not None:
                    splice.smooth(packet)
                yield packet
        except av.FFmpegError as error:
            _raise_if_ours(error)
            self.damaged = True
            for stream in streams:
                flush: AnyPacket = Packet()
                flush.stream = stream
                yield flush

    def frames(self) -> Iterator[tuple[VideoFrame | AudioFrame, Fraction]]:
        """Yields every frame that decodes with its time in seconds from zero, in the order of the file."""
        for packet in self.packets():
            yield from self.decoded(packet)

    def decoded(self, packet: AnyPacket) -> Iterator[tuple[VideoFrame | AudioFrame, Fraction]]:
        """Yields the frames that a packet completes, with their times; none when it does not decode."""
        try:
            frames = packet.decode()
        except av.FFmpegError as error:
            _raise_if_ours(error)
            self.damaged = True
            return
        clock = self._clocks[packet.stream.index]
        for frame in frames:
            yield frame, clock.time_of(frame) - self.zero

    def end_beyond(self, limit_s: Fraction) -> Fraction | None:
        """Reads packets, without decoding, until one ends after the limit; returns that end, or None."""
        for packet in self.packets():
            if packet.pts is None or packet.is_discard or packet.time_base is None:
                continue
            end = (packet.pts + (packet.duration or 0)) * packet.time_base - self.zero
            if end > limit_s:
                return end
        return None


class _Splice:
    """Joins what was recorded in pieces: after a jump, times continue where the piece before ended.

    Forwards, up to ten seconds may be a gap in the reception; backwards, decoding times never go.
    """

    def __init__(self) -> None:
        self.shift = 0
        self._expected: int | None = None

    def smooth(self, packet: AnyPacket) -> None:
        if packet.dts is None:
            return
        dts = packet.dts + self.shift
        expected = dts if self._expected is None else self._expected
        if not -_STEP_BACK_S <= (dts - expected) * packet.time_base <= _JUMP_S:
            self.shift += expected - dts
            dts = expected
        if packet.pts is not None:
            packet.pts += self.shift
        packet.dts = dts
        self._expected = dts + (packet.duration or 0)


class _Clock:
    """Times of one stream's frames; a frame without a time follows the one before it."""

    def __init__(self, stream: VideoStream | AudioStream) -> None:
        self._time_base = stream.time_base or Fraction(1, av.time_base)
        self._rate = stream.average_rate if isinstance(stream, VideoStream) else None
        self._next = Fraction(0)

    def time_of(self, frame: VideoFrame | AudioFrame) -> Fraction:
        stamp = frame.pts if frame.pts is not None else frame.dts
        time = self._next if stamp is None else stamp * (frame.time_base or self._time_base)
        self._next = time + span_of(frame, rate=self._rate)
        return time


def span_of(frame: VideoFrame | AudioFrame, *, rate: Fraction | None = None) -> Fraction:
    """Returns how long a frame lasts, in seconds; a picture that does not say lasts 1/rate, or 1/25."""
    if isinstance(frame, AudioFrame):
        return Fraction(frame.samples, frame.sample_rate or 1)
    if frame.duration and frame.time_base:
        return frame.duration * frame.time_base
    return 1 / rate if rate else Fraction(1, 25)


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Opens a file for reading. Raises NotAVideo, NoPicture, Damaged, or OSError when it cannot be read."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        file.seek(0)
        with opened_stream(file, head=head) as source:
            yield source


@contextmanager
def opened_stream(file: Any, *, head: bytes = b"") -> Iterator[Source]:
    """Opens an object with ``read`` and perhaps ``seek``; it stays open afterwards."""
    try:
        container = av.open(_Unclosed(file), "r", options=_OPTIONS, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        if not isinstance(error, av.InvalidDataError | av.DemuxerNotFoundError | av.EOFError | ValueError):
            raise
        raise (Damaged if head[4:8] == b"ftyp" else NotAVideo) from error
    with container:
        yield Source(container)


class _Unclosed:
    """A reader that libav cannot close; it seeks when the original does."""

    def __init__(self, file: Any) -> None:
        self.read = file.read
        if getattr(file, "seekable", lambda: False)():
            self.seek = file.seek
            self.tell = file.tell


def _best_video(container: InputContainer) -> VideoStream:
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    best = container.streams.best("video")
    stream = best if best in moving else next(iter(moving), None)
    if not isinstance(stream, VideoStream):
        raise NoPicture
    if stream.codec_context is None:
        raise NoPicture("The picture is stored in a way that cannot be read here.")
    return stream


def _best_audio(container: InputContainer) -> AudioStream | None:
    stream = container.streams.best("audio")
    return stream if isinstance(stream, AudioStream) and stream.codec_context is not None else None


def _zero(streams: Iterable[Stream | None]) -> Fraction:
    starts = [
        stream.start_time * stream.time_base
        for stream in streams
        if stream is not None and stream.start_time is not None and stream.time_base
    ]
    return min(starts, default=Fraction(0))


def _raise_if_ours(error: av.FFmpegError) -> None:
    """Lets through what is no fault of the file: a full memory, a disk that fails."""
    if isinstance(error, OSError | MemoryError) and not isinstance(error, ValueError):
        raise error
