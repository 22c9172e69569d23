"""Tells people that a payment failed, that the grace ends, that their plan ended: once each, by mail if they gave an address.

The step is noted in the transaction that puts the mail into the outbox, so a crash neither forgets nor repeats one. See [Note: Told once].
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from restante.server.bus.memory import OUTBOX, MemoryBus
from restante.server.db.engine import Database
from restante.server.outbox import queue
from restante.server.payments import queries, rules
from restante.server.payments.provider import Held
from restante.server.payments.rules import Step
from restante.server.plans.service import Plans, subscription_of


@dataclass(frozen=True, slots=True)
class PlanNotice:
    """What one mail says."""

    account_id: int
    step: Step
    plan: Mapping[str, str]
    """The plan's name by language."""
    until_at: int


class Dunning:
    """Knows who is to be told; without declared plans nobody."""

    def __init__(self, database: Database, plans: Plans, *, bus: MemoryBus) -> None:
        self._database = database
        self._plans = plans
        self._bus = bus

    def store(self, connection: Connection, account_id: int, held: Iterable[Held], *, now_ms: int) -> None:
        """Stores what a provider says now in place of what it said before, and tells what follows."""
        before = queries.told(connection, account_id)
        rows = []
        for each in held:
            told = rules.tell(
                each.subscription, before.get(each.id, ""), grace_ms=self._grace_ms, now_ms=now_ms
            )
            rows.append((each, told.step, told.next_at))
            self._enqueue(connection, account_id, each, told.mail, now_ms=now_ms)
        queries.replace(connection, account_id, rows, now_ms=now_ms)

    async def sweep(self, now_ms: int) -> int:
        """Tells what comes by time alone; returns how many are told."""
        if self._plans.declared is None:
            return 0
        count = await self._database.write(partial(self._remind, now_ms=now_ms))
        if count:
            self._bus.publish({OUTBOX})
        return count

    def notice(self, connection: Connection, subject: str) -> PlanNotice | None:
        """What a task of the outbox is to tell, if that still holds: somebody may have paid since, or have another plan."""
        account, asked, until, subscription = subject.split(":", 3)
        row = queries.subscription(connection, subscription)
        if row is None or row.account_id != int(account) or row.told != asked:
            return None
        plan = None if self._plans.declared is None else self._plans.declared.plans.find(row.plan)
        if plan is None or (asked == "ended" and not self._plans.is_begun_with(connection, row.account_id)):
            return None
        return PlanNotice(row.account_id, row.told, plan.name, int(until))

    def _remind(self, connection: Connection, now_ms: int) -> int:
        count = 0
        for row in queries.due(connection, now_ms=now_ms):
            each = Held(row.id, subscription_of(row))
            told = rules.tell(each.subscription, row.told, grace_ms=self._grace_ms, now_ms=now_ms)
            queries.note_told(connection, row.id, told.step, next_at=told.next_at)
            count += self._enqueue(connection, row.account_id, each, told.mail, now_ms=now_ms)
        return count

    def _enqueue(
        self, connection: Connection, account_id: int, each: Held, mail: Step, *, now_ms: int
    ) -> bool:
        if not mail:
            return False
        until = each.subscription.holds_until(self._grace_ms)
        queue.enqueue(connection, "mail-plan", f"{account_id}:{mail}:{until}:{each.id}", due_ms=now_ms)
        return True

    @property
    def _grace_ms(self) -> int:
        assert self._plans.declared is not None, "there is nothing to pay without plans"
        return self._plans.declared.plans.grace_ms
