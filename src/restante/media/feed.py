"""A thread that reads a camera or a microphone, and the next one when it is lost; what it reads waits to be taken."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from threading import Condition, Event, Thread

import av
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from restante.media.devices import Device, Kind, System
from restante.media.errors import DeviceError, DeviceFailed
from restante.media.plugged import plugged

Clock = Callable[[], float]
_RETRY_S = 1.0
_JOIN_S = 0.5
_WAITING_PICTURES = 12
"""More than these are not kept for an encoder that is behind: a picture of 720 lines takes 1.4 MB."""
_STAMP_S = 1.0


class What(Enum):
    """What happened to a device."""

    USING = "using"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class News:
    """What a person who is recording should know; ``why`` is there when a device was lost."""

    what: What
    device: Device
    why: DeviceError | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame, and when it was taken by the clock of the recording; sound: when it began."""

    frame: VideoFrame | AudioFrame
    at_s: float


class Arrivals:
    """What has come from all feeds and was not taken yet."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: deque[Arrival | News] = deque()
        self._pictures = 0
        self.dropped = 0

    def put(self, arrival: Arrival | News) -> None:
        """Adds; a picture too many is left out."""
        with self._changed:
            if isinstance(arrival, Arrival) and isinstance(arrival.frame, VideoFrame):
                if self._pictures == _WAITING_PICTURES:
                    self.dropped += 1
                    return
                self._pictures += 1
            self._waiting.append(arrival)
            self._changed.notify()

    def take(self, *, within_s: float) -> list[Arrival | News]:
        """Empties, waiting a little when there is nothing."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting), timeout=within_s)
            taken = list(self._waiting)
            self._waiting.clear()
            self._pictures = 0
            return taken


class Feed:
    """Reads the first of some devices that works. Lost, it goes on to the next, round and round, until it is closed."""

    def __init__(
        self, devices: Sequence[Device], arrivals: Arrivals, *, system: System, clock: Clock = time.monotonic
    ) -> None:
        self._devices = devices
        self._arrivals = arrivals
        self._system = system
        self._clock = clock
        self._generation = 0
        self._place = 0
        self._failures = 0
        self._closing = Event()
        self._thread: Thread | None = None
        self.device: Device | None = None
        self.failure: DeviceError | None = None

    @property
    def has_nothing(self) -> bool:
        """Tells whether every device was tried in vain since the last one that worked."""
        return self.device is None and self._failures >= len(self._devices)

    def start(self) -> None:
        """Begins to read."""
        self._generation += 1
        generation = self._generation
        self._thread = Thread(target=self._run, args=(generation,), name="feed", daemon=True)
        self._thread.start()

    def leave(self, why: DeviceError) -> None:
        """Gives up a device that is open and silent: whatever it still says is not heard."""
        self._generation += 1
        self._lose(why)
        self.start()

    def close(self) -> None:
        """Ends the reading; a thread that its device holds fast ends with the process."""
        self._generation += 1
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_JOIN_S)

    def _run(self, generation: int) -> None:
        while generation == self._generation:
            why = self._read(generation, self._devices[self._place % len(self._devices)])
            if generation != self._generation:
                return
            self._lose(why)
            if self._failures % len(self._devices) == 0:
                self._closing.wait(_RETRY_S)

    def _read(self, generation: int, device: Device) -> DeviceError:
        """Reads until nothing comes any more, and returns why."""
        try:
            with plugged(device, self._system) as frames:
                for frame in frames:
                    if generation != self._generation:
                        break
                    self._use(device)
                    self._arrivals.put(Arrival(frame, self._begun(frame, device)))
        except DeviceError as error:
            return error
        except (av.FFmpegError, OSError):
            pass
        return DeviceFailed(device.label)

    def _use(self, device: Device) -> None:
        if self.device is None:
            self.device, self._failures = device, 0
            self._arrivals.put(News(What.USING, device))

    def _lose(self, why: DeviceError) -> None:
        device = self._devices[self._place % len(self._devices)]
        if self.device is not None:
            self._arrivals.put(News(What.LOST, device, why))
        self.failure = self.failure or why
        self.device = None
        self._failures += 1
        self._place += 1

    def _begun(self, frame: VideoFrame | AudioFrame, device: Device) -> float:
        """V4L2 stamps pictures by this very clock; else it is when they came, and sound came when it had ended."""
        now = self._clock()
        if isinstance(frame, AudioFrame):
            return now - frame.samples / (frame.sample_rate or 48_000)
        if device.kind is Kind.CAMERA and frame.pts is not None and frame.time_base is not None:
            stamp = float(frame.pts * frame.time_base)
            if 0 <= now - stamp < _STAMP_S:
                return stamp
        return now


@contextmanager
def feeding(*feeds: Feed) -> Iterator[None]:
    """Reads while the block runs."""
    try:
        for feed in feeds:
            feed.start()
        yield
    finally:
        for feed in feeds:
            feed.close()
