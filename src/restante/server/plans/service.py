"""Plans: counts what is sent in the transaction that sends it, and says what an account may do.

[Note: Counted with the message] A send that fails for whatever reason rolls its count back with it, and a repeated one is found
before anything is counted. So nothing is ever refunded by hand, and of two sends for the last message one succeeds.
"""

from collections import Counter

from sqlalchemy import Connection

from restante.protocol import wire_plans as wire
from restante.server.clock import Clock
from restante.server.db.engine import Database
from restante.server.errors import Refusal
from restante.server.plans import queries, rules, terms
from restante.server.plans.declared import Declared
from restante.server.plans.terms import DAY_MS, Entitlement, Feature, Grant, Plan, State, Subscription
from restante.server.sessions.actor import Actor


class Plans:
    """The room's one entrance; without declared plans everything is allowed."""

    def __init__(self, database: Database, clock: Clock, declared: Declared | None) -> None:
        self._database = database
        self._clock = clock
        self.declared = declared

    # For the rooms that send

    def count_message(
        self, connection: Connection, account_id: int, *, video_bytes: int, now_ms: int
    ) -> int | None:
        """Counts a message within the caller's transaction; returns when it must end at the latest.

        What carries no video is not counted. Raises Refusal plan-limit.
        """
        entitled = self._entitlement(connection, account_id, now_ms)
        if entitled is None:
            return None
        if video_bytes:
            self._check_kept(connection, account_id, entitled, video_bytes)
            self._count(connection, account_id, entitled)
        return None if entitled.retention_days is None else now_ms + entitled.retention_days * DAY_MS

    def check_may_upload(self, connection: Connection, account_id: int, *, now_ms: int) -> None:
        """Refuses bytes that no message could carry. Raises Refusal plan-limit."""
        entitled = self._entitlement(connection, account_id, now_ms)
        if entitled is None:
            return
        used = queries.used(connection, account_id)
        if rules.choose(entitled.allowances, used) is None:
            raise _used_up(entitled, used)

    def check_feature(
        self, connection: Connection, account_id: int, feature: Feature, *, now_ms: int
    ) -> None:
        """Raises Refusal not-in-plan."""
        entitled = self._entitlement(connection, account_id, now_ms)
        if entitled is not None and feature not in entitled.features:
            raise Refusal("not-in-plan")

    def is_begun_with(self, connection: Connection, account_id: int) -> bool:
        """Tells whether the account has nothing but the plan that everybody has."""
        entitled = self._entitlement(connection, account_id, self._clock.now_ms())
        return entitled is not None and entitled.state == "free"

    # For the operator

    def in_force(self, connection: Connection) -> Counter[tuple[str, State]]:
        """How many have which plan in which state, besides the one that everybody has."""
        if self.declared is None:
            return Counter()
        return count_in_force(connection, self.declared.plans, now_ms=self._clock.now_ms())

    def shown(self) -> list[wire.Plan]:
        """Everything that is declared, as it travels."""
        if self.declared is None:
            return []
        currency, tax = self.declared.plans.currency, self.declared.tax
        return [_shown(plan, currency, tax) for plan in self.declared.plans.all]

    # For the person

    async def standing(self, actor: Actor) -> wire.Standing:
        """What the account has, what it used, and what can be had."""
        if self.declared is None:
            return wire.Standing(on=False)
        return await self._database.read(lambda connection: self._standing(connection, actor.account_id))

    def _standing(self, connection: Connection, account_id: int) -> wire.Standing:
        entitled = self._entitlement(connection, account_id, self._clock.now_ms())
        assert entitled is not None
        assert self.declared is not None
        used = queries.used(connection, account_id)
        tax, offers = self.declared.tax, self.declared.plans.all
        return wire.Standing(
            on=True,
            plan=_shown(entitled.plan, self.declared.plans.currency, tax),
            state=entitled.state,
            until_at=entitled.until_at,
            used=_sum_used(entitled, used),
            messages=entitled.messages,
            anew_at=entitled.anew_at,
            kept_bytes=queries.kept_bytes(connection, account_id),
            kept_most=entitled.kept_bytes,
            retention_days=entitled.retention_days,
            features=sorted(entitled.features),
            offers=[_shown(plan, self.declared.plans.currency, tax) for plan in offers if plan.every],
            pays_by=self.declared.provider,
            manages=queries.is_customer(connection, account_id, "stripe")
            and self.declared.provider == "stripe",
        )

    # Inside

    def _entitlement(self, connection: Connection, account_id: int, now_ms: int) -> Entitlement | None:
        if self.declared is None:
            return None
        return rules.entitlement(
            self.declared.plans,
            since_ms=queries.since(connection, account_id),
            subscriptions=[subscription_of(row) for row in queries.subscriptions_of(connection, account_id)],
            grants=[grant_of(row) for row in queries.grants_of(connection, account_id)],
            now_ms=now_ms,
        )

    def _check_kept(
        self, connection: Connection, account_id: int, entitled: Entitlement, video_bytes: int
    ) -> None:
        if entitled.kept_bytes is None:
            return
        kept = queries.kept_bytes(connection, account_id)
        if kept + video_bytes > entitled.kept_bytes:
            raise Refusal("plan-limit", detail="bytes kept", limit=entitled.kept_bytes, used=kept)

    def _count(self, connection: Connection, account_id: int, entitled: Entitlement) -> None:
        used = queries.used(connection, account_id)
        allowance = rules.choose(entitled.allowances, used)
        if allowance is None:
            raise _used_up(entitled, used)
        key, begins_at = allowance.key, allowance.begins_at
        if (key, begins_at) not in used:
            queries.count_first(connection, account_id, key, begins_at)
            return
        most = allowance.messages if allowance.messages is not None else 2**53
        if not queries.count(connection, account_id, key, begins_at, most=most):
            raise _used_up(entitled, used)


