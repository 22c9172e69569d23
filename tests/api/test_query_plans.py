"""No hot query reads a whole table: every statement of a day in a mailbox, and the plan that SQLite has for it."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from restante.server.outbox import events
from restante.server.sessions import presence
from tests.api.days import GROWS, day, overheard
from tests.api.inside import Inside, run

pytestmark = pytest.mark.sqlite

SMALL = {"meta"}
"""A dozen rows: names and secrets of the server."""
SWEPT = {"links", "sessions", "rate_buckets", "operator_links"}
"""What the sweep still reads from end to end, once a minute, while nobody waits. The list may only shrink."""
SCAN = re.compile(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?")
FRONT = re.compile(r"ORDER BY (\w+)\.id\s+LIMIT", re.IGNORECASE)
"""From the front of a table, and no further than the limit."""


def scanned(database: sqlite3.Connection, statement: str, parameters: Any = ()) -> set[str]:
    """The tables that a statement reads from end to end. An index of few rows only (``WHERE``) may be read."""
    partial = {
        name
        for name, sql in database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index'")
        if sql and " WHERE " in sql
    }
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    found = {match for line in plan if (match := SCAN.match(line))}
    tables = {match[1] for match in found if match[1] != "CONSTANT" and match[2] not in partial}
    front = FRONT.search(statement)
    return tables - ({front[1]} if front else set())


def guilty(folder: Path, asked: dict[str, Any]) -> dict[str, set[str]]:
    with closing(sqlite3.connect(folder / "restante.sqlite3")) as database:
        return {
            statement: tables
            for statement, parameters in asked.items()
            if re.match(r"SELECT|UPDATE|DELETE|WITH", statement) and "sqlite_master" not in statement
            if (tables := scanned(database, statement, parameters) - SMALL)
        }


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    """Folder, statements of the day, statements of a sweep."""
    folder = tmp_path_factory.mktemp("day")
    of_day: dict[str, Any] = {}
    of_sweep: dict[str, Any] = {}

    async def scenario(inside: Inside) -> None:
        with overheard() as said:
            await inside.house.jobs.sweeper.run()
        of_sweep.update(said)
        with overheard() as said:
            await day(inside)
        of_day.update({statement: said[statement] for statement in said if statement not in of_sweep})

    run(folder, scenario)
    return folder, of_day, of_sweep


def test_nothing_that_a_person_waits_for_reads_a_whole_table(
    heard: tuple[Path, dict[str, Any], dict[str, Any]],
):
    folder, of_day, _ = heard
    touched = {table for table in GROWS if any(re.search(rf"\b{table}\b", text) for text in of_day)}
    assert touched == GROWS, "the day does not visit all that grows"
    assert guilty(folder, of_day) == {}


def test_a_sweep_reads_only_these_from_end_to_end(heard: tuple[Path, dict[str, Any], dict[str, Any]]):
    folder, _, of_sweep = heard
    assert set().union(*guilty(folder, of_sweep).values()) == SWEPT


def test_the_rounds_of_live_channels_read_no_whole_table(tmp_path: Path):
    def look(connection: Connection) -> None:
        presence.call_roll(connection, {b"ended": 1, b"too": 2}, now_ms=0)
        presence.note_use(connection, {b"ended": 1, b"too": 2}, now_ms=0)
        events.since(connection, 1, most=10)

    asked: dict[str, Any] = {}

    async def scenario(inside: Inside) -> None:
        with overheard() as said:
            await inside.house.database.write(look)
        asked.update(said)

    run(tmp_path, scenario)
    assert all(any(f"FROM {table}" in text for text in asked) for table in ("sessions", "events"))
    assert guilty(tmp_path, asked) == {}


def test_a_whole_table_that_is_read_would_be_seen():
    """As the span of all events was read once, at each return of a live channel, and all blocks at each send."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, account_id INTEGER, who TEXT)")
        database.execute("CREATE UNIQUE INDEX ix_key ON events (account_id, who)")
        assert scanned(database, "SELECT min(id), max(id) FROM events") == {"events"}
        assert scanned(database, "SELECT account_id FROM events WHERE who IN ('a')") == {"events"}
        assert (
            scanned(database, "SELECT max(id) FROM events WHERE account_id IN (1) AND who IN ('a')") == set()
        )
