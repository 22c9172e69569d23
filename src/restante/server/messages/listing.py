"""A page of a box: the newest first, or for sync what changed since, oldest change first and with tombstones."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from restante.server.messages import queries
from restante.server.messages.cursors import Cursors
from restante.server.messages.rules import Box, Position, Row


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for: from a cursor on, else since a change, else the newest."""

    limit: int = 50
    cursor: str | None = None
    since: int | None = None
    with_envelopes: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """The rows of a page and the cursor of the next one, None on the last."""

    rows: Sequence[Row]
    cursor: str | None


def read(
    connection: Connection, cursors: Cursors, account_id: int, box: Box, page: Page, *, now_ms: int
) -> Listed:
    """Reads a page; one row more than asked for tells whether there is another. Raises Refusal invalid."""
    start = _start(cursors, account_id, box, page)
    if start is not None and start.order == "changed":
        rows = queries.changed(
            connection,
            account_id,
            box,
            since=start.at,
            with_envelopes=page.with_envelopes,
            most=page.limit + 1,
        )
    else:
        rows = queries.newest(
            connection,
            account_id,
            box,
            before=start,
            with_envelopes=page.with_envelopes,
            most=page.limit + 1,
            now_ms=now_ms,
        )
    if len(rows) <= page.limit:
        return Listed(rows, None)
    last = rows[page.limit - 1]
    if start is not None and start.order == "changed":
        end = Position("changed", last.change)
    else:
        end = Position("listed", last.received_at, last.id)
    return Listed(rows[: page.limit], cursors.write(account_id, box, end))


def _start(cursors: Cursors, account_id: int, box: Box, page: Page) -> Position | None:
    if page.cursor is not None:
        return cursors.read(account_id, box, page.cursor)
    return None if page.since is None else Position("changed", page.since)
