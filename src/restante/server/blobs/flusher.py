"""Flushes many files in one window: whoever waits is served by the next round of one thread.

[Note: Grouped flush] A flush that began before a write says nothing about that write. So a file that is asked for while a
round runs waits for the next one; asked for twice before a round, it is flushed once.
"""

import asyncio
import threading
from collections import defaultdict

from restante.server.blobs.store import BlobFile

Waiter = tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]
Outcome = tuple[asyncio.Future[None], BaseException | None]


class Flusher:
    """One thread that makes bytes survive power loss."""

    def __init__(self) -> None:
        self._waiting: dict[BlobFile, list[Waiter]] = defaultdict(list)
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="flusher", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Serves who still waits, then ends; nothing may be asked afterwards."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    async def flush(self, file: BlobFile) -> None:
        """Returns when all that was written to the file before the call survives power loss. Raises OSError."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._changed:
            if self._ended:
                raise RuntimeError("the flusher has stopped")
            self._waiting[file].append((loop, future))
            self._changed.notify()
        await future

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._ended:
                    self._changed.wait()
                if not self._waiting:
                    return
                window, self._waiting = self._waiting, defaultdict(list)
            _serve(window)


def _serve(window: dict[BlobFile, list[Waiter]]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[Outcome]] = defaultdict(list)
    for file, waiters in window.items():
        error = _flush(file)
        for loop, future in waiters:
            by_loop[loop].append((future, error))
    for loop, outcomes in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, outcomes)


def _flush(file: BlobFile) -> BaseException | None:
    try:
        file.flush()
    except Exception as error:  # noqa: BLE001 - handed to those who wait for this file
        return error
    return None


def _settle(outcomes: list[Outcome]) -> None:
    for future, error in outcomes:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
