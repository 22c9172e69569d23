"""Plans at the operator's desk: how many have which, what was given, what was paid by hand. Each change stands in the desk's record."""

from typing import Any

from sqlalchemy import Connection

from restante.protocol import limits
from restante.protocol.wire_desk_plans import (
    DeskGrant,
    DeskGrants,
    DeskPlan,
    DeskPlans,
    GiveGrant,
    RecordPayment,
)
from restante.server.asgi import RawHeaders
from restante.server.desk.service import Desk, Noted
from restante.server.errors import Refusal
from restante.server.plans import desk as office
from restante.server.plans.service import Plans
from restante.server.plans.terms import DAY_MS, Plan
from restante.server.sessions.actor import Actor

GIVE, PAY, END = "give", "record-payment", "end-grant"
"""What the desk's record calls it, also when it is done at the terminal."""


async def overview(desk: Desk, plans: Plans, actor: Actor, headers: RawHeaders) -> DeskPlans:
    """The plans in force, and how many have each."""
    counts = await desk.read(actor, headers, plans.in_force)
    declared = plans.declared
    if declared is None:
        return DeskPlans(on=False)
    items = []
    for plan, shown in zip(declared.plans.all, plans.shown(), strict=True):
        of = [counts[plan.id, state] for state in ("paid", "ending", "late", "granted")]
        items.append(DeskPlan(shown, *of))
    return DeskPlans(
        on=True, items=items, pays_by=declared.provider, grace_days=declared.plans.grace_ms // DAY_MS
    )


async def grants(desk: Desk, actor: Actor, headers: RawHeaders, *, name: str) -> DeskGrants:
    """What was given, the latest first: to everybody, or to one account."""
    most = limits.PAGE_ITEMS
    rows = await desk.read(
        actor, headers, lambda connection: office.listed(connection, name=name, most=most + 1)
    )
    return DeskGrants([_grant(row) for row in rows[:most]], more=len(rows) > most)


async def give(desk: Desk, plans: Plans, actor: Actor, headers: RawHeaders, form: GiveGrant) -> DeskGrant:
    """Gives a plan or videos. Raises Refusal invalid, no-such-account, and what ``Desk.change`` raises."""
    if (form.plan is None) == (form.videos == 0):
        raise Refusal("invalid", detail="a grant is a plan, or a number of videos")
    if form.plan is not None:
        _plan(plans, form.plan)

    def work(connection: Connection, now_ms: int) -> tuple[DeskGrant, Noted]:
        ends_at = now_ms + form.days * DAY_MS if form.days else None
        gift = office.Gift(form.plan or "", form.videos, ends_at, form.reason)
        try:
            made = office.give(connection, form.account, gift, now_ms=now_ms)
        except office.NoSuchAccount:
            raise Refusal("no-such-account") from None
        return _found(connection, made), Noted(GIVE, made, form.reason)

    return await desk.change(actor, headers, work)


async def pay(desk: Desk, plans: Plans, actor: Actor, headers: RawHeaders, form: RecordPayment) -> DeskGrant:
    """Records a payment. Raises Refusal invalid, no-such-account, paid-before, and what ``Desk.change`` raises."""
    paid = _plan(plans, form.plan)
    if paid.every is None:
        raise Refusal("invalid", detail="plan: not one with a price")

    def work(connection: Connection, now_ms: int) -> tuple[DeskGrant, Noted]:
        name = office.name_by_reference(connection, form.account) or form.account
        try:
            made = office.record_payment(
                connection,
                name,
                paid,
                reference=form.reference,
                periods=form.periods,
                reason=form.reason,
                now_ms=now_ms,
            )
        except office.NoSuchAccount:
            raise Refusal("no-such-account") from None
        except office.PaidBefore:
            raise Refusal("paid-before") from None
        return _found(connection, made), Noted(PAY, made, form.reference)

    return await desk.change(actor, headers, work)


async def end(desk: Desk, actor: Actor, headers: RawHeaders, grant_id: str) -> DeskGrant:
    """Ends a grant now. Raises Refusal not-found, and what ``Desk.change`` raises."""

    def work(connection: Connection, now_ms: int) -> tuple[DeskGrant, Noted]:
        try:
            ended = office.take_back(connection, grant_id, now_ms=now_ms)
        except office.NoSuchGrant:
            raise Refusal("not-found") from None
        return _found(connection, ended), Noted(END, ended)

    return await desk.change(actor, headers, work)


def _plan(plans: Plans, plan_id: str) -> Plan:
    found = None if plans.declared is None else plans.declared.plans.find(plan_id)
    if found is None:
        raise Refusal("invalid", detail="plan: not one that is declared here")
    return found


def _found(connection: Connection, grant_id: str) -> DeskGrant:
    return _grant(office.one(connection, grant_id))


def _grant(row: Any) -> DeskGrant:
    return DeskGrant(
        id=row.id,
        account=row.name,
        plan=row.plan,
        videos=row.messages,
        begins_at=row.begins_at,
        ends_at=row.ends_at,
        source=row.source,
        reference=row.reference,
        reason=row.reason,
        created_at=row.created_at,
    )
