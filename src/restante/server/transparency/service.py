"""The log of account records: added to with each record, handed out as a signed checkpoint and tiles."""

from dataclasses import dataclass

from sqlalchemy import Connection

from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.transparency import queries
from restante.signing.keys import SigningKey
from restante.transparency.checkpoints import Checkpoint, origin_of
from restante.transparency.entries import entry_of
from restante.transparency.merkle import consistency_proof, leaf_hash, new_nodes, root
from restante.transparency.notes import NoteKey, sign_note
from restante.transparency.tiles import WIDTH, Tile, width_at, write_bundle

_HEIGHT = 8


@dataclass(frozen=True, slots=True)
class Newest:
    """How far the log is, and that signed."""

    checkpoint: Checkpoint
    note: bytes

    @property
    def size(self) -> int:
        """How many entries it has."""
        return self.checkpoint.size


class Transparency:
    """Reads and signs; whoever stores a record calls ``append`` in the same transaction."""

    def __init__(self, database: Database, key: SigningKey, *, server_name: str) -> None:
        self._database = database
        self._key = key
        self._origin = origin_of(server_name)

    @property
    def signing_key(self) -> SigningKey:
        """The key itself, for what else hangs on it."""
        return self._key

    @property
    def key(self) -> str:
        """The key that verifies checkpoints, as text."""
        return str(NoteKey(self._origin, self._key.public))

    async def newest(self) -> Newest:
        """Signs how long the log is now and what its root is."""
        found = await self._database.read(lambda connection: _checkpoint(connection, self._origin))
        return Newest(found, sign_note(found.text, self._origin, self._key))

    async def proof(self, old: int, new: int) -> list[bytes]:
        """Makes the proof that the log of a size is the beginning of that of another; nothing where nothing is to prove."""
        if not 0 < old < new:
            return []
        return await self._database.read(
            lambda connection: consistency_proof(
                old, new, lambda level, index: queries.node(connection, level, index)
            )
        )

    async def tile(self, tile: Tile) -> bytes:
        """Returns a tile as wide as asked for, or wider ones cut. Raises Refusal not-found where the log has not come to."""
        data = await self._database.read(lambda connection: _tile(connection, tile))
        if data is None:
            raise Refusal("not-found")
        return data


def append(connection: Connection, account_id: int, *, acct: str, rev: int, record: bytes) -> int:
    """Adds a record to the log, within the transaction that stores it, and returns its place."""
    leaf, entry = queries.size(connection), entry_of(acct, record)
    made = new_nodes(leaf_hash(entry), leaf, lambda level, index: queries.node(connection, level, index))
    queries.add(connection, leaf, account_id=account_id, rev=rev, entry=entry, nodes=made)
    return leaf


def _checkpoint(connection: Connection, origin: str) -> Checkpoint:
    size = queries.size(connection)
    tree = root(size, lambda level, index: queries.node(connection, level, index))
    return Checkpoint(origin, size, tree)


def _tile(connection: Connection, tile: Tile) -> bytes | None:
    level = 0 if tile.level == "entries" else tile.level
    if width_at(level, tile.index, queries.size(connection)) < tile.width:
        return None
    first = tile.index * WIDTH
    if tile.level == "entries":
        return write_bundle(queries.entries(connection, first, tile.width))
    return queries.row_of_nodes(connection, level * _HEIGHT, first, tile.width)
