"""The desk's own record: what operators did and looked into, in lines that each hash the one before.

[Note: A record under a key] Each line is hashed under a key that comes from `log.key`, a file beside the database. Who can only write to
the database can neither add, change nor take out a line unseen: the page and `restante check` say so. Two things it does not show: what
is cut off at the newest end is seen by nobody but who remembers it, and who has the whole data folder has the key.
"""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from restante.protocol import ijson
from restante.server.desk import queries
from restante.signing.keys import SigningKey

START = bytes(32)


def key_of(log_key: SigningKey) -> bytes:
    """The key of the record. See [Note: A record under a key]."""
    return hmac.new(log_key.seed, b"restante/1 desk key", hashlib.sha256).digest()


def note(
    connection: Connection, operator: str, act: str, subject: str, words: str = "", *, key: bytes, now_ms: int
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
    queries.add_act(
        connection, {**row, "sha256": digest(row, START if last is None else last.sha256, key=key)}
    )


def digest(row: dict[str, Any], before: bytes, *, key: bytes) -> bytes:
    """What a line hashes to, after the one before."""
    return hmac.new(key, b"restante/1 desk\0" + before + ijson.encode(row), hashlib.sha256).digest()


def is_whole(rows: Iterable[Any], *, key: bytes) -> bool:
    """Tells whether every line follows the one before."""
    before, seq = START, 0
    for found in rows:
        row = {
            name: getattr(found, name) for name in ("seq", "operator", "act", "subject", "note", "created_at")
        }
        expected = digest(row, before, key=key)
        if found.seq != seq + 1 or not hmac.compare_digest(expected, bytes(found.sha256)):
            return False
        before, seq = bytes(found.sha256), found.seq
    return True
