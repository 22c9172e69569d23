"""What is kept with each account says the same as its source: after an upgrade, and beside a node of the release before, which knows nothing of it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from restante.protocol.ids import Prefix, new_id
from restante.protocol.wire import InboxItem, Mark, SentItem
from restante.server.backup.checking import NOTHING, check_data
from restante.server.db import migrate
from restante.server.db.agreement import DISAGREEMENTS
from restante.server.db.engine import sqlite_engine
from restante.server.db.postgres import postgres_engines
from restante.server.messages.listing import Page
from restante.server.sessions.actor import Actor
from tests import databases
from tests.api.household import Household, TurnedClock, parcel_for

BEFORE = "0017"
ENVELOPE = b"age-encryption.org/v1 sealed"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Household]:
    home = Household(tmp_path, TurnedClock())
    yield home
    home.close()


class Before:
    """Writes as the release before did: it names no column that is newer."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def run(self, statement: str, **values: Any) -> None:
        self.connection.execute(text(statement), values)

    def send(self, message_id: str, sender: int, *recipients: int, at: int, hidden: int = 0) -> None:
        self.run(
            "INSERT INTO messages (id, account_id, kind, video_bytes, details, details_sha256, claim_hmac, request_sha256,"
            " received_at, expires_at, may_forward)"
            " VALUES (:id, :sender, 'text', 0, :bytes, :bytes, :bytes, :bytes, :at, :ends, 1)",
            id=message_id,
            sender=sender,
            bytes=ENVELOPE,
            at=at,
            ends=at + 10**9,
        )
        boxes = [(one, "hidden" if one == hidden else "inbox") for one in recipients]
        for who, box in [*boxes, (sender, "sent")]:
            self.run(
                "INSERT INTO envelopes (message_id, account_id, box, envelope, received_at, change)"
                " VALUES (:id, :who, :box, :envelope, :at, 1)",
                id=message_id,
                who=who,
                box=box,
                envelope=ENVELOPE,
                at=at,
            )

    def mark(self, message_id: str, who: int, at: int) -> None:
        self.run(
            "UPDATE envelopes SET fetched_at = :at, played_at = :at, play_receipt = :receipt"
            " WHERE message_id = :id AND account_id = :who AND box = 'inbox'",
            id=message_id,
            who=who,
            at=at,
            receipt=b"signed",
        )


def received(home: Household, who: Actor) -> list[InboxItem]:
    return home.run(home.house.messages.inbox(who, Page())).items


def sent(home: Household, who: Actor) -> SentItem:
    return home.run(home.house.messages.sent(who, Page())).items[0]


def test_what_a_node_of_the_release_before_writes_is_seen_by_this_one(home: Household):
    ann, bob, eve = (home.account(name) for name in ("ann", "bob", "eve"))
    now_ms, id_ = home.clock.now_ms(), new_id(Prefix.MESSAGE)

    def as_before(work: Any) -> None:
        home.run(home.house.database.write(lambda connection: work(Before(connection))))

    as_before(
        lambda old: old.send(
            id_, ann.account_id, bob.account_id, eve.account_id, at=now_ms, hidden=eve.account_id
        )
    )
    (item,) = received(home, bob)
    assert (item.id, item.sender, item.expires_at, item.may_forward) == (id_, "ann", now_ms + 10**9, True)
    assert received(home, eve) == []
    assert [(one.recipient, one.played_at) for one in sent(home, ann).deliveries] == [
        ("bob", None),
        ("eve", None),
    ]

    as_before(lambda old: old.mark(id_, bob.account_id, now_ms + 7))
    assert [one.played_at for one in sent(home, ann).deliveries] == [now_ms + 7, None]

    ends = "UPDATE messages SET expires_at = :at WHERE id = :id"
    as_before(lambda old: old.run(ends, at=now_ms + 9, id=id_))
    assert received(home, bob)[0].expires_at == now_ms + 9

    as_before(lambda old: old.run("UPDATE messages SET quarantined_at = 5 WHERE id = :id", id=id_))
    assert received(home, bob) == []
    assert home.disagreements() == []


