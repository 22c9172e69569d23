"""Which of many sessions are still good, asked at once: for what stays open longer than a request."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from restante.server.sessions import queries
from restante.server.sessions.service import TOUCH_EVERY_MS, UNUSED_MS


@dataclass(frozen=True, slots=True)
class RollCall:
    """``ended``: digests of tokens that let nobody in any more; ``is_stale``: uses of the others are to be noted."""

    ended: frozenset[bytes]
    is_stale: bool


def call_roll(connection: Connection, digests: Collection[bytes], *, now_ms: int) -> RollCall:
    """Looks whether the sessions of some hundred tokens go on. One count says so, where all of them do."""
    wanted, seen_after_ms = set(digests), now_ms - UNUSED_MS
    count, oldest_ms = queries.count_living(connection, wanted, seen_after_ms=seen_after_ms)
    is_stale = oldest_ms is not None and now_ms - oldest_ms > TOUCH_EVERY_MS
    if count == len(wanted):
        return RollCall(frozenset(), is_stale)
    living = queries.living(connection, wanted, seen_after_ms=seen_after_ms)
    return RollCall(frozenset(wanted - living), is_stale)


def note_use(connection: Connection, digests: Collection[bytes], *, now_ms: int) -> None:
    """Notes that they are in use, where that was not noted within the hour."""
    queries.touch_all(connection, digests, now_ms=now_ms, before_ms=now_ms - TOUCH_EVERY_MS)
