"""Hints between the parts of one process: somebody should look again. Nothing is lost when a hint is."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

OUTBOX = 0
"""Stands for the outbox among the accounts, none of which has this id: there is work that follows a commit."""
MISSED = -1
"""Stands for everybody: hints of other nodes may have been missed."""


class Bell(Protocol):
    """What is rung; several rings before anybody looks are one."""

    def set(self) -> None: ...


class MemoryBus:
    """Wakes whoever waits for an account, or for the outbox."""

    def __init__(self) -> None:
        self._waiting: dict[int, set[Bell]] = defaultdict(set)
        self._closed = False

    async def start(self) -> None:
        """Reaches for other nodes, where there are some."""

    async def stop(self) -> None:
        """Lets go of them."""

    def publish(self, account_ids: Iterable[int]) -> None:
        """Tells that something happened to these accounts; call it after the commit."""
        for account_id in account_ids:
            for bell in self._waiting.get(account_id, ()):
                bell.set()

    @contextmanager
    def subscribe(self, account_id: int) -> Iterator[asyncio.Event]:
        """Gives an event that is set at each hint; clear it before looking."""
        event = asyncio.Event()
        with self.attached(account_id, event):
            yield event

    @contextmanager
    def attached(self, account_id: int, bell: Bell) -> Iterator[None]:
        """Rings the bell at each hint."""
        if self._closed:
            bell.set()
        self._waiting[account_id].add(bell)
        try:
            yield
        finally:
            self._waiting[account_id].discard(bell)
            if not self._waiting[account_id]:
                del self._waiting[account_id]

    def waiting(self, account_id: int) -> int:
        """How many wait for an account."""
        return len(self._waiting.get(account_id, ()))

    @property
    def parts(self) -> dict[str, bool]:
        """What of it is well, for `/readyz`; nothing where hints stay in the process."""
        return {}

    @property
    def closed(self) -> bool:
        """Whether the process is stopping: live channels end."""
        return self._closed

    def close(self) -> None:
        """Wakes everyone for the last time."""
        self._closed = True
        for bells in list(self._waiting.values()):
            for bell in bells:
                bell.set()
