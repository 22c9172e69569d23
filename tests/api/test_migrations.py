"""The schema that the migrations make is the schema that the code speaks, and an unknown one is left alone."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from restante.server.db import migrate
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


def test_a_newer_database_is_refused_untouched(tmp_path):
    engine = sqlite_engine(tmp_path / "db")
    migrate.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(migrate.NewerDatabase, match="9999"):
        migrate.upgrade(engine)
    engine.dispose()
