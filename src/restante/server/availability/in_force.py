"""The chart in force: `availability.toml`, and over it what operators switched, read at the start and again when either has changed.

[Note: A file half written] When a changed file cannot be read, what was read before stays in force and the log says so: an
operator's slip must neither open nor shut a service that runs. At the start the same slip ends the start.
"""

from collections.abc import Callable
from pathlib import Path

from restante.server.availability import switches
from restante.server.availability.file import NAME, BadFile, read
from restante.server.availability.rules import Chart
from restante.server.availability.switches import Switches
from restante.server.clock import Clock

LOOK_EVERY_S = 2.0
_Mark = tuple[int, int, int] | None


class ChartFile:
    """Both files. ``complain`` is told what is wrong with one that has changed."""

    def __init__(self, path: Path, clock: Clock, complain: Callable[[str], None]) -> None:
        """Raises BadFile."""
        self._path = path
        self._switched_at = path.with_name(switches.NAME)
        self._clock = clock
        self._complain = complain
        self._looked_s = clock.monotonic_s()
        self._marks = self._now_marked()
        self._read()

    def chart(self) -> Chart | None:
        """What is in force, at most two seconds old; None: everything is open."""
        self._look()
        return self._chart

    def written(self) -> tuple[Chart | None, Switches]:
        """What stands in the operator's own file, and what was switched over it."""
        self._look()
        return self._own, self._switches

    def switch(self, wanted: Switches) -> None:
        """Puts switches in the place of those that there are, at once. Blocks. Raises OSError."""
        switches.write(self._switched_at, wanted)
        self._looked_s = float("-inf")

    def copy(self, text: bytes) -> None:
        """Takes over what was switched on another node. Blocks. Raises OSError."""
        switches.copy(self._switched_at, text)

    def _look(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = now_s
            marks = self._now_marked()
            if marks != self._marks:
                self._marks = marks
                self._read_again()

    def _read_again(self) -> None:
        """See [Note: A file half written]."""
        try:
            self._read()
        except (BadFile, OSError) as error:
            self._complain(str(error))

    def _read(self) -> None:
        own, over = self._marks
        chart = read(self._path) if own else None
        switched = switches.read(self._switched_at) if over else {}
        self._own, self._switches = chart, switched
        self._chart = switches.laid_over(chart, switched)

    def _now_marked(self) -> tuple[_Mark, _Mark]:
        return _marked(self._path), _marked(self._switched_at)


def _marked(path: Path) -> _Mark:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def read_both(folder: Path) -> tuple[Chart | None, Switches]:
    """What the files of a data folder say now: the operator's own, and the switches. Raises BadFile, OSError."""
    path, over = folder / NAME, folder / switches.NAME
    own = read(path) if path.exists() else None
    return own, switches.read(over) if over.exists() else {}


def read_chart(folder: Path) -> Chart | None:
    """The chart that the files of a data folder make. Raises BadFile, OSError."""
    return switches.laid_over(*read_both(folder))
