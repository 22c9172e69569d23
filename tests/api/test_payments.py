"""Plans that are paid: one law for every provider, and what is Stripe's own: notices late, twice, in any order, forged."""

import asyncio
import hashlib
import hmac
import itertools
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from restante.server.config import BadSettings, Settings
from restante.server.db.plan_tables import customers, subscriptions
from restante.server.payments.stripe import Stripe, is_signed
from restante.server.plans import declared, desk
from restante.server.plans.service import subscription_of
from tests.api.inside import Inside, opened
from tests.api.people import assert_problem
from tests.api.planned import PREMIUM, TRIAL, declare, standing
from tests.api.stripe_fake import KEY, SECRET, FakeStripe
from tests.api.told import Head, at_rest

HOME = "http://inside"
STRIPE = TRIAL + PREMIUM + '[payments]\nprovider = "stripe"\ntax = "added"\n'
YEARLY = '[[plan]]\nid = "year"\nname = "Year"\nprice = 49\nperiod = "year"\nstripe_price = "price_year"\n'
MANUAL = TRIAL + PREMIUM + '[payments]\nprovider = "manual"\nwords = {en = "Send it", fr = "Virez"}\n'
ORIGINS = {"origins": (HOME,), "stripe_key": KEY, "stripe_webhook_secret": SECRET}
DAY_S = 24 * 3600


@dataclass
class Till:
    """Somebody's way to pay, whatever the provider: the tests of the law use nothing else."""

    inside: Inside
    head: Head
    pay: Callable[[], Awaitable[None]]
    refund: Callable[[], Awaitable[None]]


async def begin(inside: Inside, head: Head, plan: str = "premium") -> httpx.Response:
    form = {"plan": plan, "language": "fr"}
    return await inside.client.post("/api/v1/account/plan/payment", json=form, headers=head)


def put_in(inside: Inside, fake: FakeStripe, transport: httpx.MockTransport | None = None) -> None:
    """Has the house speak to the fake."""
    plans = inside.house.plans.declared
    assert plans is not None
    inside.house.payments._provider = Stripe(
        plans,
        key=KEY,
        secret=SECRET,
        back=HOME,
        url="https://stripe.test",
        transport=transport or fake.transport(),
    )


async def deliver(inside: Inside, fake: FakeStripe, notice: dict[str, Any], **signing: Any) -> httpx.Response:
    headers, body = fake.signed(notice, **signing)
    return await inside.client.post("/api/v1/payments/stripe/notices", content=body, headers=headers)


async def deliver_all(inside: Inside, fake: FakeStripe) -> None:
    while fake.sent:
        assert (await deliver(inside, fake, fake.sent.pop(0))).status_code == 204
    await at_rest(inside)


