"""The database: one writer thread with group commit, a few reader threads, the same sync queries on every engine.

PostgreSQL, with several writers, is in ``postgres``.

[Note: Group commit] The writer takes whatever waits, runs each piece of work in a savepoint of one transaction, commits
once, and only then answers all of them: one flush of the disk serves many requests, and no answer precedes it. A
piece of work that raises is rolled back to its savepoint and raises to its caller; the others are not touched.

[Note: Statements made once] Building a Core statement costs four times what running it costs. So queries make theirs once,
at import, with `bindparam`, and savepoints go to the driver as they are.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import StaticPool

from restante.server.errors import RetryLater
from restante.server.failpoints import failpoint
from restante.server.standstill import Standstill
from restante.server.timing import Timing

T = TypeVar("T")
Work = Callable[[Connection], Any]

GROUP = 64
"""Pieces of work in one transaction at most, so that the first never waits for long."""
BUSY_TIMEOUT_MS = 5_000


class UnsafeDatabase(RuntimeError):
    """The engine does not have the settings that make an acknowledgement true."""


class UnreachableDatabase(UnsafeDatabase):
    """Nobody answers, or the server is not let in."""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work, and who waits for it."""

    work: Work
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    alone: bool = False
    """Not within a transaction."""


Outcome = tuple[Job, Any, BaseException | None]
"""What came of it: a result, or what was raised."""


