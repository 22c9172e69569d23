"""Which parts of which videos a bucket has already: the ledger to be, beside the data folder's own database, with a hash of each part.

It has the ledger's own tables, so that it is carried over like any other rows, and survives the death of a move, which goes on from it.
"""

import sqlite3
import threading
from collections.abc import Collection, Iterator
from pathlib import Path

from sqlalchemy.schema import CreateTable

from restante.server.blobs.ledger import Part
from restante.server.db.blob_tables import remote_blobs, remote_parts
from restante.server.db.engine import sqlite_engine
from restante.server.moving.queries import Shape, quoted

FOLDER = ".move"
LEDGER = frozenset({remote_blobs.name, remote_parts.name})
_OWN = (
    "CREATE TABLE IF NOT EXISTS move (id TEXT NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS sums (name TEXT PRIMARY KEY, sha256 BLOB NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS sealed (id TEXT PRIMARY KEY, sha256 BLOB NOT NULL) STRICT",
)


class Journal:
    """Of one data folder; its threads take turns."""

    def __init__(self, folder: Path) -> None:
        path = folder / FOLDER / "journal.sqlite3"
        self._turn = threading.Lock()
        engine = sqlite_engine(path, begin=None)
        self.connection: sqlite3.Connection = engine.raw_connection().driver_connection  # type: ignore[assignment] # it is SQLite's
        for statement in _OWN:
            self.connection.execute(statement)
        for table in (remote_blobs, remote_parts):
            made = str(CreateTable(table, if_not_exists=True).compile(engine))
            self.connection.execute(made)

    def close(self) -> None:
        self.connection.close()

    def move_id(self, new: str) -> str:
        """Which move this is; ``new`` when it begins."""
        found = self.connection.execute("SELECT id FROM move").fetchone()
        if found is None:
            self.connection.execute("INSERT INTO move VALUES (?)", (new,))
        return str(found[0]) if found is not None else new

    def sealed(self) -> dict[str, bytes]:
        """Finished blobs that are over there whole, with their hashes."""
        return dict(self.connection.execute("SELECT id, sha256 FROM sealed"))

    def parts(self, blob_id: str) -> list[tuple[Part, bytes]]:
        """What is there of a blob, in order, with hashes."""
        with self._turn:
            rows = self.connection.execute(
                'SELECT p."offset", p.size, p.name, s.sha256 FROM remote_parts p JOIN sums s ON s.name = p.name'
                ' WHERE p.blob_id = ? ORDER BY p."offset"',
                (blob_id,),
            ).fetchall()
        return [(Part(*row[:3]), row[3]) for row in rows]

    def enter(self, blob_id: str, *, now_ms: int) -> None:
        """Notes a blob, with whatever it has."""
        with self._turn:
            self.connection.execute(
                "INSERT INTO remote_blobs (id, epoch, size, modified_at) VALUES (?, 0, 0, ?)"
                " ON CONFLICT (id) DO UPDATE SET modified_at = excluded.modified_at",
                (blob_id, now_ms),
            )

    def add(self, blob_id: str, part: Part, sha256: bytes) -> None:
        """Notes a part that is there, at the end of its blob."""
        with self._turn, self.connection:
            self.connection.execute("BEGIN")
            self.connection.execute("INSERT INTO sums VALUES (?, ?)", (part.name, sha256))
            self.connection.execute(
                'INSERT INTO remote_parts (blob_id, "offset", size, name) VALUES (?, ?, ?, ?)',
                (blob_id, part.offset, part.size, part.name),
            )
            self.connection.execute("UPDATE remote_blobs SET size = ? WHERE id = ?", (part.end, blob_id))

    def cut(self, blob_id: str, offset: int) -> None:
        """Forgets the parts from an offset on."""
        with self._turn, self.connection:
            self.connection.execute("BEGIN")
            self.connection.execute("DELETE FROM sealed WHERE id = ?", (blob_id,))
            self.connection.execute(
                'DELETE FROM remote_parts WHERE blob_id = ? AND "offset" >= ?', (blob_id, offset)
            )
            self.connection.execute("UPDATE remote_blobs SET size = ? WHERE id = ?", (offset, blob_id))

    def seal(self, blob_id: str, sha256: bytes) -> None:
        """Notes that a finished blob is over there whole."""
        with self._turn:
            self.connection.execute("INSERT OR REPLACE INTO sealed VALUES (?, ?)", (blob_id, sha256))

    def forget_missing(self, names: Collection[str]) -> int:
        """Forgets parts that are not among these objects; returns how many."""
        rows = self.connection.execute('SELECT blob_id, name, "offset" FROM remote_parts').fetchall()
        missing = [(blob_id, offset) for blob_id, name, offset in rows if name not in names]
        for blob_id, offset in missing:
            self.cut(blob_id, offset)
        return len(missing)

    def keep_only(self, blob_ids: Collection[str]) -> None:
        """Forgets all other blobs; their objects are removed by the server's sweep."""
        entered = {row[0] for row in self.connection.execute("SELECT id FROM remote_blobs")}
        with self.connection:
            self.connection.execute("BEGIN")
            for blob_id in entered - set(blob_ids):
                for table, column in (("remote_parts", "blob_id"), ("remote_blobs", "id"), ("sealed", "id")):
                    self.connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (blob_id,))  # noqa: S608 - named here

    def totals(self) -> tuple[int, int]:
        """Blobs, and their bytes."""
        row = self.connection.execute("SELECT count(*), coalesce(sum(size), 0) FROM remote_blobs").fetchone()
        return int(row[0]), int(row[1])

    def rows(self, shape: Shape) -> Iterator[tuple[object, ...]]:
        """What the ledger gets."""
        yield from self.connection.execute(f"SELECT {shape.listed} FROM {quoted(shape.name)}")  # noqa: S608 - the schema's own names