def count_in_force(connection: Connection, plans: terms.Plans, *, now_ms: int) -> Counter[tuple[str, State]]:
    """How many have which plan in which state, besides the one that everybody has."""
    subscriptions = [subscription_of(row) for row in queries.living(connection, now_ms=now_ms)]
    grants = [grant_of(row) for row in queries.holding(connection, now_ms=now_ms)]
    return Counter(rules.in_force(plans, subscriptions=subscriptions, grants=grants, now_ms=now_ms))


def subscription_of(row: queries.AnyRow) -> Subscription:
    """What a row says, for the rules."""
    return Subscription(
        plan=row.plan,
        begins_at=row.begins_at,
        ends_at=row.ends_at,
        renews=bool(row.renews),
        unpaid_since_at=row.unpaid_since_at,
        ended_at=row.ended_at,
    )


def grant_of(row: queries.AnyRow) -> Grant:
    """What a row says, for the rules."""
    return Grant(
        id=row.id,
        begins_at=row.begins_at,
        ends_at=row.ends_at,
        plan=row.plan,
        messages=row.messages,
        is_paid=row.source != "operator",
    )


def _used_up(entitled: Entitlement, used: dict[tuple[str, int], int]) -> Refusal:
    return Refusal("plan-limit", detail="messages", limit=entitled.messages, used=_sum_used(entitled, used))


def _sum_used(entitled: Entitlement, used: dict[tuple[str, int], int]) -> int:
    return sum(used.get((one.key, one.begins_at), 0) for one in entitled.allowances)


def _shown(plan: Plan, currency: str, tax: wire.Tax) -> wire.Plan:
    return wire.Plan(
        id=plan.id,
        name=dict(plan.name),
        price=plan.price,
        currency=currency,
        every=plan.every,
        messages=plan.messages,
        per=plan.per,
        kept_bytes=plan.kept_bytes,
        retention_days=plan.retention_days,
        features=sorted(plan.features),
        tax=tax,
    )
