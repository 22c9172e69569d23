"""From any decoded sound to AAC-LC, 48 kHz, mono, on the picture's clock: gaps become silence, overlaps are cut."""

import math
from fractions import Fraction

from av.audio.frame import AudioFrame
from av.container import OutputContainer
from av.filter import Graph

from restante.media.packets import AnyPacket

RATE = 48_000
BIT_RATE = 96_000
CODEC = "mp4a.40.2"
_SILENCE_SAMPLES = RATE // 10


class Sound:
    """The sound track of an output; what it is given must not go back in time by more than a packet.

    `aresample` with ``async`` follows the source's times: it stretches by up to 2 % and beyond that fills or trims.
    """

    def __init__(self, container: OutputContainer, *, limit_s: Fraction) -> None:
        self._stream = container.add_stream(
            "aac", rate=RATE, layout="mono", format="fltp", bit_rate=BIT_RATE, time_base=Fraction(1, RATE)
        )
        self._limit = int(limit_s * RATE)
        self._graph: Graph | None = None
        self._kind: tuple[int, str, str] | None = None
        self._samples = 0
        self._last: AudioFrame | None = None

    @property
    def level(self) -> float:
        """How loud the piece is that was encoded last: root mean square, 0 to 1."""
        if self._last is None or not self._last.samples:
            return 0.0
        data = memoryview(bytes(self._last.planes[0])[: self._last.samples * 4]).cast("f")
        return min(1.0, math.sqrt(sum(value * value for value in data) / len(data)))

    @property
    def end_s(self) -> Fraction:
        """Where the sound handed to the encoder ends."""
        return Fraction(self._samples, RATE)

    def take(self, frame: AudioFrame, time_s: Fraction) -> list[AnyPacket]:
        """Encodes a decoded frame that starts at this time; what lies before 0 or after the limit is dropped."""
        packets = self._prepare(frame)
        frame.pts, frame.time_base = round(time_s * frame.sample_rate), Fraction(1, frame.sample_rate)
        assert self._graph is not None
        self._graph.push(frame)
        return packets + self._pulled()

    def silence(self, until_s: Fraction) -> list[AnyPacket]:
        """Encodes silence from the end of the sound up to this time."""
        packets = self._drained()
        while (missing := min(int(until_s * RATE), self._limit) - self._samples) > 0:
            frame = AudioFrame("fltp", "mono", min(missing, _SILENCE_SAMPLES))
            frame.planes[0].update(bytes(frame.planes[0].buffer_size))
            packets += self._encoded(frame)
        return packets

    def finish(self, end_s: Fraction) -> list[AnyPacket]:
        """Fills up to the end, and returns what the encoder still held."""
        return self.silence(end_s) + _primed(self._stream.encode(None))

    def drain(self) -> list[AnyPacket]:
        """Encodes what the resampler still holds; the true end is known afterwards."""
        return self._drained()

    def _prepare(self, frame: AudioFrame) -> list[AnyPacket]:
        """Builds the graph for this kind of frame; a stream may change its kind under way."""
        kind = (frame.sample_rate, frame.format.name, frame.layout.name)
        if kind == self._kind:
            return []
        packets = self._drained()
        self._kind, self._graph = kind, _graph(*kind, start=self._samples * frame.sample_rate // RATE)
        return packets

    def _drained(self) -> list[AnyPacket]:
        if self._graph is None:
            return []
        self._graph.push(None)
        packets = self._pulled()
        self._graph = self._kind = None
        return packets

    def _pulled(self) -> list[AnyPacket]:
        packets: list[AnyPacket] = []
        assert self._graph is not None
        while True:
            try:
                frame = self._graph.pull()
            except (BlockingIOError, EOFError):
                return packets
            assert isinstance(frame, AudioFrame)
            packets += self._encoded(frame)

    def _encoded(self, frame: AudioFrame) -> list[AnyPacket]:
        room = self._limit - self._samples
        if room <= 0:
            return []
        frame = frame if frame.samples <= room else _first(frame, room)
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._samples, Fraction(1, RATE)
        self._samples += frame.samples
        self._last = frame
        return _primed(self._stream.encode(frame))


def _graph(rate: int, sample_format: str, layout: str, *, start: int) -> Graph:
    """Builds the resampler for one kind of sound; ``start``, where its output begins, counts samples of its input."""
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=rate, format=sample_format, layout=layout, time_base=Fraction(1, rate)
    )
    resample = graph.add(
        "aresample",
        f"{RATE}:async=1000:min_hard_comp=0.1:first_pts={start}:ochl=mono:osf=fltp:rematrix_maxval=1",
    )
    graph.link_nodes(source, resample, graph.add("abuffersink")).configure()
    return graph


def _first(frame: AudioFrame, samples: int) -> AudioFrame:
    part = AudioFrame("fltp", "mono", samples)
    data = bytes(frame.planes[0])[: samples * 4]
    part.planes[0].update(data.ljust(part.planes[0].buffer_size, b"\0"))
    return part


def _primed(packets: list[AnyPacket]) -> list[AnyPacket]:
    """Drops the encoder's priming packet, which lies before 0.

    It would need an edit list, which live players read differently; without it sound and picture both start at 0.
    """
    return [packet for packet in packets if packet.pts is not None and packet.pts >= 0]
