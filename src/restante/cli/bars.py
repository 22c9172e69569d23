"""What moves on stderr while something takes time; nothing where nobody watches."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from restante.cli.terminal import say
from restante.client.errors import printable
from restante.client.outgoing import Progress as Step
from restante.media import Kind, Moment, News, What

_CONVERTING = 1000
_ANNOUNCED_S = (30, 10)
_METER = 8
_QUIETEST_DB = -60
_UNHEARD_LEVEL = 0.001
_UNHEARD_MS = 4000


@contextmanager
def showing_progress() -> Iterator[Callable[[Step], object]]:
    """Gives what a send reports to."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, console=console, transient=True) as bar:
        convert = bar.add_task("Converting", total=_CONVERTING)
        upload = bar.add_task("Uploading", total=None)

        def show(step: Step) -> None:
            bar.update(convert, completed=round(step.converted * _CONVERTING))
            bar.update(upload, completed=step.uploaded_bytes, total=step.total_bytes)

        yield show


class Booth:
    """What a person sees who is recording: time gone and left, loudness, and words when something happens."""

    def __init__(
        self, limit_s: Fraction, *, has_sound: bool, bar: Progress | None = None, task: TaskID | None = None
    ) -> None:
        self._limit_ms, self._has_sound, self._bar, self._task = round(limit_s * 1000), has_sound, bar, task
        self._to_announce = [seconds for seconds in _ANNOUNCED_S if seconds < limit_s]
        self._heard_ms = 0
        self._in_use: dict[Kind, str] = {}

    def show(self, moment: Moment) -> None:
        """Shows how it stands."""
        left_s = math.ceil((self._limit_ms - moment.ms) / 1000)
        if self._bar is not None and self._task is not None:
            meter = _meter(moment.level) if self._has_sound else "no sound"
            words = f"● {_clock(moment.ms // 1000)}  {_clock(left_s)} left  {meter}"
            self._bar.update(self._task, completed=moment.ms, description=words)
        while self._to_announce and left_s <= self._to_announce[0]:
            self.say(f"{self._to_announce.pop(0)} seconds left.")
        self._listen(moment)

    def tell(self, news: News) -> None:
        """Says what happened to a device."""
        kind, name = news.device.kind, f"{news.device.kind.value} {printable(news.device.label)}"
        if news.what is What.USING:
            again = "again " if self._in_use.get(kind) == news.device.id else ""
            self.say(
                f"Recording {again}from the {name}." if kind is Kind.CAMERA else f"Hearing {again}the {name}."
            )
            self._in_use[kind] = news.device.id
        elif kind is Kind.CAMERA:
            self.say(f"warning: The {name} is lost. The last picture stays, the sound goes on.")
        else:
            self.say(f"warning: The {name} is lost. The picture goes on, without sound.")

    def say(self, text: str) -> None:
        """Says something, above what moves."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            say(text)

    def _listen(self, moment: Moment) -> None:
        """Says once when nothing is heard for long."""
        if moment.level > _UNHEARD_LEVEL or not self._has_sound:
            self._heard_ms = moment.ms
        elif moment.ms - self._heard_ms > _UNHEARD_MS:
            self.say("warning: Nothing is heard. Is the right microphone on? `restante devices` lists them.")
            self._heard_ms = self._limit_ms


@contextmanager
def showing_recording(limit_s: Fraction, *, has_sound: bool) -> Iterator[Booth]:
    """Gives what a recording reports to."""
    console = Console(stderr=True)
    if not console.is_terminal:
        say("Ctrl-C stops, and keeps what was recorded.")
        yield Booth(limit_s, has_sound=has_sound)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        bar.console.print("Ctrl-C stops, and keeps what was recorded.")
        task = bar.add_task("Waiting for the camera", total=round(limit_s * 1000))
        yield Booth(limit_s, has_sound=has_sound, bar=bar, task=task)


def _clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"


def _meter(level: float) -> str:
    """Draws loudness: empty at -60 dB, full at 0."""
    decibels = 20 * math.log10(level) if level > 0 else _QUIETEST_DB
    full = round(_METER * max(0.0, 1 - decibels / _QUIETEST_DB))
    return "▮" * full + "▯" * (_METER - full)
