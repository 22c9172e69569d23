"""A release beside the next one, on PostgreSQL: what the schema of a later one asks of it, and of who brings it up to date."""

import threading
import time

import pytest
from sqlalchemy import Engine, text

from restante.server.db import meta, migrate
from restante.server.db.postgres import postgres_engines
from tests.api.parcels import send_video
from tests.api.people import make_account
from tests.databases import cluster
from tests.serving import ServerDied, serving

pytestmark = pytest.mark.timeout(180)


def laid(name: str, to: str) -> str:
    url = cluster().empty(name)
    writer, reader = postgres_engines(url)
    migrate.upgrade(writer, to)
    writer.dispose()
    reader.dispose()
    return url


def grown(name: str, *, serves_from: str) -> str:
    """A database that a later release has been at."""
    url = laid(name, migrate.HEAD)
    engine = cluster().engine(name)
    with engine.connect() as connection:
        for statement in (
            "ALTER TABLE messages ADD COLUMN mood text",
            "ALTER TABLE accounts ADD COLUMN mood text DEFAULT 'fine' NOT NULL",
            "CREATE TABLE moods (id bigint PRIMARY KEY)",
            "UPDATE alembic_version SET version_num = '9999'",
        ):
            connection.execute(text(statement))
        meta.put(connection, migrate.SERVES_FROM_KEY, serves_from.encode())
    engine.dispose()
    return url


def test_a_release_serves_on_the_schema_of_the_next_one(tmp_path):
    url = grown("grown", serves_from=migrate.HEAD)
    with serving(tmp_path / "data", RESTANTE_DATABASE_URL=url) as server:
        ann, bob = make_account(server.url), make_account(server.url)
        parcel = send_video(ann, bob, data=b"v" * 300_000)
        assert bob.client.get(f"/api/v1/messages/{parcel.id}/video").content == b"v" * 300_000


def test_a_schema_that_lost_something_this_release_uses_is_refused_in_one_sentence(tmp_path):
    url = grown("contracted", serves_from="9998")
    with pytest.raises(ServerDied) as died, serving(tmp_path / "data", RESTANTE_DATABASE_URL=url):
        pass
    assert f"error: the database is at revision 9999, which this release ({migrate.HEAD})" in str(died.value)
    assert "hint: Start the release that wrote it, or a newer one." in str(died.value)


def test_a_migration_waits_for_nobody_for_long(monkeypatch):
    """Everybody who wants the table after it would wait behind it: it gives up, and nodes that serve do not notice."""
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "300ms")
    url = laid("held", "0014")
    writer, reader = postgres_engines(url)
    with cluster().engine("held").connect() as dumping:
        dumping.execute(text("BEGIN"))
        dumping.execute(text("SELECT count(*) FROM subscriptions"))
        begun_s = time.monotonic()
        with pytest.raises(migrate.TablesInUse, match="a long transaction of somebody else"):
            migrate.upgrade(writer)
        assert time.monotonic() - begun_s < 5
        dumping.execute(text("ROLLBACK"))
    migrate.upgrade(writer)
    writer.dispose()
    reader.dispose()


def test_without_that_it_would_wait_as_long_as_the_other(monkeypatch):
    """The control."""
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "0")
    writer, reader = postgres_engines(laid("waiting", "0014"))
    thread = threading.Thread(target=migrate.upgrade, args=(writer,))
    with cluster().engine("waiting").connect() as dumping:
        dumping.execute(text("BEGIN"))
        dumping.execute(text("SELECT count(*) FROM subscriptions"))
        thread.start()
        thread.join(1.5)
        assert thread.is_alive()
        dumping.execute(text("ROLLBACK"))
    thread.join(30)
    assert not thread.is_alive()
    writer.dispose()
    reader.dispose()


def upgrading(writer: Engine) -> tuple[threading.Thread, list[BaseException]]:
    raised: list[BaseException] = []

    def run() -> None:
        try:
            migrate.upgrade(writer)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, raised


def test_nodes_that_start_together_upgrade_once():
    several = [
        postgres_engines(laid("together", "0014") if n == 0 else cluster().url("together")) for n in range(3)
    ]
    begun = [upgrading(writer) for writer, _ in several]
    for thread, raised in begun:
        thread.join(60)
        assert (thread.is_alive(), raised) == (False, [])
    for writer, reader in several:
        writer.dispose()
        reader.dispose()


def test_what_is_committed_while_a_migration_waits_is_migrated_too():
    writer, reader = postgres_engines(laid("meanwhile", "0017"))
    with cluster().engine("meanwhile").connect() as sending:
        sending.execute(text("INSERT INTO accounts (name, created_at) VALUES ('ann', 1), ('bob', 1)"))
        sending.execute(text("BEGIN"))
        sending.execute(
            text(
                "INSERT INTO messages (id, account_id, kind, video_bytes, details, details_sha256, claim_hmac, request_sha256, received_at)"
                " VALUES ('msg_a', 1, 'text', 0, '', '', '', '', 1)"
            )
        )
        thread, raised = upgrading(writer)
        thread.join(1.0)
        assert thread.is_alive(), "it waits for who is sending"
        sending.execute(
            text(
                "INSERT INTO envelopes (message_id, account_id, box, received_at, change) VALUES ('msg_a', 2, 'inbox', 1, 1)"
            )
        )
        sending.execute(text("COMMIT"))
        thread.join(30)
        assert (thread.is_alive(), raised) == (False, [])
        told = sending.execute(text("SELECT account_id, recipient_id FROM deliveries")).all()
        assert [tuple(row) for row in told] == [(1, 2)]
    writer.dispose()
    reader.dispose()
