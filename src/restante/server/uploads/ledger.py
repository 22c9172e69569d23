"""The ledger of remote blobs in the database, for threads; see [Note: The ledger decides]."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, Engine

from restante.server.blobs.ledger import Part, Standing
from restante.server.blobs.remote import UnusableBlobs
from restante.server.blobs.store import BlobStat
from restante.server.clock import Clock
from restante.server.db.engine import Database
from restante.server.uploads import queries

T = TypeVar("T")

WITHIN_S = 15.0
"""A database that takes longer is away: whoever waits is told to come again."""


class BlobLedger:
    """Asks the database on its event loop and waits for the answer in the caller's thread."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Names the loop."""
        self._loop = loop

    def create(self, blob_id: str) -> bool:
        """Enters an empty blob."""
        return self._write(partial(queries.add_blob, blob_id=blob_id, now_ms=self._clock.now_ms()))

    def find(self, blob_id: str) -> Standing | None:
        """Where a blob stands."""
        return self._read(partial(queries.find_blob, blob_id=blob_id))

    def take(self, blob_id: str) -> Standing | None:
        """Raises its epoch."""
        return self._write(partial(queries.take_blob, blob_id=blob_id))

    def add(self, blob_id: str, epoch: int, part: Part) -> bool:
        """Enters a part by compare-and-set."""
        now_ms = self._clock.now_ms()
        return self._write(partial(queries.add_part, blob_id=blob_id, epoch=epoch, part=part, now_ms=now_ms))

    def replace(self, blob_id: str, epoch: int, whole: Part) -> bool:
        """Puts one part in the place of all by compare-and-set."""
        return self._write(partial(queries.replace_parts, blob_id=blob_id, epoch=epoch, whole=whole))

    def parts(self, blob_id: str) -> list[Part]:
        """Its parts in order."""
        return self._read(partial(queries.parts, blob_id=blob_id))

    def forget(self, blob_id: str) -> None:
        """Removes it."""
        self._write(partial(queries.forget_blob, blob_id=blob_id))

    def all(self) -> list[BlobStat]:
        """Every blob."""
        return self._read(queries.all_blobs)

    def known(self, names: Collection[str]) -> set[str]:
        """Which objects are parts, as the last commit left it."""
        return self._write(partial(queries.known_objects, names=names))

    def _write(self, work: Callable[[Connection], T]) -> T:
        return self._wait(self._database.write(work))

    def _read(self, work: Callable[[Connection], T]) -> T:
        return self._wait(self._database.read(work))

    def _wait(self, asked: Coroutine[None, None, T]) -> T:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result(WITHIN_S)


def parts_of(connection: Connection, blob_id: str) -> list[Part]:
    """Where a blob's bytes lie, for those who have a transaction and no loop."""
    return queries.parts(connection, blob_id)


def check_place(engine: Engine, *, remote: bool) -> None:
    """Checks that videos are where the settings say they are. Raises UnusableBlobs."""
    with engine.connect() as connection:
        if remote and queries.has_local(connection):
            raise UnusableBlobs("RESTANTE_BLOB_URL is set, but this installation's videos are local files")
        if not remote and queries.has_remote(connection):
            raise UnusableBlobs(
                "RESTANTE_BLOB_URL is not set, but this installation's videos are in a bucket"
            )
