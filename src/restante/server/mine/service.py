"""One account as a whole: what is unplayed, what is stored with whom, and its deletion.

[Note: Gone at once, removed soon after] A deletion ends sessions, ways in, keys and records in the transaction that answers
it: from then on nobody gets in and nobody finds the name. Messages and bytes, which may be thousands, follow by the outbox
in batches, each of which may be repeated. The name stays reserved by its hash: whoever took it could be mistaken for the
one who had it.
"""

import asyncio
from collections.abc import Awaitable

from sqlalchemy import Connection

from restante.protocol.names import gone_name
from restante.protocol.wire_mine import Storage, StoredWith, Unplayed
from restante.server.bus.memory import OUTBOX, MemoryBus
from restante.server.clock import Clock
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.failpoints import failpoint
from restante.server.messages.service import Messages
from restante.server.mine import queries
from restante.server.outbox import queue
from restante.server.payments.service import end_with_account
from restante.server.push import telling
from restante.server.sessions.actor import Actor
from restante.server.sessions.service import Sessions


class Mine:
    """Answers an account about itself, and ends it."""

    def __init__(
        self, database: Database, clock: Clock, *, sessions: Sessions, messages: Messages, bus: MemoryBus
    ) -> None:
        self._database = database
        self._clock = clock
        self._sessions = sessions
        self._messages = messages
        self._bus = bus

    async def unplayed(self, actor: Actor) -> Unplayed:
        """Counts what is on the badge."""
        now_ms = self._clock.now_ms()
        return Unplayed(
            await self._database.read(
                lambda connection: queries.unplayed(connection, actor.account_id, now_ms=now_ms)
            )
        )

    async def storage(self, actor: Actor) -> Storage:
        """Counts what is stored for the account, and with whom."""
        now_ms = self._clock.now_ms()

        def work(connection: Connection) -> Storage:
            received = queries.received_from(connection, actor.account_id, now_ms=now_ms)
            sent = queries.sent_to(connection, actor.account_id, now_ms=now_ms)
            sent_bytes, unsent_bytes = queries.own_bytes(connection, actor.account_id)
            return Storage(
                received_bytes=sum(int(row.bytes) for row in received),
                sent_bytes=sent_bytes,
                unsent_bytes=unsent_bytes,
                received=[_stored_with(row) for row in received],
                sent=[_stored_with(row) for row in sent],
            )

        return await self._database.read(work)

    async def delete(self, actor: Actor) -> None:
        """Ends the account. See [Note: Gone at once, removed soon after]. Raises Refusal verification-needed."""
        now_ms = self._clock.now_ms()

        def work(connection: Connection) -> None:
            self._sessions.check_verified(connection, actor)
            queries.reserve(connection, actor.name, now_ms=now_ms)
            end_with_account(connection, actor.account_id, now_ms=now_ms)
            queries.strip(connection, actor.account_id, called=gone_name(actor.account_id))
            queue.enqueue(connection, "delete-account", str(actor.account_id), due_ms=now_ms)
            telling.announce(connection, "account.deleted", now_ms=now_ms)
            failpoint("account-deletion-before-commit")

        await self._database.write(work)
        self._sessions.forget(actor.account_id)
        failpoint("account-deletion-acknowledged")
        self._bus.publish({actor.account_id, OUTBOX})

    async def remove(self, account_id: int) -> None:
        """Removes what a deletion left: messages and copies with events for those who have them, then the account.

        May be repeated from anywhere.
        """
        ghost = Actor(account_id, gone_name(account_id), "", "")
        while ids := await self._database.read(lambda connection: queries.sent(connection, account_id)):
            await asyncio.gather(
                *(self._end(self._messages.delete_for_everyone(ghost, each)) for each in ids)
            )
        while ids := await self._database.read(lambda connection: queries.held(connection, account_id)):
            await asyncio.gather(*(self._end(self._messages.delete_for_me(ghost, each)) for each in ids))
        failpoint("account-messages-removed")
        await self._database.write(lambda connection: self._remove(connection, account_id))
        await self._database.checkpoint()
        self._bus.publish({OUTBOX})

    def _remove(self, connection: Connection, account_id: int) -> None:
        for blob_id in queries.blobs(connection, account_id):
            queue.enqueue(
                connection, "delete-blob", blob_id, due_ms=self._clock.now_ms(), account_id=account_id
            )
        queries.remove(connection, account_id)

    async def _end(self, deletion: Awaitable[None]) -> None:
        """Somebody else may have ended it in the meantime."""
        try:
            await deletion
        except Refusal as refusal:
            if refusal.entry.code not in {"not-found", "message-gone"}:
                raise


def _stored_with(row: queries.AnyRow) -> StoredWith:
    return StoredWith(
        name=row.name,
        messages=row.messages,
        bytes=int(row.bytes),
        first_at=row.first_at,
        last_at=row.last_at,
    )