def sqlite_engine(
    path: Path | str,
    *,
    connect: Callable[[str], Any] | None = None,
    module: ModuleType | None = None,
    pragmas: tuple[str, ...] = ("journal_mode=WAL", "synchronous=FULL"),
    begin: str | None = "BEGIN IMMEDIATE",
) -> Engine:
    """Makes an engine on one SQLite file. ``connect`` and ``module`` put another driver below (crash tests do).

    With ``begin=None`` whoever uses a connection begins and ends its transactions by the driver.
    """

    def creator() -> Any:
        if connect is not None:
            return connect(str(path))
        return sqlite3.connect(
            path, check_same_thread=False, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000
        )

    engine = create_engine("sqlite://", creator=creator, module=module, poolclass=StaticPool)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        for pragma in (*pragmas, "foreign_keys=ON", "secure_delete=ON", "temp_store=MEMORY"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if begin is not None:
            connection.exec_driver_sql(begin)

    return engine


def sqlite_readers(path: Path, *, count: int = 2) -> tuple[Engine, ...]:
    """Makes engines that only read, one for each reader thread."""
    return tuple(sqlite_engine(path, pragmas=("query_only=ON",), begin=None) for _ in range(count))


class Database:
    """Runs queries off the event loop: ``write`` in the one writer thread, ``read`` in a reader thread.

    Without readers (``readers=()``) reading happens in the writer thread too. ``timing`` is told how long both take, the
    wait for their turn included. ``node`` names this process among those that share the database; empty: no other can.
    """

    node = ""

    def __init__(
        self,
        writer: Engine,
        readers: tuple[Engine, ...] = (),
        *,
        writers: int = 1,
        standstill: Standstill | None = None,
    ) -> None:
        self._writer = writer
        self._standstill = standstill
        self.timing = Timing()
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._writing = [
            threading.Thread(target=self._write_forever, name="db-writer", daemon=True)
            for _ in range(writers)
        ]
        self._readers = readers
        self._reads: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._reading = [
            threading.Thread(target=self._read_forever, args=(engine,), name="db-reader", daemon=True)
            for engine in readers
        ]

    def start(self) -> None:
        """Checks that the engine keeps its promises and starts the threads. Raises UnsafeDatabase."""
        with self._writer.connect() as connection:
            self._assert_safe(connection)
        for thread in (*self._writing, *self._reading):
            thread.start()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Runs the work in a transaction; returns only after the commit is on the disk."""
        with self.timing.of("db-write"):
            return await _ask(self._queue, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Runs the work on a snapshot; it must not write."""
        with self.timing.of("db-read"):
            return await _ask(self._reads if self._readers else self._queue, work)

    async def checkpoint(self) -> None:
        """Takes deleted rows out of the write-ahead log too, where SQLite keeps one. As far as readers let it."""
        loop = asyncio.get_running_loop()
        job = Job(_checkpoint, loop, loop.create_future(), alone=True)
        self._queue.put(job)
        await job.future

    def stop(self) -> None:
        """Finishes what waits, then closes; nothing may be asked afterwards."""
        for _ in self._writing:  # one each, whichever of them takes it
            self._queue.put(None)
        for _ in self._reading:
            self._reads.put(None)
        for thread in (*self._writing, *self._reading):
            if thread.is_alive():
                thread.join()
        for engine in (self._writer, *self._readers):
            engine.dispose()
        if self._standstill is not None:
            self._standstill.close()

    def _write_forever(self) -> None:
        with self._writer.connect() as connection:
            while (first := self._queue.get()) is not None:
                batch = [first]
                ended = False
                while len(batch) < GROUP and not ended:
                    try:
                        job = self._queue.get_nowait()
                    except queue.Empty:
                        break
                    if job is None:
                        ended = True
                    else:
                        batch.append(job)
                _answer(self._run_batch(connection, [job for job in batch if not job.alone]))
                _answer([_run_alone(connection, job) for job in batch if job.alone])
                if ended:
                    return

    def _read_forever(self, engine: Engine) -> None:
        with engine.connect() as connection:
            while (job := self._reads.get()) is not None:
                _answer([self._run_read(connection, job)])

    # What differs from engine to engine

    def _run_batch(self, connection: Connection, batch: list[Job]) -> list[Outcome]:
        """Runs pieces of work in one transaction and commits it."""
        return _run_batch(connection, batch, self._standstill)

    def _run_read(self, connection: Connection, job: Job) -> Outcome:
        """Runs a piece of work on one snapshot."""
        return _read(connection, job)

    def _assert_safe(self, connection: Connection) -> None:
        """Raises UnsafeDatabase."""
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        level = connection.exec_driver_sql("PRAGMA synchronous").scalar()
        if str(mode).lower() != "wal" or int(level or 0) < 2:
            raise UnsafeDatabase(
                f"journal_mode={mode}, synchronous={level}: acknowledged writes could be lost"
            )


async def _ask(jobs: "queue.SimpleQueue[Job | None]", work: Callable[[Connection], T]) -> T:
    loop = asyncio.get_running_loop()
    job = Job(work, loop, loop.create_future())
    jobs.put(job)
    result: T = await job.future
    return result


def _read(connection: Connection, job: Job) -> Outcome:
    """Runs the work on one snapshot; nothing was written when it ends."""
    driver = connection.connection.driver_connection
    assert driver is not None
    try:
        driver.execute("BEGIN")
        try:
            return job, job.work(connection), None
        finally:
            driver.execute("ROLLBACK")
    except Exception as error:  # noqa: BLE001 - handed to the one who asked
        return job, None, _translate(error)


def _run_batch(connection: Connection, batch: list[Job], standstill: Standstill | None) -> list[Outcome]:
    outcomes: list[Outcome] = []
    if not batch:
        return outcomes
    try:
        if standstill is not None:
            standstill.check()  # rather than wait for whoever holds the database
        with connection.begin():
            if standstill is not None:
                standstill.check()
            if len(batch) == 1:  # its transaction is its own and needs no savepoint
                outcomes = [(batch[0], batch[0].work(connection), None)]
            else:
                outcomes = [_run_one(connection, job) for job in batch]
            failpoint("db-before-commit")
        failpoint("db-after-commit")
    except Exception as error:  # noqa: BLE001 - whatever broke the commit is the answer to all of them
        translated = _translate(error)
        return [(job, None, raised or translated) for job, _, raised in outcomes] or [
            (job, None, translated) for job in batch
        ]
    return outcomes


def _run_alone(connection: Connection, job: Job) -> Outcome:
    try:
        return job, job.work(connection), None
    except Exception as error:  # noqa: BLE001 - handed to the one who asked
        return job, None, _translate(error)


def _checkpoint(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    if connection.dialect.name == "sqlite":
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _run_one(connection: Connection, job: Job) -> Outcome:
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("SAVEPOINT job")
    try:
        result = job.work(connection)
    except Exception as error:  # noqa: BLE001 - handed to the one who asked
        driver.execute("ROLLBACK TO job")
        driver.execute("RELEASE job")
        return job, None, _translate(error)
    driver.execute("RELEASE job")
    return job, result, None


def _translate(error: Exception) -> Exception:
    """Tells a database that is busy or full from one that is wrong."""
    if isinstance(error, OperationalError):
        text = str(error.orig).lower()
    elif isinstance(error, sqlite3.OperationalError):
        text = str(error).lower()
    else:
        return error
    translated: Exception = error
    if "full" in text:
        translated = RetryLater("storage-full", seconds=60)
    elif "locked" in text or "busy" in text or "disk i/o" in text:
        translated = RetryLater("busy", seconds=2)
    translated.__cause__ = error if translated is not error else None
    return translated


def _answer(outcomes: list[Outcome]) -> None:
    """Wakes each loop once for all its futures."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Outcome]] = {}
    for outcome in outcomes:
        by_loop.setdefault(outcome[0].loop, []).append(outcome)
    for loop, mine in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, mine)


def _resolve(outcomes: list[Outcome]) -> None:
    for job, value, error in outcomes:
        if job.future.done():
            continue
        if error is not None:
            job.future.set_exception(error)
        else:
            job.future.set_result(value)
