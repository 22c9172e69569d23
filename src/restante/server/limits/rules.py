"""Decides whether one more request of a kind is let in: the generic cell rate algorithm (GCRA), in milliseconds."""


def admit(level_ms: int, *, now_ms: int, burst: int, refill_ms: int) -> tuple[int, int]:
    """Returns the new level and 0, or the level as it was and the milliseconds to wait.

    The level is when the bucket will be full again. It never lies further ahead than an empty bucket's, so that a
    clock set back locks nobody out for longer than honest use would.
    """
    level_ms = min(max(level_ms, now_ms), now_ms + burst * refill_ms)
    wait_ms = level_ms + refill_ms - now_ms - burst * refill_ms
    if wait_ms > 0:
        return level_ms, wait_ms
    return level_ms + refill_ms, 0
