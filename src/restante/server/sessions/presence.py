"""Which of many sessions are still good, asked at once: for what stays open longer than a request."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from restante.server.sessions import queries
from restante.server.sessions.service import TOUCH_EVERY_MS, UNUSED_MS


@dataclass(frozen=True, slots=True)
class RollCall:
    """``ended``: digests of tokens that let nobody in any more; ``is_stale``: uses of the others are to be noted."""

    ended: frozenset[bytes]
    is_stale: bool


def call_roll(connection: Connection, whose: Mapping[bytes, int], *, now_ms: int) -> RollCall:
    """Looks whether the sessions of some hundred tokens go on. One count says so, where all of them do.

    ``whose``: the account of each, by the token's digest; so do all of one account ask its shard alone.
    """
    seen_after_ms = now_ms - UNUSED_MS
    count, oldest_ms = queries.count_living(connection, whose, seen_after_ms=seen_after_ms)
    is_stale = oldest_ms is not None and now_ms - oldest_ms > TOUCH_EVERY_MS
    if count == len(whose):
        return RollCall(frozenset(), is_stale)
    living = queries.living(connection, whose, seen_after_ms=seen_after_ms)
    return RollCall(frozenset(whose.keys() - living), is_stale)


def note_use(connection: Connection, whose: Mapping[bytes, int], *, now_ms: int) -> None:
    """Notes that they are in use, where that was not noted within the hour."""
    queries.touch_all(connection, whose, now_ms=now_ms, before_ms=now_ms - TOUCH_EVERY_MS)
