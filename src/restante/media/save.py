"""From the fragmented MP4 of a message to an ordinary .mp4 to keep: the index in front, no tags, no padding."""

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer

from restante.media.errors import MediaError, NoPicture
from restante.media.fragments import ended
from restante.media.inlet import Inlet, Readable
from restante.media.packets import AnyPacket
from restante.media.source import Source, opened_stream
from restante.media.tracks import Copied, RedoneFilm, RedoneSound

_OPTIONS = {"movflags": "faststart", "fflags": "bitexact"}


def save(source: Readable | Iterable[bytes], target: Path) -> None:
    """Writes what the source gives to a file, which appears whole or not at all; an existing one is replaced.

    H.264 and AAC are copied bit by bit; anything else is converted to them. Whatever the source raises comes out
    unchanged. Raises NotAVideo, NoPicture, TooLong (longer than a recipient accepts), Damaged, or OSError.
    """
    inlet = Inlet(source)
    with _new_file(target) as path:
        try:
            with opened_stream(inlet) as opened_source:
                _remux(opened_source, inlet, path)
        except (MediaError, av.FFmpegError):
            inlet.check()
            raise
        inlet.check()


def _remux(source: Source, inlet: Inlet, path: Path) -> None:
    source.zero = Fraction(0)
    output = av.open(str(path.absolute()), "w", format="mp4", container_options=_OPTIONS)
    with ended(output):
        _Remux(source, output).run(inlet)


class _Remux:
    """One run; nothing is written before each track knows its form."""

    def __init__(self, source: Source, output: OutputContainer) -> None:
        self._source, self._output = source, output
        copies_film = source.video.codec_context.codec.canonical_name == "h264"
        film = Copied(output, source.video) if copies_film else RedoneFilm(output, source.video)
        self._film: Copied | RedoneFilm = film
        self._tracks: dict[int, Copied | RedoneFilm | RedoneSound] = {source.video.index: film}
        if (sound := source.audio) is not None:
            copies_sound = sound.codec_context.codec.canonical_name == "aac"
            self._tracks[sound.index] = Copied(output, sound) if copies_sound else RedoneSound(output)
        self._early: list[AnyPacket] = []

    def run(self, inlet: Inlet) -> None:
        for packet in self._source.packets():
            inlet.check()
            self._write(self._tracks[packet.stream.index].take(self._source, packet))
        for track in self._tracks.values():
            self._write(track.finish())
        if not self._film.is_open:
            raise NoPicture

    def _write(self, packets: list[AnyPacket]) -> None:
        self._early += packets
        if self._film.is_open:
            early, self._early = self._early, []
            self._output.mux(early)


@contextmanager
def _new_file(target: Path) -> Iterator[Path]:
    """Gives a new file beside the target, which takes its place when all went well and else vanishes."""
    path = target.with_name(f".restante-{secrets.token_hex(8)}.part")
    try:
        path.open("xb").close()
        yield path
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.replace(target)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
