"""What a server asks of PostgreSQL before it serves: each promise that is missing is one sentence, and nothing is touched."""

import itertools
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from restante.server.config import BadSettings, from_environment
from restante.server.db import migrate, postgres, promises
from restante.server.db.engine import UnsafeDatabase
from restante.server.db.postgres import postgres_engines
from restante.server.db.tables import metadata
from tests.databases import Cluster, cluster
from tests.nursery import nursery
from tests.serving import free_port

_numbers = itertools.count()


def name() -> str:
    return f"start_{next(_numbers)}"


def refused(url: str) -> str:
    """The one sentence that the server says instead of serving."""
    with pytest.raises(UnsafeDatabase) as caught:
        postgres_engines(url)
    said = str(caught.value)
    assert "\n" not in said
    return said


def accepted(url: str) -> None:
    """The control: it is let in when nothing is missing."""
    for engine in postgres_engines(url):
        engine.dispose()


def test_migrations_make_the_schema_of_the_tables():
    engine, reader = postgres_engines(cluster().empty(name()))
    migrate.upgrade(engine)
    migrate.upgrade(engine)
    with engine.begin() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    # A comment that was put better later is not changed in tables that are there.
    assert [each for each in found if isinstance(each, tuple) or each[0][0] != "modify_comment"] == []
    engine.dispose()
    reader.dispose()


@pytest.mark.parametrize(
    "options", ["ENCODING LATIN1 LOCALE 'C'", "LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C.UTF-8'"]
)
def test_an_encoding_or_an_order_of_another_kind(options):
    said = refused(cluster().empty(name(), options))
    assert "must be in UTF8 and sort by code point: createdb --template=template0" in said


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
def test_a_setting_that_loses_what_was_acknowledged(setting):
    url = cluster().empty(name())
    accepted(url)
    with cluster().switched(setting, "off"):
        assert f"{setting} is off: acknowledged messages could be lost" in refused(url)
    accepted(url)


def test_a_release_that_gets_no_mends_any_more(monkeypatch):
    monkeypatch.setattr(promises, "OLDEST", 99)
    assert "is too old, 99 or a newer one is needed" in refused(cluster().empty(name()))


def test_transactions_that_are_not_serializable(monkeypatch):
    monkeypatch.setattr(postgres, "_SERIALIZABLE", 2)
    assert "transactions are read committed and not serializable" in refused(cluster().empty(name()))


def test_rights_that_are_missing():
    laid, who = name(), f"guest_{next(_numbers)}"
    cluster().lay(laid)
    cluster().execute(f"CREATE ROLE {who} LOGIN")
    url = cluster().url(laid).replace("restante@", f"{who}@")
    assert f"{who} may not make tables in schema public: ALTER DATABASE {laid} OWNER TO {who}" in refused(url)
    cluster().execute(f"ALTER DATABASE {laid} OWNER TO {who}")
    assert f"the tables belong to restante and not to {who}" in refused(url)
    with cluster().engine(laid).connect() as connection:
        for table in (*metadata.tables, "alembic_version"):
            connection.exec_driver_sql(f"ALTER TABLE {table} OWNER TO {who}")
    accepted(url)


def test_a_place_where_nobody_answers():
    said = refused(f"postgresql://restante@127.0.0.1:{free_port()}/restante")
    assert "does not let the server in: " in said
    assert "refused" in said


def test_a_database_that_is_not_there_is_said_without_the_password():
    said = refused(cluster().url("nowhere").replace("restante@", "restante:hunter2@"))
    assert 'database "nowhere" does not exist' in said
    assert "hunter2" not in said


def test_an_address_of_something_else():
    with pytest.raises(BadSettings, match="RESTANTE_DATABASE_URL is no address such as postgresql://"):
        from_environment({"RESTANTE_DATABASE_URL": "mysql://h/d"})


def test_the_program_ends_with_the_sentence_and_the_way_out(tmp_path):
    url = cluster().empty(name(), "ENCODING LATIN1 LOCALE 'C'")
    told = {**os.environ, "RESTANTE_DATABASE_URL": url}
    words = ["serve", "--data", str(tmp_path / "data"), "--port", str(free_port())]
    ended = nursery().run(words, env=told)
    assert ended.returncode != 0
    lines = ended.stderr.splitlines()
    assert [line for line in lines if line.startswith("error: PostgreSQL: the database must be in UTF8")]
    assert [line for line in lines if line.startswith("hint: ")]
    assert "Traceback" not in ended.stderr


@pytest.mark.long
def test_somebody_who_takes_connections_and_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        assert "does not let the server in: " in refused(f"postgresql://restante@127.0.0.1:{port}/restante")


@pytest.mark.long
def test_a_standby():
    standby = Cluster.start(standby=True)
    try:
        assert "this is a standby, which takes no writes; name the primary" in refused(
            standby.url("postgres")
        )
    finally:
        standby.stop()


@contextmanager
def pgbouncer(folder: Path, mode: str) -> Iterator[int]:
    """A pooler before the cluster; gives its port."""
    port, ini = free_port(), folder / f"{mode}.ini"
    ini.write_text(
        f"[databases]\n* = host=127.0.0.1 port={cluster().port} user=restante\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\n"
    )
    shutil.copy(ini, cluster().folder)
    with cluster().spawn("/usr/sbin/pgbouncer", ini.name) as process:
        try:
            _answers(port)
            yield port
        finally:
            process.terminate()


def _answers(port: int) -> None:
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            subprocess.run(["sleep", "0.02"], check=True)
        else:
            return
    raise AssertionError("the pooler did not come up")


@pytest.mark.long
def test_a_pooler_that_does_not_keep_sessions(tmp_path):
    laid = name()
    cluster().lay(laid)
    for mode, fits in (("session", True), ("transaction", False), ("statement", False)):
        with pgbouncer(tmp_path, mode) as port:
            url = f"postgresql://restante@127.0.0.1:{port}/{laid}"
            if fits:
                accepted(url)
            else:
                assert "pool" in refused(url)
