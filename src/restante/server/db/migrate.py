"""Brings a database to this release's schema; forward only, and leaves one alone that is newer.

[Note: Two releases at once] While nodes are upgraded one after the other, and after one was set back, a release meets the schema of the
next one. So a migration only adds: tables, columns that may be empty or have a default, indexes. What takes something away, or asks
more of rows than before, says in ``contracts`` the revision from which on nobody uses it any more, which must have been released before.
The newest of these stands in the database; releases that are at least as new serve on it, others refuse to start.

[Note: One at a time] Nodes that start together would all begin the same migration. On PostgreSQL one does it, and the others wait for it however long
it takes. A migration that moves rows locks their tables first, and reads what was committed while it waited for them: so it does not
run serializable. Where it and somebody else wait for each other, it begins again.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import OperationalError

from restante.server.db import meta

HEAD = "0018"
"""The newest revision; tests/api/test_migrations.py holds it against the scripts."""
SERVES_FROM = "0016"
"""The oldest revision whose release can serve on a newer schema, unless a later migration contracts."""
SERVES_FROM_KEY = "serves_from"
LOCK_TIMEOUT = "5s"
"""Of a migration that waits for somebody with a long transaction: whoever comes after it waits, too."""
LOCK_NOT_AVAILABLE, DEADLOCK = "55P03", "40P01"
"""SQLSTATE of PostgreSQL."""
CHANCES = 5
_ALONE = select(func.pg_advisory_xact_lock(0x6D696772))


class NewerDatabase(RuntimeError):
    """The database was written by a newer release, and this one must not touch it."""


class TablesInUse(RuntimeError):
    """Somebody else's long transaction keeps a migration from the tables."""


def upgrade(engine: Engine, to: str = HEAD) -> None:
    """Runs the missing migrations in one transaction; a second run does nothing. Raises NewerDatabase, TablesInUse.

    ``to`` is an older revision in tests of migrations.
    """
    for chance in reversed(range(CHANCES)):
        try:
            _upgrade(engine, to)
        except OperationalError as error:
            if _state(error) != DEADLOCK or not chance:
                raise
        else:
            return


def _upgrade(engine: Engine, to: str) -> None:
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL READ COMMITTED"))
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(_ALONE)
        current = MigrationContext.configure(connection).get_current_revision()
        if current == to:
            return
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        scripts = {script.revision: script for script in ScriptDirectory.from_config(config).walk_revisions()}
        if current is not None and current not in scripts:
            _check_serves(connection, current)
            return
        config.attributes["connection"] = connection
        _run(connection, config, to)
        meta.put(connection, SERVES_FROM_KEY, _serves_from(scripts, to).encode())


def _run(connection: Connection, config: Config, to: str) -> None:
    on_postgresql = connection.dialect.name == "postgresql"
    if on_postgresql:
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    try:
        command.upgrade(config, to)
    except OperationalError as error:
        if _state(error) == LOCK_NOT_AVAILABLE:
            raise TablesInUse(
                "the database's tables cannot be brought up to date: a long transaction of somebody else holds them"
            ) from error
        raise


def _state(error: OperationalError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _serves_from(scripts: dict[str, Script], to: str) -> str:
    found = (getattr(script.module, "contracts", "") for name, script in scripts.items() if name <= to)
    return max(SERVES_FROM, *found)


def _check_serves(connection: Connection, current: str) -> None:
    """Lets this release serve on a newer schema that has all that it uses. Raises NewerDatabase."""
    oldest = (meta.get(connection, SERVES_FROM_KEY) or b"").decode()
    if not oldest or oldest > HEAD:
        raise NewerDatabase(
            f"the database is at revision {current}, which this release ({HEAD}) does not know and cannot serve on"
        )
