"""PostgreSQL as the database: several writers, each with group commit, and the same queries as on SQLite.

[Note: As if there were one writer] Every query of this server was written for one writer, who reads, decides and writes with
nobody in between. On PostgreSQL that is what SERIALIZABLE promises: what was committed together could have been committed one after
the other. Two transactions that were in each other's way (the same quota, the last open of a link, the end of the log)
cannot both commit; one is run again from the start, from the second time on in turn with others in that state and with those who
begin meanwhile in this process. So a piece of work may run several times: it changes nothing but the database.

What serialisability does not promise is that numbers grow in the order of the commits: see ``turns``.
"""

import functools
import random
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from restante.server.db.engine import Database, Job, Outcome, UnreachableDatabase
from restante.server.db.promises import check, check_sessions
from restante.server.errors import RetryLater
from restante.server.failpoints import failpoint

WRITERS = 4
READERS = 4
ATTEMPTS = 10
ATTEMPTS_WHEN_LOST = 3
STANDS_STILL_S = 10
"""How long a process may stand still amid a transaction, before the database ends it so that others get what it holds."""
WAITS_S = 15
"""For what another session holds: longer than one that stands still can hold it."""

_FOUND_GONE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""For libpq: whoever waits for a machine that vanished without a word finds out within half a minute."""
_SERIALIZABLE, _REPEATABLE_READ = 4, 3  # psycopg.IsolationLevel
_INT8 = 20  # pg_type
_IN_THE_WAY = frozenset({"40001", "40P01", "23503", "23505"})
"""Serialisation failure, deadlock; and a row that came or went between looking and writing, which a second look sees."""
_STOOD_STILL = "25P03"
"""The session was ended before anybody said commit, so nothing of it was kept."""
_FULL = "53100"
_PASSING = ("08", "53", "55", "57", "25006")
"""Connection, resources, locks, shutdown, a standby that took over: the client is to come back."""
_NEXT = text("LOCK TABLE meta IN SHARE UPDATE EXCLUSIVE MODE")
"""Before the first SELECT, so that what is seen afterwards is newer than the lock; it is in nobody else's way."""
_ALONE_KEY = 0x72657374


def postgres_engines(url: str, *, writers: int = WRITERS, readers: int = READERS) -> tuple[Engine, Engine]:
    """Makes the engine that writes and the one that reads. Raises UnsafeDatabase, UnreachableDatabase."""
    address = make_url(url).set(drivername="postgresql+psycopg")
    found = (
        _engine(address, size=writers + 1, isolation=_SERIALIZABLE),
        _engine(address, size=readers, isolation=_REPEATABLE_READ, read_only=True),
    )
    try:
        with found[0].connect() as connection:
            check(connection)
        check_sessions(found[0])
    except BaseException as error:
        found[0].dispose()
        if not isinstance(error, OperationalError):
            raise
        said = str(error.orig).strip().splitlines()[0]
        raise UnreachableDatabase(
            f"PostgreSQL at {_place(address)} does not let the server in: {said}"
        ) from error
    return found


def _place(address: URL) -> str:
    return f"{address.host or 'the local socket'}:{address.port or 5432}/{address.database}"


def _engine(address: URL, *, size: int, isolation: int, read_only: bool = False) -> Engine:
    engine = create_engine(
        address,
        pool_size=size,
        pool_recycle=3600,
        connect_args={"application_name": "restante", "connect_timeout": 5, **_FOUND_GONE},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        _bound(connection)
        connection.isolation_level = isolation
        connection.read_only = read_only
        # Sums of whole numbers are whole numbers, as on SQLite; nothing else here is numeric.
        connection.adapters.register_loader("numeric", connection.adapters.get_loader(_INT8, 0))
        connection.adapters.register_dumper(str, _text())

    return engine


def _bound(connection: Any) -> None:
    """Sets how long its session may wait for what others hold, and may hold it."""
    connection.autocommit = True
    connection.execute(
        f"SELECT set_config('lock_timeout', '{WAITS_S}s', false),"
        f" set_config('idle_in_transaction_session_timeout', '{STANDS_STILL_S}s', false)"
    )
    connection.autocommit = False


@functools.cache
def _text() -> type[Any]:
    """How text goes to PostgreSQL, which refuses U+0000 even where one only looks for it, as somebody may in an address.

    It goes as a character that no id and no name has either, so that nothing is found. Bodies with it are refused before.
    """
    usual = import_module("psycopg.types.string").StrDumperUnknown  # of an extra

    def dump(self: Any, text: str) -> Any:
        return usual.dump(self, text.replace("\0", "\ufdd0"))

    return type("Text", (usual,), {"dump": dump})


@contextmanager
def alone(engine: Engine) -> Iterator[None]:
    """Keeps other nodes from doing the same meanwhile, as at a first start; on SQLite there are none."""
    if engine.dialect.name != "postgresql":
        yield
        return
    apart = create_engine(engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with apart.connect() as connection:  # the lock goes with the connection
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ALONE_KEY})
        yield


