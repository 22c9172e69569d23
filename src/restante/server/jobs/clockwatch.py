"""Tells when the wall clock can be believed.

[Note: Clock jumps] What expires is dated by the wall clock, which may be set wrong by hours or years and back again; the
monotonic clock may not. Between two passes both must have advanced alike. When they differ by more than a minute, the
wall clock was set: nothing expires for an hour of monotonic time, the same grace that orphans get, and a clock that is
set right again in that hour has deleted nothing. Slow correction passes unnoticed, as it should.
"""

from restante.protocol.limits import ORPHAN_GRACE

TOLERATED_MS = 60_000
HOLD_S = ORPHAN_GRACE.total_seconds()


class ClockWatch:
    """Compares the clocks from pass to pass; a new process begins by believing."""

    def __init__(self) -> None:
        self._last: tuple[int, float] | None = None
        self._held_until_s = float("-inf")

    def believable(self, *, wall_ms: int, monotonic_s: float) -> bool:
        """Takes the readings of a pass; False while expiries must wait."""
        if self._last is not None:
            last_ms, last_s = self._last
            drift_ms = (wall_ms - last_ms) - (monotonic_s - last_s) * 1000
            if abs(drift_ms) > TOLERATED_MS:
                self._held_until_s = monotonic_s + HOLD_S
        self._last = wall_ms, monotonic_s
        return monotonic_s >= self._held_until_s
