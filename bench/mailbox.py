"""A mailbox of 10,000 messages on a real server: how long lists take. `python -m bench.mailbox [--requests N]` writes bench/mailbox.md.

Every row is made as a send makes it, straight into the database; envelopes weigh what real ones do (6 KB), as do details. The
requests go one after the other over one connection, and each is counted from its first byte out to its last byte in.
"""

import argparse
import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

from restante.protocol.ids import Prefix, new_id
from tests.api.people import Person, make_account, now_ms, sealed
from tests.serving import serving

Wanted = Callable[[], dict[str, str | int]]
"""Makes the parameters of a request."""
MESSAGES = 10_000
ENVELOPE_BYTES, DETAILS_BYTES = 6_000, 20_000
TARGET_MS = 100.0
PAGE = Path(__file__).parent / "mailbox.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.mailbox", description=__doc__)
    parser.add_argument("--requests", type=int, default=500)
    requests = parser.parse_args().requests
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "data", RESTANTE_RATE_SENDS="100000/1s") as server,
    ):
        ann, bob = make_account(server.url), make_account(server.url)
        _fill(server.data / "restante.sqlite3", ann.name, bob.name)
        figures = {
            "first page, 50 with envelopes": _timed(bob, requests, dict),
            "first page, 50 without": _timed(bob, requests, lambda: {"envelopes": "none"}),
            "a page anywhere, 50 with envelopes": _timed(bob, requests, _anywhere(bob)),
            "what changed, the last 50": _timed(bob, requests, _newest(bob)),
        }
    text = _page(figures, requests)
    PAGE.write_text(text)
    print(text)
    return 0 if all(p99 < TARGET_MS for _, p99, _ in figures.values()) else 1


def _fill(path: Path, sender: str, owner: str) -> None:
    """Stores the messages in one transaction, an hour apart, with the events that number their changes."""
    with sqlite3.connect(path, timeout=30) as database:
        ids = dict(database.execute("SELECT name, id FROM accounts"))
        begin_ms = now_ms() - MESSAGES * 3_600_000
        for number in range(MESSAGES):
            message, at = new_id(Prefix.MESSAGE), begin_ms + number * 3_600_000
            event = database.execute(
                "INSERT INTO events (account_id, kind, message_id, created_at) VALUES (?, 'message', ?, ?)",
                (ids[owner], message, at),
            ).lastrowid
            database.execute(
                "INSERT INTO messages (id, account_id, kind, upload_id, video_bytes, details, details_sha256, claim_hmac,"
                " request_sha256, received_at) VALUES (?, ?, 'text', NULL, 0, ?, ?, ?, ?, ?)",
                (message, ids[sender], sealed(DETAILS_BYTES), *(os.urandom(32) for _ in range(3)), at),
            )
            database.execute(
                "INSERT INTO envelopes (message_id, account_id, box, envelope, received_at, change)"
                " VALUES (?, ?, 'inbox', ?, ?, ?)",
                (message, ids[owner], sealed(ENVELOPE_BYTES), at, event),
            )


def _timed(person: Person, requests: int, wanted: Wanted) -> tuple[float, float, float]:
    """Milliseconds: p50, p99, worst."""
    taken = []
    for number in range(requests + 20):
        params: dict[str, str | int] = {"limit": 50, **wanted()}
        begin = time.perf_counter()
        answer = person.client.get("/api/v1/inbox", params=params)
        assert len(answer.json()["items"]) > 0, answer.text
        if number >= 20:
            taken.append((time.perf_counter() - begin) * 1000)
    cut = quantiles(taken, n=100, method="inclusive")
    return cut[49], cut[98], max(taken)


def _anywhere(person: Person) -> Wanted:
    """Cursors of every page of the list, drawn at random."""
    cursors: list[str] = []
    cursor: str | None = None
    while True:
        params: dict[str, str | int] = {"limit": 50, "envelopes": "none"}
        params |= {"cursor": cursor} if cursor else {}
        page = person.client.get("/api/v1/inbox", params=params).json()
        if (cursor := page["cursor"]) is None:
            return lambda: {"cursor": random.choice(cursors)}
        cursors.append(cursor)


def _newest(person: Person) -> Wanted:
    """The last fifty changes."""
    item = person.client.get("/api/v1/inbox", params={"limit": 1, "envelopes": "none"}).json()["items"][0]
    return lambda: {"since": int(item["change"]) - 50}


def _page(figures: dict[str, tuple[float, float, float]], requests: int) -> str:
    rows = [
        f"| {name} | {p50:.1f} | {p99:.1f} | {worst:.1f} | {'holds' if p99 < TARGET_MS else 'missed'} |"
        for name, (p50, p99, worst) in figures.items()
    ]
    load = os.getloadavg()[0]
    return "\n".join(
        [
            "# A mailbox of 10,000 messages",
            "",
            f"Written by `python -m bench.mailbox` on {datetime.now(UTC):%Y-%m-%d}: {requests} requests of each kind, one after the other, each from",
            f"its first byte to the decoded answer, with Python's client; {os.cpu_count()} cores, load {load:.1f} while it ran. Target of `GET /api/v1/inbox`: p99 < {TARGET_MS:.0f} ms.",
            "",
            "| list | p50 ms | p99 ms | worst ms | target |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
