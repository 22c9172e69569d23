"""Messages: sent in one transaction, listed, marked and deleted; the only way to one is ``access_message``.

[Note: Unreadable at once] A deletion empties envelopes and details in its own transaction and leaves the removal of the
video to the outbox, which follows within seconds. An expired message is refused from its instant on, swept or not.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection

from restante.protocol import limits
from restante.protocol.ids import Prefix, is_id
from restante.protocol.wire import Inbox, InboxItem, Mark, SentBox, SentItem
from restante.protocol.wire_messages import Forward
from restante.protocol.wire_pages import Left
from restante.server.abuse.bans import check_may_send
from restante.server.acquaintances.service import Acquaintances
from restante.server.availability.service import Availability
from restante.server.availability.sighting import NOWHERE, Sighting
from restante.server.bus.memory import OUTBOX, MemoryBus
from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.failpoints import failpoint
from restante.server.keys.service import signing_key
from restante.server.limits.service import Limiter
from restante.server.links.service import GuestLinks
from restante.server.log import Log
from restante.server.messages import deleting, forwarding, listing, marking, queries, rules
from restante.server.messages.calling import Calling
from restante.server.messages.channel import Channel
from restante.server.messages.cursors import Cursors
from restante.server.messages.listing import Page
from restante.server.messages.rules import Box, CallParcel, Parcel, Row, VideoRef
from restante.server.messages.sending import Outcome, Sending
from restante.server.pages.service import Pages
from restante.server.plans.service import Plans
from restante.server.recent import Recent
from restante.server.sessions.actor import Actor
from restante.server.uploads.service import Uploads

VIDEO_FRESH_FOR_S = 4.0
"""A player asks for range after range; on another node a deletion is noticed this much later."""
TOMBSTONE_MS = limits.TOMBSTONE_FOR // timedelta(milliseconds=1)
IDEMPOTENCY_MS = limits.IDEMPOTENCY_FOR // timedelta(milliseconds=1)


class Messages:
    """The room's one entrance for routes, downloads and jobs."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        *,
        bus: MemoryBus,
        log: Log,
        uploads: Uploads,
        links: GuestLinks,
        pages: Pages,
        limiter: Limiter,
        acquaintances: Acquaintances,
        plans: Plans,
        availability: Availability,
        claim_key: bytes,
        cursor_key: bytes,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._bus = bus
        self._uploads = uploads
        self._links = links
        self._pages = pages
        self._limiter = limiter
        self._acquaintances = acquaintances
        self._plans = plans
        self._availability = availability
        self._claim_key = claim_key
        self._cursors = Cursors(cursor_key)
        self._in_flight: set[tuple[str, str]] = set()
        self._videos = Recent[tuple[int, str], VideoRef](clock, fresh_for_s=VIDEO_FRESH_FOR_S)
        self.channel = Channel(database, bus, clock, log)

    # Sending

    async def send(self, actor: Actor, key: str, parcel: Parcel, *, seen: Sighting = NOWHERE) -> Outcome:
        """Stores a message once, whatever is repeated. Raises Refusal; after one nothing has changed."""
        rules.check_parcel(parcel)
        sending = Sending(
            actor=actor,
            key=key,
            parcel=parcel,
            now_ms=self._clock.now_ms(),
            settings=self._settings,
            uploads=self._uploads,
            links=self._links,
            limiter=self._limiter,
            acquaintances=self._acquaintances,
            plans=self._plans,
            availability=self._availability,
            seen=seen,
            claim_key=self._claim_key,
        )
        in_flight = (actor.session_id, key)
        if in_flight in self._in_flight:
            raise Refusal("idempotency-in-flight", headers={"retry-after": "1"})
        self._in_flight.add(in_flight)
        try:
            outcome = await self._database.write(sending.run)
        finally:
            self._in_flight.discard(in_flight)
        failpoint("send-before-answer")
        self._bus.publish(outcome.touched)
        return outcome

    async def leave(self, token: str, parcel: CallParcel) -> Left:
        """Stores what a caller leaves, once. Raises Refusal; after one nothing has changed."""
        rules.check_call_parcel(parcel)
        calling = Calling(
            token=token,
            parcel=parcel,
            now_ms=self._clock.now_ms(),
            uploads=self._uploads,
            pages=self._pages,
            claim_key=self._claim_key,
        )
        left, touched = await self._database.write(calling.run)
        failpoint("call-before-answer")
        self._bus.publish(touched)
        return left

    # Reading

    async def access_message(self, actor: Actor, message_id: str, *, box: Box | None = None) -> Row:
        """The account's own living copy, of one box or the received one first.

        Raises Refusal not-found for what is absent or somebody else's, message-gone for what was the account's own.
        """
        return await self._database.read(lambda connection: self._own(connection, actor, message_id, box))

    async def access_video(self, actor: Actor, message_id: str) -> VideoRef:
        """Where the video of a message is. Raises Refusal like access_message; not-found when it has no video."""
        key, generation = (actor.account_id, message_id), self._videos.generation
        known = self._videos.find(key)
        if known is not None and not rules.is_past(known.expires_at, now_ms=self._clock.now_ms()):
            return known
        row = await self.access_message(actor, message_id)
        if row.upload_id is None:
            raise Refusal("not-found")
        video = VideoRef(
            blob_id=row.upload_id,
            size=row.video_bytes,
            etag=f'"{row.upload_id}"',
            expires_at=row.expires_at,
        )
        self._videos.keep(key, video, generation=generation)
        return video

    async def details(self, actor: Actor, message_id: str) -> tuple[bytes, str]:
        """The bytes of details.age and their strong ETag. Raises Refusal like access_message."""

        def work(connection: Connection) -> tuple[bytes, str]:
            row = self._own(connection, actor, message_id, None)
            return queries.details_of(connection, row.sender_id, message_id), f'"{row.details_sha256.hex()}"'

        return await self._database.read(work)

    async def item(self, actor: Actor, message_id: str, *, box: Box | None) -> InboxItem | SentItem:
        """One message as its lists show it. Raises Refusal like access_message."""
        now_ms = self._clock.now_ms()

        def work(connection: Connection) -> InboxItem | SentItem:
            row = self._own(connection, actor, message_id, box)
            if row.box == "inbox":
                return rules.inbox_item(row, now_ms=now_ms)
            return _sent_items(connection, actor, [row], now_ms=now_ms)[0]

        return await self._database.read(work)

    async def inbox(self, actor: Actor, page: Page) -> Inbox:
        """Lists what was received. Raises Refusal invalid for a cursor of another list."""
        now_ms = self._clock.now_ms()

        def work(connection: Connection) -> Inbox:
            listed = listing.read(connection, self._cursors, actor.account_id, "inbox", page, now_ms=now_ms)
            items = [rules.inbox_item(row, now_ms=now_ms) for row in listed.rows]
            return Inbox(items=items, cursor=listed.cursor)

        return await self._database.read(work)

    async def sent(self, actor: Actor, page: Page) -> SentBox:
        """Lists what was sent, with how far it came. Raises Refusal invalid for a cursor of another list."""
        now_ms = self._clock.now_ms()

        def work(connection: Connection) -> SentBox:
            listed = listing.read(connection, self._cursors, actor.account_id, "sent", page, now_ms=now_ms)
            return SentBox(
                items=_sent_items(connection, actor, listed.rows, now_ms=now_ms), cursor=listed.cursor
            )

        return await self._database.read(work)

    # Changing

    async def mark(self, actor: Actor, message_id: str, mark: Mark) -> None:
        """Notes that the recipient fetched or played it; the first time stays. Raises Refusal like access_message."""
        now_ms = self._clock.now_ms()

        def work(connection: Connection) -> set[int]:
            row = self._own(connection, actor, message_id, "inbox")
            receipt = None
            if mark.receipt is not None:
                receipt = rules.check_receipt(mark.receipt, of=signing_key(connection, actor.name))
            touched = marking.note(connection, row, actor.account_id, mark, receipt, now_ms=now_ms)
            failpoint("mark-before-commit")
            return touched

        touched = await self._database.write(work)
        self._videos.clear()
        self._bus.publish(touched)

    async def forward(
        self, actor: Actor, message_id: str, request: Forward, *, seen: Sighting = NOWHERE
    ) -> None:
        """Passes a received message on. Raises Refusal like access_message, may-not-forward, no-such-recipient or not-available-yet."""
        now_ms = self._clock.now_ms()
        sealed = rules.sealed_forwards(request)

        def work(connection: Connection) -> set[int]:
            row = self._own(connection, actor, message_id, "inbox")
            check_may_send(connection, actor.account_id, self._settings)
            self._availability.check_send(connection, actor, seen)
            self._limiter.take(connection, "sends", str(actor.account_id), self._settings.rate_sends)
            touched = forwarding.forward(
                connection, actor, row, sealed, acquaintances=self._acquaintances, now_ms=now_ms
            )
            failpoint("forward-before-commit")
            return touched

        self._bus.publish(await self._database.write(work))

    async def delete_for_me(self, actor: Actor, message_id: str) -> None:
        """Deletes the account's own copies; twice is once. Raises Refusal not-found."""
        await self._delete(
            lambda connection, now_ms: deleting.for_me(
                connection, actor.account_id, _checked(message_id), now_ms=now_ms
            )
        )

    async def delete_for_everyone(self, actor: Actor, message_id: str) -> None:
        """Deletes every copy and the bytes; twice is once. Raises Refusal not-found unless the sender asks."""

        def work(connection: Connection, now_ms: int) -> set[int]:
            message = queries.find_message(connection, actor.account_id, _checked(message_id))
            if message is None:
                raise Refusal("not-found")
            return deleting.for_everyone(connection, message, "deleted", now_ms=now_ms)

        await self._delete(work)

    # Sweeping

    async def expire(self, now_ms: int) -> int:
        """Deletes for everyone what has expired; returns how many messages."""
        count = 0
        while found := await self._database.read(partial(queries.expired, now_ms=now_ms)):
            await asyncio.gather(*(self._expire(sender_id, message_id) for sender_id, message_id in found))
            count += len(found)
        return count

    async def forget_tombstones(self, now_ms: int) -> int:
        """Forgets deletions of more than 90 days ago, of whole messages and of single copies; returns how many."""
        before_ms, count = now_ms - TOMBSTONE_MS, 0
        while forgotten := await self._database.write(partial(queries.forget_messages, before_ms=before_ms)):
            count += forgotten
        return count + await self._database.write(partial(queries.forget_copies, before_ms=before_ms))

    async def forget_keys(self, now_ms: int) -> int:
        """Forgets idempotency keys of more than seven days ago; returns how many."""
        before_ms = now_ms - IDEMPOTENCY_MS
        return await self._database.write(partial(queries.forget_keys, before_ms=before_ms))

    async def _expire(self, sender_id: int, message_id: str) -> None:
        def work(connection: Connection, now_ms: int) -> set[int]:
            message = queries.find_message(connection, sender_id, message_id)
            if message is None:
                return set()
            return deleting.for_everyone(connection, message, "expired", now_ms=now_ms)

        await self._delete(work)

    def _own(self, connection: Connection, actor: Actor, message_id: str, box: Box | None) -> Row:
        copies = queries.own_copies(connection, actor.account_id, _checked(message_id))
        return rules.choose(copies, box, now_ms=self._clock.now_ms())

    async def _delete(self, work: Callable[[Connection, int], Iterable[int]]) -> None:
        now_ms = self._clock.now_ms()
        touched = await self._database.write(lambda connection: work(connection, now_ms))
        self._videos.clear()
        failpoint("delete-before-answer")
        self._bus.publish({*touched, OUTBOX})


def _checked(message_id: str) -> str:
    if not is_id(message_id, Prefix.MESSAGE):
        raise Refusal("not-found")
    return message_id


def _sent_items(connection: Connection, actor: Actor, rows: Sequence[Row], *, now_ms: int) -> list[SentItem]:
    each = queries.deliveries(connection, actor.account_id, [row.id for row in rows])
    return [rules.sent_item(row, each[row.id], now_ms=now_ms) for row in rows]
