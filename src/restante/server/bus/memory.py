"""Hints between the parts of one process: somebody should look again. Nothing is lost when a hint is."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

OUTBOX = 0
"""Stands for the outbox among the accounts, none of which has this id: there is work that follows a commit."""


class MemoryBus:
    """Wakes whoever waits for an account, or for the outbox."""

    def __init__(self) -> None:
        self._waiting: dict[int, set[asyncio.Event]] = defaultdict(set)
        self._closed = False

    def publish(self, account_ids: Iterable[int]) -> None:
        """Tells that something happened to these accounts; call it after the commit."""
        for account_id in account_ids:
            for event in self._waiting.get(account_id, ()):
                event.set()

    @contextmanager
    def subscribe(self, account_id: int) -> Iterator[asyncio.Event]:
        """Gives an event that is set at each hint; clear it before looking."""
        event = asyncio.Event()
        if self._closed:
            event.set()
        self._waiting[account_id].add(event)
        try:
            yield event
        finally:
            self._waiting[account_id].discard(event)
            if not self._waiting[account_id]:
                del self._waiting[account_id]

    def waiting(self, account_id: int) -> int:
        """How many wait for an account."""
        return len(self._waiting.get(account_id, ()))

    @property
    def closed(self) -> bool:
        """Whether the process is stopping: live channels end."""
        return self._closed

    def close(self) -> None:
        """Wakes everyone for the last time."""
        self._closed = True
        for events in list(self._waiting.values()):
            for event in events:
                event.set()
