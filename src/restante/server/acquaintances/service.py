"""Whom an account's owner accepted and whom they blocked, as the server needs to know it to act at a send.

[Note: Names under a hash] What is known of others stands sealed in the shard `contacts`. Here is only HMAC(owner, other):
a look into the table names nobody. It is no secret from the server itself, which could try every account.

[Note: Blocked and none the wiser] A message to somebody who blocked its sender is taken like any other, with the same answer
in the same transaction. Its copy lies in the box `hidden` without its envelope: it is in no list of the owner's, makes no event,
and to the sender it is a message that was never fetched; when the sender deletes it, it is as deleted as any. The same statements run
for everybody, so that the time of the answer tells nothing either: an event is written, and what is for the box `hidden` withheld.
"""

import hashlib
import hmac
from collections.abc import Collection

from sqlalchemy import Connection

from restante.protocol.wire_people import AcquaintanceState
from restante.server.acquaintances import queries
from restante.server.clock import Clock
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.failpoints import failpoint
from restante.server.sessions.actor import Actor


class Acquaintances:
    """What owners decided about others; asked within the transaction of whatever follows from it."""

    def __init__(self, database: Database, clock: Clock, *, key: bytes) -> None:
        self._database = database
        self._clock = clock
        self._key = key

    async def decide(self, actor: Actor, name: str, state: AcquaintanceState) -> None:
        """Notes what the owner decided about somebody. Raises Refusal no-such-account, or invalid about oneself."""
        now_ms = self._clock.now_ms()
        kept = None if state == "unknown" else state

        def work(connection: Connection) -> None:
            other = queries.account_id(connection, name)
            if other is None:
                raise Refusal("no-such-account")
            if other == actor.account_id:
                raise Refusal("invalid", detail="name: your own")
            who = self._hash(actor.account_id, other)
            queries.put(connection, actor.account_id, who, kept, now_ms=now_ms)

        await self._database.write(work)
        failpoint("acquaintance-decided")

    def who_blocked(self, connection: Connection, sender_id: int, owner_ids: Collection[int]) -> set[int]:
        """Those of the owners who blocked this sender."""
        hashes = [self._hash(owner_id, sender_id) for owner_id in owner_ids]
        return queries.owners_among(connection, owner_ids, hashes, "blocked")

    def may_notify(self, connection: Connection, owner_id: int, sender_id: int) -> bool:
        """Tells whether a message of this sender may reach the owner outside of the app: they were accepted."""
        return queries.state(connection, owner_id, self._hash(owner_id, sender_id)) == "accepted"

    def _hash(self, owner_id: int, other_id: int) -> bytes:
        return hmac.new(self._key, b"%d\0%d" % (owner_id, other_id), hashlib.sha256).digest()
