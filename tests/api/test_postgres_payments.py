"""A provider's notices among two nodes: whoever gets one, the provider is asked by one at a time, and what it says counts once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from restante.server.db.plan_tables import subscriptions
from restante.server.db.tables import leases as leases_table
from restante.server.outbox import leases, queue
from restante.server.payments.stripe import Stripe
from tests import databases
from tests.api.inside import Inside, opened
from tests.api.planned import declare, standing
from tests.api.stripe_fake import KEY, SECRET, FakeStripe
from tests.api.test_payments import DAY_S, HOME, ORIGINS, STRIPE, begin, deliver
from tests.api.told import Head, at_rest, tasks_of

PAUSE_S = 0.02


@dataclass
class Counter:
    """Before a Stripe that takes its time; what it says is as of when it was asked."""

    fake: FakeStripe
    answers_in_s: float = PAUSE_S
    asking: int = 0
    at_once: int = 0
    asked: int = 0
    held_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        told = self.fake.answer(request)
        if request.method == "GET" and request.url.path.endswith("/subscriptions"):
            self.asked, self.asking = self.asked + 1, self.asking + 1
            self.at_once = max(self.at_once, self.asking)
            self.held_up.set()
            await asyncio.sleep(self.answers_in_s)
            self.asking -= 1
        return told


def ask(inside: Inside, counter: Counter) -> None:
    """Has a node speak to that Stripe."""
    plans = inside.house.plans.declared
    assert plans is not None
    inside.house.payments._provider = Stripe(
        plans,
        key=KEY,
        secret=SECRET,
        back=HOME,
        url="https://stripe.test",
        transport=httpx.MockTransport(counter.answer),
    )


Story = Callable[[Inside, Inside, Head, Counter], Awaitable[None]]


@pytest.fixture
def on_two_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Story], None]:
    """Runs a story with two nodes on one database, somebody who is about to pay, and the provider."""
    monkeypatch.setattr(databases, "engine_name", databases.POSTGRESQL)

    async def whole(story: Story) -> None:
        folder = declare(tmp_path, STRIPE)
        async with opened(folder, **ORIGINS) as one, opened(folder, **ORIGINS) as two:
            assert one.house.database.node != two.house.database.node
            fake = FakeStripe(lambda: one.clock.now_ms() // 1000)
            fake.price("price_premium", 499)
            counter = Counter(fake)
            for each in (one, two):
                ask(each, counter)
            await asyncio.wait_for(story(one, two, await one.sign_up("ann"), counter), 60)

    return lambda story: asyncio.run(whole(story))


async def to_both(one: Inside, two: Inside, fake: FakeStripe) -> None:
    """Each notice to both nodes at once, all of them at once."""
    notices, fake.sent = fake.sent, []
    taken = await asyncio.gather(*(deliver(each, fake, it) for it in notices for each in (one, two)))
    assert {each.status_code for each in taken} == {204}
    await asyncio.gather(at_rest(one), at_rest(two))
    while await tasks_of(one, "payment") or await tasks_of(one, "mail-plan"):
        await asyncio.gather(at_rest(one), at_rest(two))


async def rows(inside: Inside) -> list[Any]:
    return await inside.house.database.read(lambda each: list(each.execute(subscriptions.select())))


def count_mails(inside: Inside, mails: list[str]) -> None:
    """Has a node note the mails of a plan that it would send."""

    async def errand(task: queue.Task) -> None:
        mails.append(task.subject)
        await inside.house.database.write(lambda connection: queue.done(connection, task))

    errands: dict[queue.Kind, Any] = inside.house.courier._errands  # type: ignore[assignment] # it is one
    errands["mail-plan"] = errand


async def paid_and_late(one: Inside, two: Inside, ann: Head, counter: Counter) -> list[str]:
    """A payment and, a month later, one that fails, each told to both nodes at once; returns the mails that this makes."""
    mails: list[str] = []
    for each in (one, two):
        count_mails(each, mails)
    fake = counter.fake
    bought = fake.pay((await begin(one, ann)).json()["url"])
    await to_both(one, two, fake)
    assert [(row.id, row.told) for row in await rows(two)] == [(bought, "")]
    for each in (one, two):
        each.clock.ahead_s += 30 * DAY_S
    fake.renew(bought, paid=False)
    await to_both(one, two, fake)
    return mails


def test_a_notice_that_two_nodes_get_at_once_is_carried_out_once(
    on_two_nodes: Callable[[Story], None],
) -> None:
    async def story(one: Inside, two: Inside, ann: Head, counter: Counter) -> None:
        (mail,) = await paid_and_late(one, two, ann, counter)
        assert ":late:" in mail
        (row,) = await rows(one)
        assert row.told == "late"
        assert (await standing(two, ann))["state"] == "late"
        assert counter.at_once == 1
        left = await one.house.database.read(lambda each: list(each.execute(leases_table.select())))
        assert [each.name for each in left if each.name.startswith("payment:")] == []

    on_two_nodes(story)


def test_without_claims_and_leases_both_would_ask(
    on_two_nodes: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(one: Inside, two: Inside, ann: Head, counter: Counter) -> None:
        without_leases(monkeypatch)
        monkeypatch.setattr(queue, "claim", lambda _, tasks, node: list(tasks))
        counter.answers_in_s = 0.3
        await paid_and_late(one, two, ann, counter)
        assert counter.at_once > 1

    on_two_nodes(story)


def without_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "take", lambda *_, **__: True)


async def asked_twice(one: Inside, two: Inside, ann: Head, counter: Counter) -> str:
    """One node asks and is answered late, it changes, the other asks and is answered at once; returns what is kept then."""
    fake = counter.fake
    bought = fake.pay((await begin(one, ann)).json()["url"])
    fake.sent.clear()
    counter.held_up.clear()
    counter.answers_in_s = 0.5
    first = asyncio.ensure_future(one.client.post("/api/v1/account/plan/refresh", headers=ann))
    await counter.held_up.wait()
    counter.answers_in_s = 0.0
    fake.cancel_now(bought)
    second = await two.client.post("/api/v1/account/plan/refresh", headers=ann)
    assert (await first).status_code == second.status_code == 200
    return str((await standing(two, ann))["plan"]["id"])


def test_an_older_answer_on_one_node_replaces_no_newer_one_on_the_other(
    on_two_nodes: Callable[[Story], None],
) -> None:
    async def story(one: Inside, two: Inside, ann: Head, counter: Counter) -> None:
        assert await asked_twice(one, two, ann, counter) == "trial"
        assert counter.at_once == 1

    on_two_nodes(story)


def test_without_the_lease_it_would(
    on_two_nodes: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(one: Inside, two: Inside, ann: Head, counter: Counter) -> None:
        without_leases(monkeypatch)
        assert await asked_twice(one, two, ann, counter) == "premium"
        assert counter.at_once == 2

    on_two_nodes(story)


def test_news_while_the_provider_is_asked_are_asked_for_again(on_two_nodes: Callable[[Story], None]) -> None:
    """What it says was so before the news, and the notice comes once."""

    async def story(one: Inside, two: Inside, ann: Head, counter: Counter) -> None:
        fake = counter.fake
        bought = fake.pay((await begin(one, ann)).json()["url"])
        counter.held_up.clear()
        counter.answers_in_s = 0.5
        assert (await deliver(one, fake, fake.sent[0])).status_code == 204
        await counter.held_up.wait()
        counter.answers_in_s = 0.0
        fake.sent.clear()
        fake.cancel_now(bought)
        assert (await deliver(two, fake, fake.sent[0])).status_code == 204
        while await tasks_of(one, "payment"):
            await asyncio.gather(at_rest(one), at_rest(two))
        assert (await standing(one, ann))["plan"]["id"] == "trial"

    on_two_nodes(story)
