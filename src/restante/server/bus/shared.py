"""Hints between nodes: what one of them tells wakes who waits on any of them, within milliseconds.

[Note: A bus that is away] Hints carry numbers of accounts and nothing else, and may be lost: whoever is woken reads the
database, and looks there every few seconds anyway. So a server whose bus is away goes on; its hints are not kept, since
others find what they would have told sooner than it comes back.
"""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from time import monotonic
from typing import Any

import msgspec

from restante.server.bus.memory import MISSED, Bell, MemoryBus
from restante.server.bus.wire import Line, Lost, Wire
from restante.server.config import BadSettings, Settings
from restante.server.log import Log

CHECK_WITHIN_S = 5.0
PROVE_EVERY_S = 10.0
TOGETHER_S = 0.002
"""Hints of so long travel together."""
_MOST = 250
"""Accounts in a word: it stays below WORD_BYTES."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0
CROWD = 4
"""From so many channels on, a node tells the others how many of them an account has there; nearly nobody has."""
_RETELL_S, _BELIEVED_S = 15.0, 45.0


class UnusableBus(RuntimeError):
    """The bus cannot be used; the text is one sentence that says why."""


class Word(msgspec.Struct, array_like=True):
    """What nodes say to each other."""

    node: str
    hints: list[int] = []
    crowds: list[tuple[int, int]] = []
    """Accounts with many live channels on this node, and how many; 0 when it is no crowd any more."""


def open_bus(settings: Settings, log: Log, server_name: str) -> MemoryBus:
    """The bus of the settings. Raises BadSettings, UnusableBus."""
    wire = wire_of(settings, server_name)
    if wire is None:
        return MemoryBus()
    if settings.bus_url:
        check(wire)
    return SharedBus(wire, log)


def wire_of(settings: Settings, server_name: str) -> Wire | None:
    """What carries hints to other nodes; None where there can be none. Raises BadSettings."""
    if not settings.database_url:
        return None
    # Their libraries are an extra, which nobody else has to install.
    wire: Wire
    if not settings.bus_url:
        wire = import_module("restante.server.bus.notify").NotifyWire(settings.database_url)
        return wire
    room = import_module("restante.server.bus.nats")
    try:
        address = room.Address.parse(settings.bus_url)
    except ValueError as error:
        raise BadSettings(f"RESTANTE_BUS_URL {error}") from error
    wire = room.NatsWire(address, f"restante.hints.{server_name}")
    return wire


def check(wire: Wire) -> None:
    """Says a word and waits until it comes back. Raises UnusableBus."""
    with ThreadPoolExecutor(1) as beside:  # this thread may have a loop of its own
        beside.submit(asyncio.run, _check(wire)).result()


async def _check(wire: Wire) -> None:
    word = secrets.token_hex(16).encode()
    came_back = asyncio.Event()
    try:
        line = await wire.join(lambda heard: came_back.set() if heard == word else None)
    except Lost as lost:
        raise UnusableBus(f"{wire.kind} at {wire.place} does not let the server in: {lost}") from lost
    try:
        async with asyncio.timeout(CHECK_WITHIN_S):
            await line.say(word)
            await _first_of(line.gone(), _is_set(came_back))
    except (Lost, TimeoutError):
        pass
    finally:
        await line.close()
    if not came_back.is_set():
        raise UnusableBus(
            f"{wire.kind} at {wire.place} does not pass hints on: the user must be allowed to publish and subscribe"
        )


class SharedBus(MemoryBus):
    """A bus whose hints reach other nodes, too. The outbox is worked at where it was filled; others look by themselves."""

    def __init__(self, wire: Wire, log: Log) -> None:
        super().__init__()
        self._wire = wire
        self._log = log
        self._node = secrets.token_hex(8)
        self._task: asyncio.Task[None] | None = None
        self._joined = False
        self._told_away = False
        self._hints: set[int] = set()
        self._crowds: set[int] = set()
        self._retold_s = 0.0
        self._elsewhere: dict[int, dict[str, tuple[int, float]]] = defaultdict(dict)
        self._news = asyncio.Event()
        self._must_prove = False
        self._echo = asyncio.Event()

    async def start(self) -> None:
        """See MemoryBus."""
        self._task = asyncio.create_task(self._stay())

    async def stop(self) -> None:
        """See MemoryBus."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def publish(self, account_ids: Iterable[int]) -> None:
        """See MemoryBus."""
        told = set(account_ids)
        super().publish(told)
        if self._joined:
            self._hints.update(each for each in told if each > 0)
            self._news.set()

    @contextmanager
    def attached(self, account_id: int, bell: Bell) -> Iterator[None]:
        """See MemoryBus."""
        with super().attached(account_id, bell):
            self._count(account_id)
            yield
        self._count(account_id)

    def waiting(self, account_id: int) -> int:
        """How many wait for an account, on every node; those of which there are few elsewhere are not counted."""
        now_s = monotonic()
        elsewhere = self._elsewhere.get(account_id, {}).values()
        return super().waiting(account_id) + sum(count for count, until_s in elsewhere if until_s > now_s)

    @property
    def parts(self) -> dict[str, bool]:
        """See MemoryBus."""
        return {"bus": self._joined}

    def _count(self, account_id: int) -> None:
        if account_id > 0 and (super().waiting(account_id) >= CROWD or account_id in self._crowds):
            self._crowds.add(account_id)
            self._retold_s = 0.0
            self._news.set()

    async def _stay(self) -> None:
        """Joins the wire, and again whenever it is lost."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                line = await self._wire.join(self._hear)
            except Exception:  # noqa: BLE001 - whatever it was, it is tried again
                self._note_away()
                await asyncio.sleep(pause_s)
                pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)
                continue
            try:
                await _first_of(line.gone(), self._speak(line), self._prove())
            finally:
                pause_s = _FIRST_PAUSE_S if self._joined else min(_LONGEST_PAUSE_S, pause_s * 2)
                self._joined = False
                await line.close()
            self._note_away()
            await asyncio.sleep(pause_s)

    async def _prove(self) -> None:
        """Says a word now and then, and listens for it: returns when a line takes words and passes none on."""
        while True:
            self._echo.clear()
            self._must_prove = True
            self._news.set()
            try:
                async with asyncio.timeout(CHECK_WITHIN_S):
                    await self._echo.wait()
            except TimeoutError:
                return
            if not self._joined:
                self._note_joined()
            await asyncio.sleep(PROVE_EVERY_S)

    def _note_joined(self) -> None:
        self._joined = True
        if self._told_away:
            self._told_away = False
            self._log.event("bus-back")
        super().publish([MISSED])

    def _note_away(self) -> None:
        self._hints.clear()
        if not self._told_away:
            self._told_away = True
            self._log.event("bus-away")

    async def _speak(self, line: Line) -> None:
        """Returns when the line is lost."""
        while True:
            await self._something_to_say()
            crowds, hints = self._crowds_to_tell(), list(self._hints)
            self._hints.clear()
            words = [Word(self._node)] if self._must_prove else []
            self._must_prove = False
            words += [Word(self._node, [], crowds[at : at + _MOST]) for at in range(0, len(crowds), _MOST)]
            words += [Word(self._node, hints[at : at + _MOST]) for at in range(0, len(hints), _MOST)]
            try:
                for word in words:
                    await line.say(msgspec.json.encode(word))
            except Lost:
                return
            await asyncio.sleep(TOGETHER_S)

    async def _something_to_say(self) -> None:
        """Waits for news, or until crowds have to be told again: others forget them."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_RETELL_S if self._crowds else None):
                await self._news.wait()
        self._news.clear()

    def _crowds_to_tell(self) -> list[tuple[int, int]]:
        """The crowds of this node, those that are none any more for the last time; nothing when they were told a moment ago."""
        now_s = monotonic()
        if now_s - self._retold_s < _RETELL_S:
            return []
        self._retold_s = now_s
        counts = {account_id: super(SharedBus, self).waiting(account_id) for account_id in self._crowds}
        self._crowds = {account_id for account_id, count in counts.items() if count >= CROWD}
        return [(account_id, count if count >= CROWD else 0) for account_id, count in counts.items()]

    def _hear(self, said: bytes) -> None:
        try:
            word = msgspec.json.decode(said, type=Word)
        except msgspec.DecodeError:
            return
        if word.node == self._node:
            self._echo.set()
            return
        until_s = monotonic() + _BELIEVED_S
        for account_id, count in word.crowds:
            self._elsewhere[account_id][word.node] = (count, until_s)
        if word.crowds:
            self._forget(monotonic())
        super().publish(word.hints)

    def _forget(self, now_s: float) -> None:
        """Forgets crowds that are over, and those of nodes that are no more."""
        for account_id, by_node in list(self._elsewhere.items()):
            kept = {node: told for node, told in by_node.items() if told[0] and told[1] > now_s}
            if kept:
                self._elsewhere[account_id] = kept
            else:
                del self._elsewhere[account_id]


async def _is_set(event: asyncio.Event) -> None:
    await event.wait()


async def _first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Returns when one of them does; the others are broken off."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
