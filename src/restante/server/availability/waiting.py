"""Who waits to be told that it opens, as operators see them."""

from sqlalchemy import Connection

from restante.protocol import limits
from restante.protocol.wire_office import DeskPlace, DeskWaiter, DeskWaiting
from restante.server.availability import queries
from restante.server.availability.rules import Chart
from restante.server.availability.service import opens_by_invite

WAITED = "waited"
"""The note of an invite for somebody who waited."""


def waiting_of(connection: Connection, chart: Chart | None, *, after: int, now_ms: int) -> DeskWaiting:
    """A page of those who wait, and how many wait where."""
    most = limits.PAGE_ITEMS
    rows = queries.listed(connection, after=after, most=most + 1)
    return DeskWaiting(
        places=[
            DeskPlace(country=row.country, platform=row.platform, people=row.people)
            for row in queries.counts(connection)
        ],
        items=[
            DeskWaiter(
                id=row.id,
                name=row.name,
                mail=None if row.mail is None else masked(row.mail),
                country=row.country,
                platform=row.platform,
                created_at=row.created_at,
                opens=opens_by_invite(chart, row, now_ms=now_ms).allowed,
            )
            for row in rows[:most]
        ],
        more=len(rows) > most,
    )


def masked(address: str) -> str:
    """Enough of an address to tell it from others: ``a…@post.example``."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}"


def everybody(connection: Connection, chart: Chart | None, *, now_ms: int) -> list[DeskWaiter]:
    """All who wait, the one who asked first at the top."""
    found: list[DeskWaiter] = []
    page = waiting_of(connection, chart, after=0, now_ms=now_ms)
    while page.items:
        found += page.items
        page = waiting_of(connection, chart, after=found[-1].id, now_ms=now_ms)
    return found
