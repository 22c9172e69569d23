"""Two databases become the same by comparing, whatever was in the one that is written; and what is not the same is named."""

import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from restante.server.moving import target
from restante.server.moving.queries import SHAPES, Sum, in_sqlite
from restante.server.moving.rows import Rows
from tests import databases
from tests.api.household import Household, TurnedClock, parcel_for

pytestmark = [pytest.mark.sqlite, pytest.mark.long]
SWAPS = (
    "UPDATE accounts SET name = 'x' WHERE name = 'ann'",
    "UPDATE accounts SET name = 'ann' WHERE name = 'bob'",
    "UPDATE accounts SET name = 'bob' WHERE name = 'x'",
)
"""Afterwards each has what the other had, and both are named once only at every moment."""
SPOILS = {
    "messages": "UPDATE messages SET details = '\\x00' WHERE id = (SELECT min(id) FROM messages)",
    "envelopes": "DELETE FROM envelopes WHERE change = (SELECT max(change) FROM envelopes)",
    "meta": "INSERT INTO meta VALUES ('stranger', '\\x01')",
    "uploads": "UPDATE uploads SET length = length + 1",
    "accounts": "UPDATE accounts SET created_at = created_at + 1",
}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    home = Household(tmp_path / "data", TurnedClock())
    people = [home.account(name) for name in ("ann", "bob", "eve")]
    for number in range(60):
        upload = home.upload(people[number % 3], os.urandom(100)) if number % 5 == 0 else None
        home.send(people[number % 3], parcel_for(["ann", "bob"], upload=upload))
    home.close()
    with closing(sqlite3.connect(tmp_path / "data" / "restante.sqlite3", isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys=ON")
        yield connection


@pytest.fixture
def rows(here: sqlite3.Connection) -> Iterator[Rows]:
    url = databases.cluster().empty(f"r_{os.urandom(6).hex()}", "ENCODING 'UTF8' LOCALE 'C'")
    target.lay(url, move_id="m")
    with target.opened(url) as there:
        yield Rows(here, there, None, frozenset())


def carry_over(rows: Rows) -> int:
    found = rows.carry_over(lambda *_: None, each_by_itself=True)
    assert rows.unlike(found.sums) == []
    return found.changed


@pytest.mark.parametrize("seed", range(4))
def test_whatever_differs_is_made_the_same(here: sqlite3.Connection, rows: Rows, seed: int):
    assert carry_over(rows) > 300
    assert carry_over(rows) == 0
    chosen = random.Random(seed)
    for name in ("messages", "envelopes", "events", "accounts", "uploads"):
        for statement in ("DELETE FROM {} WHERE {}", "UPDATE {} SET created_at = 7 WHERE {}"):
            some = f"{'account_id' if name != 'accounts' else 'id'} = {chosen.randint(1, 4)}"
            wanted = statement.format(name, some).replace(
                "created_at", "received_at" if name in {"messages", "envelopes"} else "created_at"
            )
            if chosen.random() < 0.5:
                rows.there.execute(wanted.encode())
            elif name != "accounts":
                here.execute(wanted)
    for statement in SWAPS:
        here.execute(statement)
    carry_over(rows)
    assert carry_over(rows) == 0


@pytest.mark.parametrize("table", SPOILS)
def test_a_row_that_is_not_the_same_is_noticed(rows: Rows, table: str):
    sums = rows.carry_over(lambda *_: None, each_by_itself=True).sums
    rows.there.execute(SPOILS[table].encode())
    assert rows.unlike(sums) == [table]


def test_numbers_go_on_from_where_they_are(here: sqlite3.Connection, rows: Rows):
    carry_over(rows)
    here.execute("UPDATE sqlite_sequence SET seq = 5000 WHERE name = 'accounts'")
    assert rows.carry_over_counters() == []
    made = rows.there.execute(
        "INSERT INTO accounts (name, created_at) VALUES ('new', 1) RETURNING id"
    ).fetchone()
    assert made == (5001,)


def test_the_same_rows_have_the_same_sum_and_others_another(here: sqlite3.Connection):
    shape = next(shape for shape in SHAPES if shape.name == "messages")
    rows = list(in_sqlite(here, shape))
    whole = Sum().add_all(rows)
    assert (whole.rows, whole.sha256) == (60, Sum().add_all(iter(rows)).sha256)
    assert Sum().add_all(rows[:-1]).sha256 != whole.sha256
