"""The picture track of an output: H.264 on the source's own timing, a key frame each second, a bounded rate."""

from fractions import Fraction

from av.container import OutputContainer
from av.video.frame import PictureType, VideoFrame

from restante.media.geometry import Size
from restante.media.pace import MAX_RATE, holds
from restante.media.packets import AnyPacket
from restante.media.picture import PIXEL_FORMAT

TIME_BASE = Fraction(1, 90_000)
MAX_BIT_RATE = 2_200_000
"""With the sound, 180 s at this rate are 50 MiB; padding by 12 % still keeps them under 60 MiB."""
_OPTIONS = {
    "preset": "veryfast",
    "crf": "23",
    "maxrate": str(MAX_BIT_RATE),
    "bufsize": str(2 * MAX_BIT_RATE),
    "bf": "0",  # decoding order is showing order: no edit list, and a cut after any fragment plays
    "g": "900",
    "sc_threshold": "0",
    "forced-idr": "1",
    "a53cc": "0",  # closed captions are not carried over
    "color_primaries": "bt709",
    "color_trc": "bt709",
    "colorspace": "bt709",
    "color_range": "tv",
}


class Film:
    """Encodes pictures; each is known to last until the next one, so it is held back until then."""

    def __init__(self, container: OutputContainer) -> None:
        self._stream = container.add_stream("libx264", rate=MAX_RATE, options=dict(_OPTIONS))
        self._held: tuple[VideoFrame, Fraction] | None = None
        self._next_key = 0
        self._durations: dict[int, int] = {}
        self.is_open = False

    def open(self, size: Size) -> None:
        """Fixes the size; nothing may be written to the container before."""
        self._stream.width, self._stream.height = size.width, size.height
        self._stream.pix_fmt = PIXEL_FORMAT
        self._stream.codec_context.time_base = TIME_BASE
        self._stream.codec_context.open()
        self.is_open = True

    @property
    def start_of_last_s(self) -> Fraction | None:
        """When the picture that is held back begins."""
        return self._held[1] if self._held else None

    @property
    def codec(self) -> str:
        """The RFC 6381 name, such as ``avc1.64001f``, read from the sequence parameters."""
        data = bytes(self._stream.codec_context.extradata or b"")
        at = data.index(b"\x00\x00\x01\x67") + 4
        return f"avc1.{data[at : at + 3].hex()}"

    def take(self, frame: VideoFrame, time_s: Fraction) -> list[AnyPacket]:
        """Takes the picture shown from this time on, which must be later than the last one's."""
        packets = self._released(time_s)
        self._held = (frame, time_s)
        return packets

    def finish(self, end_s: Fraction) -> list[AnyPacket]:
        """Shows the last picture until the end, and returns what the encoder still held."""
        return self._released(end_s) + self._timed(self._stream.encode(None))

    def _released(self, end_s: Fraction) -> list[AnyPacket]:
        if self._held is None:
            return []
        frame, start_s = self._held
        packets: list[AnyPacket] = []
        for start, end in holds(start_s, end_s):
            packets += self._encoded(frame, start, end)
        return packets

    def _encoded(self, frame: VideoFrame, start_s: Fraction, end_s: Fraction) -> list[AnyPacket]:
        frame.pts, frame.time_base = round(start_s / TIME_BASE), TIME_BASE
        self._durations[frame.pts] = round(end_s / TIME_BASE) - frame.pts
        is_key = start_s >= self._next_key
        frame.pict_type = PictureType.I if is_key else PictureType.NONE
        if is_key:
            self._next_key = int(start_s) + 1
        return self._timed(self._stream.encode(frame))

    def _timed(self, packets: list[AnyPacket]) -> list[AnyPacket]:
        for packet in packets:
            assert packet.pts is not None
            packet.duration = self._durations.pop(packet.pts)
        return packets
