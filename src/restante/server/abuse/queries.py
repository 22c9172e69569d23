"""SQL of reports and of what follows from them. See [Note: Statements made once]."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from restante.server.db.tables import (
    account_records,
    accounts,
    bans,
    envelopes,
    messages,
    outbox,
    reports,
    sessions,
)

Row = Any

_MESSAGE = bindparam("message", type_=messages.c.id.type)
_NOW = bindparam("now", type_=messages.c.received_at.type)
_RECEIVED = (
    select(
        messages.c.id,
        messages.c.account_id,
        messages.c.upload_id,
        messages.c.details,
        messages.c.claim_hmac,
        messages.c.received_at,
        messages.c.by_caller,
        envelopes.c.forwarded_by,
    )
    .select_from(envelopes.join(messages, messages.c.id == envelopes.c.message_id))
    .where(
        envelopes.c.message_id == _MESSAGE,
        envelopes.c.account_id == bindparam("account"),
        envelopes.c.box.in_(("inbox", "past")),
    )
)
_ACCOUNT = select(accounts.c.id, accounts.c.name).where(accounts.c.name == bindparam("known_as"))
_RECORDS = select(account_records.c.record).where(account_records.c.account_id == bindparam("account"))
_ADD = insert(reports)
_OF_REPORTER = select(reports.c.id, reports.c.created_at).where(
    reports.c.account_id == bindparam("account"), reports.c.message_id == _MESSAGE
)
_OPEN = select(reports.c.id).where(reports.c.message_id == _MESSAGE, reports.c.state == "open").limit(1)
_ALL = (
    select(reports, func.coalesce(accounts.c.name, "").label("reporter"))
    .select_from(reports.outerjoin(accounts, accounts.c.id == reports.c.account_id))
    .order_by(reports.c.created_at)
)
_WITH_STATE = _ALL.where(reports.c.state == bindparam("of_state"))
_ONE = _ALL.where(func.substr(reports.c.id, 1, bindparam("length")) == bindparam("beginning")).limit(2)
_DECIDE = (
    update(reports)
    .where(reports.c.id == bindparam("report"))
    .values(state=bindparam("becomes"), decision=bindparam("why"), decided_at=_NOW)
)
_QUARANTINE = (
    update(messages)
    .where(messages.c.id == _MESSAGE)
    .values(quarantined_at=bindparam("at"), quarantine_reason=bindparam("why"))
)
_QUARANTINE_COPIES = (
    update(envelopes)
    .where(envelopes.c.message_id == _MESSAGE)
    .values(quarantined_at=bindparam("at"), quarantine_reason=bindparam("why"))
)
_HOLDERS = select(envelopes.c.account_id).where(
    envelopes.c.message_id == _MESSAGE,
    envelopes.c.deleted_at.is_(None),
    envelopes.c.box.in_(("inbox", "sent")),
)
_SET_CHANGE = (
    update(envelopes)
    .where(envelopes.c.message_id == _MESSAGE, envelopes.c.account_id == bindparam("account"))
    .values(change=bindparam("event"))
)
_END_SESSIONS = delete(sessions).where(sessions.c.account_id == bindparam("account"))
_RELEASE = (
    update(outbox)
    .where(outbox.c.kind == "delete-blob", outbox.c.subject == bindparam("upload"))
    .values(due_at=_NOW)
)


def received(connection: Connection, account_id: int, message_id: str) -> Row | None:
    """A message that the account has or had in its inbox, with what was kept at the send."""
    return connection.execute(_RECEIVED, {"account": account_id, "message": message_id}).first()


def account(connection: Connection, name: str) -> Row | None:
    """The account that has this name."""
    return connection.execute(_ACCOUNT, {"known_as": name}).first()


def records(connection: Connection, account_id: int) -> list[bytes]:
    """Every account record that an account ever had."""
    return list(connection.execute(_RECORDS, {"account": account_id}).scalars())


def add(connection: Connection, row: dict[str, Any]) -> None:
    connection.execute(_ADD, row)


def of_reporter(connection: Connection, account_id: int, message_id: str) -> Row | None:
    """The account's report of a message, if it made one."""
    return connection.execute(_OF_REPORTER, {"account": account_id, "message": message_id}).first()


def is_open(connection: Connection, message_id: str) -> bool:
    """Tells whether a report of this message waits for the operator."""
    return connection.execute(_OPEN, {"message": message_id}).first() is not None


def listed(connection: Connection, state: str | None) -> Sequence[Row]:
    """Reports, the oldest first, with the reporters' names."""
    if state is None:
        return connection.execute(_ALL).all()
    return connection.execute(_WITH_STATE, {"of_state": state}).all()


def find(connection: Connection, beginning: str) -> Sequence[Row]:
    """Reports whose id begins so, two at most."""
    return connection.execute(_ONE, {"beginning": beginning, "length": len(beginning)}).all()


def decide(connection: Connection, report_id: str, state: str, reason: str, *, now_ms: int) -> None:
    change = {"report": report_id, "becomes": state, "why": reason, "now": now_ms}
    connection.execute(_DECIDE, change)


def quarantine(connection: Connection, message_id: str, reason: str, *, at_ms: int | None) -> None:
    """Takes a message out of sight, or with None back into it."""
    for statement in (_QUARANTINE, _QUARANTINE_COPIES):
        connection.execute(statement, {"message": message_id, "at": at_ms, "why": reason})


def holders(connection: Connection, message_id: str) -> set[int]:
    """Who has a living copy."""
    return set(connection.execute(_HOLDERS, {"message": message_id}).scalars())


def set_changes(connection: Connection, message_id: str, changes: dict[int, int]) -> None:
    """Numbers the last change of the copies of a message, by account."""
    rows = [{"message": message_id, "account": who, "event": event} for who, event in changes.items()]
    if rows:
        connection.execute(_SET_CHANGE, rows)


def end_sessions(connection: Connection, account_id: int) -> None:
    connection.execute(_END_SESSIONS, {"account": account_id})


def release(connection: Connection, upload_id: str, *, now_ms: int) -> None:
    """Lets the removal of a blob, if one waits, happen now."""
    connection.execute(_RELEASE, {"upload": upload_id, "now": now_ms})


_BAN_OF = bans.c.account_id == bindparam("account")
_BAN_REASON = select(bans.c.reason).where(_BAN_OF)
_LIFT_BAN = delete(bans).where(_BAN_OF)
_ADD_BAN = insert(bans)


def ban_reason(connection: Connection, account_id: int) -> str | None:
    """Why an account was banned; None when it was not."""
    reason: str | None = connection.execute(_BAN_REASON, {"account": account_id}).scalar()
    return reason


def add_ban(connection: Connection, account_id: int, reason: str, *, now_ms: int) -> None:
    connection.execute(_ADD_BAN, {"account_id": account_id, "reason": reason, "created_at": now_ms})


def lift_ban(connection: Connection, account_id: int) -> None:
    connection.execute(_LIFT_BAN, {"account": account_id})
