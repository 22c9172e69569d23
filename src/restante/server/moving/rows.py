"""Makes the tables of a PostgreSQL database the same as those here, whatever they held before.

[Note: By comparing] Every round compares all rows of both sides and carries over what differs. So it does not matter how far an earlier
round came, what was written here meanwhile, or who wrote over there: the last round, while nothing is stored here, has little left to do,
and afterwards both sides are read once more and hashed.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from restante.server.failpoints import failpoint
from restante.server.moving.queries import (
    SHAPES,
    Change,
    Row,
    Shape,
    Sum,
    differences,
    in_postgres,
    in_sqlite,
    quoted,
    together,
)

if TYPE_CHECKING:
    from psycopg import Connection

_TOGETHER = 5000
_IN_THE_WAY = frozenset({"23503", "23505"})
"""A row refers to one that has not come yet, or has what another one has that has not gone yet."""
_COUNTERS = "SELECT name, seq FROM sqlite_sequence"


@dataclass(slots=True)
class Round:
    """What a round found: the sums of the tables here, by name, and how many rows differed."""

    sums: dict[str, Sum] = field(default_factory=dict)
    changed: int = 0

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.sums.values())


@dataclass(frozen=True, slots=True)
class Rows:
    """The two sides. ``ledger`` has those tables that say which objects hold the videos; None: videos are no part of the move."""

    here: sqlite3.Connection
    there: "Connection[Any]"
    ledger: sqlite3.Connection | None
    ledger_tables: frozenset[str]

    def carry_over(self, told: Callable[[str, int], None], *, each_by_itself: bool) -> Round:
        """Makes every table there the same as here. ``each_by_itself`` commits each, else the caller does."""
        found = Round()
        for shape in SHAPES:
            found.sums[shape.name] = Sum()
            found.changed += self._carry_over(shape, found.sums[shape.name])
            told(shape.name, found.sums[shape.name].rows)
            failpoint("move-table")
            if each_by_itself:
                self.there.commit()
        return found

    def unlike(self, sums: dict[str, Sum]) -> list[str]:
        """Reads every row there and names the tables that have other rows than were summed here."""
        found = {shape.name: Sum().add_all(in_postgres(self.there, shape)) for shape in SHAPES}
        return [name for name, own in sums.items() if (own.rows, own.sha256) != _told(found[name])]

    def carry_over_counters(self) -> list[str]:
        """Lets numbers that are never used twice go on from where they are here; names those that do not."""
        given_out = dict(self.here.execute(_COUNTERS).fetchall())
        return [
            shape.name
            for shape in SHAPES
            if shape.counter is not None
            and not self._count_on(shape, max(given_out.get(shape.name, 0), self._largest(shape)))
        ]

    def _largest(self, shape: Shape) -> int:
        statement = f"SELECT max({quoted(shape.counter or '')}) FROM {quoted(shape.name)}"  # noqa: S608 - the schema's own names
        return int(self.here.execute(statement).fetchone()[0] or 0)

    def _rows_here(self, shape: Shape) -> Iterator[Row]:
        if shape.name in self.ledger_tables and self.ledger is not None:
            return in_sqlite(self.ledger, shape)
        return in_sqlite(self.here, shape)

    def _carry_over(self, shape: Shape, own: Sum) -> int:
        changed, postponed = 0, list[tuple[Change, ...]]()
        here = own.of(self._rows_here(shape))
        there = in_postgres(self.there, shape)
        for some in together(differences(here, there, keys=shape.keys), _TOGETHER):
            changed += len(some)
            try:
                with self.there.transaction():
                    self._apply(shape, some)
            except Exception as error:
                if getattr(error, "sqlstate", None) not in _IN_THE_WAY:
                    raise
                postponed.append(some)
        for some in postponed:
            self._replace(shape, some)
        return changed

    def _apply(self, shape: Shape, changes: tuple[Change, ...]) -> None:
        self._remove(shape, [there for here, there in changes if here is None and there is not None])
        self._change(shape, [here for here, there in changes if here is not None and there is not None])
        self._add(shape, [here for here, there in changes if here is not None and there is None])

    def _replace(self, shape: Shape, changes: tuple[Change, ...]) -> None:
        """Whatever was in the way of these: what refers to rows that go for a moment is carried over after them."""
        self._remove(shape, [there for _, there in changes if there is not None])
        self._add(shape, [here for here, _ in changes if here is not None])

    def _remove(self, shape: Shape, rows: list[Row]) -> None:
        keys = " AND ".join(f"{quoted(name)} = %s" for name in shape.columns[: shape.keys])
        self._each(
            f"DELETE FROM {quoted(shape.name)} WHERE {keys}",  # noqa: S608 - the schema's own names
            [row[: shape.keys] for row in rows],
        )

    def _change(self, shape: Shape, rows: list[Row]) -> None:
        values = ", ".join(f"{quoted(name)} = %s" for name in shape.columns[shape.keys :])
        keys = " AND ".join(f"{quoted(name)} = %s" for name in shape.columns[: shape.keys])
        self._each(
            f"UPDATE {quoted(shape.name)} SET {values} WHERE {keys}",  # noqa: S608 - the schema's own names
            [row[shape.keys :] + row[: shape.keys] for row in rows],
        )

    def _each(self, statement: str, values: list[Row]) -> None:
        if values:
            with self.there.cursor() as cursor:
                cursor.executemany(statement.encode(), values)

    def _add(self, shape: Shape, rows: list[Row]) -> None:
        if not rows:
            return
        statement = f"COPY {quoted(shape.name)} ({shape.listed}) FROM STDIN (FORMAT BINARY)"
        with self.there.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.set_types(shape.types)
            for row in rows:
                copy.write_row(row)

    def _count_on(self, shape: Shape, given_out: int) -> bool:
        with self.there.cursor() as cursor:
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", (quoted(shape.name), shape.counter))
            found = cursor.fetchone()
            if found is None or found[0] is None:  # its numbers are given by the server
                return True
            if given_out:
                cursor.execute("SELECT setval(%s::regclass, %s)", (found[0], given_out))
            cursor.execute(f"SELECT last_value, is_called FROM {found[0]}".encode())  # noqa: S608 - as PostgreSQL quoted it
            last = cursor.fetchone()
            return last is not None and (not given_out or last == (given_out, True))


def _told(found: Sum) -> tuple[int, str]:
    return found.rows, found.sha256
