"""SQL of customers and their subscriptions. See [Note: Statements made once]."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, delete, insert, select, update

from restante.server.db.plan_tables import customers, subscriptions
from restante.server.payments.provider import Held
from restante.server.payments.rules import Step

AnyRow = Row[*tuple[Any, ...]]
BATCH = 100

_ACCOUNT: BindParameter[int] = bindparam("account")
_OF = select(customers).where(customers.c.account_id == _ACCOUNT)
_BY_CUSTOMER = select(customers.c.account_id).where(
    customers.c.provider == bindparam("of_provider"), customers.c.customer == bindparam("called")
)
_ADD = insert(customers)
_FORGET = delete(customers).where(customers.c.account_id == _ACCOUNT)
_CHECKED = update(customers).where(customers.c.account_id == _ACCOUNT).values(checked_at=bindparam("now"))
_UNCHECKED = (
    select(customers.c.customer)
    .where(customers.c.provider == bindparam("of_provider"), customers.c.checked_at < bindparam("before"))
    .order_by(customers.c.checked_at)
    .limit(BATCH)
)
_CLEAR = delete(subscriptions).where(subscriptions.c.account_id == _ACCOUNT)
_STORE = insert(subscriptions)
_TOLD = select(subscriptions.c.id, subscriptions.c.told).where(subscriptions.c.account_id == _ACCOUNT)
_ONE = select(subscriptions).where(subscriptions.c.id == bindparam("subscription"))
_DUE = (
    select(subscriptions)
    .where(subscriptions.c.notice_at <= bindparam("now"))
    .order_by(subscriptions.c.notice_at)
    .limit(BATCH)
)
_NOTE_TOLD = (
    update(subscriptions)
    .where(subscriptions.c.id == bindparam("subscription"))
    .values(told=bindparam("step"), notice_at=bindparam("next"))
)


def customer_of(connection: Connection, account_id: int) -> AnyRow | None:
    return connection.execute(_OF, {"account": account_id}).first()


def account_of(connection: Connection, provider: str, customer: str) -> int | None:
    return connection.execute(_BY_CUSTOMER, {"of_provider": provider, "called": customer}).scalar()


def set_customer(
    connection: Connection, account_id: int, provider: str, customer: str, *, now_ms: int
) -> None:
    """Notes what a provider calls an account; one of another provider is forgotten with its subscriptions."""
    for statement in (_CLEAR, _FORGET):
        connection.execute(statement, {"account": account_id})
    row = {"provider": provider, "customer": customer, "created_at": now_ms, "checked_at": now_ms}
    connection.execute(_ADD, {"account_id": account_id, **row})


def replace(
    connection: Connection, account_id: int, held: Iterable[tuple[Held, Step, int | None]], *, now_ms: int
) -> None:
    """Stores what a provider says now, in place of what it said before; what of each was told, and when to look again."""
    connection.execute(_CLEAR, {"account": account_id})
    rows = [
        {
            "id": each.id,
            "account_id": account_id,
            "plan": each.subscription.plan,
            "begins_at": each.subscription.begins_at,
            "ends_at": each.subscription.ends_at,
            "renews": int(each.subscription.renews),
            "unpaid_since_at": each.subscription.unpaid_since_at,
            "ended_at": each.subscription.ended_at,
            "told": told,
            "notice_at": next_at,
        }
        for each, told, next_at in held
    ]
    if rows:
        connection.execute(_STORE, rows)
    connection.execute(_CHECKED, {"account": account_id, "now": now_ms})


def unchecked(connection: Connection, provider: str, *, before_ms: int) -> list[str]:
    """Customers that nobody asked about since then, a batch of them."""
    return list(connection.execute(_UNCHECKED, {"of_provider": provider, "before": before_ms}).scalars())


# What is told


def told(connection: Connection, account_id: int) -> dict[str, Step]:
    """What was told of each subscription."""
    return {row.id: row.told for row in connection.execute(_TOLD, {"account": account_id})}


def subscription(connection: Connection, subscription_id: str) -> AnyRow | None:
    return connection.execute(_ONE, {"subscription": subscription_id}).first()


def due(connection: Connection, *, now_ms: int) -> list[AnyRow]:
    """Subscriptions that time alone may have moved on, a batch of them."""
    return list(connection.execute(_DUE, {"now": now_ms}))


def note_told(connection: Connection, subscription_id: str, step: Step, *, next_at: int | None) -> None:
    asked = {"subscription": subscription_id, "step": step, "next": next_at}
    connection.execute(_NOTE_TOLD, asked)