def new_fake(inside: Inside) -> FakeStripe:
    fake = FakeStripe(lambda: inside.clock.now_ms() // 1000)
    fake.price("price_premium", 499)
    fake.price("price_year", 4900, every="year")
    put_in(inside, fake)
    return fake


def paid_at_stripe(inside: Inside, head: Head) -> Till:
    fake = new_fake(inside)
    bought: list[str] = []

    async def pay() -> None:
        bought.append(fake.pay((await begin(inside, head)).json()["url"]))
        await deliver_all(inside, fake)

    async def refund() -> None:
        fake.refund(bought[-1])
        await deliver_all(inside, fake)
        assert (await standing(inside, head))["plan"]["id"] == "trial"
        fake.cancel_now(bought[-1])
        await deliver_all(inside, fake)

    return Till(inside, head, pay, refund)


def paid_by_hand(inside: Inside, head: Head) -> Till:
    plan = inside.house.plans.declared.plans.find("premium")  # type: ignore[union-attr]
    made: list[str] = []

    async def pay() -> None:
        told = (await begin(inside, head)).json()
        assert (told["url"], told["words"]["fr"]) == ("", "Virez")

        def work(connection: Any) -> str:
            name = desk.name_by_reference(connection, told["reference"])
            now_ms = inside.clock.now_ms()
            assert name
            return desk.record_payment(connection, name, plan, reference=f"bank-{len(made)}", now_ms=now_ms)

        made.append(await inside.house.database.write(work))

    async def refund() -> None:
        now_ms = inside.clock.now_ms()
        await inside.house.database.write(lambda each: desk.take_back(each, made[-1], now_ms=now_ms))

    return Till(inside, head, pay, refund)


@pytest.mark.parametrize(("plans", "way"), [(STRIPE, paid_at_stripe), (MANUAL, paid_by_hand)])
def test_what_is_paid_holds_and_what_is_paid_back_ends(
    tmp_path: Path, plans: str, way: Callable[[Inside, Head], Till]
) -> None:
    async def scenario(inside: Inside) -> None:
        till = way(inside, await inside.sign_up("ann"))
        eve = await inside.sign_up("eve")
        await till.pay()
        told = await standing(inside, till.head)
        assert (told["plan"]["id"], told["messages"]) == ("premium", None)
        assert told["until_at"] > inside.clock.now_ms() + 27 * DAY_S * 1000
        assert (await standing(inside, eve))["plan"]["id"] == "trial"
        inside.clock.ahead_s += 20 * DAY_S
        assert (await standing(inside, till.head))["plan"]["id"] == "premium"
        await till.refund()
        assert (await standing(inside, till.head))["plan"]["id"] == "trial"
        await till.pay()
        assert (await standing(inside, till.head))["plan"]["id"] == "premium"
        inside.clock.ahead_s += 60 * DAY_S  # nobody hears anything more
        assert (await standing(inside, till.head))["plan"]["id"] == "trial"

    _run(tmp_path, plans, scenario)


def test_a_second_transfer_begins_where_the_first_ends_and_one_counts_once(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        ann = await inside.sign_up("ann")
        till = paid_by_hand(inside, ann)
        await till.pay()
        first = (await standing(inside, ann))["until_at"]
        await till.pay()
        inside.clock.ahead_s += 40 * DAY_S
        assert (await standing(inside, ann))["until_at"] > first + 27 * DAY_S * 1000

        def again(connection: Any) -> str:
            plan = inside.house.plans.declared.plans.find("premium")  # type: ignore[union-attr]
            return desk.record_payment(
                connection, "ann", plan, reference="bank-0", now_ms=inside.clock.now_ms()
            )

        before = (await standing(inside, ann))["until_at"]
        await inside.house.database.write(again)
        assert (await standing(inside, ann))["until_at"] == before
        eve = await inside.sign_up("eve")
        assert (await begin(inside, eve)).json()["reference"] != (await begin(inside, ann)).json()[
            "reference"
        ]

    _run(tmp_path, MANUAL, scenario)


def test_checkout_asks_for_the_price_of_the_file_in_the_language_of_the_person(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        ann, fake = await inside.sign_up("ann"), new_fake(inside)
        assert (await standing(inside, ann))["manages"] is False
        answer = await begin(inside, ann)
        assert answer.json()["url"].startswith("https://checkout.stripe.test/pay/cs_")
        form = fake.asked[-1][2]
        assert (form["line_items[0][price]"], form["locale"]) == ("price_premium", "fr")
        assert form["success_url"] == f"{HOME}/plan?paid"
        assert form["automatic_tax[enabled]"] == "true"
        assert "ann" not in str(fake.asked)
        assert (await begin(inside, ann)).status_code == 200
        assert len(fake.customers) == 1
        for wrong in ("trial", "none"):
            assert_problem(await begin(inside, ann, wrong), 422, "invalid")

        # Nothing is sold under another price than people were shown.
        for change in ({"unit_amount": 999}, {"currency": "eur"}, {"active": False}):
            kept = dict(fake.prices["price_premium"])
            fake.prices["price_premium"] |= change
            assert_problem(await begin(inside, ann), 403, "payments-unavailable")
            fake.prices["price_premium"] = kept
        fake.is_down = True
        assert_problem(await begin(inside, ann), 503, "payments-silent")
        assert (await standing(inside, ann))["plan"]["id"] == "trial"

    _run(tmp_path, STRIPE, scenario)


@pytest.mark.parametrize("tax", ["none", "included", "added"])
def test_tax_is_computed_at_checkout_where_the_file_says_so(tmp_path: Path, tax: str) -> None:
    async def scenario(inside: Inside) -> None:
        ann, fake = await inside.sign_up("ann"), new_fake(inside)
        assert (await begin(inside, ann)).status_code == 200
        form = fake.asked[-1][2]
        computed = {name: form.get(name) for name in ("automatic_tax[enabled]", "tax_id_collection[enabled]")}
        assert set(computed.values()) == ({None} if tax == "none" else {"true"})
        assert (await standing(inside, ann))["offers"][0]["tax"] == tax

    _run(tmp_path, STRIPE.replace('"added"', f'"{tax}"'), scenario)


def test_who_has_a_plan_changes_it_and_does_not_pay_twice(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        ann, fake = await inside.sign_up("ann"), new_fake(inside)
        bought = fake.pay((await begin(inside, ann)).json()["url"])
        await deliver_all(inside, fake)
        assert_problem(await begin(inside, ann), 409, "already-subscribed")
        url = (await begin(inside, ann, "year")).json()["url"]
        assert "/portal/" in url
        assert fake.asked[-1][2]["flow_data[subscription_update_confirm][items][0][price]"] == "price_year"
        fake.change(bought, "price_year")
        await deliver_all(inside, fake)
        assert (await standing(inside, ann))["plan"]["id"] == "year"
        managed = await inside.client.post("/api/v1/account/plan/management", json={}, headers=ann)
        assert "/portal/" in managed.json()["url"]
        fake.cancel_at_end(bought)
        await deliver_all(inside, fake)
        told = await standing(inside, ann)
        assert (told["state"], told["plan"]["id"], told["manages"]) == ("ending", "year", True)
        assert "/portal/" in (await begin(inside, ann, "year")).json()["url"]

    _run(tmp_path, TRIAL + PREMIUM + YEARLY + '[payments]\nprovider = "stripe"\n', scenario)


def test_a_notice_that_comes_while_the_customer_is_asked_about_is_not_lost(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        ann, fake = await inside.sign_up("ann"), new_fake(inside)
        bought = fake.pay((await begin(inside, ann)).json()["url"])
        on_its_way, go_on = asyncio.Event(), asyncio.Event()

        async def slow(request: httpx.Request) -> httpx.Response:
            answer = fake.answer(request)
            on_its_way.set()
            await go_on.wait()
            return answer

        put_in(inside, fake, httpx.MockTransport(slow))
        await deliver(inside, fake, fake.sent.pop(0))
        await on_its_way.wait()
        fake.refund(bought)
        while fake.sent:
            assert (await deliver(inside, fake, fake.sent.pop(0))).status_code == 204
        go_on.set()
        await at_rest(inside)
        assert (await standing(inside, ann))["plan"]["id"] == "trial"

    _run(tmp_path, STRIPE, scenario)


def test_a_payment_that_fails_leaves_days_of_grace(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        ann, fake = await inside.sign_up("ann"), new_fake(inside)
        bought = fake.pay((await begin(inside, ann)).json()["url"])
        inside.clock.ahead_s += 30 * DAY_S
        fake.renew(bought, paid=False)
        await deliver_all(inside, fake)
        told = await standing(inside, ann)
        assert (told["state"], told["plan"]["id"]) == ("late", "premium")
        inside.clock.ahead_s += 6 * DAY_S
        assert (await standing(inside, ann))["state"] == "late"
        inside.clock.ahead_s += 2 * DAY_S
        assert (await standing(inside, ann))["plan"]["id"] == "trial"
        fake.mend(bought)
        await deliver_all(inside, fake)
        assert (await standing(inside, ann))["state"] == "paid"
        fake.give_up(bought)
        await deliver_all(inside, fake)
        assert (await standing(inside, ann))["plan"]["id"] == "trial"

    _run(tmp_path, STRIPE, scenario)


def test_lost_notices_are_made_good_by_coming_back_and_once_a_day(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        ann, fake = await inside.sign_up("ann"), new_fake(inside)
        bought = fake.pay((await begin(inside, ann)).json()["url"])
        refreshed = await inside.client.post("/api/v1/account/plan/refresh", headers=ann)
        assert refreshed.json()["plan"]["id"] == "premium"
        fake.cancel_now(bought)
        inside.clock.ahead_s += DAY_S + 60
        await inside.house.jobs.sweeper.run()
        await at_rest(inside)
        assert (await standing(inside, ann))["plan"]["id"] == "trial"

    _run(tmp_path, STRIPE, scenario)


def test_forged_old_and_foreign_notices_change_nothing(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        ann, fake = await inside.sign_up("ann"), new_fake(inside)
        fake.pay((await begin(inside, ann)).json()["url"])
        notice, now_s = fake.sent[-1], inside.clock.now_ms() // 1000
        refused = [{"secret": "whsec_other"}, {"at_s": now_s - 400}, {"at_s": now_s + 400}]
        for signing in refused:
            assert_problem(await deliver(inside, fake, notice, **signing), 400, "notice-refused")
        headers, body = fake.signed(notice)
        path = "/api/v1/payments/stripe/notices"
        spoilt = [
            (headers, body + b" "),
            ({**headers, "stripe-signature": ""}, body),
            ({"content-type": "application/json"}, body),
            (headers, body.replace(b"cus_", b"cuz_")),
        ]
        for heads, content in spoilt:
            assert_problem(
                await inside.client.post(path, content=content, headers=heads), 400, "notice-refused"
            )
        for text in (b"[]", b"{}", b"no json", b'{"data": {"object": []}}'):
            signed_headers, _ = _sign(text, now_s)
            answer = await inside.client.post(path, content=text, headers=signed_headers)
            assert answer.status_code in {204, 400}
        before = len(fake.asked)
        foreign = [
            fake.notice("customer.updated", {"object": "customer", "id": "cus_of_somebody_else"}),
            {**notice, "livemode": True},
            fake.notice("price.created", {"object": "price", "id": "price_x"}),
        ]
        for each in foreign:
            assert (await deliver(inside, fake, each)).status_code == 204
        await at_rest(inside)
        assert len(fake.asked) == before
        assert (await standing(inside, ann))["plan"]["id"] == "trial"
        assert (await deliver(inside, fake, notice)).status_code == 204  # the control: signed as it should be
        await at_rest(inside)
        assert (await standing(inside, ann))["plan"]["id"] == "premium"
        unknown = await inside.client.post("/api/v1/payments/manual/notices", content=body, headers=headers)
        assert_problem(unknown, 404, "not-found")

    _run(tmp_path, STRIPE, scenario)


def _sign(text: bytes, now_s: int) -> tuple[dict[str, str], bytes]:
    sum_ = hmac.new(SECRET.encode(), f"{now_s}.".encode() + text, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={now_s},v1={sum_}", "content-type": "application/json"}, text


def test_a_signature_as_stripe_documents_it() -> None:
    body, now_s = b'{"id":"evt_test_webhook","object":"event"}', 1_492_774_577
    headers, _ = _sign(body, now_s)
    good = headers["stripe-signature"]
    now_ms = now_s * 1000
    assert is_signed(good, body, SECRET, now_ms=now_ms)
    assert is_signed(f"{good},v1=00", body, SECRET, now_ms=now_ms)
    assert is_signed(good.replace(",v1", ",v1=00,v1"), body, SECRET, now_ms=now_ms)
    for bad in ("", "t=1", good.replace("v1", "v0"), good.replace("t=", "t=x"), f"t=1,{good}", "v1=,t="):
        assert not is_signed(bad, body, SECRET, now_ms=now_ms)


def _life(fake: FakeStripe, inside: Inside, url: str) -> list[Callable[[], object]]:
    """Six things that happen at Stripe one after the other; each sends a notice."""
    fake.sent.clear()
    bought = fake.pay(url)
    fake.sent[:] = fake.sent[:1]  # the first of the six is the beginning

    def month() -> None:
        inside.clock.ahead_s += 30 * DAY_S

    def late() -> None:
        month()
        fake.renew(bought, paid=False)

    def change() -> None:
        fake.change(bought, "price_year")

    return [
        late,
        lambda: fake.mend(bought),
        change,
        lambda: fake.cancel_at_end(bought),
        lambda: fake.refund(bought),
    ]


def test_all_720_orders_of_six_notices_end_alike(tmp_path: Path) -> None:
    """News comes in any order, some twice, and each is heard at any later moment of what happens at Stripe."""

    async def scenario(inside: Inside) -> None:
        ann, fake = await inside.sign_up("ann"), new_fake(inside)
        url = (await begin(inside, ann)).json()["url"]
        steps = _life(fake, inside, url)
        (bought,) = fake.subscriptions
        states = [_copied(fake.subscriptions[bought])]
        notices = [fake.sent[0]]
        for step in steps:
            fake.sent.clear()
            step()
            states.append(_copied(fake.subscriptions[bought]))
            notices.append(fake.sent[-1])
        assert len(notices) == 6
        (customer,) = fake.customers
        payments, provider = inside.house.payments, inside.house.payments._provider
        wanted = {item.id: item.subscription for item in await provider.held(customer)}
        seed = random.randrange(2**32)
        print(f"seed {seed}")
        chance, ends, naive = random.Random(seed), set(), set()
        for order in itertools.permutations(range(6)):
            reached, told, believed = 0, {}, None
            for place in order:
                headers, body = fake.signed(notices[place])
                raw = [(name.encode(), value.encode()) for name, value in headers.items()]
                assert provider.heard(raw, body, now_ms=inside.clock.now_ms()) == customer
                reached = max(reached, place, chance.randrange(6) if chance.random() < 0.3 else 0)
                fake.subscriptions[bought] = states[reached]
                for _ in range(1 + (chance.random() < 0.2)):
                    told = {item.id: item.subscription for item in await provider.held(customer)}
                about = notices[place]["data"]["object"]
                believed = about if about["object"] == "subscription" else believed
            assert told == wanted
            ends.add(str(told))
            naive.add(str(believed))
        assert len(ends) == 1
        assert len(naive) > 1, "the control: who believes what a notice carries ends differently"
        await payments.refresh(
            await inside.house.sessions.actor(ann["authorization"].removeprefix("Bearer "))
        )
        rows = await inside.house.database.read(lambda each: list(each.execute(subscriptions.select())))
        assert {row.id: subscription_of(row) for row in rows} == wanted
        assert (await standing(inside, ann))["plan"]["id"] == "trial"

    _run(tmp_path, TRIAL + PREMIUM + YEARLY + '[payments]\nprovider = "stripe"\n', scenario)


def _copied(state: dict[str, Any]) -> dict[str, Any]:
    copied: dict[str, Any] = json.loads(json.dumps(state))
    return copied


def test_notices_through_the_outbox_in_any_order_end_alike(tmp_path: Path) -> None:
    """The same through HTTP, the queue and the database, for a few orders, each notice twice."""

    async def scenario(inside: Inside) -> None:
        ann, fake = await inside.sign_up("ann"), new_fake(inside)
        bought = fake.pay((await begin(inside, ann)).json()["url"])
        fake.cancel_at_end(bought)
        notices = list(fake.sent)
        for order in list(itertools.permutations(notices))[::5]:
            for notice in (*order, order[0]):
                assert (await deliver(inside, fake, notice)).status_code == 204
            await at_rest(inside)
            assert (await standing(inside, ann))["state"] == "ending"

    _run(tmp_path, STRIPE, scenario)


def test_an_account_that_is_deleted_pays_nothing_more(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        ann, fake = await inside.sign_up("ann"), new_fake(inside)
        bought = fake.pay((await begin(inside, ann)).json()["url"])
        await deliver_all(inside, fake)
        fake.is_down = True
        assert (await inside.client.delete("/api/v1/account", headers=ann)).status_code == 204
        await at_rest(inside)
        assert fake.subscriptions[bought]["status"] == "active"
        fake.is_down = False
        inside.clock.ahead_s += 120
        await at_rest(inside)
        assert fake.subscriptions[bought]["status"] == "canceled"
        assert fake.customers == {}
        left = await inside.house.database.read(lambda each: list(each.execute(customers.select())))
        assert left == []

    _run(tmp_path, STRIPE, scenario)


def test_stripe_needs_its_settings(tmp_path: Path) -> None:
    declare(tmp_path, STRIPE)
    for missing in ORIGINS:
        there = {name: value for name, value in ORIGINS.items() if name != missing}
        with pytest.raises(BadSettings, match=f"RESTANTE_{missing.upper()}"):
            declared.load(Settings(data=tmp_path, **there))
    assert declared.load(Settings(data=tmp_path, **ORIGINS)) is not None


def _run(folder: Path, plans: str, scenario: Callable[[Inside], Awaitable[None]]) -> None:
    async def main() -> None:
        async with opened(declare(folder, plans), **ORIGINS) as inside:
            await asyncio.wait_for(scenario(inside), 90)

    asyncio.run(main())
