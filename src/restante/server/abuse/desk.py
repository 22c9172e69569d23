"""The operator's desk: what can be done about a report, each within the caller's transaction.

A running server need not be told: it asks the database within seconds (sessions, videos) or at each request.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from restante.server.abuse import bans, queries
from restante.server.abuse.rules import Row
from restante.server.outbox import events


class NoSuchReport(LookupError):
    """No report, or several, have an id that begins so."""


class NothingToBan(LookupError):
    """The message was left by a caller without account."""


def listed(connection: Connection, *, everything: bool = False) -> Sequence[Row]:
    """Reports that wait, or all of them, the oldest first."""
    return queries.listed(connection, None if everything else "open")


def find(connection: Connection, beginning: str) -> Row:
    """One report by the beginning of its id. Raises NoSuchReport."""
    wanted = beginning if beginning.startswith("rep_") else f"rep_{beginning}"
    found = queries.find(connection, wanted)
    if len(found) != 1:
        raise NoSuchReport(beginning)
    return found[0]


def quarantine(connection: Connection, report: Row, reason: str, *, now_ms: int) -> None:
    """Takes the message out of everybody's sight."""
    queries.quarantine(connection, report.message_id, reason, at_ms=now_ms)
    _tell(connection, report.message_id, "deleted", now_ms=now_ms)
    _decided(connection, report, "quarantined", reason, now_ms=now_ms)


def ban(connection: Connection, report: Row, reason: str, *, now_ms: int) -> None:
    """Takes the message out of sight, ends the sender's sessions and lets them send nothing. Raises NothingToBan."""
    if report.sender_id is None:
        raise NothingToBan
    quarantine(connection, report, reason, now_ms=now_ms)
    bans.ban(connection, report.sender_id, reason, now_ms=now_ms)
    queries.end_sessions(connection, report.sender_id)
    _decided(connection, report, "banned", reason, now_ms=now_ms)


def dismiss(connection: Connection, report: Row, reason: str, *, now_ms: int) -> None:
    """Closes a report, and takes back what was decided on it."""
    if report.state in ("quarantined", "banned"):
        queries.quarantine(connection, report.message_id, "", at_ms=None)
        _tell(connection, report.message_id, "message", now_ms=now_ms)
    if report.state == "banned" and report.sender_id is not None:
        bans.lift(connection, report.sender_id)
    _decided(connection, report, "dismissed", reason, now_ms=now_ms)


def _tell(connection: Connection, message_id: str, kind: events.EventKind, *, now_ms: int) -> None:
    holders = queries.holders(connection, message_id)
    changes = events.append(connection, holders, kind, message_id, now_ms=now_ms)
    queries.set_changes(connection, message_id, changes)


def _decided(connection: Connection, report: Row, state: str, reason: str, *, now_ms: int) -> None:
    queries.decide(connection, report.id, state, reason, now_ms=now_ms)
    if report.upload_id is not None:
        queries.release(connection, report.upload_id, now_ms=now_ms)
