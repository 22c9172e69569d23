"""PostgreSQL's own plans of a day in a mailbox, with the statistics of large tables: nothing is read from end to end, and one account's is one shard's.

[Note: Shards by account] Every table that belongs to somebody is split by its ``account_id``, as Citus does it, what belongs to a blob by
the blob's id, and the planner is asked which parts a statement would look into. What looks into one part is routed to one shard. Accounts themselves are a directory, the same
on every shard.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, LargeBinary, Table, Text, text

from bench.scale.fill_postgres import COUNT_ON, TABLES, fill_postgres
from restante.server.db.tables import metadata
from tests import databases
from tests.api.days import GROWS, day, overheard
from tests.api.people import now_ms
from tests.api.remote import Node, SickObjects
from tests.api.test_remote_blobs import run

ROWS = 20_000
PARTS = 16
STEPS = [
    *("sign-up", "sessions", "create an upload", "PATCH", "send", "send again", "inbox", "sent"),
    *("one message", "details", "video", "marks", "events", "deletion"),
]


READS = re.compile(r"SELECT|UPDATE|DELETE|WITH")
OF_BLOBS = {"remote_blobs": "id", "remote_parts": "blob_id"}
"""Tables of a bucket's blobs, and what names the blob: they stand where the blob's id leads, whoever's it is."""
LARGE = GROWS | set(OF_BLOBS)
SPLIT = {
    table.name: "account_id"
    for table in metadata.sorted_tables
    if table.name in GROWS and "account_id" in table.columns and not table.columns["account_id"].nullable
} | OF_BLOBS
INDEXES = {index.name for table in metadata.sorted_tables if table.name in LARGE for index in table.indexes}
PARTIAL = {
    index.name
    for table in metadata.sorted_tables
    for index in table.indexes
    if index.dialect_options["postgresql"]["where"] is not None
}


@dataclass
class Heard:
    """What was asked of a full database, and a connection to it."""

    connection: Connection
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)

    def asked(self) -> Iterator[tuple[str, Any]]:
        for said in self.steps.values():
            yield from said.items()


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Heard]:
    """Statements of a sweep are left out: nobody waits for it."""
    folder = tmp_path_factory.mktemp("day")
    engine = databases.cluster().engine(databases.laid_for(folder).rpartition("/")[2])
    fill(engine)
    with engine.connect() as connection:
        found = Heard(connection)

        async def scenario(inside: Node, elsewhere: Node, _: SickObjects) -> None:
            with overheard() as swept:
                await inside.house.jobs.sweeper.run()
            with overheard() as said:

                def over(step: str) -> None:
                    found.steps[step] = {one: said[one] for one in said if one not in swept}
                    said.clear()

                await day(inside, over, elsewhere=elsewhere)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(databases, "engine_name", databases.POSTGRESQL)
            run(folder, scenario, nodes=2)
        split(connection)
        yield found
    engine.dispose()


def fill(engine: Engine) -> None:
    """Makes every table of the day a large one."""
    fill_postgres(engine, ROWS, now_ms=now_ms(), accounts=ROWS)
    with engine.connect() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        for table in metadata.sorted_tables:
            if table.name in LARGE:  # else the sweep's removals are noticed, and a table is a small one again
                connection.execute(text(f"ALTER TABLE {table.name} SET (autovacuum_enabled = false)"))
            if table.name in LARGE - set(TABLES):
                connection.execute(text(_filling(table)))
                if table.autoincrement_column is not None:
                    connection.execute(text(COUNT_ON.format(table=table.name)))
                connection.execute(text(f"ANALYZE {table.name}"))


def _filling(table: Table) -> str:
    """Rows that differ, one for each account; what may be empty is, save what says that most uploads were sent."""
    said = {"finished_at", "message_id"}
    columns = [column for column in table.columns if not column.nullable or column.name in said]
    names = ", ".join(f'"{column.name}"' for column in columns)
    values = ", ".join(_value(column.name, column.type) for column in columns)
    return f"INSERT INTO {table.name} ({names}) SELECT {values} FROM generate_series(1, {ROWS}) AS n"


def _value(name: str, kind: Any) -> str:
    if name == "finished_at":
        return f"nullif(n % 50, 0) * 0 + {now_ms()}"
    if name.endswith(("_at", "_ms")):
        return str(now_ms())
    return {Text: "'x' || n", LargeBinary: "sha256(int4send(n))"}.get(type(kind), "n")


