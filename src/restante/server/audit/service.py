"""The account's chain of deletions, handed out and kept short."""

from datetime import timedelta
from functools import partial

from restante.protocol import limits
from restante.protocol.wire_messages import AuditLine, AuditLines
from restante.server.audit import queries
from restante.server.db.engine import Database
from restante.server.sessions.actor import Actor

KEPT_MS = limits.TOMBSTONE_FOR // timedelta(milliseconds=1)


class Audit:
    """Answers one account about its own chain."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def after(self, actor: Actor, seq: int) -> AuditLines:
        """Lists what follows a line, a page of it."""
        most = limits.PAGE_ITEMS
        lines = await self._database.read(
            partial(queries.after, account_id=actor.account_id, seq=seq, most=most + 1)
        )
        return AuditLines(items=[AuditLine(line) for line in lines[:most]], more=len(lines) > most)

    async def forget(self, now_ms: int) -> int:
        """Forgets lines of more than 90 days ago but for the last of each chain; returns how many."""
        before_ms, count = now_ms - KEPT_MS, 0
        while forgotten := await self._database.write(partial(queries.forget, before_ms=before_ms)):
            count += forgotten
        return count
