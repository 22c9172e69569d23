"""A fragmented MP4 written to a sink piece by piece: never seeks, never looks back."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

import av
from av.container import OutputContainer

from restante.media.packets import AnyPacket

_OPTIONS = {
    "movflags": "empty_moov+default_base_moof+frag_keyframe+skip_trailer",
    "min_frag_duration": "500000",
    "fflags": "bitexact",  # no word about the writing program
    "flush_packets": "1",
    "max_interleave_delta": "0",  # fragments hold both tracks, however late one of them comes
}


class Fragments:
    """An output container whose bytes go to the sink.

    Bytes are handed over between libav's calls, not inside them: there an interrupt would be lost.
    """

    def __init__(self, sink: Callable[[bytes], object]) -> None:
        self._sink = sink
        self._outbox = _Outbox()
        self.container = av.open(self._outbox, "w", format="mp4", container_options=_OPTIONS)

    def write(self, packets: Iterable[AnyPacket]) -> None:
        """Adds packets, and hands over what is complete."""
        self.container.mux(list(packets))
        self._hand_over()

    @classmethod
    @contextmanager
    def to(cls, sink: Callable[[bytes], object]) -> Iterator["Fragments"]:
        """Gives an output that is ended on success; after a failure the sink gets nothing more."""
        fragments = cls(sink)
        with ended(fragments.container):
            yield fragments
        fragments._hand_over()

    def _hand_over(self) -> None:
        for piece in self._outbox.take():
            self._sink(piece)


class _Outbox:
    """What libav writes to, which cannot seek.

    ``write`` is a builtin on purpose: in Python code called by libav an interrupt could strike, and would be lost.
    """

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.write = self.pieces.append

    def take(self) -> list[bytes]:
        """Empties the outbox and returns what was in it."""
        pieces = self.pieces.copy()
        self.pieces.clear()
        return pieces


@contextmanager
def ended(container: OutputContainer) -> Iterator[None]:
    """Closes an output container in any case; what closing says after a failure is not worth hearing."""
    try:
        yield
    except BaseException:
        with suppress(av.FFmpegError):
            container.close()
        raise
    container.close()
