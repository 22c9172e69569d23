"""Where the tests' servers keep their rows: a file of SQLite each, or, with `pytest --database postgresql`, a database each.

The real PostgreSQL of Debian, as an unprivileged user, on loopback, with nothing switched off; it ends with the tests.
"""

import atexit
import functools
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from restante.server import config
from restante.server.db import migrate
from restante.server.db.engine import sqlite_engine
from restante.server.db.postgres import postgres_engines

POSTGRESQL = "postgresql"
_BINARIES = Path("/usr/lib/postgresql")
_TEMPLATE = "template_of_this_release"
_ROOM = 2**30
_WATCH = 'cat; "$0" -D data -m immediate stop; rm -rf "$PWD"'
_KEPT = 30
"""Databases of tests that are over, before the oldest goes: each takes 8 MB."""

engine_name = "sqlite"
"""What `--database` said."""


def in_use() -> str:
    return engine_name


def url_for(folder: Path) -> str:
    """The database of a data folder: empty where that is a file in it."""
    return laid_for(folder) if engine_name == POSTGRESQL else ""


def laid_for(folder: Path) -> str:
    """The same whatever `--database` said: several nodes have nothing else."""
    name = _name_of(folder)
    cluster().lay(name)
    return cluster().url(name)


def _name_of(folder: Path) -> str:
    return "d_" + hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:24]


def environment_of(folder: Path) -> dict[str, str]:
    """What a server on this data folder is told besides."""
    url = url_for(folder)
    return {"RESTANTE_DATABASE_URL": url} if url else {}


@dataclass(frozen=True)
class Look:
    """Into a server's database behind its back; statements mark values with `?`, whatever the engine."""

    connection: Connection

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> CursorResult[Any]:
        if self.connection.dialect.name == POSTGRESQL:
            statement = statement.replace("?", "%s")
        return self.connection.exec_driver_sql(statement, values)


@contextmanager
def looking_into(folder: Path) -> Iterator[Look]:
    """The rows of the server on this data folder; what is changed is committed at the end."""
    if engine_name == POSTGRESQL:
        engine = create_engine(cluster().driven(_name_of(folder)), poolclass=NullPool)
    else:
        engine = sqlite_engine(folder / "restante.sqlite3")
    try:
        with engine.begin() as connection:
            yield Look(connection)
    finally:
        engine.dispose()


def copy(folder: Path, to: Path) -> None:
    """A data folder on which no server runs, with its rows."""
    shutil.copytree(folder, to)
    if engine_name == POSTGRESQL:
        cluster().lay(_name_of(to), like=_name_of(folder))


def rows_of(folder: Path) -> bytes:
    """All that stands in the database of a data folder, where that is no file in it."""
    if engine_name != POSTGRESQL:
        return b""
    with looking_into(folder) as database:
        names = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        cursor: Any = database.connection.connection.cursor()
        copied = (cursor.copy(f"COPY {name} TO STDOUT (FORMAT BINARY)") for name in names.scalars().all())
        return b"".join(_whole(copy) for copy in copied)


def _whole(copy: Any) -> bytes:
    with copy as pieces:
        return b"".join(bytes(piece) for piece in pieces)


def never_written(table: str) -> tuple[str, ...]:
    """What makes a table refuse whatever is to be written."""
    if engine_name == POSTGRESQL:
        body = "LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''sick''; END'"
        return (
            f"CREATE FUNCTION sick() RETURNS trigger {body}",
            f"CREATE TRIGGER sick BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION sick()",
        )
    return tuple(
        f"CREATE TRIGGER sick_{act} BEFORE {act} ON {table} BEGIN SELECT RAISE(ABORT, 'sick'); END"
        for act in ("INSERT", "UPDATE")
    )


def tell_commands() -> None:
    """Has the operator's commands that run in a test's own process find the database of their data folder, as an environment would."""
    convert = config._converted

    def converted(values: dict[str, Any]) -> config.Settings:
        folder = values.get("data")
        if isinstance(folder, str | Path) and _name_of(Path(folder)) in cluster().laid:
            values.setdefault("database_url", url_for(Path(folder)))
        return convert(values)

    config._converted = converted


def _in_memory() -> Path | None:
    """Where a cluster waits for no disk, when there is room for one."""
    memory = Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM
    return memory if roomy else None


@functools.cache
def cluster() -> "Cluster":
    """The one of this process; started when first asked for, and gone with it, also when it is killed."""
    made = Cluster.start()
    watcher = made.spawn("/bin/sh", "-c", _WATCH, str(newest() / "pg_ctl"), stdin=subprocess.PIPE)
    atexit.register(watcher.communicate)  # ends its input, as the end of this process does
    return made


