"""One pass over everything that ends by itself. Each part may run twice, or be killed anywhere, without harm."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from restante.protocol import limits
from restante.server.audit.service import Audit
from restante.server.availability.service import Availability
from restante.server.clock import Clock
from restante.server.db.engine import Database
from restante.server.failpoints import failpoint
from restante.server.jobs.clockwatch import ClockWatch
from restante.server.limits import service as rate_limits
from restante.server.links.service import GuestLinks
from restante.server.log import Log
from restante.server.messages.service import Messages
from restante.server.operators.service import Operators
from restante.server.outbox import events
from restante.server.pages.service import Pages
from restante.server.pairing.service import Pairings
from restante.server.passkeys.service import Passkeys
from restante.server.payments.service import Payments
from restante.server.sessions.service import Sessions
from restante.server.uploads.service import Uploads

EVENTS_MS = limits.IDEMPOTENCY_FOR // timedelta(milliseconds=1)
"""Events are kept as long as a client may be away and still catch up by ``Last-Event-ID``."""


class Sweeper:
    """Knows every kind of thing that ends, and asks its room to end it."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        uploads: Uploads,
        links: GuestLinks,
        pages: Pages,
        messages: Messages,
        audit: Audit,
        operators: Operators,
        sessions: Sessions,
        pairings: Pairings,
        passkeys: Passkeys,
        availability: Availability,
        payments: Payments,
        log: Log,
    ) -> None:
        self._database = database
        self._clock = clock
        self._uploads = uploads
        self._links = links
        self._pages = pages
        self._messages = messages
        self._audit = audit
        self._operators = operators
        self._sessions = sessions
        self._pairings = pairings
        self._passkeys = passkeys
        self._availability = availability
        self._payments = payments
        self._log = log
        self._watch = ClockWatch()
        self._ending = False

    def end(self) -> None:
        """Lets the part in hand be the last."""
        self._ending = True

    async def run(self) -> dict[str, int]:
        """Sweeps once; returns how many of each kind were ended. Kinds that fail are logged and tried next time."""
        with self._database.timing.of("sweep"):
            return await self._run()

    async def _run(self) -> dict[str, int]:
        now_ms = self._clock.now_ms()
        if not self._watch.believable(wall_ms=now_ms, monotonic_s=self._clock.monotonic_s()):
            self._log.event("sweep-held")
            return await self._each({"orphans": self._uploads.sweep_orphans})
        counts = await self._each(
            {
                "expired": partial(self._messages.expire, now_ms),
                "unfinished": partial(self._uploads.expire_unfinished, now_ms),
                "unclaimed": partial(self._uploads.expire_unclaimed, now_ms),
                "orphans": self._uploads.sweep_orphans,
                "tombstones": partial(self._messages.forget_tombstones, now_ms),
                "audit": partial(self._audit.forget, now_ms),
                "calls": partial(self._pages.sweep, now_ms),
                "links": partial(self._links.sweep, now_ms),
                "upload_tombstones": partial(self._uploads.forget_gone, now_ms),
                "idempotency_keys": partial(self._messages.forget_keys, now_ms),
                "events": partial(self._forget_events, now_ms),
                "sessions": self._sessions.sweep,
                "pairings": self._pairings.sweep,
                "operator_links": partial(self._operators.sweep, now_ms),
                "ceremonies": self._passkeys.sweep,
                "sums": self._uploads.sum_up,
                "opened": self._availability.tell_opened,
                "payments": partial(self._payments.sweep, now_ms),
                "dunning": partial(self._payments.dunning.sweep, now_ms),
                "rate_buckets": partial(self._forget_buckets, now_ms),
            }
        )
        if any(counts.values()):
            self._log.event("swept", **counts)
        return counts

    async def _each(self, parts: dict[str, Callable[[], Awaitable[int]]]) -> dict[str, int]:
        counts: dict[str, int] = {}
        for kind, part in parts.items():
            if self._ending:
                break
            try:
                counts[kind] = await part()
            except Exception as error:  # noqa: BLE001 - a kind that fails must not keep the others from ending
                self._log.event("sweep-failed", kind=kind, error=type(error).__name__)
            failpoint("sweep-part-done")
        return counts

    async def _forget_events(self, now_ms: int) -> int:
        count = 0
        while forgotten := await self._database.write(
            partial(events.forget_before, before_ms=now_ms - EVENTS_MS)
        ):
            count += forgotten
        return count

    async def _forget_buckets(self, now_ms: int) -> int:
        return await self._database.write(partial(rate_limits.forget, now_ms=now_ms))
