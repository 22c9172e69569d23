"""How often and how long passing trouble is waited out.

>>> calm = Retry(jitter=lambda: 1.0)
>>> [calm.delay_s(attempt) for attempt in range(5)]
[0.25, 0.5, 1.0, 2.0, 4.0]
>>> calm.delay_s(0, retry_after_s=3)
3.25
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

_random = secrets.SystemRandom().random


@dataclass(frozen=True, slots=True)
class Retry:
    """Doubling delays with jitter. ``patience_s`` is the longest sum of waits; then the last error is raised."""

    base_s: float = 0.25
    cap_s: float = 8.0
    patience_s: float = 8.0
    jitter: Callable[[], float] = _random
    sleep: Callable[[float], object] = time.sleep

    def patient(self) -> Self:
        """For what must not be given up lightly, such as an upload in progress: 15 times the patience."""
        return replace(self, patience_s=15 * self.patience_s)

    def delay_s(self, attempt: int, *, retry_after_s: float = 0.0) -> float:
        """Chooses the wait after the attempt of this number, counted from 0: never less than the server asks for."""
        return retry_after_s + min(self.cap_s, self.base_s * 2.0**attempt) * self.jitter()


class Patience:
    """The waits of one request: counts what was waited."""

    def __init__(self, retry: Retry) -> None:
        self._retry = retry
        self._attempt = 0
        self._waited_s = 0.0

    def wait(self, *, retry_after_s: float = 0.0) -> bool:
        """Waits, or tells at once (False) that patience is over."""
        delay_s = self._retry.delay_s(self._attempt, retry_after_s=retry_after_s)
        if self._waited_s + delay_s > self._retry.patience_s:
            return False
        self._attempt += 1
        self._waited_s += delay_s
        self._retry.sleep(delay_s)
        return True

    def renew(self) -> None:
        """Begins anew after progress was made."""
        self._attempt, self._waited_s = 0, 0.0
