"""Lays an empty database of this release where a house is furnished: the migrations run once for many houses."""

import functools
import tempfile
from pathlib import Path

from restante.server.db import migrate
from restante.server.db.engine import sqlite_engine
from tests import databases


def lay_schema(folder: Path) -> None:
    """Puts the tables into a data folder that has none; nothing else is in it, so that each house makes its own secrets."""
    path = folder / "restante.sqlite3"
    if databases.in_use() == "sqlite" and not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(_empty())


@functools.cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "restante.sqlite3"
        engine = sqlite_engine(path)
        migrate.upgrade(engine)
        engine.dispose()
        return path.read_bytes()
