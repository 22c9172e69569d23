"""What an account may do: a pure function of plans, subscriptions, grants and time.

[Note: Everything adds up] Whoever holds several things at once (a plan to begin with, a subscription, a gift) has all of them: of
each limit the most generous, and messages of each allowance. So nothing that is given takes anything away, in whatever order
news of it arrives.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from restante.server.plans.terms import (
    Allowance,
    Entitlement,
    Grant,
    Per,
    Plan,
    Plans,
    State,
    Subscription,
)

_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class _Source:
    """A plan that is in force, and why."""

    plan: Plan
    state: State
    until_at: int | None
    allowance: Allowance


def entitlement(
    plans: Plans,
    *,
    since_ms: int,
    subscriptions: Iterable[Subscription],
    grants: Iterable[Grant],
    now_ms: int,
) -> Entitlement:
    """What an account that is here since ``since_ms`` may do at ``now_ms``. See [Note: Everything adds up]."""
    grants = [grant for grant in grants if grant.holds(now_ms)]
    sources = [*_begun(plans, since_ms, now_ms), *_granted(plans, grants, now_ms)]
    sources += _paid(plans, subscriptions, now_ms)
    gifts = [
        Allowance(f"gift:{grant.id}", grant.messages, grant.begins_at, grant.ends_at)
        for grant in grants
        if grant.messages
    ]
    order = {plan.id: place for place, plan in enumerate(plans.all)}
    shown = max(sources, key=lambda source: (order[source.plan.id], source.until_at or _NEVER))
    return Entitlement(
        plan=shown.plan,
        state=shown.state,
        until_at=shown.until_at,
        allowances=(*(source.allowance for source in sources), *gifts),
        kept_bytes=_most(source.plan.kept_bytes for source in sources),
        retention_days=_most(source.plan.retention_days for source in sources),
        features=frozenset().union(*(source.plan.features for source in sources)),
    )


def in_force(
    plans: Plans, *, subscriptions: Iterable[Subscription], grants: Iterable[Grant], now_ms: int
) -> Iterator[tuple[str, State]]:
    """Plan and state of everything that holds besides the plan that everybody has."""
    held = [grant for grant in grants if grant.holds(now_ms)]
    for source in (*_granted(plans, held, now_ms), *_paid(plans, subscriptions, now_ms)):
        yield source.plan.id, source.state


def choose(allowances: Iterable[Allowance], used: Mapping[tuple[str, int], int]) -> Allowance | None:
    """The allowance that the next message is counted under; None when all are used up.

    Unlimited ones first, then those that end soonest, so that nothing that would expire is spared.
    """
    ordered = sorted(
        allowances, key=lambda one: (one.messages is not None, one.ends_at or _NEVER, one.key, one.begins_at)
    )
    for one in ordered:
        if one.messages is None or used.get((one.key, one.begins_at), 0) < one.messages:
            return one
    return None


def window(anchor_ms: int, per: Per, now_ms: int) -> tuple[int, int | None]:
    """Begin and end of the counting time in which ``now_ms`` lies: whole months or years since an instant, in UTC."""
    if per == "once":
        return anchor_ms, None
    months = 12 if per == "year" else 1
    anchor, now = _date(anchor_ms), _date(now_ms)
    step = ((now.year - anchor.year) * 12 + now.month - anchor.month) // months * months
    while _later(anchor_ms, step) > now_ms:
        step -= months
    while (end := _later(anchor_ms, step + months)) <= now_ms:
        step += months
    return _later(anchor_ms, step), end


def after(begins_at: int, plan: Plan, periods: int) -> int:
    """The end of so many paid periods of a plan."""
    return _later(begins_at, periods * (12 if plan.every == "year" else 1))


def _begun(plans: Plans, since_ms: int, now_ms: int) -> Iterator[_Source]:
    plan = plans.find(plans.start)
    assert plan is not None, "checked when the file was read"
    yield _Source(plan, "free", None, _allowance("start", plan, since_ms, None, now_ms))


def _granted(plans: Plans, grants: Iterable[Grant], now_ms: int) -> Iterator[_Source]:
    for grant in grants:
        plan = plans.find(grant.plan)
        if plan is not None:
            allowance = _allowance(f"grant:{grant.id}", plan, grant.begins_at, grant.ends_at, now_ms)
            yield _Source(plan, "ending" if grant.is_paid else "granted", grant.ends_at, allowance)


def _paid(plans: Plans, subscriptions: Iterable[Subscription], now_ms: int) -> Iterator[_Source]:
    for held in subscriptions:
        plan, until = plans.find(held.plan), held.holds_until(plans.grace_ms)
        if plan is None or now_ms >= until:
            continue
        state: State = "paid"
        if held.unpaid_since_at is not None:
            state = "late"
        elif not held.renews or held.ended_at is not None:
            state = "ending"
        shown_until = held.ends_at if state == "paid" else until
        yield _Source(
            plan, state, shown_until, _allowance(f"paid:{plan.id}", plan, held.begins_at, None, now_ms)
        )


def _allowance(key: str, plan: Plan, anchor_ms: int, ends_ms: int | None, now_ms: int) -> Allowance:
    begins_at, ends_at = window(anchor_ms, plan.per, now_ms)
    if ends_ms is not None and (ends_at is None or ends_ms < ends_at):
        ends_at = ends_ms
    return Allowance(key, plan.messages, begins_at, ends_at)


def _most(limits: Iterable[int | None]) -> int | None:
    """The most generous of some limits; None among them is no limit at all."""
    known = list(limits)
    return None if None in known else max(limit for limit in known if limit is not None)


def _date(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _later(anchor_ms: int, months: int) -> int:
    """The same day and time some months on, or the last day of a month that is too short."""
    anchor = _date(anchor_ms)
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    for day in range(anchor.day, 27, -1):
        try:
            then = anchor.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
        return round(then.timestamp() * 1000)
    return round(anchor.replace(year=year, month=month + 1).timestamp() * 1000)
