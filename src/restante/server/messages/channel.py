"""The live channel: server-sent events that say that something happened to a message, and never what it says.

[Note: Hints may be lost, events not] The bus only wakes; what is told is read from the table of events, in order. A
wake-up that goes missing is made good by the next of the ``rounds``, a connection that breaks by ``Last-Event-ID``.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import suppress
from functools import partial

from sqlalchemy import Connection

from restante.protocol.ijson import encode
from restante.protocol.wire import Hint
from restante.server.bus.memory import MemoryBus
from restante.server.clock import Clock
from restante.server.db.engine import Database
from restante.server.errors import Refusal, RetryLater
from restante.server.log import Log
from restante.server.messages.rounds import OpenChannel, Rounds
from restante.server.outbox import events
from restante.server.sessions import presence

CHANNELS = 16
"""Live channels of one account at a time."""
_BATCH = 100
_EVENT_ID = re.compile(r"[0-9]{1,18}\Z", re.ASCII)
_HEARTBEAT = b":\n\n"
_RETRY_MS = 1000


class Channel:
    """Opens live channels; ``heartbeat_s`` between comments that keep proxies awake, ``check_s`` between looks at the session."""

    def __init__(
        self,
        database: Database,
        bus: MemoryBus,
        clock: Clock,
        log: Log,
        *,
        heartbeat_s: float = 20.0,
        check_s: float = 3.0,
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._check_s = check_s
        self._rounds = Rounds(database, bus, clock, log, beat_s=heartbeat_s, check_s=check_s)

    def admit(self, account_id: int) -> None:
        """Raises RetryLater when the account has as many channels as it may."""
        if self._bus.waiting(account_id) >= CHANNELS:
            raise RetryLater("rate-limited", seconds=self._check_s)

    async def stream(
        self, account_id: int, last_event_id: str | None, *, token_sha256: bytes
    ) -> AsyncGenerator[bytes, None]:
        """Yields the stream until the process stops or the session of the token ends.

        Without ``last_event_id`` it begins with what happens next; with one that is unknown or too old, by a ``resync``.
        """
        channel = OpenChannel(account_id, token_sha256)
        with self._bus.attached(account_id, channel):
            channel.position, opening = await self._begin(account_id, last_event_id)
            yield opening
            with suppress(Refusal):  # a database that is away: they come back, and miss nothing
                async with self._rounds.of(channel):
                    while not (self._bus.closed or channel.ended):
                        if channel.beats:
                            channel.beats = False
                            yield _HEARTBEAT
                        while channel.rang and (news := await self._news(channel)):
                            yield b"".join(_frame(Hint(one.kind, one.message_id), one.id) for one in news)
                        await channel.woken()

    async def _begin(self, account_id: int, last_event_id: str | None) -> tuple[int, bytes]:
        start = b"retry: %d\n" % _RETRY_MS
        if last_event_id is not None and _EVENT_ID.match(last_event_id):
            position = int(last_event_id)
            known = partial(events.is_known, account_id=account_id, last_id=position)
            if await self._database.read(known):
                return position, start + b"id: %d\n\n" % position
        position = await self._database.read(partial(events.newest, account_id=account_id))
        if last_event_id is None:
            return position, start + b"id: %d\n\n" % position
        return position, start + _frame(Hint("resync", ""), position)

    async def _news(self, channel: OpenChannel) -> list[events.Event]:
        """What happened since, at most a batch. Ends the channel when its session has, also if a moment ago on another node."""
        now_ms, position = self._clock.now_ms(), channel.position
        whose = {channel.token_sha256: channel.account_id}

        def look(connection: Connection) -> list[events.Event] | None:
            if presence.call_roll(connection, whose, now_ms=now_ms).ended:
                return None
            return events.after(connection, channel.account_id, position, most=_BATCH)

        channel.rang = False
        news = await self._database.read(look)
        if news is None:
            channel.end()
        elif news:
            channel.position = news[-1].id
            channel.rang = (
                channel.rang or len(news) == _BATCH
            )  # else that was all, and what came since has rung or will ring
        return news or []


def _frame(hint: Hint, event_id: int) -> bytes:
    return b"event: %s\nid: %d\ndata: %s\n\n" % (hint.kind.encode(), event_id, encode(hint))
