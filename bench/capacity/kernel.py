"""A small discrete-event kernel: processes are generators that wait, or ask for a resource, in simulated seconds."""

import heapq
from collections import deque
from collections.abc import Generator
from typing import Any

Wish = "float | tuple[Resource, float]"
Process = Generator[Any, None, None]


class Clock:
    """Runs processes in the order of their times; the same seed gives the same run, since ties go by number."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Process]] = []
        self._number = 0

    def at(self, when: float, process: Process) -> None:
        self._number += 1
        heapq.heappush(self._due, (when, self._number, process))

    def start(self, process: Process) -> None:
        self.at(self.now, process)

    def run(self, until: float) -> None:
        """Runs to the time; what is under way then is left where it is."""
        while self._due and self._due[0][0] <= until:
            self.now, _, process = heapq.heappop(self._due)
            self.step(process)
        self.now = until

    def step(self, process: Process) -> None:
        """Lets a process go on to its next wish."""
        wish = next(process, None)
        if wish is None:
            return
        if isinstance(wish, float):
            self.at(self.now + wish, process)
        else:
            resource, seconds = wish
            resource.ask(process, seconds)


class Resource:
    """Serves one after the other, in the order of asking."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: deque[tuple[Process, float]] = deque()
        self._serving = False
        self.busy_s = 0.0
        self.longest = 0

    def ask(self, process: Process, seconds: float) -> None:
        self._waiting.append((process, seconds))
        self.longest = max(self.longest, len(self._waiting))
        if not self._serving:
            self._clock.start(self._serve())

    def _serve(self) -> Process:
        if self._serving:
            return
        self._serving = True
        while self._waiting:
            process, seconds = self._waiting.popleft()
            yield seconds
            self.busy_s += seconds
            self._clock.step(process)
        self._serving = False


class GroupCommit(Resource):
    """A database's writer: takes what waits, at most a group, flushes once, and answers all of them."""

    def __init__(self, clock: Clock, *, flush_s: float, group: int = 64) -> None:
        super().__init__(clock)
        self._flush_s = flush_s
        self._group = group
        self.commits = 0

    def _serve(self) -> Process:
        if self._serving:
            return
        self._serving = True
        while self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(self._group, len(self._waiting)))]
            seconds = self._flush_s + sum(asked for _, asked in taken)
            yield seconds
            self.busy_s += seconds
            self.commits += 1
            for process, _ in taken:
                self._clock.step(process)
        self._serving = False
