"""Sessions: made at sign-in, asked for at each request, revoked at sign-out; 90 days unused and they are gone."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from restante.protocol import wire
from restante.protocol.encoding import b64, unb64
from restante.protocol.ids import Prefix, new_id
from restante.protocol.limits import SESSION_UNUSED_FOR, VERIFIED_FOR
from restante.server.bus.memory import MemoryBus
from restante.server.clock import Clock
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.failpoints import failpoint
from restante.server.recent import Recent
from restante.server.sessions import queries
from restante.server.sessions.actor import Actor
from restante.server.sessions.tokens import TOKEN_BYTES, account_in, new_token

TOUCH_EVERY_MS = 3_600_000
FRESH_FOR_S = 4.0
"""Below the five seconds within which a revoked session must be dead on every node."""
UNUSED_MS = SESSION_UNUSED_FOR // timedelta(milliseconds=1)
VERIFIED_MS = VERIFIED_FOR // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just made; the token is known to nobody but its bearer from here on."""

    id: str
    token: str


class Sessions:
    """Who is signed in where. A token is kept as its SHA-256 only; ``key`` hides in it whose it is."""

    def __init__(self, database: Database, clock: Clock, *, bus: MemoryBus, key: bytes) -> None:
        self._database = database
        self._clock = clock
        self._bus = bus
        self._key = key
        self._cache = Recent[bytes, Actor](clock, fresh_for_s=FRESH_FOR_S)
        self._touching: set[asyncio.Task[None]] = set()

    async def actor(self, token: str) -> Actor:
        """Finds who bears the token. Raises Refusal not-signed-in for every other token alike."""
        secret = _bytes_of(token)
        digest = hashlib.sha256(secret).digest()
        if found := self._cache.find(digest):
            return found
        generation, now_ms = self._cache.generation, self._clock.now_ms()
        row = await self._database.read(
            lambda connection: self._look_up(connection, secret, digest, seen_after_ms=now_ms - UNUSED_MS)
        )
        if row is None:
            raise Refusal("not-signed-in")
        if row.removed_at is not None:
            raise Refusal("device-removed")
        if now_ms - row.last_seen_at > TOUCH_EVERY_MS:
            self._touch(row.account_id, row.id, now_ms)
        actor = Actor(account_id=row.account_id, name=row.name, session_id=row.id, client=row.client)
        self._cache.keep(digest, actor, generation=generation)
        return actor

    def create(
        self,
        connection: Connection,
        account_id: int,
        client: wire.ClientKind,
        *,
        label: str = "",
        device: str | None = None,
        verified_at: int = 0,
    ) -> NewSession:
        """Adds a session within the caller's transaction; ``verified_at`` is when its person showed who they are."""
        session = NewSession(new_id(Prefix.SESSION), b64(new_token(account_id, key=self._key)))
        queries.add(
            connection,
            session_id=session.id,
            account_id=account_id,
            token_sha256=digest_of(session.token),
            client=client,
            label=label,
            device=device,
            now_ms=self._clock.now_ms(),
            verified_at=verified_at,
        )
        failpoint("session-created")
        return session

    def renew(self, connection: Connection, account_id: int, session_id: str) -> NewSession | None:
        """Gives a session of the account another token within the caller's transaction; None when it has ended."""
        session = NewSession(session_id, b64(new_token(account_id, key=self._key)))
        if not queries.renew_token(connection, account_id, session_id, digest_of(session.token)):
            return None
        return session

    async def introduce(self, actor: Actor, news: wire.Introduction) -> None:
        """Notes what this session calls itself, and which device of the keyring it is. Raises Refusal invalid."""
        if not news.label.isprintable():
            raise Refusal("invalid", detail="label: not printable")
        await self._database.write(
            lambda connection: queries.introduce(
                connection, actor.account_id, actor.session_id, label=news.label, device=news.device
            )
        )
        failpoint("session-introduced")

    def check_verified(self, connection: Connection, actor: Actor) -> None:
        """Lets a change pass whose person showed a moment ago who they are.

        [Note: Fresh verification] A session may be weeks old, and whoever finds an open browser or a cookie has it. So what
        would lock its owner out, or let somebody else in for good, asks anew. It is asked within the change's own
        transaction. Raises Refusal verification-needed.
        """
        verified_at = queries.verified_at(connection, actor.account_id, actor.session_id)
        if verified_at is None or abs(self._clock.now_ms() - verified_at) > VERIFIED_MS:
            raise Refusal("verification-needed")

    def note_verified(self, connection: Connection, actor: Actor) -> int:
        """Notes, within the caller's transaction, that the session's person showed who they are; returns until when it counts."""
        now_ms = self._clock.now_ms()
        queries.verify(connection, actor.account_id, actor.session_id, now_ms=now_ms)
        return now_ms + VERIFIED_MS

    async def list(self, actor: Actor) -> wire.Sessions:
        """Lists where the account is signed in, the place used last first."""
        seen_after_ms = self._clock.now_ms() - UNUSED_MS
        rows = await self._database.read(
            lambda connection: queries.of_account(connection, actor.account_id, seen_after_ms=seen_after_ms)
        )
        return wire.Sessions(
            items=[
                wire.Session(
                    id=row.id,
                    client=row.client,
                    label=row.label,
                    device=row.device,
                    created_at=row.created_at,
                    last_seen_at=row.last_seen_at,
                    current=row.id == actor.session_id,
                )
                for row in rows
            ]
        )

    async def revoke(self, actor: Actor, session_id: str) -> None:
        """Ends one of the account's sessions. Raises Refusal not-found when it has no such session.

        Its own is forgotten; another one stays known as removed, so that its device can be told, and asks for fresh
        verification: whoever finds an open browser must not shut its owner out.
        """

        def work(connection: Connection) -> bool:
            if session_id == actor.session_id:
                return queries.remove(connection, actor.account_id, session_id)
            self.check_verified(connection, actor)
            now_ms = self._clock.now_ms()
            return queries.mark_removed(connection, actor.account_id, session_id, now_ms=now_ms)

        if not await self._database.write(work):
            raise Refusal("not-found")
        self._cache.drop(lambda known: known.session_id == session_id)
        self._tell(actor)

    async def revoke_all(self, actor: Actor) -> None:
        """Ends all of the account's sessions, this one too. See [Note: Fresh verification]."""

        def work(connection: Connection) -> None:
            self._remove_others(connection, actor)
            queries.remove(connection, actor.account_id, actor.session_id)

        await self._database.write(work)
        self._cache.drop(lambda known: known.account_id == actor.account_id)
        self._tell(actor)

    async def revoke_others(self, actor: Actor) -> None:
        """Ends all of the account's sessions but this one. See [Note: Fresh verification]."""
        await self._database.write(lambda connection: self._remove_others(connection, actor))
        self._cache.drop(
            lambda known: known.account_id == actor.account_id and known.session_id != actor.session_id
        )
        self._tell(actor)

    def forget(self, account_id: int) -> None:
        """Drops what is remembered of an account that has ended."""
        self._cache.drop(lambda known: known.account_id == account_id)

    async def sweep(self) -> int:
        """Removes sessions unused for 90 days; returns how many."""
        seen_before_ms = self._clock.now_ms() - UNUSED_MS
        return await self._database.write(
            lambda connection: queries.remove_unused(connection, seen_before_ms=seen_before_ms)
        )

    def _tell(self, actor: Actor) -> None:
        """Has live channels of the account look whether their sessions go on, on every node."""
        failpoint("session-revoked")
        self._bus.publish([actor.account_id])

    def _remove_others(self, connection: Connection, actor: Actor) -> None:
        self.check_verified(connection, actor)
        now_ms = self._clock.now_ms()
        queries.mark_others_removed(connection, actor.account_id, actor.session_id, now_ms=now_ms)

    def _look_up(
        self, connection: Connection, secret: bytes, digest: bytes, *, seen_after_ms: int
    ) -> queries.AnyRow | None:
        """Looks in the shard that the token names, and else for its hash alone. See [Note: Tokens that know their shard]."""
        account_id = account_in(secret, key=self._key)
        if account_id is not None:
            found = queries.by_token(connection, account_id, digest, seen_after_ms=seen_after_ms)
            if found is not None:
                return found
        return queries.by_hash(connection, digest, seen_after_ms=seen_after_ms)

    def _touch(self, account_id: int, session_id: str, now_ms: int) -> None:
        """Notes the use beside the request: nobody waits for it, and losing it costs an hour of 90 days."""

        async def note() -> None:
            await self._database.write(
                lambda connection: queries.touch(connection, account_id, session_id, now_ms=now_ms)
            )

        task = asyncio.get_running_loop().create_task(note())
        self._touching.add(task)
        task.add_done_callback(self._noted)

    def _noted(self, task: asyncio.Task[None]) -> None:
        self._touching.discard(task)
        if not task.cancelled():
            task.exception()  # seen, so that the loop does not complain: the next request tries again


def digest_of(token: str) -> bytes:
    """Hashes a token as it is stored. Raises Refusal not-signed-in for what cannot be one."""
    return hashlib.sha256(_bytes_of(token)).digest()


def _bytes_of(token: str) -> bytes:
    try:
        return unb64(token, size=TOKEN_BYTES)
    except ValueError as error:
        raise Refusal("not-signed-in") from error
