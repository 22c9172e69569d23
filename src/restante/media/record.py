"""A recording: what camera and microphone give, now, in the one form that is sent.

[Note: The clock of a recording] The file's time is this machine's clock since the beginning, whatever the devices do.
A picture that does not come is held, sound that does not come is silence, so that no fragment waits for a device.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from restante.media.devices import Device, System, this_system
from restante.media.errors import DeviceError, DeviceFailed, NoPicture
from restante.media.feed import Arrival, Arrivals, Clock, Feed, News, feeding
from restante.media.fragments import Fragments
from restante.media.reel import LIMIT_S, Reel
from restante.media.result import Converted

_TICK_S = 0.05
_START_S = 10.0
_MICROPHONE_S = 3.0
_HOLD_S = 0.25
_LATE_S = 0.1
"""How long a picture may be on its way."""
_FROZEN_S = 1.5
_SILENT_S = 0.6
_BEHIND_S = 0.3
_REST_S = 0.25
_DRIFT_S = 0.15


@dataclass(frozen=True, slots=True)
class Moment:
    """How a recording stands: milliseconds kept, how loud it is (0 to 1), and whether a picture comes."""

    ms: int
    level: float
    has_picture: bool


def record(
    cameras: Sequence[Device],
    microphones: Sequence[Device],
    sink: Callable[[bytes], object],
    *,
    is_stopped: Callable[[], bool],
    limit_s: Fraction = LIMIT_S,
    report: Callable[[Moment], object] = lambda _: None,
    tell: Callable[[News], object] = lambda _: None,
    system: System | None = None,
    clock: Clock = time.monotonic,
) -> Converted:
    """Records until it is stopped or full, handing the result to the sink in pieces as it comes.

    The first camera that works is used, and the next when it is lost; likewise the microphones, without which the sound
    is silence. Raises DeviceError when none of either works at the beginning, and NoPicture when it is stopped before
    anything was seen; from then on nothing but what the sink or a callback raises.
    """
    arrivals = Arrivals()
    system = system or this_system()
    camera = Feed(cameras, arrivals, system=system, clock=clock)
    microphone = Feed(microphones, arrivals, system=system, clock=clock) if microphones else None
    feeds = [feed for feed in (camera, microphone) if feed is not None]
    with feeding(*feeds):
        start = _Start(arrivals, camera, microphone, is_stopped=is_stopped, tell=tell, clock=clock)
        first = start.first_picture()
        with Fragments.to(sink) as fragments:
            recording = _Recording(Reel(fragments, limit_s=limit_s), start, limit_s=limit_s, report=report)
            return recording.run(first)


class _Start:
    """Waits for the devices; what all of a recording needs."""

    def __init__(
        self,
        arrivals: Arrivals,
        camera: Feed,
        microphone: Feed | None,
        *,
        is_stopped: Callable[[], bool],
        tell: Callable[[News], object],
        clock: Clock,
    ) -> None:
        self.arrivals, self.camera, self.microphone = arrivals, camera, microphone
        self.is_stopped, self.tell, self.clock = is_stopped, tell, clock

    def first_picture(self) -> Arrival:
        """Returns the newest picture once both devices work. Raises DeviceError or NoPicture."""
        began, last = self.clock(), None
        while last is None or not self._hears(began):
            if self.is_stopped():
                raise NoPicture("It was stopped before there was a picture.")
            last = self._newest() or last
            _raise_if_vain(self.camera)
            if last is None and self.clock() - began > _START_S:
                raise DeviceFailed
        return last

    def _hears(self, began: float) -> bool:
        if self.microphone is None:
            return True
        _raise_if_vain(self.microphone)
        return self.microphone.device is not None or self.clock() - began > _MICROPHONE_S

    def _newest(self) -> Arrival | None:
        newest = None
        for arrival in self.arrivals.take(within_s=_TICK_S):
            if isinstance(arrival, News):
                self.tell(arrival)
            elif isinstance(arrival.frame, VideoFrame):
                newest = arrival
        return newest


def _raise_if_vain(feed: Feed) -> None:
    if feed.has_nothing and isinstance(feed.failure, DeviceError):
        raise feed.failure


class _Recording:
    """One run."""

    def __init__(
        self, reel: Reel, start: _Start, *, limit_s: Fraction, report: Callable[[Moment], object]
    ) -> None:
        self._reel, self._start, self._limit_s, self._report = reel, start, float(limit_s), report
        self._zero = start.clock()
        self._seen_s = self._shown_s = 0.0
        self._sound_clock = _SoundClock()

    @property
    def _now(self) -> float:
        return self._start.clock() - self._zero

    def run(self, first: Arrival) -> Converted:
        assert isinstance(first.frame, VideoFrame)
        self._reel.show(first.frame, Fraction(0))
        while self._now < self._limit_s and not self._start.is_stopped():
            self._take(self._limit_s)
            self._keep_pace(min(self._now, self._limit_s))
        end_s = min(self._now, self._limit_s)
        if self._start.microphone is not None and self._start.microphone.device is not None:
            self._hear_out(end_s)
        return self._reel.finish(_ticks(end_s))

    def _take(self, until_s: float) -> None:
        for arrival in self._start.arrivals.take(within_s=_TICK_S):
            if isinstance(arrival, News):
                self._start.tell(arrival)
            elif (at_s := arrival.at_s - self._zero) < until_s:
                self._add(arrival.frame, at_s)

    def _add(self, frame: VideoFrame | AudioFrame, at_s: float) -> None:
        if isinstance(frame, AudioFrame):
            self._reel.hear(frame, _ticks(self._sound_clock.begins_s(frame, at_s)))
            return
        self._seen_s = max(self._seen_s, at_s)
        self._hold_until(at_s)
        if at_s > 0 and self._reel.show(frame, _ticks(at_s)):
            self._shown_s = at_s

    def _hold_until(self, time_s: float) -> None:
        """Shows the last picture again and again, also where this thread had no time to: no gap is long."""
        while time_s - self._shown_s > _HOLD_S:
            self._shown_s += _HOLD_S
            self._reel.hold(_ticks(self._shown_s))

    def _keep_pace(self, now_s: float) -> None:
        """Holds the picture and fills the sound where nothing comes ([Note: The clock of a recording])."""
        self._hold_until(now_s - _LATE_S)
        if now_s - float(self._reel.heard_s) > _SILENT_S:
            self._reel.hush(_ticks(now_s - _BEHIND_S))
        camera = self._start.camera
        if camera.device is not None and now_s - self._seen_s > _FROZEN_S:
            camera.leave(DeviceFailed(camera.device.label))
            self._seen_s = now_s
        has_picture = camera.device is not None
        self._report(Moment(round(now_s * 1000), self._reel.level, has_picture))

    def _hear_out(self, end_s: float) -> None:
        """Waits for the sound of the last moment, which comes when that is over."""
        while self._reel.heard_s < end_s and self._now < end_s + _REST_S:
            self._take(end_s)


class _SoundClock:
    """When each piece of sound begins: one after the other, for times of arrival jitter; anew after a gap."""

    def __init__(self) -> None:
        self._next_s: float | None = None

    def begins_s(self, frame: AudioFrame, at_s: float) -> float:
        """Returns when the piece began that seems to have begun at ``at_s``: earlier is more likely than later."""
        begins = self._next_s
        if begins is None or at_s < begins or at_s - begins > _DRIFT_S:
            begins = at_s
        self._next_s = begins + frame.samples / (frame.sample_rate or 48_000)
        return begins


def _ticks(seconds: float) -> Fraction:
    """Returns a time on the picture track's own clock."""
    return Fraction(round(seconds * 90_000), 90_000)
