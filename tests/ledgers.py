"""A real ledger on a real database for tests of remote blobs that need no whole server."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from restante.server.clock import SystemClock
from restante.server.uploads.ledger import BlobLedger
from tests.laying import database_in


@contextlib.contextmanager
def ledger_in(folder: Path) -> Iterator[BlobLedger]:
    """Gives a ledger whose event loop runs in a thread of its own."""
    database = database_in(folder)
    database.start()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    ledger = BlobLedger(database, SystemClock())
    ledger.attach(loop)
    try:
        yield ledger
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        database.stop()
        loop.close()
