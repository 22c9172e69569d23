"""The tracks of a saved file: copied bit by bit where they are H.264 or AAC, made anew where they are not."""

from fractions import Fraction

from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from restante.media.errors import TooLong
from restante.media.film import Film
from restante.media.pace import Pace
from restante.media.packets import AnyPacket
from restante.media.picture import Picture
from restante.media.sound import Sound
from restante.media.source import Source, span_of
from restante.protocol.limits import RECORDING_TOLERATED_MS

_LIMIT_S = Fraction(RECORDING_TOLERATED_MS, 1000)
# [Note: The last picture] What begins after the limit is refused. What begins before it and would last beyond, as the
# last picture of a slow camera does, is somebody's honest three minutes: it ends at the limit.


class Copied:
    """Moves packets to the output as they are."""

    def __init__(self, output: OutputContainer, stream: VideoStream | AudioStream) -> None:
        self._stream = output.add_stream_from_template(stream)
        self.is_open = isinstance(stream, AudioStream)

    def take(self, _source: Source, packet: AnyPacket) -> list[AnyPacket]:
        if packet.dts is None or packet.pts is None or packet.is_corrupt:
            return []
        _refuse_late(packet.pts * packet.time_base)
        self._end_at_limit(packet)
        packet.stream = self._stream
        self.is_open = True
        return [packet]

    def _end_at_limit(self, packet: AnyPacket) -> None:
        """Shortens a picture that lasts too long ([Note: The last picture]); 21 ms of sound are left whole."""
        if isinstance(self._stream, VideoStream) and packet.pts is not None and packet.duration:
            packet.duration = min(packet.duration, int(_LIMIT_S / packet.time_base) - packet.pts)

    def finish(self) -> list[AnyPacket]:
        return []


class RedoneFilm:
    """Decodes pictures and encodes them as H.264."""

    def __init__(self, output: OutputContainer, stream: VideoStream) -> None:
        self._film = Film(output)
        self._picture = Picture(pixel_aspect=stream.sample_aspect_ratio)
        self._pace = Pace(stream.average_rate)
        self._end = Fraction(0)

    @property
    def is_open(self) -> bool:
        return self._film.is_open

    def take(self, source: Source, packet: AnyPacket) -> list[AnyPacket]:
        packets: list[AnyPacket] = []
        for frame, time_s in source.decoded(packet):
            assert isinstance(frame, VideoFrame)
            packets += self._show(frame, time_s, span_of(frame, rate=source.video.average_rate))
        return packets

    def _show(self, frame: VideoFrame, time_s: Fraction, span_s: Fraction) -> list[AnyPacket]:
        last = self._film.start_of_last_s
        _refuse_late(time_s)
        self._end = min(max(self._end, time_s + span_s), _LIMIT_S)
        time_s = Fraction(0) if last is None else time_s
        if (last is not None and time_s <= last) or not self._pace.keeps(time_s):
            return []
        rendered = self._picture.render(frame)
        if last is None:
            self._film.open(self._picture.size)
        return self._film.take(rendered, time_s)

    def finish(self) -> list[AnyPacket]:
        return self._film.finish(self._end) if self.is_open else []


class RedoneSound:
    """Decodes sound and encodes it as AAC."""

    is_open = True

    def __init__(self, output: OutputContainer) -> None:
        self._sound = Sound(output, limit_s=_LIMIT_S)

    def take(self, source: Source, packet: AnyPacket) -> list[AnyPacket]:
        packets: list[AnyPacket] = []
        for frame, time_s in source.decoded(packet):
            assert isinstance(frame, AudioFrame)
            _refuse_late(time_s)
            packets += self._sound.take(frame, time_s)
        return packets

    def finish(self) -> list[AnyPacket]:
        packets = self._sound.drain()
        return packets + self._sound.finish(self._sound.end_s)


def _refuse_late(begin_s: Fraction) -> None:
    if begin_s >= _LIMIT_S:
        raise TooLong(round(begin_s * 1000))
