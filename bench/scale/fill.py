"""A large installation: accounts and messages as sends make them, straight into the database of a server that is down.

Bytes of details and envelopes are as few as asked for: what is measured is finding rows, and payloads would only fill the disk.
"""

import hashlib
import os
import random
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from restante.protocol.encoding import b64
from restante.protocol.ids import Prefix, new_id

BATCH = 20_000
EACH = 20
"""Messages of an account, as its recipient and as its sender alike."""
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
HOUR_MS = 3_600_000
Sent = tuple[str, int, int, int]
"""A message: id, sender, owner, when."""


def fill(
    path: Path, messages: int, *, now_ms: int, details: int = 120, envelope: int = 160, seed: int = 1
) -> None:
    """Adds the messages and the accounts between whom they go."""
    draw = random.Random(seed)
    with sqlite3.connect(path, timeout=30) as database:
        for pragma in ("synchronous=OFF", "cache_size=-262144", "foreign_keys=OFF"):
            database.execute(f"PRAGMA {pragma}")
        first = _accounts(database, max(2, messages // EACH), now_ms)
        last = database.execute("SELECT max(id) FROM accounts").fetchone()[0]
        event = database.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()[0]
        for begin in range(0, messages, BATCH):
            count = min(BATCH, messages - begin)
            sent = list(_sent(draw, count, (first, last), now_ms))
            event = _batch(database, sent, event, details=os.urandom(details), envelope=os.urandom(envelope))
            database.commit()


def signed_in(path: Path, count: int, *, now_ms: int) -> list[str]:
    """Adds accounts that are each signed in on one device; returns their tokens."""
    tokens = [secrets.token_bytes(32) for _ in range(count)]
    with sqlite3.connect(path, timeout=30) as database:
        first = _accounts(database, count, now_ms)
        database.executemany(
            "INSERT INTO sessions (id, account_id, token_sha256, client, label, created_at, last_seen_at)"
            " VALUES (?, ?, ?, 'web', '', ?, ?)",
            (
                (new_id(Prefix.SESSION), first + number, hashlib.sha256(token).digest(), now_ms, now_ms)
                for number, token in enumerate(tokens)
            ),
        )
    return [b64(token) for token in tokens]


def _accounts(database: sqlite3.Connection, count: int, now_ms: int) -> int:
    run = secrets.token_hex(4)
    names = ((f"filled-{run}-{number}", now_ms) for number in range(count))
    before: int = database.execute("SELECT coalesce(max(id), 0) FROM accounts").fetchone()[0]
    database.executemany("INSERT INTO accounts (name, created_at) VALUES (?, ?)", names)
    return before + 1


def _batch(
    database: sqlite3.Connection, sent: list[Sent], event: int, *, details: bytes, envelope: bytes
) -> int:
    """Stores some messages, two copies and two events each; returns the newest event."""
    hashes = os.urandom(32)
    database.executemany(
        "INSERT INTO messages (id, account_id, kind, upload_id, video_bytes, details, details_sha256, claim_hmac,"
        " request_sha256, received_at) VALUES (?, ?, 'text', NULL, 0, ?, ?, ?, ?, ?)",
        ((one, sender, details, hashes, hashes, hashes, at) for one, sender, _, at in sent),
    )
    told = ((who, one, at) for one, sender, owner, at in sent for who in (owner, sender))
    database.executemany(
        "INSERT INTO events (account_id, kind, message_id, created_at) VALUES (?, 'message', ?, ?)", told
    )
    copies = (
        (one, who, box, envelope, at, event + 2 * number + place, sender, hashes)
        for number, (one, sender, owner, at) in enumerate(sent)
        for place, (who, box) in ((1, (owner, "inbox")), (2, (sender, "sent")))
    )
    database.executemany(
        "INSERT INTO envelopes (message_id, account_id, box, envelope, received_at, change, sender_id, details_sha256, kind, video_bytes,"
        " until_played, may_forward, by_caller, quarantine_reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'text', 0, 0, 0, 0, '')",
        copies,
    )
    database.executemany(
        "INSERT INTO deliveries (message_id, account_id, recipient_id, is_hidden) VALUES (?, ?, ?, 0)",
        ((one, sender, owner) for one, sender, owner, _ in sent),
    )
    return event + 2 * len(sent)


def _sent(draw: random.Random, count: int, accounts: tuple[int, int], now_ms: int) -> Iterator[Sent]:
    first, last = accounts
    for _ in range(count):
        sender, owner = draw.randint(first, last), draw.randint(first, last)
        one = "msg_" + "".join(draw.choices(_ALPHABET, k=26))
        yield one, sender, owner, now_ms - draw.randrange(24 * 90) * HOUR_MS
