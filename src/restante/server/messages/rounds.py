"""Looks after all open live channels of a process together, so that one on which nothing happens costs next to nothing.

[Note: Rounds] A channel sleeps until it is woken. Once a second somebody goes round: wakes those whose heartbeat is due, asks
for a third of them in a few queries whether their sessions go on, and reads which accounts something happened to since
the last look. So a hint that went missing, and a session that was ended on another node, are noticed within seconds.
"""

import asyncio
import contextlib
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from restante.server.bus.memory import MISSED, MemoryBus
from restante.server.clock import Clock
from restante.server.db.engine import Database
from restante.server.errors import RetryLater
from restante.server.log import Log
from restante.server.outbox import events
from restante.server.sessions import presence

_TOGETHER = 500
"""Sessions in one query."""
_EVENTS = 5000


class OpenChannel:
    """One of them: whose, by which token, how far it has told, and why it was woken. The bus rings it by ``set``."""

    __slots__ = ("_woken", "account_id", "beats", "ended", "position", "rang", "token_sha256")

    def __init__(self, account_id: int, token_sha256: bytes) -> None:
        self.account_id = account_id
        self.token_sha256 = token_sha256
        self.position = 0
        self.rang = True
        """Something may have happened; so it begins by looking."""
        self.beats = False
        self.ended = False
        self._woken = asyncio.Event()

    def set(self) -> None:
        """Something happened."""
        self.rang = True
        self._woken.set()

    def beat(self) -> None:
        """Its heartbeat is due."""
        self.beats = True
        self._woken.set()

    def end(self) -> None:
        """Its session has ended."""
        self.ended = True
        self._woken.set()

    async def woken(self) -> None:
        """Waits for one of them."""
        await self._woken.wait()
        self._woken.clear()


class Rounds:
    """Goes round while any channel is open; ``beat_s`` between heartbeats, ``check_s`` between looks at each session."""

    def __init__(
        self, database: Database, bus: MemoryBus, clock: Clock, log: Log, *, beat_s: float, check_s: float
    ) -> None:
        self._log = log
        self._database = database
        self._bus = bus
        self._clock = clock
        self._pace_s = min(1.0, check_s)
        self._checks = max(1, round(check_s / self._pace_s))
        self._slots: list[set[OpenChannel]] = [
            set() for _ in range(max(self._checks, round(beat_s / self._pace_s)))
        ]
        self._by_account: dict[int, set[OpenChannel]] = defaultdict(set)
        self._opened = 0
        self._seen = 0
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def of(self, channel: OpenChannel) -> AsyncIterator[None]:
        """Looks after a channel, which looks for itself when it begins. The rounds begin where everybody's events ended just before the first one did.

        Raises RetryLater.
        """
        if self._task is None:
            newest = await self._database.read(events.newest_of_all)
        self._opened += 1  # those that come back together, after a restart, do not beat together
        slot = self._slots[-self._opened % len(self._slots)]
        slot.add(channel)
        self._by_account[channel.account_id].add(channel)
        if self._task is None:
            self._seen = newest
            self._task = asyncio.get_running_loop().create_task(self._go_round())
        try:
            yield
        finally:
            slot.discard(channel)
            self._by_account[channel.account_id].discard(channel)
            if not self._by_account[channel.account_id]:
                del self._by_account[channel.account_id]
            if not self._by_account:
                self._task.cancel()
                self._task = None

    async def _go_round(self) -> None:
        """Beats go on whatever the database does."""
        await asyncio.gather(self._beat_for_ever(), self._look_for_ever())

    async def _beat_for_ever(self) -> None:
        for turn in itertools.count(1):
            await asyncio.sleep(self._pace_s)
            for channel in self._slots[turn % len(self._slots)]:
                channel.beat()

    async def _look_for_ever(self) -> None:
        with self._bus.subscribe(MISSED) as missed:
            for turn in itertools.count(1):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._pace_s):
                        await missed.wait()
                if missed.is_set() or turn % self._checks == 0:
                    missed.clear()
                    await self._survive(self._look())
                await self._survive(self._check(turn))

    async def _check(self, turn: int) -> None:
        """Asks for the sessions whose turn it is, some hundred at a time."""
        due = [channel for slot in self._slots[turn % self._checks :: self._checks] for channel in slot]
        for begin in range(0, len(due), _TOGETHER):
            await self._call_roll(due[begin : begin + _TOGETHER])

    async def _call_roll(self, channels: Sequence[OpenChannel]) -> None:
        now_ms, whose = self._clock.now_ms(), {one.token_sha256: one.account_id for one in channels}
        roll = await self._database.read(partial(presence.call_roll, whose=whose, now_ms=now_ms))
        if roll.ended:
            for channel in channels:
                if channel.token_sha256 in roll.ended:
                    channel.end()
        if roll.is_stale:
            await self._database.write(partial(presence.note_use, whose=whose, now_ms=now_ms))

    async def _look(self) -> None:
        """Rings those who were not told of something."""
        while True:
            news = await self._database.read(partial(events.since, last_id=self._seen, most=_EVENTS))
            for event_id, account_id in news:
                for channel in self._by_account.get(account_id, ()):
                    if channel.position < event_id:
                        channel.set()
            if news:
                self._seen = news[-1][0]
            if len(news) < _EVENTS:
                return

    async def _survive(self, work: Coroutine[Any, Any, None]) -> None:
        """A database that is busy or away must not end the rounds: the next one makes good."""
        try:
            await work
        except RetryLater:  # told by whoever looks after the database
            return
        except Exception as error:  # noqa: BLE001 - logged, and tried again in the next round
            self._log.event("job-failed", kind="rounds", error=type(error).__name__)
