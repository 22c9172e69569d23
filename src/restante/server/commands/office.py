"""What the operator's commands share: the data folder, its database, and how they speak."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from restante.protocol import ijson
from restante.server.config import BadSettings, from_environment
from restante.server.db import arrival, migrate
from restante.server.db.engine import UnsafeDatabase, sqlite_engine
from restante.server.db.postgres import alone, postgres_engines
from restante.server.desk import record
from restante.server.errors import RetryLater
from restante.server.standstill import Elsewhere, Standstill, check_start
from restante.server.transparency import keyfile

T = TypeVar("T")


class Misused(ValueError):
    """What was asked cannot be done; the text says why, ``hint`` what to do."""

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.hint = hint


def data_folder(data: Path | None) -> Path:
    """The server's data folder: what was said, else what the settings say. Raises Misused."""
    try:
        return from_environment(data=data).data
    except BadSettings as error:
        raise Misused(str(error), "docs/reference/settings.md lists what can be set.") from error


def is_shared(folder: Path) -> bool:
    """Whether other nodes may have the same database."""
    return bool(from_environment(data=folder).database_url)


def in_database(folder: Path, work: Callable[[Connection], T]) -> T:
    """Runs one transaction on the database of a data folder, whether a server runs on it or not. Raises Misused."""
    engine = _engine(folder)
    try:
        with alone(engine):
            migrate.upgrade(engine)
        with engine.begin() as connection:
            arrival.check_arrived(connection)
            return work(connection)
    except arrival.NotArrived as error:
        raise Misused(
            str(error), "Run `restante move` again, or take it back: restante move --undo."
        ) from error
    except migrate.NewerDatabase as error:
        raise Misused(str(error), "Use the release that runs the server.") from error
    except migrate.TablesInUse as error:
        raise Misused(str(error), "Try again when it is over.") from error
    finally:
        engine.dispose()


def _engine(folder: Path) -> Engine:
    try:
        settings = from_environment(data=folder)
        url = settings.database_url
        check_start(folder, database=bool(url), blobs=bool(settings.blob_url))
        if url:
            return postgres_engines(url, writers=1, readers=1)[0]
    except BadSettings as error:
        raise Misused(str(error), "docs/reference/settings.md lists what can be set.") from error
    except UnsafeDatabase as error:
        raise Misused(str(error), "docs/guides/scale.md says what the database must be like.") from error
    except Elsewhere as error:
        raise Misused(str(error), "Set where they are, as for restante serve.") from error
    path = folder / "restante.sqlite3"
    if not path.exists():
        raise Misused(f"there is no server's data in {folder}", "Name its data folder with --data.")
    _check_not_moving(folder)
    return sqlite_engine(path)


def _check_not_moving(folder: Path) -> None:
    standing = Standstill(folder)
    try:
        standing.check()
    except RetryLater as error:
        raise Misused("the data are being moved to another place", "Try again in some minutes.") from error
    finally:
        standing.close()


def note(
    connection: Connection, folder: Path, act: str, subject: str, words: str = "", *, now_ms: int
) -> None:
    """Adds a line to the desk's record: of the terminal, where whoever is there has no account's name. Raises Misused."""
    record.note(connection, "", act, subject, words, key=record_key(folder), now_ms=now_ms)


def record_key(folder: Path) -> bytes:
    """The key of the desk's record. Raises Misused."""
    try:
        return record.key_of(keyfile.load(folder, from_environment(data=folder).log_key))
    except keyfile.BadKeyFile as error:
        raise Misused(str(error), "docs/guides/backup.md says how.") from error
    except OSError as error:
        raise Misused(
            f"{error.filename}: {error.strerror}", "Name the server's data folder with --data."
        ) from error


def print_json(told: object) -> None:
    """Writes data for machines."""
    sys.stdout.buffer.write(ijson.encode(told) + b"\n")
    sys.stdout.buffer.flush()


def plain(text: str) -> str:
    """Keeps what somebody wrote from steering the terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def day(at_ms: int | None) -> str:
    return "-" if at_ms is None else f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}"


def failed(error: Misused) -> int:
    """Says what is wrong and what to do; returns the exit code."""
    print(f"error: {error}\nhint: {error.hint}", file=sys.stderr)
    return 2
