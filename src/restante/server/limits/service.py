"""Rate limits kept in the database, so that a restart forgives nothing and several nodes count together."""

import hashlib
import hmac
import math

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from restante.server.clock import Clock
from restante.server.config import parse_rate
from restante.server.db.tables import rate_buckets
from restante.server.errors import RetryLater
from restante.server.failpoints import failpoint
from restante.server.limits.rules import admit

_THIS = rate_buckets.c.key == bindparam("bucket")
_LEVEL = select(rate_buckets.c.level_ms).where(_THIS)
_ADD = insert(rate_buckets)
_RAISE = update(rate_buckets).where(_THIS).values(level_ms=bindparam("level"))
_FORGET = delete(rate_buckets).where(rate_buckets.c.level_ms <= bindparam("now"))


class Limiter:
    """Lets in so many requests of a kind per who; ``key`` keeps names and networks out of the database."""

    def __init__(self, clock: Clock, *, key: bytes) -> None:
        self._clock = clock
        self._key = key

    def take(self, connection: Connection, limiter: str, who: str, rate: str) -> None:
        """Takes one from the bucket of ``who``; ``rate`` is ``burst/refill`` as in the settings.

        Raises RetryLater rate-limited with the seconds to wait; a database that fails raises too: limits fail closed.
        """
        key = self._bucket(limiter, who)
        stored = connection.execute(_LEVEL, {"bucket": key}).scalar()
        level_ms = self._admit(stored, rate)
        if stored is None:
            connection.execute(_ADD, {"key": key, "level_ms": level_ms})
        else:
            connection.execute(_RAISE, {"bucket": key, "level": level_ms})
        failpoint("limit-taken")

    def check(self, connection: Connection, limiter: str, who: str, rate: str) -> None:
        """Looks whether there is one left, and takes none: for attempts of which only the wrong ones count.

        Raises RetryLater rate-limited.
        """
        self._admit(connection.execute(_LEVEL, {"bucket": self._bucket(limiter, who)}).scalar(), rate)

    def _bucket(self, limiter: str, who: str) -> str:
        return f"{limiter}:{hmac.new(self._key, f'{limiter}:{who}'.encode(), hashlib.sha256).hexdigest()}"

    def _admit(self, stored: int | None, rate: str) -> int:
        burst, refill_s = parse_rate(rate)
        level_ms, wait_ms = admit(
            stored or 0, now_ms=self._clock.now_ms(), burst=burst, refill_ms=round(refill_s * 1000)
        )
        if wait_ms:
            raise RetryLater("rate-limited", seconds=math.ceil(wait_ms / 1000))
        return level_ms

    def forget(self, connection: Connection) -> int:
        """Removes the buckets that are full again: they say nothing. Returns how many."""
        return forget(connection, now_ms=self._clock.now_ms())


def forget(connection: Connection, *, now_ms: int) -> int:
    """Removes the buckets that are full again at ``now_ms``; returns how many."""
    return connection.execute(_FORGET, {"now": now_ms}).rowcount