class PostgresDatabase(Database):
    """Runs queries in threads with a connection each. What was in another's way runs again; see the note above."""

    def __init__(
        self, writer: Engine, reader: Engine, *, writers: int = WRITERS, readers: int = READERS
    ) -> None:
        super().__init__(writer, (reader,) * readers, writers=writers)
        self.node = secrets.token_hex(8)
        self._beginning_again: set[int] = set()
        """Writers that were in another's way. As long as there are any, those who begin take turns with them."""

    def _run_batch(self, connection: Connection, batch: list[Job]) -> list[Outcome]:
        try:
            return self._run_until_kept(connection, batch)
        finally:
            self._beginning_again.discard(threading.get_ident())

    def _run_until_kept(self, connection: Connection, batch: list[Job]) -> list[Outcome]:
        attempt = 0
        while batch:
            try:
                return _attempt(connection, batch, in_turn=bool(self._beginning_again))
            except Exception as error:  # noqa: BLE001 - handed to those who asked
                attempt += 1
                again = _may_begin_again(error, attempt)
                # Whichever of them it is, the others get on without it; but a commit of unknown end is never repeated.
                if len(batch) > 1 and not isinstance(error, RetryLater) and (attempt > 1 or not again):
                    return [outcome for job in batch for outcome in self._run_until_kept(connection, [job])]
                if not again:
                    translated = translate(error)
                    return [(job, None, translated) for job in batch]
                self._beginning_again.add(threading.get_ident())
            time.sleep(random.uniform(0.5, 1) * min(0.5, 0.005 * 2**attempt))  # noqa: S311 - apart, not secret
        return []

    def _run_read(self, connection: Connection, job: Job) -> Outcome:
        attempt = 0
        while True:
            try:
                with connection.begin():
                    return job, job.work(connection), None
            except Exception as error:  # noqa: BLE001 - handed to the one who asked
                attempt += 1
                if not _may_begin_again(error, attempt):
                    return job, None, translate(error)

    def _assert_safe(self, connection: Connection) -> None:
        check(connection)


def _attempt(connection: Connection, batch: list[Job], *, in_turn: bool) -> list[Outcome]:
    committing = False
    try:
        with connection.begin():
            if in_turn:
                connection.execute(_NEXT)
            if len(batch) == 1:  # its transaction is its own and needs no savepoint
                outcomes: list[Outcome] = [(batch[0], batch[0].work(connection), None)]
            else:
                outcomes = [_run_one(connection, job) for job in batch]
            failpoint("db-before-commit")
            committing = True
    except DBAPIError as error:
        # Kept or not: nobody knows, and whoever asked asks again with the same key.
        if committing and _is_lost(error) and _state(error) != _STOOD_STILL:
            raise RetryLater("busy", seconds=2) from error
        raise
    failpoint("db-after-commit")
    return outcomes


def _run_one(connection: Connection, job: Job) -> Outcome:
    connection.exec_driver_sql("SAVEPOINT job")
    try:
        result = job.work(connection)
    except Exception as error:
        if _may_begin_again(error, 0):
            raise
        connection.exec_driver_sql("ROLLBACK TO job")
        connection.exec_driver_sql("RELEASE job")
        return job, None, translate(error)
    connection.exec_driver_sql("RELEASE job")
    return job, result, None


def _may_begin_again(error: Exception, attempt: int) -> bool:
    if _is_lost(error):
        return attempt < ATTEMPTS_WHEN_LOST
    return _state(error) in _IN_THE_WAY and attempt < ATTEMPTS


def _is_lost(error: Exception) -> bool:
    """Tells whether the connection is gone, or there was none to be had."""
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or (isinstance(error, OperationalError) and not _state(error))


def _state(error: Exception) -> str:
    """The SQLSTATE, or nothing."""
    return getattr(getattr(error, "orig", error), "sqlstate", None) or ""


def translate(error: Exception) -> Exception:
    """Tells a database that is busy, away or full from one that is wrong."""
    state = _state(error)
    translated: Exception = error
    if state == _FULL:
        translated = RetryLater("storage-full", seconds=60)
    elif _is_lost(error) or state in _IN_THE_WAY - {"23503", "23505"} or state.startswith(_PASSING):
        translated = RetryLater("busy", seconds=2)
    translated.__cause__ = error if translated is not error else error.__cause__
    return translated
