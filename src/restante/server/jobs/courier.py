"""Carries out what speaks to the outside or takes long: several at once, so that one that hangs holds up nobody.

What only removes bytes is the dispatcher's; it keeps its minute whatever happens here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial

from restante.server.bus.memory import OUTBOX, MemoryBus
from restante.server.clock import Clock
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.log import Log
from restante.server.outbox import queue
from restante.server.outbox.queue import Kind, Task

AT_ONCE = 8
POLL_S = 1.0

Errand = Callable[[Task], Awaitable[None]]
"""Carries out a task and takes it off or puts it off; what it raises puts it off."""


class Courier:
    """Runs errands by their kind; ``run`` can be called by hand too."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        errands: Mapping[Kind, Errand],
        close: Callable[[], Awaitable[None]],
        bus: MemoryBus,
        log: Log,
    ) -> None:
        self._database = database
        self._clock = clock
        self._errands = errands
        self._close = close
        self._bus = bus
        self._log = log
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._running: dict[int, asyncio.Task[None]] = {}
        self._kept_ms = 0

    def start(self) -> None:
        """Starts the loop."""
        self._task = asyncio.create_task(self._run_forever())

    async def stop(self) -> None:
        """Begins nothing more; what is on its way is broken off and done again after the next start."""
        self._stopping = True
        if self._task is not None:
            self._bus.publish([OUTBOX])
            await self._task
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        if node := self._database.node:
            with suppress(Refusal):  # a database that is away: the claims end by themselves
                await self._database.write(partial(queue.let_go, node=node))
        await self._close()

    async def run(self) -> int:
        """Does all that is due, and what follows from it; returns how many tasks were carried out."""
        count = 0
        while await self._begin():
            count += len(self._running)
            await asyncio.gather(*self._running.values())
        return count

    async def _run_forever(self) -> None:
        with self._bus.subscribe(OUTBOX) as bell:
            while not self._stopping:
                bell.clear()
                try:
                    await self._keep()
                    await self._begin()
                except Exception as error:  # noqa: BLE001 - a busy database must not end the loop for good
                    self._log.event("job-failed", kind="courier", error=type(error).__name__)
                waits = {asyncio.create_task(bell.wait()), *self._running.values()}
                await asyncio.wait(waits, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
                for task in waits - set(self._running.values()):
                    task.cancel()

    async def _begin(self) -> bool:
        """Begins as many of the due tasks as there are hands free; tells whether any is on its way."""
        node, now_ms = self._database.node, self._clock.now_ms()
        due = await self._database.read(partial(queue.due, now_ms=now_ms, kinds=tuple(self._errands)))
        tasks = [task for task in due if task.id not in self._running][: AT_ONCE - len(self._running)]
        if node and tasks:
            tasks = await self._database.write(partial(queue.claim, tasks=tasks, node=node))
        for task in tasks:
            self._running[task.id] = asyncio.create_task(self._carry_out(task))
        return bool(self._running)

    async def _keep(self) -> None:
        """Keeps other nodes from what takes long."""
        node, now_ms = self._database.node, self._clock.now_ms()
        if node and self._running and now_ms - self._kept_ms >= queue.HELD_MS // 6:
            self._kept_ms = now_ms
            held = list(self._running)
            await self._database.write(partial(queue.keep, task_ids=held, node=node))

    async def _carry_out(self, task: Task) -> None:
        try:
            with self._database.timing.of(task.kind):
                await self._errands[task.kind](task)
        except Exception as error:  # noqa: BLE001 - whatever broke one task must not stop the others
            self._log.event(
                "task-failed", kind=task.kind, attempts=task.attempts + 1, error=type(error).__name__
            )
            await self._put_off(task)
        finally:
            self._running.pop(task.id, None)

    async def _put_off(self, task: Task) -> None:
        now_ms = self._clock.now_ms()
        try:
            await self._database.write(lambda connection: queue.failed(connection, task, now_ms=now_ms))
        except Exception as error:  # noqa: BLE001 - it stays due, and is tried again
            self._log.event("job-failed", kind="courier", error=type(error).__name__)
