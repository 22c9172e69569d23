"""What runs beside the requests: the outbox as soon as there is work, the sweeps every so often, on one node of several."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from restante.server.audit.service import Audit
from restante.server.availability.service import Availability
from restante.server.bus.memory import OUTBOX, MemoryBus
from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.jobs.dispatch import Dispatcher
from restante.server.jobs.sweeps import Sweeper
from restante.server.links.service import GuestLinks
from restante.server.log import Log
from restante.server.messages.service import Messages
from restante.server.operators.service import Operators
from restante.server.outbox import leases
from restante.server.pages.service import Pages
from restante.server.pairing.service import Pairings
from restante.server.passkeys.service import Passkeys
from restante.server.payments.service import Payments
from restante.server.sessions.service import Sessions
from restante.server.uploads.service import Uploads

POLL_S = 2.0
"""How long a task waits at most when its wake-up was lost or when it was put off."""
SWEEP_MS = 10_000
"""How much longer than two pauses a node that does not sweep again is thought to live."""
_SWEEP = "sweep"


class Jobs:
    """Runs the dispatcher and the sweeper of one process; ``sweeper`` and ``dispatcher`` can be run by hand too."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        *,
        uploads: Uploads,
        links: GuestLinks,
        pages: Pages,
        messages: Messages,
        audit: Audit,
        operators: Operators,
        availability: Availability,
        payments: Payments,
        sessions: Sessions,
        pairings: Pairings,
        passkeys: Passkeys,
        bus: MemoryBus,
        log: Log,
    ) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._availability = availability
        self._bus = bus
        self._log = log
        self.dispatcher = Dispatcher(database, clock, uploads=uploads, log=log)
        self.sweeper = Sweeper(
            database,
            clock,
            uploads=uploads,
            links=links,
            pages=pages,
            messages=messages,
            audit=audit,
            operators=operators,
            availability=availability,
            payments=payments,
            sessions=sessions,
            pairings=pairings,
            passkeys=passkeys,
            log=log,
        )
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Starts the loops; a first sweep runs at once."""
        self._tasks = [
            asyncio.create_task(self._dispatch_forever()),
            asyncio.create_task(self._sweep_forever()),
        ]
        if self._database.node:
            self._tasks.append(asyncio.create_task(self._follow_forever()))

    async def stop(self) -> None:
        """Lets the running piece of work end, and begins no other."""
        self._stopping.set()
        self.dispatcher.end()
        self.sweeper.end()
        await asyncio.gather(*self._tasks)
        if node := self._database.node:
            with suppress(Refusal):  # a database that is away: the lease ends by itself
                await self._database.write(partial(leases.give_back, name=_SWEEP, node=node))

    async def _dispatch_forever(self) -> None:
        with self._bus.subscribe(OUTBOX) as bell:
            while not self._stopping.is_set():
                bell.clear()
                await self._survive("dispatch", self.dispatcher.run)
                await self._pause(POLL_S, bell)

    async def _sweep_forever(self) -> None:
        first = True
        while not self._stopping.is_set():
            await self._survive("sweep", partial(self._sweep, first=first))
            first = False
            self._bus.publish([OUTBOX])
            await self._pause(self._settings.sweep_every_s)

    async def _follow_forever(self) -> None:
        """What other nodes know, this one knows a moment later."""
        while not self._stopping.is_set():
            await self._survive("follow", self._availability.follow)
            await self._pause(POLL_S)

    async def _sweep(self, *, first: bool) -> None:
        """Unless another node does, and the same one each time: orphans are judged by what it saw an hour ago.

        Who has just started sweeps in any case, and goes on with it: perhaps it comes after one that died.
        """
        if node := self._database.node:
            for_ms = SWEEP_MS + round(2000 * self._settings.sweep_every_s)
            held = partial(leases.take, name=_SWEEP, node=node, for_ms=for_ms, by_force=first)
            if not await self._database.write(held):
                return
        await self.sweeper.run()

    async def _survive(self, kind: str, work: Callable[[], Awaitable[object]]) -> None:
        """Nothing that goes wrong once (a full disk, a busy database) may end a loop for good."""
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - logged, and tried again at the next turn
            self._log.event("job-failed", kind=kind, error=type(error).__name__)

    async def _pause(self, seconds: float, *bells: asyncio.Event) -> None:
        waiting = [asyncio.create_task(event.wait()) for event in (self._stopping, *bells)]
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
