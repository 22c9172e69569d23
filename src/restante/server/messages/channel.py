"""The live channel: server-sent events that say that something happened to a message, and never what it says.

[Note: Hints may be lost, events not] The bus only wakes; what is told is read from the table of events, in order. A
wake-up that goes missing is made good at the next heartbeat, a connection that breaks by ``Last-Event-ID``.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from time import perf_counter

from restante.protocol.ijson import encode
from restante.protocol.wire import Hint
from restante.server.bus.memory import MemoryBus
from restante.server.db.engine import Database
from restante.server.errors import Refusal, RetryLater
from restante.server.outbox import events

CHANNELS = 16
"""Live channels of one account at a time."""
_BATCH = 100
_EVENT_ID = re.compile(r"[0-9]{1,18}\Z", re.ASCII)
_HEARTBEAT = b":\n\n"
_RETRY_MS = 1000


class Channel:
    """Opens live channels; ``heartbeat_s`` between comments that keep proxies awake, ``check_s`` between looks at the session."""

    def __init__(
        self, database: Database, bus: MemoryBus, *, heartbeat_s: float = 20.0, check_s: float = 3.0
    ) -> None:
        self._database = database
        self._bus = bus
        self._heartbeat_s = heartbeat_s
        self._check_s = check_s

    def admit(self, account_id: int) -> None:
        """Raises RetryLater when the account has as many channels as it may."""
        if self._bus.waiting(account_id) >= CHANNELS:
            raise RetryLater("rate-limited", seconds=self._check_s)

    async def stream(
        self, account_id: int, last_event_id: str | None, *, still_allowed: Callable[[], Awaitable[object]]
    ) -> AsyncGenerator[bytes, None]:
        """Yields the stream until the process stops or ``still_allowed`` raises a Refusal.

        Without ``last_event_id`` it begins with what happens next; with one that is unknown or too old, by a ``resync``.
        """
        with self._bus.subscribe(account_id) as bell:
            position, opening = await self._begin(last_event_id)
            yield opening
            bell.set()
            next_beat_s = perf_counter() + self._heartbeat_s
            while not self._bus.closed:
                beats = perf_counter() >= next_beat_s
                if bell.is_set() or beats:
                    bell.clear()
                    while news := await self._news(account_id, position):
                        position = news[-1].id
                        yield b"".join(_frame(Hint(one.kind, one.message_id), one.id) for one in news)
                        if len(news) < _BATCH:
                            break  # that was all, and whatever was committed since has rung or will ring
                if beats:
                    next_beat_s = perf_counter() + self._heartbeat_s
                    yield _HEARTBEAT
                await _rings(bell, within_s=min(self._check_s, next_beat_s - perf_counter()))
                if not await _is(still_allowed):
                    return

    async def _begin(self, last_event_id: str | None) -> tuple[int, bytes]:
        start = b"retry: %d\n" % _RETRY_MS
        if last_event_id is not None and _EVENT_ID.match(last_event_id):
            position = int(last_event_id)
            if await self._database.read(lambda connection: events.is_known(connection, position)):
                return position, start + b"id: %d\n\n" % position
        position = await self._database.read(events.newest)
        if last_event_id is None:
            return position, start + b"id: %d\n\n" % position
        return position, start + _frame(Hint("resync", ""), position)

    async def _news(self, account_id: int, position: int) -> list[events.Event]:
        return await self._database.read(
            lambda connection: events.after(connection, account_id, position, most=_BATCH)
        )


async def _rings(bell: asyncio.Event, *, within_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, within_s)):
            await bell.wait()


async def _is(still_allowed: Callable[[], Awaitable[object]]) -> bool:
    try:
        await still_allowed()
    except Refusal:
        return False
    return True


def _frame(hint: Hint, event_id: int) -> bytes:
    return b"event: %s\nid: %d\ndata: %s\n\n" % (hint.kind.encode(), event_id, encode(hint))
