"""From any decoded frame to the picture that is sent: upright, square pixels, 8-bit 4:2:0, BT.709, one size."""

from fractions import Fraction

from av.filter import Graph
from av.filter.context import FilterContext
from av.sidedata.sidedata import SideData
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    Interpolation,
    VideoReformatter,
)

from restante.media.geometry import Size, Turn, fitted, inside, shown, turn_of

PIXEL_FORMAT = "yuv420p"
_BT709 = 1  # AVCOL_SPC_BT709
_MATRIX_UNKNOWN = 2  # AVCOL_SPC_UNSPECIFIED
_HD_LINES = 720
_HDR = {ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67}


class Picture:
    """Renders frames of one stream at the size that its first frame determines; others are letterboxed in it."""

    def __init__(self, *, pixel_aspect: Fraction | None) -> None:
        self._pixel_aspect = pixel_aspect or Fraction(1)
        self.natural: Size | None = None
        self._size: Size | None = None
        self._turn: tuple[int, Turn] | None = None
        self._reformatter = VideoReformatter()
        self._progressive = _Deinterlacer()
        self._finishers: dict[tuple[Size, Turn], _Finisher] = {}

    @property
    def size(self) -> Size:
        """The size of what is rendered; known after the first frame."""
        assert self._size is not None
        return self._size

    def measure(self, frame: VideoFrame) -> tuple[Turn, Size]:
        """Returns how a frame has to be turned and its size then; the first one settles the size of all."""
        turn = self._turn_of(frame)
        natural = shown(Size(frame.width, frame.height), pixel_aspect=self._pixel_aspect, turn=turn)
        if self._size is None:
            self.natural, self._size = natural, fitted(natural)
        return turn, natural

    def _turn_of(self, frame: VideoFrame) -> Turn:
        """Reads the side data only when the angle changes.

        A frame whose side data was read is in a reference cycle with it, and at 4K the collector comes too late.
        """
        if self._turn is None or self._turn[0] != frame.rotation:
            self._turn = (frame.rotation, turn_of(_matrix(frame)))
        return self._turn[1]

    def render(self, frame: VideoFrame) -> VideoFrame:
        """Returns the finished picture, without the source's time, tags or frame type."""
        turn, natural = self.measure(frame)
        room = self.size if natural == self.natural else inside(natural, self.size)
        scaled = self._scaled(self._progressive.take(frame), room.swapped if turn.swaps else room)
        finished = self._finisher(Size(scaled.width, scaled.height), turn).take(scaled)
        finished.pict_type = PictureType.NONE
        return finished

    def _scaled(self, frame: VideoFrame, size: Size) -> VideoFrame:
        hdr = frame.color_trc in _HDR
        return self._reformatter.reformat(
            frame,
            width=size.width,
            height=size.height,
            format=PIXEL_FORMAT,
            src_colorspace=_guessed_matrix(frame),
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            dst_color_trc=ColorTrc.BT709 if hdr else None,
            dst_color_primaries=ColorPrimaries.BT709 if hdr else None,
            interpolation=Interpolation.BICUBIC,
        )

    def _finisher(self, size: Size, turn: Turn) -> "_Finisher":
        key = (size, turn)
        if key not in self._finishers:
            self._finishers[key] = _Finisher(size, turn, self.size)
        return self._finishers[key]


class _Finisher:
    """Turns and letterboxes pictures of one size; one in, one out."""

    def __init__(self, size: Size, turn: Turn, target: Size) -> None:
        steps: list[tuple[str, str | None]] = list(turn.steps)
        if (size.swapped if turn.swaps else size) != target:
            steps.append(("pad", f"{target.width}:{target.height}:-1:-1"))
        self._chain = _Chain(size, PIXEL_FORMAT, steps) if steps else None

    def take(self, frame: VideoFrame) -> VideoFrame:
        return self._chain.take(frame) if self._chain else frame


class _Deinterlacer:
    """Takes one field of interlaced pictures, for the scaler to fill; leaves all others alone.

    Interpolating filters wait for the next frame; so simple a one answers each frame at once.
    """

    def __init__(self) -> None:
        self._chains: dict[tuple[int, int, str], _Chain] = {}

    def take(self, frame: VideoFrame) -> VideoFrame:
        if not frame.interlaced_frame:
            return frame
        key = (frame.width, frame.height, frame.format.name)
        if key not in self._chains:
            self._chains[key] = _Chain(Size(*key[:2]), key[2], [("field", "top")])
        return self._chains[key].take(frame)


class _Chain:
    """A filter graph that answers each frame with one frame."""

    def __init__(self, size: Size, pixel_format: str, steps: list[tuple[str, str | None]]) -> None:
        graph = Graph()
        first = graph.add(
            "buffer",
            video_size=f"{size.width}x{size.height}",
            pix_fmt=pixel_format,
            time_base="1/1000000",
            colorspace=str(_BT709),
            range=str(int(ColorRange.MPEG)),
        )
        nodes: list[FilterContext] = [graph.add(name, args) for name, args in steps]
        graph.link_nodes(first, *nodes, graph.add("buffersink")).configure()
        self._graph = graph

    def take(self, frame: VideoFrame) -> VideoFrame:
        self._graph.vpush(frame)
        return self._graph.vpull()


def _guessed_matrix(frame: VideoFrame) -> int:
    """An untagged picture has the matrix that its height implies, as players assume."""
    if frame.colorspace != _MATRIX_UNKNOWN:
        return frame.colorspace
    return Colorspace.ITU709 if frame.height >= _HD_LINES else Colorspace.ITU601


def _matrix(frame: VideoFrame) -> bytes | None:
    data = frame.side_data.get("DISPLAYMATRIX")
    return bytes(data) if isinstance(data, SideData) else None