def test_a_key_that_a_node_of_the_release_before_kept_belongs_to_its_account(home: Household):
    ann = home.account("ann")
    session = home.session(ann)

    def work(connection: Connection) -> int:
        Before(connection).run(
            "INSERT INTO idempotency_keys (session_id, key, request_sha256, answer, created_at)"
            " VALUES (:session, 'k', :bytes, :bytes, 1)",
            session=session.id,
            bytes=b"x",
        )
        return connection.execute(text("SELECT account_id FROM idempotency_keys")).scalar_one()

    assert home.run(home.house.database.write(work)) == ann.account_id


def test_what_a_node_of_the_release_before_sweeps_is_noted_and_what_a_send_takes_back_is_not(home: Household):
    ann = home.account("ann")

    def work(connection: Connection) -> list[tuple[int, int]]:
        old = Before(connection)
        for created_at in (1, 2**50):
            old.run(
                "INSERT INTO events (account_id, kind, message_id, created_at) VALUES (:who, 'message', 'msg_a', :at)",
                who=ann.account_id,
                at=created_at,
            )
        old.run("DELETE FROM events")
        rows = connection.execute(text("SELECT account_id, forgotten_id FROM event_ends"))
        return [tuple(row) for row in rows]

    assert home.run(home.house.database.write(work)) == [(ann.account_id, 1)]


def wrong(connection: Connection) -> list[str]:
    return [said for said, ask in DISAGREEMENTS.items() if connection.execute(text(ask)).all()]


def engine_at(tmp_path: Path, revision: str) -> Engine:
    """An empty database of a release, of the kind that the tests run on."""
    if databases.in_use() == "sqlite":
        engine = sqlite_engine(tmp_path / "old.sqlite3")
    else:
        name = f"shards_{tmp_path.name.lower()}"[:60]
        engine, reader = postgres_engines(databases.cluster().empty(name))
        reader.dispose()
    migrate.upgrade(engine, revision)
    return engine


def test_an_upgrade_gives_every_copy_and_every_sender_what_is_theirs(tmp_path):
    engine = engine_at(tmp_path, BEFORE)
    with engine.begin() as connection:
        old = Before(connection)
        for number in (1, 2, 3):
            old.run("INSERT INTO accounts (name, created_at) VALUES (:name, 1)", name=f"old-{number}")
        old.send("msg_a", 1, 2, 3, at=1000, hidden=3)
        old.send("msg_b", 2, 1, at=2000)
        old.mark("msg_a", 2, 3000)
        old.run(
            "INSERT INTO events (account_id, kind, message_id, created_at) VALUES (2, 'message', 'msg_a', 1)"
        )
        old.run("DELETE FROM events")
        old.run(
            "INSERT INTO events (account_id, kind, message_id, created_at) VALUES (2, 'message', 'msg_a', 1)"
        )
    migrate.upgrade(engine)
    with engine.begin() as connection:
        assert wrong(connection) == []
        told = connection.execute(
            text("SELECT account_id, recipient_id, is_hidden, played_at FROM deliveries ORDER BY 1, 2")
        )
        assert [tuple(row) for row in told] == [(1, 2, 0, 3000), (1, 3, 1, None), (2, 1, 0, None)]
        ends = connection.execute(text("SELECT account_id, forgotten_id FROM event_ends ORDER BY 1"))
        assert [tuple(row) for row in ends] == [(1, 1), (2, 1), (3, 1)], "what was forgotten before counts"
    engine.dispose()


SPOILT = {
    "a copy says other than its message": "UPDATE envelopes SET expires_at = 5 WHERE box = 'inbox'",
    "a copy says other than its delivery": "UPDATE deliveries SET played_at = 5",
    "a delivery is of no copy": "DELETE FROM envelopes WHERE box = 'inbox'",
}


@pytest.mark.parametrize("said", SPOILT)
@pytest.mark.sqlite
def test_check_finds_what_does_not_say_the_same(tmp_path: Path, said: str):
    home = Household(tmp_path, TurnedClock())
    ann, bob = home.account("ann"), home.account("bob")
    parcel = parcel_for([bob.name])
    home.send(ann, parcel)
    home.run(home.house.messages.mark(bob, parcel.message.id, Mark("fetched")))
    home.close()
    with closing(sqlite3.connect(tmp_path / "restante.sqlite3")) as database:
        database.executescript("PRAGMA foreign_keys = OFF;" + SPOILT[said])
    found = [finding.detail for finding in check_data(tmp_path, read=NOTHING).findings]
    assert said in found
