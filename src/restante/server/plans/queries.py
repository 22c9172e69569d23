"""SQL of plans: what accounts hold, and what they used. See [Note: Statements made once]."""

from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, func, insert, or_, select, update

from restante.server.db.plan_tables import customers, grants, plan_usage, subscriptions
from restante.server.db.tables import accounts, messages

AnyRow = Row[*tuple[Any, ...]]

_ACCOUNT: BindParameter[int] = bindparam("account")
_SINCE = select(accounts.c.created_at).where(accounts.c.id == _ACCOUNT)
_GRANTS = select(grants).where(grants.c.account_id == _ACCOUNT).order_by(grants.c.begins_at, grants.c.id)
_SUBSCRIPTIONS = (
    select(subscriptions).where(subscriptions.c.account_id == _ACCOUNT).order_by(subscriptions.c.id)
)
_USED = select(plan_usage.c.allowance, plan_usage.c.begins_at, plan_usage.c.messages).where(
    plan_usage.c.account_id == _ACCOUNT
)
_THIS = (
    plan_usage.c.account_id == _ACCOUNT,
    plan_usage.c.allowance == bindparam("of"),
    plan_usage.c.begins_at == bindparam("since"),
)
_COUNT = (
    update(plan_usage)
    .where(*_THIS, plan_usage.c.messages < bindparam("most"))
    .values(messages=plan_usage.c.messages + 1)
)
_FIRST = insert(plan_usage)
_KEPT = select(func.coalesce(func.sum(messages.c.video_bytes), 0)).where(
    messages.c.account_id == _ACCOUNT, messages.c.deleted_at.is_(None), messages.c.by_caller == 0
)
_BY_NAME = select(accounts.c.id).where(accounts.c.name == bindparam("known_as"))
_BY_CUSTOMER = (
    select(accounts.c.name)
    .join(customers, customers.c.account_id == accounts.c.id)
    .where(customers.c.provider == bindparam("of_provider"), customers.c.customer == bindparam("called"))
)
_IS_CUSTOMER = select(customers.c.account_id).where(
    customers.c.account_id == _ACCOUNT, customers.c.provider == bindparam("of_provider")
)
_ADD_GRANT = insert(grants)
_BY_REFERENCE = select(grants).where(
    grants.c.source == bindparam("from_source"), grants.c.reference == bindparam("with_reference")
)
_ALL_GRANTS = (
    select(grants, accounts.c.name)
    .join(accounts, accounts.c.id == grants.c.account_id)
    .order_by(grants.c.created_at.desc(), grants.c.id)
    .limit(bindparam("most"))
)
_GRANTS_OF_NAME = _ALL_GRANTS.where(accounts.c.name == bindparam("known_as"))
_GRANTS_LIKE = _ALL_GRANTS.where(
    func.substr(grants.c.id, 1, func.length(bindparam("begins"))) == bindparam("begins")
)
_LIVING = select(subscriptions).where(
    or_(subscriptions.c.ended_at.is_(None), subscriptions.c.ended_at > bindparam("now"))
)
_HOLDING = select(grants).where(
    grants.c.plan != "",
    grants.c.begins_at <= bindparam("now"),
    or_(grants.c.ends_at.is_(None), grants.c.ends_at > bindparam("now")),
)
_END_GRANT = update(grants).where(grants.c.id == bindparam("grant")).values(ends_at=bindparam("at"))


def since(connection: Connection, account_id: int) -> int:
    """When the account was made."""
    return int(connection.execute(_SINCE, {"account": account_id}).scalar_one())


def grants_of(connection: Connection, account_id: int) -> list[AnyRow]:
    return list(connection.execute(_GRANTS, {"account": account_id}))


def subscriptions_of(connection: Connection, account_id: int) -> list[AnyRow]:
    return list(connection.execute(_SUBSCRIPTIONS, {"account": account_id}))


def used(connection: Connection, account_id: int) -> dict[tuple[str, int], int]:
    """Messages counted, by allowance and begin of its time."""
    rows = connection.execute(_USED, {"account": account_id})
    return {(row.allowance, row.begins_at): row.messages for row in rows}


def count(connection: Connection, account_id: int, allowance: str, begins_at: int, *, most: int) -> bool:
    """Counts one message unless ``most`` are counted; tells whether it did."""
    asked = {"account": account_id, "of": allowance, "since": begins_at, "most": most}
    return connection.execute(_COUNT, asked).rowcount > 0


def count_first(connection: Connection, account_id: int, allowance: str, begins_at: int) -> None:
    """Begins a counter with its first message."""
    row = {"account_id": account_id, "allowance": allowance, "begins_at": begins_at, "messages": 1}
    connection.execute(_FIRST, row)


def kept_bytes(connection: Connection, account_id: int) -> int:
    """Bytes of the videos that the account left and that live."""
    return int(connection.execute(_KEPT, {"account": account_id}).scalar_one())


def is_customer(connection: Connection, account_id: int, provider: str) -> bool:
    """Tells whether a payment provider knows the account."""
    asked = {"account": account_id, "of_provider": provider}
    return connection.execute(_IS_CUSTOMER, asked).first() is not None


# The operator's


def account_of(connection: Connection, name: str) -> int | None:
    return connection.execute(_BY_NAME, {"known_as": name}).scalar()


def add_grant(connection: Connection, row: dict[str, Any]) -> None:
    connection.execute(_ADD_GRANT, row)


def grant_by_reference(connection: Connection, source: str, reference: str) -> AnyRow | None:
    """What was given for a payment already."""
    asked = {"from_source": source, "with_reference": reference}
    return connection.execute(_BY_REFERENCE, asked).first()


def all_grants(connection: Connection, *, name: str = "", most: int) -> list[AnyRow]:
    """Grants with the names of their accounts, the latest first."""
    asked = {"most": most, "known_as": name} if name else {"most": most}
    return list(connection.execute(_GRANTS_OF_NAME if name else _ALL_GRANTS, asked))


def grants_like(connection: Connection, begins: str) -> list[AnyRow]:
    """Two of the grants whose ids begin so: enough to know that there is one."""
    return list(connection.execute(_GRANTS_LIKE, {"begins": begins, "most": 2}))


def living(connection: Connection, *, now_ms: int) -> list[AnyRow]:
    """Subscriptions of everybody that did not end."""
    return list(connection.execute(_LIVING, {"now": now_ms}))


def holding(connection: Connection, *, now_ms: int) -> list[AnyRow]:
    """Plans that are given to anybody now."""
    return list(connection.execute(_HOLDING, {"now": now_ms}))


def end_grant(connection: Connection, grant_id: str, *, at_ms: int) -> None:
    connection.execute(_END_GRANT, {"grant": grant_id, "at": at_ms})


def name_by_customer(connection: Connection, provider: str, customer: str) -> str | None:
    """The account that a payment provider calls so."""
    return connection.execute(_BY_CUSTOMER, {"of_provider": provider, "called": customer}).scalar()
