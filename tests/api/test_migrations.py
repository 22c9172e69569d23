"""The schema that the migrations make is the schema that the code speaks, and an unknown one is left alone."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, delete, text

from restante.server.db import meta, migrate, tables
from restante.server.db.engine import sqlite_engine
from restante.server.db.tables import metadata


def test_migrations_make_the_schema_of_the_tables(tmp_path):
    engine = sqlite_engine(tmp_path / "db")
    migrate.upgrade(engine)
    with engine.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_head_is_the_newest_script():
    config = Config()
    config.set_main_option("script_location", str(migrate.Path(migrate.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == migrate.HEAD


def test_upgrading_twice_changes_nothing(tmp_path):
    engine = sqlite_engine(tmp_path / "db")
    migrate.upgrade(engine)
    migrate.upgrade(engine)
    engine.dispose()


def newer(folder: Path, *, serves_from: str | None) -> Engine:
    """A database that a later release has been at: one more column, and word of who may go on."""
    engine = sqlite_engine(folder / "db")
    migrate.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE accounts ADD COLUMN mood TEXT"))
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(delete(tables.meta).where(tables.meta.c.key == migrate.SERVES_FROM_KEY))
        if serves_from is not None:
            meta.put(connection, migrate.SERVES_FROM_KEY, serves_from.encode())
    return engine


def revision(engine: Engine) -> str | None:
    with engine.begin() as connection:
        return MigrationContext.configure(connection).get_current_revision()


@pytest.mark.parametrize("serves_from", ["9999", None])
def test_a_newer_database_is_refused_untouched(tmp_path, serves_from):
    engine = newer(tmp_path, serves_from=serves_from)
    with pytest.raises(migrate.NewerDatabase, match="9999"):
        migrate.upgrade(engine)
    assert revision(engine) == "9999"
    engine.dispose()


def test_a_newer_database_that_only_grew_is_served_on_untouched(tmp_path):
    engine = newer(tmp_path, serves_from=migrate.HEAD)
    migrate.upgrade(engine)
    assert revision(engine) == "9999"
    engine.dispose()


def test_a_database_says_which_releases_may_go_on(tmp_path):
    engine = sqlite_engine(tmp_path / "db")
    migrate.upgrade(engine)
    with engine.begin() as connection:
        said = meta.get(connection, migrate.SERVES_FROM_KEY)
    assert said is not None
    assert said.decode() >= migrate.SERVES_FROM
    engine.dispose()
