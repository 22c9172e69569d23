"""SQL of what the account is told by. See [Note: Statements made once]."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    union,
    update,
)

from restante.server.db.entry_tables import waiting
from restante.server.db.tables import (
    envelopes,
    mail_addresses,
    notices,
    push_subscriptions,
    quiet_hours,
    sessions,
)

AnyRow = Row[*tuple[Any, ...]]

_ACCOUNT = bindparam("account", type_=push_subscriptions.c.account_id.type)
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_LIVE = push_subscriptions.join(
    sessions,
    and_(
        sessions.c.id == push_subscriptions.c.session_id,
        sessions.c.account_id == push_subscriptions.c.account_id,
    ),
)
_IS_LIVE = sessions.c.removed_at.is_(None)
_OF_ACCOUNT = (
    select(push_subscriptions)
    .select_from(_LIVE)
    .where(_IS_LIVE, push_subscriptions.c.account_id == _ACCOUNT)
    .order_by(push_subscriptions.c.renewed_at.desc(), push_subscriptions.c.id)
)
_ONE = (
    select(push_subscriptions)
    .select_from(_LIVE)
    .where(_IS_LIVE, push_subscriptions.c.id == bindparam("subscription"))
)
_SAME = (
    push_subscriptions.c.account_id == _ACCOUNT,
    push_subscriptions.c.endpoint == bindparam("where_to"),
)
_FIND = select(push_subscriptions.c.id).where(*_SAME)
_ADD = insert(push_subscriptions)
_RENEW = (
    update(push_subscriptions)
    .where(*_SAME)
    .values(
        session_id=bindparam("session"),
        p256dh=bindparam("public"),
        auth=bindparam("secret"),
        renewed_at=bindparam("now"),
    )
)
_REMOVE = delete(push_subscriptions).where(push_subscriptions.c.id == bindparam("subscription"))
_REMOVE_OWN = _REMOVE.where(push_subscriptions.c.account_id == _ACCOUNT)
_HOLD = (
    update(push_subscriptions)
    .where(push_subscriptions.c.id == bindparam("subscription"))
    .values(not_before_at=bindparam("until"))
)
_LISTENING = union(
    select(push_subscriptions.c.account_id).where(push_subscriptions.c.account_id.in_(_IDS)),
    select(mail_addresses.c.account_id).where(
        mail_addresses.c.account_id.in_(_IDS), mail_addresses.c.verified_at.is_not(None)
    ),
)


def listening(connection: Connection, account_ids: Iterable[int]) -> list[int]:
    """Which of the accounts have anything by which they are told."""
    return list(connection.execute(_LISTENING, {"ids": sorted(account_ids)}).scalars())


def subscriptions(connection: Connection, account_id: int) -> list[AnyRow]:
    """Those of living sessions, the one renewed last first."""
    return list(connection.execute(_OF_ACCOUNT, {"account": account_id}))


def subscription(connection: Connection, subscription_id: str) -> AnyRow | None:
    """One of a living session."""
    return connection.execute(_ONE, {"subscription": subscription_id}).first()


def put_subscription(connection: Connection, row: dict[str, Any]) -> str:
    """Adds a subscription, or renews the one with the same endpoint; returns its id."""
    same = {"account": row["account_id"], "where_to": row["endpoint"]}
    found: str | None = connection.execute(_FIND, same).scalar()
    if found is None:
        connection.execute(_ADD, row)
        return str(row["id"])
    keys = {"session": row["session_id"], "public": row["p256dh"], "secret": row["auth"]}
    connection.execute(_RENEW, {**same, **keys, "now": row["renewed_at"]})
    return found


def remove_subscription(connection: Connection, subscription_id: str) -> None:
    connection.execute(_REMOVE, {"subscription": subscription_id})


def remove_own(connection: Connection, account_id: int, subscription_id: str) -> bool:
    """Removes one of the account's; tells whether there was one."""
    asked = {"account": account_id, "subscription": subscription_id}
    return connection.execute(_REMOVE_OWN, asked).rowcount > 0


def hold(connection: Connection, subscription_id: str, *, until_ms: int) -> None:
    """Notes that its push service wants nothing before then."""
    connection.execute(_HOLD, {"subscription": subscription_id, "until": until_ms})


# Quiet hours, and what was told

