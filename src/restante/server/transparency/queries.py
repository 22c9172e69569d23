"""SQL of the log of account records. See [Note: Statements made once].

[Note: Nodes beside leaves] The row of a leaf holds, one after the other, the hashes of all subtrees that are complete with it:
the leaf itself, then its parent if it is a right child, and so on. So a record costs one insert, and the node of a level
and index stands in the row of its last leaf.
"""

import msgspec
from sqlalchemy import Connection, bindparam, func, insert, select

from restante.server.db import meta
from restante.server.db.tables import log_entries
from restante.transparency.merkle import HASH_BYTES

_SIZE = select(func.coalesce(func.max(log_entries.c.leaf), -1))
_NODES = select(log_entries.c.nodes).where(log_entries.c.leaf == bindparam("at"))
_RANGE = (
    select(log_entries.c.leaf, log_entries.c.nodes)
    .where(log_entries.c.leaf.in_(bindparam("leaves", expanding=True)))
    .order_by(log_entries.c.leaf)
)
_ENTRIES = (
    select(log_entries.c.entry)
    .where(log_entries.c.leaf >= bindparam("first"), log_entries.c.leaf < bindparam("end"))
    .order_by(log_entries.c.leaf)
)
_ADD = insert(log_entries)
_COSIGNED = "cosigned"


def size(connection: Connection) -> int:
    """How many entries the log has."""
    return int(connection.execute(_SIZE).scalar_one()) + 1


def node(connection: Connection, level: int, index: int) -> bytes:
    """The hash of a complete subtree."""
    nodes: bytes = connection.execute(_NODES, {"at": _last_leaf(level, index)}).scalar_one()
    return nodes[level * HASH_BYTES : (level + 1) * HASH_BYTES]


def row_of_nodes(connection: Connection, level: int, first: int, count: int) -> bytes:
    """The hashes of neighbouring complete subtrees of a level, as many of them as there are."""
    leaves = [_last_leaf(level, index) for index in range(first, first + count)]
    rows = connection.execute(_RANGE, {"leaves": leaves})
    return b"".join(row.nodes[level * HASH_BYTES : (level + 1) * HASH_BYTES] for row in rows)


def entries(connection: Connection, first: int, count: int) -> list[bytes]:
    """Neighbouring entries, as many of them as there are."""
    return [row.entry for row in connection.execute(_ENTRIES, {"first": first, "end": first + count})]


def add(
    connection: Connection, leaf: int, *, account_id: int, rev: int, entry: bytes, nodes: list[bytes]
) -> None:
    """Adds the entry of an account's record."""
    row = {"leaf": leaf, "account_id": account_id, "rev": rev, "entry": entry, "nodes": b"".join(nodes)}
    connection.execute(_ADD, row)


def cosigned(connection: Connection) -> dict[str, tuple[int, bytes]]:
    """What the witnesses signed last, by their keys: the size of the log, and the line of the signature."""
    kept = meta.get(connection, _COSIGNED)
    return {} if kept is None else msgspec.msgpack.decode(kept, type=dict[str, tuple[int, bytes]])


def keep_cosigned(connection: Connection, signed: dict[str, tuple[int, bytes]]) -> None:
    """Keeps what the witnesses signed last, for the next start; another node may have kept something later."""
    known = cosigned(connection)
    newest = {key: max(mine, known.get(key, mine)) for key, mine in signed.items()}
    meta.put(connection, _COSIGNED, msgspec.msgpack.encode(newest))


def _last_leaf(level: int, index: int) -> int:
    return ((index + 1) << level) - 1
