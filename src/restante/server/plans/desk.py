"""What the operator gives: grants, and payments that arrived by other ways than a payment provider's.

These run in a transaction of `restante operator`, beside the server or without it.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from restante.protocol.ids import Prefix, new_id
from restante.server.plans import queries, rules
from restante.server.plans.terms import Plan

OPERATOR, MANUAL = "operator", "manual"
EVERY = 2**31 - 1


class NoSuchAccount(LookupError):
    """Nobody has this name."""


class NoSuchGrant(LookupError):
    """No grant, or more than one, has an id that begins so."""


class PaidBefore(ValueError):
    """A payment with this reference was recorded already, for something else."""


@dataclass(frozen=True, slots=True)
class Gift:
    """What is given, and why: a plan, or messages besides."""

    plan: str = ""
    messages: int = 0
    ends_at: int | None = None
    reason: str = ""


def give(connection: Connection, name: str, gift: Gift, *, now_ms: int) -> str:
    """Gives something from now on; returns the grant's id. Raises NoSuchAccount."""
    return _add(connection, _account(connection, name), gift, begins_at=now_ms, now_ms=now_ms)


def record_payment(
    connection: Connection,
    name: str,
    plan: Plan,
    *,
    reference: str,
    periods: int = 1,
    reason: str = "",
    now_ms: int,
) -> str:
    """Notes a payment, and gives the plan for what it pays: after what was paid before, if that still runs.

    The same reference again changes nothing. Returns the grant's id. Raises NoSuchAccount, PaidBefore.
    """
    account_id = _account(connection, name)
    known = queries.grant_by_reference(connection, MANUAL, reference)
    if known is not None:
        if (known.account_id, known.plan) != (account_id, plan.id):
            raise PaidBefore
        return str(known.id)
    paid = [
        row.ends_at
        for row in queries.grants_of(connection, account_id)
        if row.source == MANUAL and row.plan == plan.id and row.ends_at is not None
    ]
    begins_at = max([now_ms, *paid])
    gift = Gift(plan.id, 0, rules.after(begins_at, plan, periods), reason)
    return _add(
        connection, account_id, gift, begins_at=begins_at, source=MANUAL, reference=reference, now_ms=now_ms
    )


def take_back(connection: Connection, grant: str, *, now_ms: int) -> str:
    """Ends a grant now, also one that was paid and is paid back; returns its id. Raises NoSuchGrant."""
    row = one(connection, grant)
    if row.ends_at is None or row.ends_at > now_ms:
        queries.end_grant(connection, row.id, at_ms=now_ms)
    return str(row.id)


def listed(connection: Connection, *, name: str = "", most: int = EVERY) -> list[queries.AnyRow]:
    """Grants with the names of their accounts, the latest first: all of them, or those of one name."""
    return queries.all_grants(connection, name=name, most=most)


def one(connection: Connection, grant: str) -> queries.AnyRow:
    """The one grant whose id begins so. Raises NoSuchGrant."""
    found = queries.grants_like(connection, grant)
    if len(found) != 1 or not grant:
        raise NoSuchGrant
    return found[0]


def name_by_reference(connection: Connection, reference: str) -> str | None:
    """The account that was told to pay under a reference."""
    return queries.name_by_customer(connection, MANUAL, reference)


def _account(connection: Connection, name: str) -> int:
    account_id = queries.account_of(connection, name)
    if account_id is None:
        raise NoSuchAccount
    return account_id


def _add(
    connection: Connection,
    account_id: int,
    gift: Gift,
    *,
    begins_at: int,
    source: str = OPERATOR,
    reference: str | None = None,
    now_ms: int,
) -> str:
    row = {
        "id": new_id(Prefix.GRANT),
        "account_id": account_id,
        "plan": gift.plan,
        "messages": gift.messages,
        "begins_at": begins_at,
        "ends_at": gift.ends_at,
        "source": source,
        "reference": reference,
        "reason": gift.reason,
        "created_at": now_ms,
    }
    queries.add_grant(connection, row)
    return str(row["id"])
