"""Lays an empty database of this release where a house is furnished: the migrations run once for many houses."""

import functools
import tempfile
from pathlib import Path

from sqlalchemy import Engine

from restante.server.config import Settings
from restante.server.db import migrate
from restante.server.db.engine import Database, sqlite_engine
from restante.server.db.postgres import PostgresDatabase
from restante.server.storage import engines
from tests import databases


def lay_schema(folder: Path) -> None:
    """Puts the tables into a data folder that has none; nothing else is in it, so that each house makes its own secrets."""
    path = folder / "restante.sqlite3"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if databases.in_use() == "sqlite" and not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(_empty())


def engines_in(folder: Path) -> tuple[Engine, tuple[Engine, ...]]:
    """What writes to the database of a data folder without a server, and what reads: of the kind that the tests run on."""
    lay_schema(folder)
    return engines(Settings(data=folder, database_url=databases.url_for(folder)))


def database_in(folder: Path) -> Database:
    """The same with threads, not started yet."""
    writer, readers = engines_in(folder)
    if writer.dialect.name == databases.POSTGRESQL:
        return PostgresDatabase(writer, readers[0])
    return Database(writer, readers)


@functools.cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "restante.sqlite3"
        engine = sqlite_engine(path)
        migrate.upgrade(engine)
        engine.dispose()
        return path.read_bytes()
