"""Holding back the removal of blobs while a backup copies them.

[Note: Database first, then blobs] A backup takes its snapshot of the database first, so everything that the snapshot names was there
at that moment. A hold, taken before the snapshot, keeps it there until it is copied: what is deleted meanwhile is
unreadable at once, and its bytes go when the hold ends. A hold ends by itself, so that a backup that died holds up nothing for long.
"""

from sqlalchemy import Connection, select

from restante.server.db.tables import meta

PREFIX = "hold:"
LONGEST_MS = 600_000
"""No hold is good for longer without being renewed; one that claims to be was written under another clock."""

_HOLDS = select(meta.c.value).where(meta.c.key.startswith(PREFIX, autoescape=True))


def is_held(connection: Connection, *, now_ms: int) -> bool:
    """Tells whether blobs must stay where they are for now."""
    return any(now_ms < int(until) <= now_ms + LONGEST_MS for until in connection.execute(_HOLDS).scalars())
