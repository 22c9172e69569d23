"""The desk's own record: what operators did and looked into, in lines that each hash the one before.

A line that is changed or taken out later breaks the chain; the page and `restante check` say so. What is cut off at the newest end
is seen by nobody but who remembers it.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from restante.protocol import ijson
from restante.server.desk import queries

START = bytes(32)


def note(
    connection: Connection, operator: str, act: str, subject: str, words: str = "", *, now_ms: int
) -> None:
    """Adds a line, within the transaction of what it tells of."""
    last = queries.last_act(connection)
    row = {
        "seq": 1 if last is None else last.seq + 1,
        "operator": operator,
        "act": act,
        "subject": subject,
        "note": words,
        "created_at": now_ms,
    }
    queries.add_act(connection, {**row, "sha256": digest(row, START if last is None else last.sha256)})


def digest(row: dict[str, Any], before: bytes) -> bytes:
    """What a line hashes to, after the one before."""
    return hashlib.sha256(b"restante/1 desk\0" + before + ijson.encode(row)).digest()


def is_whole(rows: Iterable[Any]) -> bool:
    """Tells whether every line follows the one before."""
    before, seq = START, 0
    for found in rows:
        row = {
            name: getattr(found, name) for name in ("seq", "operator", "act", "subject", "note", "created_at")
        }
        if found.seq != seq + 1 or digest(row, before) != bytes(found.sha256):
            return False
        before, seq = bytes(found.sha256), found.seq
    return True