def split(connection: Connection) -> None:
    """The tables once more, each as parts."""
    connection.execute(text("CREATE SCHEMA split"))
    for name, by in sorted(SPLIT.items()):
        connection.execute(text(f"CREATE TABLE split.{name} (LIKE {name}) PARTITION BY HASH ({by})"))
        for part in range(PARTS):
            connection.execute(
                text(
                    f"CREATE TABLE split.{name}_part_{part} PARTITION OF split.{name}"
                    f" FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {part})"
                )
            )


def explained(connection: Connection, schema: str, statement: str, parameters: Any = ()) -> dict[str, Any]:
    """The plan that PostgreSQL has for it."""
    connection.exec_driver_sql(f"SET search_path = {schema}")
    found = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
    plan: dict[str, Any] = found[0]["Plan"]
    return plan


def read_whole(plan: dict[str, Any], *, limited: bool = False) -> set[str]:
    """The growing tables that it reads from end to end. An index of few rows only (``WHERE``), and the front of one, may be read."""
    unsought = "Index Name" in plan and "Index Cond" not in plan and not limited
    found = set()
    if (plan["Node Type"] == "Seq Scan" or unsought) and plan.get("Index Name") not in PARTIAL:
        found.add(plan.get("Relation Name") or plan["Index Name"])
    inner = (read_whole(part, limited=plan["Node Type"] == "Limit") for part in plan.get("Plans", ()))
    return found.union(*inner) & (LARGE | INDEXES)


def parts(plan: dict[str, Any]) -> dict[str, set[int]]:
    """The parts that it looks into, by table."""
    found: dict[str, set[int]] = {}
    if match := re.fullmatch(r"(\w+)_part_(\d+)", plan.get("Relation Name", "")):
        found[match[1]] = {int(match[2])}
    for inner in plan.get("Plans", ()):
        for table, several in parts(inner).items():
            found.setdefault(table, set()).update(several)
    return found


def test_nothing_that_a_person_waits_for_reads_a_whole_table(heard: Heard):
    asked = [one for one in heard.asked() if READS.match(one[0])]
    touched = {table for table in LARGE if any(re.search(rf"\b{table}\b", one) for one, _ in heard.asked())}
    assert touched == LARGE
    guilty = {
        statement: tables
        for statement, parameters in asked
        if (tables := read_whole(explained(heard.connection, "public", statement, parameters)))
    }
    assert guilty == {}


@pytest.mark.parametrize("step", STEPS)
def test_what_an_account_asks_for_lies_in_its_shard(heard: Heard, step: str):
    across = set()
    for statement, parameters in heard.steps[step].items():
        if READS.match(statement):
            found = parts(explained(heard.connection, "split, public", statement, parameters))
            across |= {f"{statement.split()[0]} {table}" for table in found if len(found[table]) > 1}
        elif (added := re.match(r"INSERT INTO (\w+) \(([^)]*)", statement)) and added[1] in SPLIT:
            assert SPLIT[added[1]] in re.split(r",\s*", added[2])
    assert across == set()


def test_the_steps_are_those_of_the_day(heard: Heard):
    assert list(heard.steps) == STEPS


def test_a_send_names_the_shards_of_its_sender_and_its_recipient(heard: Heard):
    """It is routed to both: what it writes to each carries that one's account."""
    named: set[int] = set()
    for statement, parameters in heard.steps["send"].items():
        if READS.match(statement):
            found = parts(explained(heard.connection, "split, public", statement, parameters))
            of_accounts = [several for table, several in found.items() if SPLIT[table] == "account_id"]
            named.update(*(several for several in of_accounts if len(several) == 1))
    assert len(named) == 2


def test_a_whole_table_that_is_read_would_be_seen(heard: Heard):
    for statement, tables in (
        ("SELECT * FROM messages WHERE kind = 'video'", {"messages"}),
        ("SELECT sum(id) FROM events", {"events"}),
        ("SELECT max(id) FROM events WHERE account_id = 7", set()),
    ):
        assert read_whole(explained(heard.connection, "public", statement)) == tables


def test_a_query_without_its_account_would_be_seen(heard: Heard):
    for statement, count in (
        ("SELECT envelope FROM envelopes WHERE message_id = 'msg_x'", PARTS),
        ("SELECT envelope FROM envelopes WHERE message_id = 'msg_x' AND account_id IN (1, 2, 3)", 3),
        ("SELECT envelope FROM envelopes WHERE message_id = 'msg_x' AND account_id = 7", 1),
    ):
        plan = explained(heard.connection, "split, public", statement)
        assert len(parts(plan)["envelopes"]) == count
