"""Brings a database to this release's schema; forward only, and refuses one that is newer."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine


class NewerDatabase(RuntimeError):
    """The database was written by a newer release; this one must not touch it."""


HEAD = "0016"
"""The newest revision; tests/api/test_migrations.py holds it against the scripts."""


def upgrade(engine: Engine, to: str = HEAD) -> None:
    """Runs the missing migrations in one transaction; a second run does nothing. Raises NewerDatabase.

    ``to`` is an older revision in tests of migrations.
    """
    with engine.begin() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if current == to:
            return
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if current is not None and current not in known:
            raise NewerDatabase(f"the database is at revision {current}, which this release does not know")
        config.attributes["connection"] = connection
        command.upgrade(config, to)