def newest() -> Path:
    """Where the programs of the newest PostgreSQL are."""
    return max(_BINARIES.glob("*/bin"), key=lambda path: int(path.parent.name))


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL."""

    folder: Path
    port: int
    laid: list[str] = field(default_factory=list)

    @classmethod
    def start(cls, within: Path | None = None, *, standby: bool = False) -> "Cluster":
        """Makes an empty one in a new folder, in memory unless it is told where."""
        from tests.serving import free_port  # noqa: PLC0415 - which imports this

        folder = Path(tempfile.mkdtemp(prefix="pg-", dir=within or _in_memory()))
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
        made = cls(folder, free_port())
        made._run(
            "initdb",
            "-D",
            "data",
            "-U",
            "restante",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        )
        if standby:
            (folder / "data" / "standby.signal").touch()
        made.begin()
        return made

    def begin(self) -> None:
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
            " -c max_connections=200 -c deadlock_timeout=200ms -c autovacuum_naptime=10s"
        )
        self._run("pg_ctl", "-D", "data", "-l", "log", "-w", "-o", options, "start")

    def end(self, how: str = "fast") -> None:
        self._run("pg_ctl", "-D", "data", "-w", "-m", how, "stop")

    def stop(self) -> None:
        self.end("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, name: str) -> str:
        return f"postgresql://restante@127.0.0.1:{self.port}/{name}"

    def driven(self, name: str) -> str:
        return self.url(name).replace("postgresql:", "postgresql+psycopg:")

    def lay(self, name: str, *, like: str = _TEMPLATE) -> None:
        """Makes a database with the tables of this release, or with all that is in another one, unless it is there."""
        if not self.has(_TEMPLATE):
            self.execute(f"CREATE DATABASE {_TEMPLATE}")
            engines = postgres_engines(self.url(_TEMPLATE))
            migrate.upgrade(engines[0])
            for engine in engines:
                engine.dispose()
        if not self.has(name):
            self.execute(f"CREATE DATABASE {name} TEMPLATE {like} STRATEGY file_copy")
            self.laid.append(name)
            if len(self.laid) > _KEPT:
                self._forget(self.laid.pop(0))

    def empty(self, name: str, options: str = "") -> str:
        """Makes a database without tables; returns its address."""
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0 {options}")
        return self.url(name)

    @contextmanager
    def switched(self, setting: str, value: str) -> Iterator[None]:
        """Everybody who connects from now on has the setting; until the end."""
        usual = self._shown(setting)
        self.execute(f"ALTER SYSTEM SET {setting} = {value}")
        self._until_shown(setting, value)
        try:
            yield
        finally:
            self.execute(f"ALTER SYSTEM RESET {setting}")
            self._until_shown(setting, usual)

    def _until_shown(self, setting: str, value: str) -> None:
        self.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 20
        while self._shown(setting) != value:
            assert time.monotonic() < deadline, f"{setting} stayed as it was"
            time.sleep(0.01)

    def _shown(self, setting: str) -> Any:
        with self.engine().connect() as connection:
            return connection.execute(text(f"SHOW {setting}")).scalar_one()

    def execute(self, statement: str) -> None:
        engine = self.engine()
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def engine(self, name: str = "postgres") -> Engine:
        """A plain engine, with every statement committed at once and no connection kept."""
        return create_engine(self.driven(name), isolation_level="AUTOCOMMIT", poolclass=NullPool)

    def _forget(self, name: str) -> None:
        """Removes a database that no server uses any more."""
        try:
            self.execute(f"DROP DATABASE {name}")
        except DBAPIError:
            self.laid.append(name)

    def has(self, name: str) -> bool:
        engine = self.engine()
        with engine.connect() as connection:
            found = connection.execute(
                text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}
            )
            there = found.first() is not None
        engine.dispose()
        return there

    def spawn(
        self, program: str, *arguments: str, stdin: int = subprocess.DEVNULL
    ) -> "subprocess.Popen[str]":
        """Runs a program as the unprivileged user of this cluster, in its folder, and in a session of its own."""
        user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        return subprocess.Popen(
            [newest() / program, *arguments],  # a program with a path of its own keeps it
            cwd=self.folder,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if stdin == subprocess.DEVNULL else subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def _run(self, program: str, *arguments: str) -> None:
        process = self.spawn(program, *arguments)
        _, said = process.communicate(timeout=60)
        if process.returncode:
            log = self.folder / "log"
            raise RuntimeError(f"{program}: {said}\n{log.read_text() if log.exists() else ''}")
