"""The public account record, and the sealed keyring and state shards that only the account's devices can read."""

from sqlalchemy import Connection

from restante.protocol import wire
from restante.protocol.encoding import b64
from restante.protocol.limits import SHARDS
from restante.server.clock import Clock
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.failpoints import failpoint
from restante.server.keys import queries, rules
from restante.server.keys.preconditions import Precondition
from restante.server.keys.queries import Stored
from restante.server.passkeys.service import is_taken
from restante.server.sessions.actor import Actor
from restante.server.sessions.service import Sessions
from restante.server.transparency.service import append
from restante.signing.records import Record, read


def signing_key(connection: Connection, name: str) -> bytes:
    """The public key that signs for a name now. Raises Refusal no-such-account."""
    row = queries.latest_record(connection, name)
    if row is None:
        raise Refusal("no-such-account")
    return read(row.record).sign


class Keys:
    """Keeps records with their history, the current and the previous keyring, and the current shards."""

    def __init__(self, database: Database, clock: Clock, sessions: Sessions, *, server_name: str) -> None:
        self._database = database
        self._clock = clock
        self._sessions = sessions
        self._server_name = server_name

    async def is_taken(self, name: str) -> bool:
        """Whether somebody has the name, or had it."""
        return await self._database.read(lambda connection: is_taken(connection, name))

    async def record(self, name: str) -> wire.Record:
        """Returns the newest record of a name. Raises Refusal no-such-account."""
        row = await self._database.read(lambda connection: queries.latest_record(connection, name))
        if row is None:
            raise Refusal("no-such-account")
        return self._wire_record(name, row.rev, row.record, row.leaf)

    async def records(self, name: str) -> wire.Records:
        """Returns all records of a name, oldest first. Raises Refusal no-such-account."""
        rows = await self._database.read(lambda connection: queries.records(connection, name))
        if not rows:
            raise Refusal("no-such-account")
        return wire.Records(items=[self._wire_record(name, row.rev, row.record, row.leaf) for row in rows])

    async def put_record(self, actor: Actor, form: wire.PutRecord) -> wire.Record:
        """Stores the record that follows the newest one; the newest one again is fine.

        It is verified before the write begins, which then only checks that nothing came between: the writer
        thread serves everybody. A new signing key needs a fresh verification ([Note: Fresh verification]). Raises Refusal
        stale-record, invalid-record, verification-needed or too-large.
        """
        data = rules.decode_record(form.record)
        newest = await self._database.read(lambda connection: queries.latest_record(connection, actor.name))
        if newest is None:
            raise Refusal("no-such-account")
        if newest.record == data:
            return self._wire_record(actor.name, newest.rev, data, newest.leaf)
        record = rules.next_record(
            data,
            previous=newest.record,
            acct=f"{actor.name}@{self._server_name}",
            now_ms=self._clock.now_ms(),
        )
        leaf = await self._database.write(lambda connection: self._append_record(connection, actor, record))
        failpoint("record-stored")
        return self._wire_record(actor.name, record.rev, data, leaf)

    async def keyring(self, actor: Actor) -> Stored:
        """Returns the account's keyring."""
        stored = await self._database.read(lambda connection: queries.keyring(connection, actor.account_id))
        if stored is None:
            raise Refusal("not-found")
        return stored

    async def put_keyring(self, actor: Actor, data: bytes, precondition: Precondition) -> str:
        """Replaces the keyring and returns its version. Raises Refusal stale-version or invalid."""
        rules.check_sealed(data)
        now_ms = self._clock.now_ms()
        version = await self._database.write(
            lambda connection: store_next(
                connection, actor.account_id, keyring=data, precondition=precondition, now_ms=now_ms
            )
        )
        failpoint("keyring-stored")
        return version

    async def shards(self, actor: Actor) -> wire.Shards:
        """Lists the account's state shards by name."""
        rows = await self._database.read(lambda connection: queries.shards(connection, actor.account_id))
        return wire.Shards(items=[wire.Shard(shard=row.shard, version=row.version) for row in rows])

    async def shard(self, actor: Actor, name: str) -> Stored:
        """Returns a state shard. Raises Refusal not-found."""
        stored = await self._database.read(
            lambda connection: queries.shard(connection, actor.account_id, name)
        )
        if stored is None:
            raise Refusal("not-found")
        return stored

    async def put_shard(self, actor: Actor, name: str, data: bytes, precondition: Precondition) -> str:
        """Adds or replaces a state shard and returns its version. Raises Refusal stale-version or invalid."""
        rules.check_sealed(data)
        new = Stored(rules.version_of(data), data)
        await self._database.write(
            lambda connection: self._store_shard(connection, actor.account_id, name, new, precondition)
        )
        failpoint("shard-stored")
        return new.version

    def _append_record(self, connection: Connection, actor: Actor, record: Record) -> int:
        if queries.newest_rev(connection, actor.account_id) != record.rev - 1:
            raise Refusal("stale-record")
        if record.fields.succession is not None:
            self._sessions.check_verified(connection, actor)
        leaf = _store_record(connection, actor.account_id, record, now_ms=self._clock.now_ms())
        failpoint("record-written")
        return leaf

    def _store_shard(
        self, connection: Connection, account_id: int, name: str, new: Stored, precondition: Precondition
    ) -> None:
        old = queries.shard(connection, account_id, name)
        if _is_repeated(old, new, precondition):
            return
        now_ms = self._clock.now_ms()
        if old is not None:
            queries.replace_shard(connection, account_id, name, new, now_ms=now_ms)
        elif len(queries.shards(connection, account_id)) >= SHARDS:
            raise Refusal("invalid", detail=f"at most {SHARDS} shards", limit=SHARDS)
        else:
            queries.add_shard(connection, account_id, name, new, now_ms=now_ms)
        failpoint("shard-written")

    def _wire_record(self, name: str, rev: int, record: bytes, leaf: int) -> wire.Record:
        return wire.Record(acct=f"{name}@{self._server_name}", rev=rev, record=b64(record), leaf=leaf)


