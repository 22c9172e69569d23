"""Carries out what the outbox holds: after the commit that asked for it, at least once, poison put off."""

from functools import partial

from sqlalchemy import Connection

from restante.server.audit import chain
from restante.server.clock import Clock
from restante.server.db import hold
from restante.server.db.engine import Database
from restante.server.failpoints import failpoint
from restante.server.log import Log
from restante.server.outbox import queue
from restante.server.uploads.service import Uploads

AT_ONCE, AMONG_SEVERAL = 100, 10


class Dispatcher:
    """Does due tasks one after the other; a task that fails waits longer each time and holds up nobody."""

    def __init__(self, database: Database, clock: Clock, *, uploads: Uploads, log: Log) -> None:
        self._database = database
        self._clock = clock
        self._uploads = uploads
        self._log = log
        self._ending = False

    def end(self) -> None:
        """Lets the task in hand be the last: there may be thousands."""
        self._ending = True

    async def run(self) -> int:
        """Does all that is due; returns how many tasks were done. While a backup copies, what is due waits."""
        count = 0
        while tasks := await self._next():
            for task in tasks:
                if self._ending or await self._database.read(self._is_held):
                    return count
                count += await self._do(task)
        return count

    async def _next(self) -> list[queue.Task]:
        """What is due; where there are other nodes, few at a time, so that they have something to do too."""
        node, now_ms = self._database.node, self._clock.now_ms()
        most = AMONG_SEVERAL if node else AT_ONCE
        tasks = await self._database.read(partial(queue.due, now_ms=now_ms, most=most))
        if not node or not tasks:
            return tasks
        return await self._database.write(partial(queue.claim, tasks=tasks, node=node))

    def _is_held(self, connection: Connection) -> bool:
        return hold.is_held(connection, now_ms=self._clock.now_ms())

    async def _do(self, task: queue.Task) -> bool:
        try:
            await self._uploads.delete_blob(task.subject, account_id=task.account_id)
        except Exception as error:  # noqa: BLE001 - whatever broke one task must not stop the others
            self._log.event(
                "task-failed", kind=task.kind, attempts=task.attempts + 1, error=type(error).__name__
            )
            await self._database.write(
                lambda connection: queue.failed(connection, task, now_ms=self._clock.now_ms())
            )
            return False
        failpoint("outbox-task-carried-out")
        await self._database.write(lambda connection: self._done(connection, task))
        return True

    def _done(self, connection: Connection, task: queue.Task) -> None:
        """Notes it where its people can see it, in the transaction that takes the task off: so once."""
        if queue.is_waiting(connection, task):
            chain.bytes_removed(
                connection, task.subject, now_ms=self._clock.now_ms(), account_id=task.account_id
            )
            queue.done(connection, task)
