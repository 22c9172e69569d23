"""The rows of a table in the order of their keys, from SQLite and from PostgreSQL, for whatever tables the schema has."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from restante.server.db.arrival import KEY
from restante.server.db.hold import PREFIX
from restante.server.db.tables import meta

if TYPE_CHECKING:
    from psycopg import Connection

T = TypeVar("T")
Row = tuple[Any, ...]
Change = tuple[Row | None, Row | None]
"""A row as it is here, and as it is there; None: it is not."""

_FETCHED = 2000
_HASHED = 1000
_PASSING = f"""WHERE "key" <> '{KEY}' AND "key" NOT LIKE '{PREFIX}%'"""
"""What is written in a database about itself, and stays there."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A table: its columns, of which the first are the key, and their types in PostgreSQL."""

    name: str
    columns: tuple[str, ...]
    keys: int
    types: tuple[str, ...]
    counter: str | None
    """The column whose values are given out, never twice."""

    @classmethod
    def of(cls, table: Table) -> "Shape":
        keys = [*table.primary_key.columns]
        columns = [*keys, *(column for column in table.columns if not column.primary_key)]
        dialect = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy's own
        counter = table.autoincrement_column
        return cls(
            table.name,
            tuple(column.name for column in columns),
            len(keys),
            tuple(column.type.compile(dialect).lower() for column in columns),
            counter.name if counter is not None else None,
        )

    @property
    def listed(self) -> str:
        """Its columns, as SQL."""
        return ", ".join(map(quoted, self.columns))

    @property
    def ordered(self) -> str:
        """All its rows in the order of their keys, as SQL of both engines."""
        keys = ", ".join(map(quoted, self.columns[: self.keys]))
        return f"SELECT {self.listed} FROM {quoted(self.name)} {_PASSING if self.name == 'meta' else ''} ORDER BY {keys}"  # noqa: S608 - the schema's own names


SHAPES = tuple(Shape.of(table) for table in meta.metadata.sorted_tables)
"""Every table, those first that others refer to."""


@dataclass(slots=True)
class Sum:
    """How many rows there are, and one hash of them all."""

    rows: int = 0
    _sha256: Any = field(default_factory=hashlib.sha256)

    def of(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Adds rows while they pass."""
        for some in together(rows, _HASHED):
            self._sha256.update(msgspec.msgpack.encode(some))
            self.rows += len(some)
            yield from some

    def add_all(self, rows: Iterable[Row]) -> "Sum":
        for _ in self.of(rows):
            pass
        return self

    @property
    def sha256(self) -> str:
        return str(self._sha256.hexdigest())


def in_sqlite(connection: sqlite3.Connection, shape: Shape) -> Iterator[Row]:
    """The rows of a table."""
    yield from connection.execute(shape.ordered)


def in_postgres(connection: "Connection[Any]", shape: Shape) -> Iterator[Row]:
    """The rows of a table as they are now, some at a time."""
    with connection.cursor("rows_in_order", binary=True) as cursor:
        cursor.itersize = _FETCHED
        cursor.execute(shape.ordered.encode())
        yield from cursor


def differences(here: Iterable[Row], there: Iterable[Row], *, keys: int) -> Iterator[Change]:
    """What is not the same, of two tables in the order of their keys, which are the first columns.

    >>> list(differences([(1, "a"), (2, "b"), (3, "c")], [(2, "x"), (3, "c"), (4, "d")], keys=1))
    [((1, 'a'), None), ((2, 'b'), (2, 'x')), (None, (4, 'd'))]
    """
    ours, theirs = iter(here), iter(there)
    mine, other = next(ours, None), next(theirs, None)
    while mine is not None or other is not None:
        if other is None or (mine is not None and mine[:keys] < other[:keys]):
            yield mine, None
            mine = next(ours, None)
        elif mine is None or other[:keys] < mine[:keys]:
            yield None, other
            other = next(theirs, None)
        else:
            if mine != other:
                yield mine, other
            mine, other = next(ours, None), next(theirs, None)


def together(items: Iterable[T], most: int) -> Iterator[tuple[T, ...]]:
    """Items, so many at a time.

    >>> list(together("abcde", 2))
    [('a', 'b'), ('c', 'd'), ('e',)]
    """
    rest = iter(items)
    while some := tuple(islice(rest, most)):
        yield some


def quoted(name: str) -> str:
    return f'"{name}"'
