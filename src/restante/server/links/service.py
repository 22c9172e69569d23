"""Guest links: made by the owner of a message, opened by whoever has the secret, counted when a person asks.

[Note: What counts as an open] Only a POST with the bearer counts, and it counts before anything is shown. Fetching the
envelope does not: so a wrong password costs nothing, and programs that look at addresses have no bearer at all.
"""

import hashlib
import hmac
from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection

from restante.protocol import limits
from restante.protocol.encoding import b64, unb64
from restante.protocol.ids import Prefix, is_id, new_id, new_secret
from restante.protocol.wire_links import AddLink, Link, LinkFound, Links, LinkView, NewLink
from restante.server.abuse.bans import check_may_send
from restante.server.bus.memory import MemoryBus
from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.failpoints import failpoint
from restante.server.limits.service import Limiter
from restante.server.links import queries, rules
from restante.server.links.rules import Row
from restante.server.outbox import events
from restante.server.plans.service import Plans
from restante.server.sessions.actor import Actor


class GuestLinks:
    """The room's one entrance for routes, downloads, messages and jobs."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        *,
        bus: MemoryBus,
        limiter: Limiter,
        plans: Plans,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._bus = bus
        self._limiter = limiter
        self._plans = plans

    # Owners

    async def add(self, actor: Actor, message_id: str, link: AddLink) -> Link:
        """Makes a link to an own message; the same bearer again gives the same link.

        Raises Refusal not-found, invalid, too-many-links, rate-limited, not-in-plan.
        """
        now_ms = self._clock.now_ms()
        envelope = _decoded(link.envelope)

        def work(connection: Connection) -> Row:
            if not is_id(message_id, Prefix.MESSAGE) or not queries.owns(
                connection, actor.account_id, message_id
            ):
                raise Refusal("not-found")
            digest = rules.bearer_sha256(link)
            for known in queries.of_message(connection, actor.account_id, message_id):
                if known.bearer_sha256 == digest:
                    return known
            check_may_send(connection, actor.account_id, self._settings)
            self._limiter.take(connection, "links", str(actor.account_id), self._settings.rate_sends)
            (link_id,) = self.store(
                connection, actor.account_id, message_id, [(link, envelope)], now_ms=now_ms
            )
            return queries.find(connection, link_id)

        row = await self._database.write(work)
        failpoint("link-added")
        return rules.shaped(row, now_ms=now_ms)

    def store(
        self,
        connection: Connection,
        account_id: int,
        message_id: str,
        wanted: Sequence[tuple[NewLink, bytes]],
        *,
        now_ms: int,
    ) -> list[str]:
        """Stores links within the caller's transaction; returns their ids.

        Raises Refusal invalid, too-many-links, not-in-plan.
        """
        ids = []
        if wanted:
            self._plans.check_feature(connection, account_id, "links", now_ms=now_ms)
        if queries.count_of(connection, account_id, message_id) + len(wanted) > limits.LINKS:
            raise Refusal("too-many-links", limit=limits.LINKS)
        for link, envelope in wanted:
            rules.check(link, envelope, now_ms=now_ms)
            ids.append(new_id(Prefix.LINK))
            queries.add(
                connection,
                ids[-1],
                link,
                envelope,
                account_id=account_id,
                message_id=message_id,
                now_ms=now_ms,
            )
        return ids

    def ids_of(
        self, connection: Connection, account_id: int, message_id: str, wanted: Sequence[NewLink]
    ) -> list[str]:
        """The ids of the links that a send stored, in its order, without those that were swept since."""
        ids = {row.bearer_sha256: row.id for row in queries.of_message(connection, account_id, message_id)}
        return [ids[digest] for digest in map(rules.bearer_sha256, wanted) if digest in ids]

    def check_own(self, connection: Connection, account_id: int, link_id: str) -> None:
        """Raises Refusal not-found unless the account has this link and it is open."""
        row = _found(connection, link_id)
        if row.account_id != account_id or rules.state(row, now_ms=self._clock.now_ms()) != "open":
            raise Refusal("not-found")

    async def mine(self, actor: Actor) -> Links:
        """Lists the account's links, the newest first, ended ones too."""
        rows = await self._database.read(partial(queries.all_of, account_id=actor.account_id))
        return Links([rules.shaped(row, now_ms=self._clock.now_ms()) for row in rows])

    async def revoke(self, actor: Actor, link_id: str) -> None:
        """Takes a link back: who is watching by it sees no more. Twice is once. Raises Refusal not-found."""
        now_ms = self._clock.now_ms()

        def work(connection: Connection) -> None:
            row = _found(connection, link_id)
            if row.account_id != actor.account_id:
                raise Refusal("not-found")
            queries.revoke(connection, actor.account_id, link_id, now_ms=now_ms)

        await self._database.write(work)
        failpoint("link-revoked")

    # Guests

    async def find(self, bearer: str) -> LinkFound:
        """Tells which link a bearer opens. Raises Refusal not-found while there is none."""
        digest = _digest(bearer)
        now_ms = self._clock.now_ms()
        rows = await self._database.read(partial(queries.by_bearer, digest=digest))
        for row in rows:
            if rules.state(row, now_ms=now_ms) == "open":
                return LinkFound(row.id)
        raise Refusal("not-found")

    async def envelope(self, link_id: str, token: str) -> bytes:
        """The envelope, to who has the bearer or opened the link; counts nothing. Raises Refusal not-found, link-gone."""
        now_ms = self._clock.now_ms()

        def work(connection: Connection) -> bytes:
            row = _found(connection, link_id)
            if _opens(row, token):
                rules.check_opens(row, now_ms=now_ms)
            else:
                self._viewed(connection, link_id, token)
            if row.envelope is None:
                raise Refusal("link-gone")
            return bytes(row.envelope)

        return await self._database.read(work)

    async def open(self, link_id: str, bearer: str, *, prefix: str) -> LinkView:
        """Counts one open and gives a view of half an hour. Raises Refusal not-found, link-gone, rate-limited."""
        token, now_ms = new_secret(), self._clock.now_ms()
        until = now_ms + rules.VIEW_MS

        def work(connection: Connection) -> tuple[Row, int]:
            self._limiter.take(connection, "opens", prefix, self._settings.rate_opens)
            row = _found(connection, link_id)
            if not _opens(row, bearer):
                raise Refusal("not-found")
            rules.check_opens(row, now_ms=now_ms)
            if not queries.count_open(connection, link_id, now_ms=now_ms):
                raise Refusal("link-gone")
            digest = hashlib.sha256(token).digest()
            queries.add_view(
                connection, digest, link_id, account_id=row.account_id, now_ms=now_ms, expires_at=until
            )
            events.append(connection, [row.account_id], "mark", row.message_id, now_ms=now_ms)
            failpoint("open-before-commit")
            return row, row.account_id

        row, owner = await self._database.write(work)
        self._bus.publish({owner})
        return LinkView(
            token=b64(token),
            until=until,
            message=row.message_id,
            kind=row.kind,
            video_bytes=row.video_bytes,
            may_save=bool(row.may_save),
            may_answer=bool(row.may_answer),
        )

    async def details(self, link_id: str, token: str) -> tuple[bytes, str]:
        """The bytes of details.age and their strong ETag. Raises Refusal view-over, link-gone."""

        def work(connection: Connection) -> tuple[bytes, str]:
            row = self._viewed(connection, link_id, token)
            return queries.details_of(
                connection, row.account_id, row.message_id
            ), f'"{row.details_sha256.hex()}"'

        return await self._database.read(work)

    async def viewed(self, link_id: str, token: str) -> Row:
        """The link that a view is of. Raises Refusal view-over or link-gone."""
        return await self._database.read(lambda connection: self._viewed(connection, link_id, token))

    def check_view(self, connection: Connection, link_id: str, token: str) -> Row:
        """The same within the caller's transaction."""
        return self._viewed(connection, link_id, token)

    async def sweep(self, now_ms: int) -> int:
        """Removes views that are over, and links that ended 90 days ago; returns how many."""
        views = await self._database.write(partial(queries.forget_views, now_ms=now_ms))
        before_ms = now_ms - rules.TOMBSTONE_MS
        return views + await self._database.write(partial(queries.forget, before_ms=before_ms))

    def _viewed(self, connection: Connection, link_id: str, token: str) -> Row:
        now_ms = self._clock.now_ms()
        row = queries.by_view(connection, _digest(token), now_ms=now_ms)
        if row is None or row.id != link_id:
            raise Refusal("view-over")
        rules.check_shows(row, now_ms=now_ms)
        return row


def end_links(connection: Connection, account_id: int, message_id: str, *, with_views: bool = False) -> None:
    """Makes a deleted message's links unreadable within the caller's transaction; ``with_views``: nobody's view goes on either."""
    queries.empty(connection, account_id, message_id, with_views=with_views)


def _found(connection: Connection, link_id: str) -> Row:
    row = queries.find(connection, link_id) if is_id(link_id, Prefix.LINK) else None
    if row is None:
        raise Refusal("not-found")
    return row


def _opens(row: Row, bearer: str) -> bool:
    return hmac.compare_digest(_digest(bearer), row.bearer_sha256)


def _digest(text: str) -> bytes:
    return hashlib.sha256(rules.secret(text)).digest()


def _decoded(text: str) -> bytes:
    try:
        return unb64(text)
    except ValueError as error:
        raise Refusal("invalid", detail="envelope: base64url without padding") from error
