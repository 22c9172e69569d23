"""Where the rows of a large installation lie: SQLite's file in the data folder, or a database of a PostgreSQL that is kept between runs."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import text

from bench.scale.fill import fill
from bench.scale.fill_postgres import fill_postgres
from tests.api.people import now_ms
from tests.databases import Cluster
from tests.serving import Server, free_port

FILLING = {
    "fsync": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "maintenance_work_mem": "1GB",
    "autovacuum": "off",
}
"""While nothing is there that could be lost."""
SERVING = {"shared_buffers": "2GB", "max_wal_size": "4GB"}


class Ground(Protocol):
    """Is filled once, before its server starts."""

    @property
    def env(self) -> dict[str, str]:
        """What the server is told of it."""
        ...

    def data(self, folder: Path) -> Path:
        """Where the server's own files lie; the folder is gone after the run."""
        ...

    def fill(self, server: Server, messages: int) -> tuple[float, int]:
        """Returns how many seconds it took, and the bytes of the database."""
        ...


class Embedded:
    """SQLite."""

    env: dict[str, str] = {}  # noqa: RUF012 - never changed

    def data(self, folder: Path) -> Path:
        return folder / "data"

    def fill(self, server: Server, messages: int) -> tuple[float, int]:
        path = server.data / "restante.sqlite3"
        server.start()
        server.stop()
        begin = time.perf_counter()
        fill(path, messages, now_ms=now_ms())
        return time.perf_counter() - begin, path.stat().st_size


@dataclass
class OnPostgres:
    """A database of the cluster; one that a run before has filled is taken as it is."""

    cluster: Cluster
    name: str
    env: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.env = {"RESTANTE_DATABASE_URL": self.cluster.url(self.name)}

    def data(self, _: Path) -> Path:
        """With the database, whose keys it has."""
        return self.cluster.folder.parent / self.name

    def fill(self, _: Server | None, messages: int) -> tuple[float, int]:
        took = self._took()
        if took is None:
            begin = time.perf_counter()
            self._fill(messages)
            took = time.perf_counter() - begin
            self.cluster.execute(f"COMMENT ON DATABASE {self.name} IS '{took:.0f}'")
        return took, self._bytes()

    def _fill(self, messages: int) -> None:
        unfinished = f"{self.name}_unfinished"
        self.cluster.execute(f"DROP DATABASE IF EXISTS {unfinished}")
        self.cluster.lay(unfinished)
        with _restarted(self.cluster, FILLING):
            engine = self.cluster.engine(unfinished)
            fill_postgres(engine, messages, now_ms=now_ms())
            engine.dispose()
            self.cluster.execute("CHECKPOINT")
        os.sync()  # what was written without flushing
        self.cluster.execute(f"ALTER DATABASE {unfinished} RENAME TO {self.name}")

    def _took(self) -> float | None:
        """How long filling took, when that was done before."""
        if not self.cluster.has(self.name):
            return None
        return float(
            self._asked("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = :name")
            or 0
        )

    def _bytes(self) -> int:
        return int(self._asked("SELECT pg_database_size(:name)"))

    def _asked(self, question: str) -> Any:
        engine = self.cluster.engine()
        with engine.connect() as connection:
            return connection.execute(text(question), {"name": self.name}).scalar_one()


@contextmanager
def kept_cluster(folder: Path) -> Iterator[Cluster]:
    """Starts the PostgreSQL in the folder, and makes it at the first time; it stays there, for the next run."""
    folder.mkdir(parents=True, exist_ok=True)
    found = next(folder.glob("pg-*"), None)
    if found:
        cluster = Cluster(found, free_port())
        cluster.begin()
    else:
        cluster = Cluster.start(folder)
        _alter(cluster, SERVING)
        cluster.end()
        cluster.begin()
    try:
        yield cluster
    finally:
        cluster.end()


@contextmanager
def _restarted(cluster: Cluster, settings: dict[str, str]) -> Iterator[None]:
    _alter(cluster, settings)
    cluster.end()
    cluster.begin()
    try:
        yield
    finally:
        for name in settings:
            cluster.execute(f"ALTER SYSTEM RESET {name}")
        cluster.end()
        cluster.begin()


def _alter(cluster: Cluster, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        cluster.execute(f"ALTER SYSTEM SET {name} = '{value}'")
