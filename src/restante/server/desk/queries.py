"""SQL of the operator's desk: counts, times and names, never what people wrote. See [Note: Statements made once]."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select

from restante.server.db.functions import Greatest
from restante.server.db.tables import (
    accounts,
    bans,
    desk_acts,
    events,
    messages,
    operators,
    passkeys,
    sessions,
    uploads,
)

Row = Any

_NEWEST = select(
    Greatest(
        func.coalesce(select(func.max(messages.c.received_at)).scalar_subquery(), 0),
        func.coalesce(select(func.max(events.c.created_at)).scalar_subquery(), 0),
        func.coalesce(select(func.max(accounts.c.created_at)).scalar_subquery(), 0),
    )
)
_OPERATORS = select(func.count()).select_from(operators)
_PASSKEYS = select(func.count()).select_from(passkeys).where(passkeys.c.account_id == bindparam("account"))
_SINCE = messages.c.received_at >= bindparam("since")
_DAYS = (
    select(
        ((messages.c.received_at - bindparam("since")) // bindparam("day")).label("number"),
        func.count().label("messages"),
        func.coalesce(func.sum(messages.c.video_bytes), 0).label("bytes"),
        func.count(messages.c.account_id.distinct()).label("people"),
    )
    .where(_SINCE)
    .group_by("number")
)
_SENT = (
    select(
        messages.c.account_id,
        func.count().label("messages"),
        func.coalesce(func.sum(messages.c.video_bytes), 0).label("bytes"),
    )
    .where(messages.c.deleted_at.is_(None))
    .group_by(messages.c.account_id)
    .subquery()
)
_SEEN = (
    select(sessions.c.account_id, func.max(sessions.c.last_seen_at).label("seen_at"))
    .group_by(sessions.c.account_id)
    .subquery()
)
_PEOPLE = (
    select(
        accounts.c.name,
        accounts.c.created_at,
        _SEEN.c.seen_at,
        func.coalesce(_SENT.c.messages, 0).label("messages"),
        func.coalesce(_SENT.c.bytes, 0).label("bytes"),
        bans.c.account_id.is_not(None).label("is_banned"),
        operators.c.account_id.is_not(None).label("is_operator"),
    )
    .select_from(
        accounts.outerjoin(_SENT, _SENT.c.account_id == accounts.c.id)
        .outerjoin(_SEEN, _SEEN.c.account_id == accounts.c.id)
        .outerjoin(bans, bans.c.account_id == accounts.c.id)
        .outerjoin(operators, operators.c.account_id == accounts.c.id)
    )
    .where(accounts.c.name > bindparam("after"), accounts.c.name.like(bindparam("pattern"), escape="\\"))
    .order_by(accounts.c.name)
    .limit(bindparam("most"))
)
_VIDEO = (
    select(messages.c.video_bytes, uploads.c.length)
    .select_from(uploads.outerjoin(messages, messages.c.upload_id == uploads.c.id))
    .where(uploads.c.id == bindparam("upload"), uploads.c.gone_at.is_(None))
)
_OWN = select(uploads.c.length).where(
    uploads.c.id == bindparam("upload"),
    uploads.c.account_id == bindparam("account"),
    uploads.c.finished_at.is_not(None),
    uploads.c.message_id.is_(None),
    uploads.c.gone_at.is_(None),
    uploads.c.call_sha256.is_(None),
)
_LAST_ACT = select(desk_acts).order_by(desk_acts.c.seq.desc()).limit(1)
_ACTS = select(desk_acts).order_by(desk_acts.c.seq)
_ADD_ACT = insert(desk_acts)


def newest(connection: Connection) -> int:
    """When the newest thing was dated."""
    return int(connection.execute(_NEWEST).scalar_one())


def operator_count(connection: Connection) -> int:
    return int(connection.execute(_OPERATORS).scalar_one())


def passkey_count(connection: Connection, account_id: int) -> int:
    return int(connection.execute(_PASSKEYS, {"account": account_id}).scalar_one())


def days(connection: Connection, *, since: int, day_ms: int) -> Sequence[Row]:
    """Number of the day, messages, bytes and people, for days on which there was something."""
    return connection.execute(_DAYS, {"since": since, "day": day_ms}).all()


def people(connection: Connection, *, after: str, like: str, most: int) -> Sequence[Row]:
    """Accounts by name, after one, that have ``like`` in their name."""
    plain = like.lower().replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
    return connection.execute(_PEOPLE, {"after": after, "pattern": f"%{plain}%", "most": most}).all()


def video_bytes(connection: Connection, upload_id: str) -> int | None:
    """Size of a video whose bytes are still there."""
    row = connection.execute(_VIDEO, {"upload": upload_id}).first()
    return None if row is None else row.length


def own_bytes(connection: Connection, account_id: int, upload_id: str) -> int | None:
    """Size of an account's own upload that is finished and sent with nothing yet."""
    found: int | None = connection.execute(_OWN, {"account": account_id, "upload": upload_id}).scalar()
    return found


def last_act(connection: Connection) -> Row | None:
    return connection.execute(_LAST_ACT).first()


def acts(connection: Connection) -> Sequence[Row]:
    """The whole record, in order."""
    return connection.execute(_ACTS).all()


def add_act(connection: Connection, row: dict[str, Any]) -> None:
    connection.execute(_ADD_ACT, row)
