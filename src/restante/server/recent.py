"""Remembers for seconds what the database said, so that a burst of requests asks it once."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from restante.server.clock import Clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
ENTRIES = 10_000


@dataclass(frozen=True, slots=True)
class _Entry(Generic[V]):
    value: V
    since_s: float


class Recent(Generic[K, V]):
    """Answers by key, each for ``fresh_for_s``.

    [Note: Revoked meanwhile] A look-up that began before a revocation must not be kept after it: whoever looks up
    takes the ``generation`` first, and ``keep`` drops the answer when it has changed.
    """

    def __init__(self, clock: Clock, *, fresh_for_s: float) -> None:
        self._clock = clock
        self._fresh_for_s = fresh_for_s
        self._entries: dict[K, _Entry[V]] = {}
        self.generation = 0

    def find(self, key: K) -> V | None:
        """The answer, if it was given less than ``fresh_for_s`` ago."""
        entry = self._entries.get(key)
        if entry is None or self._clock.monotonic_s() - entry.since_s >= self._fresh_for_s:
            return None
        return entry.value

    def keep(self, key: K, value: V, *, generation: int) -> None:
        """Keeps what a look-up found, unless something was revoked since ``generation``."""
        if generation != self.generation:
            return
        self._entries.pop(key, None)
        while len(self._entries) >= ENTRIES:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = _Entry(value, self._clock.monotonic_s())

    def drop(self, revoked: Callable[[V], bool]) -> None:
        """Forgets what is revoked."""
        self.generation += 1
        for key in [key for key, entry in self._entries.items() if revoked(entry.value)]:
            del self._entries[key]

    def clear(self) -> None:
        """Forgets everything."""
        self.generation += 1
        self._entries.clear()
