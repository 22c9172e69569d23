"""SQL of what is counted in the database. See [Note: Statements made once]."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from restante.server.db.tables import accounts, messages, meta, outbox, reports, sessions, uploads

_KEYS = ("backup_at", "check_at", "check_errors")
_META = select(meta.c.key, meta.c.value).where(meta.c.key.in_(_KEYS))
_OUTBOX = select(outbox.c.kind, func.count(), func.min(outbox.c.due_at)).group_by(outbox.c.kind)
_COUNTS = select(
    select(func.count()).select_from(accounts).scalar_subquery().label("accounts"),
    select(func.count())
    .select_from(sessions)
    .where(sessions.c.removed_at.is_(None))
    .scalar_subquery()
    .label("sessions"),
    select(func.count())
    .select_from(messages)
    .where(messages.c.deleted_at.is_(None))
    .scalar_subquery()
    .label("messages"),
    select(func.count())
    .select_from(uploads)
    .where(uploads.c.finished_at.is_(None), uploads.c.gone_at.is_(None))
    .scalar_subquery()
    .label("uploads_active"),
    select(func.coalesce(func.sum(uploads.c.length), 0))
    .where(uploads.c.finished_at.is_not(None), uploads.c.gone_at.is_(None))
    .scalar_subquery()
    .label("blob_bytes"),
    select(func.count())
    .select_from(reports)
    .where(reports.c.state == "open")
    .scalar_subquery()
    .label("reports_open"),
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Work of one kind that waits in the outbox."""

    kind: str
    count: int
    oldest_due_at: int


def counts(connection: Connection) -> dict[str, int]:
    """How much there is of everything."""
    return dict(connection.execute(_COUNTS).one()._mapping)  # noqa: SLF001 - SQLAlchemy's documented name


def waiting(connection: Connection) -> list[Waiting]:
    return [Waiting(*row) for row in connection.execute(_OUTBOX)]


def upkeep(connection: Connection) -> dict[str, int]:
    """When there was a backup and a check, and what the check found; 0 for never."""
    found = {key: int(value) for key, value in connection.execute(_META)}
    return {key: found.get(key, 0) for key in _KEYS}