def _store_record(connection: Connection, account_id: int, record: Record, *, now_ms: int) -> int:
    """Stores a checked record and logs it, and returns its place in the log."""
    queries.add_record(connection, account_id, rev=record.rev, record=record.raw, now_ms=now_ms)
    return append(connection, account_id, acct=record.acct, rev=record.rev, record=record.raw)


def store_first(
    connection: Connection, account_id: int, *, record: Record, keyring: bytes, now_ms: int
) -> None:
    """Stores the checked record and keyring of a new account, within its sign-up's transaction."""
    _store_record(connection, account_id, record, now_ms=now_ms)
    queries.add_keyring(connection, account_id, Stored(rules.version_of(keyring), keyring), now_ms=now_ms)


def store_next(
    connection: Connection, account_id: int, *, keyring: bytes, precondition: Precondition, now_ms: int
) -> str:
    """Replaces a checked keyring within a transaction of this room or another, and returns its version.

    Raises Refusal stale-version.
    """
    new = Stored(rules.version_of(keyring), keyring)
    old = queries.keyring(connection, account_id)
    if old is None:
        raise Refusal("not-found")
    if not _is_repeated(old, new, precondition):
        queries.replace_keyring(connection, account_id, new, now_ms=now_ms)
        failpoint("keyring-written")
    return new.version


def _is_repeated(old: Stored | None, new: Stored, precondition: Precondition) -> bool:
    """Tells that these very bytes are stored already: a PUT whose answer was lost (RFC 9110 section 13.1.1).

    Raises Refusal stale-version when something else is stored than the client has seen.
    """
    if old is not None and old.version == new.version:
        return True
    if not precondition.holds(old.version if old else None):
        raise Refusal("stale-version")
    return False
