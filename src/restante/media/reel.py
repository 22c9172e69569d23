"""The one form that is sent, as it is written: H.264 and AAC in fragments, whether a file or a camera gives the frames."""

from fractions import Fraction

from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from restante.media import sound
from restante.media.errors import NoPicture
from restante.media.film import Film
from restante.media.fragments import Fragments
from restante.media.pace import Pace
from restante.media.packets import AnyPacket
from restante.media.picture import Picture
from restante.media.poster import Poster
from restante.media.result import Converted
from restante.media.sound import Sound
from restante.protocol.limits import RECORDING_MS

LIMIT_S = Fraction(RECORDING_MS, 1000)


class Reel:
    """Joins pictures and sound to one output. Times are seconds from the start; what lies beyond the limit is dropped."""

    def __init__(
        self,
        fragments: Fragments,
        *,
        pixel_aspect: Fraction | None = None,
        rate: Fraction | None = None,
        limit_s: Fraction = LIMIT_S,
    ) -> None:
        self._limit_s = limit_s
        self._fragments = fragments
        self._picture = Picture(pixel_aspect=pixel_aspect)
        self._pace = Pace(rate)
        self._film = Film(fragments.container)
        self._sound = Sound(fragments.container, limit_s=limit_s)
        self._poster = Poster()
        self._early: list[AnyPacket] = []
        self._last: VideoFrame | None = None

    @property
    def level(self) -> float:
        """How loud the sound is that was written last: root mean square, 0 to 1."""
        return self._sound.level

    @property
    def heard_s(self) -> Fraction:
        """Where the sound ends that was written so far."""
        return self._sound.end_s

    def show(self, frame: VideoFrame, time_s: Fraction) -> bool:
        """Shows a decoded picture from this time on, the first one from 0; False when it is left out."""
        last = self._film.start_of_last_s
        time_s = Fraction(0) if last is None else time_s
        if (last is not None and time_s <= last) or time_s >= self._limit_s or not self._pace.keeps(time_s):
            return False
        rendered = self._picture.render(frame)
        if last is None:
            self._film.open(self._picture.size)
        self._poster.consider(rendered, time_s)
        self._write(self._film.take(rendered, time_s))
        self._last = rendered
        return True

    def hold(self, time_s: Fraction) -> None:
        """Shows the last picture again, so that what is written keeps pace though no picture comes."""
        last = self._film.start_of_last_s
        if self._last is not None and last is not None and last < time_s < self._limit_s:
            self._write(self._film.take(self._last, time_s))

    def hear(self, frame: AudioFrame, time_s: Fraction) -> None:
        """Adds decoded sound that begins at this time."""
        if time_s < self._limit_s:
            self._write(self._sound.take(frame, time_s))

    def hush(self, until_s: Fraction) -> None:
        """Fills the sound up with silence."""
        self._write(self._sound.silence(until_s))

    def finish(self, film_end_s: Fraction, *, damaged: bool = False) -> Converted:
        """Ends both tracks where the longer one ends, or at the limit. Raises NoPicture when nothing was shown."""
        if not self._film.is_open:
            raise NoPicture
        self._write(self._sound.drain())
        end_s = min(self._limit_s, max(film_end_s, self._sound.end_s))
        self._write(self._film.finish(end_s) + self._sound.finish(end_s))
        return Converted(
            duration_ms=round(end_s * 1000),
            width=self._picture.size.width,
            height=self._picture.size.height,
            codecs=f'video/mp4; codecs="{self._film.codec},{sound.CODEC}"',
            poster=self._poster.webp(),
            damaged=damaged,
        )

    def _write(self, packets: list[AnyPacket]) -> None:
        """Holds packets of sound back until the first picture has told its size."""
        self._early += packets
        if self._film.is_open:
            early, self._early = self._early, []
            self._fragments.write(early)
