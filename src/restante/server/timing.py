"""How long stages of the work take: told to whoever listens, by their names in the code and by nothing that was asked."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import perf_counter

Heard = Callable[[str, float, bool], None]
"""Is told a stage, the seconds it took, and whether it came to its end."""


class Timing:
    """Times stages. Each may lie within another one of the same request or errand."""

    def __init__(self) -> None:
        self._hearers: list[Heard] = []
        self._around: Callable[[str], AbstractContextManager[object]] = _nothing

    def listen(self, hear: Heard) -> None:
        """Lets somebody count stages."""
        self._hearers.append(hear)

    def surround(self, around: Callable[[str], AbstractContextManager[object]]) -> None:
        """Lets somebody know, too, which stage lies within which."""
        self._around = around

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Times a stage."""
        begun_s, is_done = perf_counter(), False
        try:
            with self._around(stage):
                yield
            is_done = True
        finally:
            took_s = perf_counter() - begun_s
            for hear in self._hearers:
                hear(stage, took_s, is_done)


def _nothing(_: str) -> AbstractContextManager[object]:
    return nullcontext()