_QUIET = select(quiet_hours).where(quiet_hours.c.account_id == _ACCOUNT)
_LOUD = delete(quiet_hours).where(quiet_hours.c.account_id == _ACCOUNT)
_SET_QUIET = insert(quiet_hours)
_THIS_CAUSE = (notices.c.account_id == _ACCOUNT, notices.c.cause == bindparam("of_cause"))
_TOLD_AT = select(notices.c.told_at).where(*_THIS_CAUSE)
_FORGET_TOLD = delete(notices).where(*_THIS_CAUSE)
_TOLD = insert(notices)


def quiet(connection: Connection, account_id: int) -> AnyRow | None:
    return connection.execute(_QUIET, {"account": account_id}).first()


def set_quiet(connection: Connection, account_id: int, hours: dict[str, Any] | None) -> None:
    """Replaces the quiet hours, or ends them."""
    connection.execute(_LOUD, {"account": account_id})
    if hours is not None:
        connection.execute(_SET_QUIET, {"account_id": account_id, **hours})


def told_at(connection: Connection, account_id: int, cause: str) -> int | None:
    """When the account was told of a cause last."""
    found: int | None = connection.execute(_TOLD_AT, {"account": account_id, "of_cause": cause}).scalar()
    return found


def note_told(connection: Connection, account_id: int, cause: str, *, now_ms: int) -> None:
    connection.execute(_FORGET_TOLD, {"account": account_id, "of_cause": cause})
    connection.execute(_TOLD, {"account_id": account_id, "cause": cause, "told_at": now_ms})


# Mail

_MAIL = select(mail_addresses).where(mail_addresses.c.account_id == _ACCOUNT)
_NO_MAIL = delete(mail_addresses).where(mail_addresses.c.account_id == _ACCOUNT)
_SET_MAIL = insert(mail_addresses)
_VERIFIED = (
    update(mail_addresses)
    .where(mail_addresses.c.account_id == _ACCOUNT)
    .values(verified_at=bindparam("now"), code_expires_at=None)
)
_MAILED = (
    update(mail_addresses).where(mail_addresses.c.account_id == _ACCOUNT).values(mailed_at=bindparam("now"))
)
_NEWS = select(func.count()).where(
    envelopes.c.account_id == _ACCOUNT,
    envelopes.c.box == "inbox",
    envelopes.c.deleted_at.is_(None),
    envelopes.c.fetched_at.is_(None),
    envelopes.c.received_at > bindparam("after"),
)


def mail(connection: Connection, account_id: int) -> AnyRow | None:
    return connection.execute(_MAIL, {"account": account_id}).first()


def set_mail(connection: Connection, account_id: int, row: dict[str, Any] | None) -> None:
    """Replaces the address, or ends mail."""
    connection.execute(_NO_MAIL, {"account": account_id})
    if row is not None:
        connection.execute(_SET_MAIL, {"account_id": account_id, **row})


def verify_mail(connection: Connection, account_id: int, *, now_ms: int) -> None:
    connection.execute(_VERIFIED, {"account": account_id, "now": now_ms})


def note_mailed(connection: Connection, account_id: int, *, now_ms: int) -> None:
    connection.execute(_MAILED, {"account": account_id, "now": now_ms})


def news(connection: Connection, account_id: int, *, after_ms: int) -> int:
    """How many messages came after that and were fetched by no device yet."""
    return int(connection.execute(_NEWS, {"account": account_id, "after": after_ms}).scalar_one())


# Who waits for an opening

_WAITING = (
    select(
        waiting.c.language,
        func.coalesce(waiting.c.mail, mail_addresses.c.address).label("address"),
    )
    .select_from(
        waiting.outerjoin(
            mail_addresses,
            and_(
                mail_addresses.c.account_id == waiting.c.account_id,
                mail_addresses.c.verified_at.is_not(None),
            ),
        )
    )
    .where(waiting.c.id == bindparam("row"))
)
_WAITS_NO_MORE = delete(waiting).where(waiting.c.id == bindparam("row"))


def opened_to(connection: Connection, waiting_id: int) -> AnyRow | None:
    """Language and address of somebody who asked to be told that it is open; without an address there is none to write to."""
    return connection.execute(_WAITING, {"row": waiting_id}).first()


def forget_waiting(connection: Connection, waiting_id: int) -> None:
    connection.execute(_WAITS_NO_MORE, {"row": waiting_id})
