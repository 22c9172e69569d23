"""Payments: begun and managed at the provider, heard of by its notices, asked for anew each time.

See [Note: Asked, not told].
"""

import asyncio
import hashlib
import hmac
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from sqlalchemy import Connection

from restante.protocol import wire_plans as wire
from restante.server.asgi import RawHeaders
from restante.server.bus.memory import OUTBOX, MemoryBus
from restante.server.clock import Clock
from restante.server.db.engine import Database
from restante.server.errors import Refusal, RetryLater
from restante.server.log import Log
from restante.server.outbox import leases, queue
from restante.server.outbox.queue import Task
from restante.server.payments import queries
from restante.server.payments.dunning import Dunning
from restante.server.payments.provider import Language, Provider, ProviderSilent, WrongPrice
from restante.server.plans.service import Plans
from restante.server.plans.terms import DAY_MS
from restante.server.sessions.actor import Actor

SILENT_RETRY_S = 30
ASKED_FOR_MS = 60_000
"""How long one node keeps others from asking about a customer."""
_LOOKS = 120


class Payments:
    """The room's one entrance; without a provider nothing can be paid."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        plans: Plans,
        provider: Provider | None,
        bus: MemoryBus,
        log: Log,
        key: bytes,
    ) -> None:
        self._database = database
        self._clock = clock
        self._plans = plans
        self._provider = provider
        self._bus = bus
        self._log = log
        self._key = key
        self.dunning = Dunning(database, plans, bus=bus)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def close(self) -> None:
        """Closes connections."""
        if self._provider is not None:
            await self._provider.close()

    # For the person

    async def begin(self, actor: Actor, plan_id: str, *, language: Language) -> wire.Payment:
        """Begins to pay for a plan. Raises Refusal payments-unavailable, payments-silent, already-subscribed, invalid."""
        provider = self._one()
        assert self._plans.declared is not None, "there is no provider without plans"
        plan = self._plans.declared.plans.find(plan_id)
        if plan is None or plan.every is None:
            raise Refusal("invalid", detail="plan: not one that is sold here")
        try:
            customer = await self._customer(actor, provider)
            begun = await provider.begin(customer, plan, language=language)
        except WrongPrice:
            self._log.event("price-mismatch", kind=plan.id)
            raise Refusal("payments-unavailable") from None
        except ProviderSilent as error:
            raise self._silent(error) from None
        return wire.Payment(url=begun.url, words=dict(begun.words), reference=begun.reference)

    async def manage(self, actor: Actor, *, language: Language) -> wire.Payment:
        """Where a plan is managed. Raises Refusal payments-unavailable, payments-silent."""
        provider = self._one()
        row = await self._database.read(partial(queries.customer_of, account_id=actor.account_id))
        if row is None or row.provider != provider.name:
            raise Refusal("payments-unavailable")
        try:
            return wire.Payment(url=await provider.manage(row.customer, language=language))
        except ProviderSilent as error:
            raise self._silent(error) from None

    async def refresh(self, actor: Actor) -> wire.Standing:
        """Asks the provider at once, for who comes back from paying. Raises Refusal payments-silent."""
        row = await self._database.read(partial(queries.customer_of, account_id=actor.account_id))
        if row is not None and self._provider is not None and row.provider == self._provider.name:
            try:
                await self._ask(self._provider, row.customer)
            except ProviderSilent as error:
                raise self._silent(error) from None
        return await self._plans.standing(actor)

    # For the provider

    async def hear(self, name: str, headers: RawHeaders, body: bytes) -> None:
        """Takes a notice: its customer is asked about soon. Raises Refusal notice-refused, not-found."""
        provider = self._provider
        if provider is None or provider.name != name:
            raise Refusal("not-found")
        now_ms = self._clock.now_ms()
        customer = provider.heard(headers, body, now_ms=now_ms)
        if customer is None:
            return

        def work(connection: Connection) -> None:
            if queries.account_of(connection, name, customer) is not None:
                queue.enqueue_again(connection, "payment", customer, due_ms=now_ms)

        await self._database.write(work)
        self._bus.publish({OUTBOX})

    # For the courier and the sweep

    async def look(self, task: Task) -> None:
        """Asks what a customer has; what fails is tried again, and a notice that comes once it is in hand has it asked once more."""
        await self._database.write(partial(queue.hand_over, task=task))
        done = partial(queue.done, task=task)
        if self._provider is None:
            await self._database.write(done)
        else:
            await self._ask(self._provider, task.subject.removesuffix(queue.AGAIN), stored=done)

    async def forget(self, task: Task) -> None:
        """Ends what a deleted account paid for."""
        name, _, customer = task.subject.partition(":")
        if self._provider is not None and self._provider.name == name:
            await self._provider.forget(customer)
        await self._database.write(lambda connection: queue.done(connection, task))

    async def sweep(self, now_ms: int) -> int:
        """Lets customers be asked about whom nobody asked about for a day; returns how many."""
        if self._provider is None or self._provider.name == "manual":
            return 0
        name = self._provider.name

        def work(connection: Connection) -> int:
            found = queries.unchecked(connection, name, before_ms=now_ms - DAY_MS)
            for customer in found:
                queue.enqueue(connection, "payment", customer, due_ms=now_ms)
            return len(found)

        return await self._database.write(work)

    # Inside

    def _one(self) -> Provider:
        if self._provider is None:
            raise Refusal("payments-unavailable")
        return self._provider

    async def _customer(self, actor: Actor, provider: Provider) -> str:
        row = await self._database.read(partial(queries.customer_of, account_id=actor.account_id))
        if row is not None and row.provider == provider.name:
            return str(row.customer)
        told = hmac.new(self._key, str(actor.account_id).encode(), hashlib.sha256).hexdigest()[:32]
        customer, now_ms = await provider.register(told), self._clock.now_ms()
        await self._database.write(
            lambda connection: queries.set_customer(
                connection, actor.account_id, provider.name, customer, now_ms=now_ms
            )
        )
        return customer

    async def _ask(
        self, provider: Provider, customer: str, *, stored: Callable[[Connection], None] = lambda _: None
    ) -> None:
        """Fetches and stores, one after the other: an older answer never replaces a newer one. ``stored`` is done with the storing."""
        async with self._locks[customer], self._alone(f"payment:{customer}"):
            held = await provider.held(customer)
            now_ms = self._clock.now_ms()

            def work(connection: Connection) -> None:
                account_id = queries.account_of(connection, provider.name, customer)
                if account_id is not None:
                    self.dunning.store(connection, account_id, held, now_ms=now_ms)
                stored(connection)

            await self._database.write(work)

    @asynccontextmanager
    async def _alone(self, name: str) -> AsyncIterator[None]:
        """Keeps other nodes from asking about the same customer meanwhile. Raises ProviderSilent when one does for too long."""
        node = self._database.node
        if not node:
            yield
            return
        for _ in range(_LOOKS):
            if await self._database.write(partial(leases.take, name=name, node=node, for_ms=ASKED_FOR_MS)):
                break
            await asyncio.sleep(ASKED_FOR_MS / 1000 / _LOOKS)
        else:
            raise ProviderSilent("another node still waits")
        try:
            yield
        finally:
            await self._database.write(partial(leases.give_back, name=name, node=node))

    def _silent(self, error: ProviderSilent) -> Refusal:
        self._log.event("payments-silent", error=str(error))
        return RetryLater("payments-silent", seconds=SILENT_RETRY_S)


def end_with_account(connection: Connection, account_id: int, *, now_ms: int) -> None:
    """Has the provider forget an account that is deleted, within the caller's transaction."""
    row = queries.customer_of(connection, account_id)
    if row is not None:
        queue.enqueue(connection, "forget-customer", f"{row.provider}:{row.customer}", due_ms=now_ms)
