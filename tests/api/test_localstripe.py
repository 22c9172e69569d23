"""Against a Stripe that others wrote: localstripe, as a program on loopback.

It has customers, products, plans, cards, subscriptions, invoices and signed notices. It has neither Checkout nor the customer portal, nor
prices: what is asked of those, `stripe_fake.py` answers in `test_payments.py`, and here it is seen that nothing is sold without them.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from tests.api.inside import Inside, opened
from tests.api.outside import Asked, Receiver, receiving
from tests.api.people import assert_problem
from tests.api.planned import declare, standing
from tests.api.stripe_fake import KEY, SECRET
from tests.api.test_payments import ORIGINS, STRIPE, begin
from tests.api.told import Head, at_rest
from tests.serving import free_port

PROGRAM = """
import asyncio, sys, types
from aiohttp import web
from localstripe import resources, server, webhooks
at_once = types.SimpleNamespace(sleep=lambda _: asyncio.sleep(0), ensure_future=asyncio.ensure_future)
webhooks.asyncio = at_once  # it waits a second before each notice
resources.Store.dump_to_disk = lambda store: None  # which would be a file in /tmp, for all that run
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""
NOTICES = "/api/v1/payments/stripe/notices"
WORKS, IS_REFUSED = "4242424242424242", "4000000000000341"
WITHIN_S = 30


class Stripe:
    """The other end, as its own customers' programs and people use it."""

    def __init__(self, url: str) -> None:
        self.client = httpx.AsyncClient(base_url=url, auth=(KEY, ""), trust_env=False)

    async def ask(self, method: str, path: str, **form: Any) -> Any:
        answer = await self.client.request(method, path, **({"data": form} if form else {}))
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.content else None

    async def offer(self) -> None:
        product = await self.ask("POST", "/v1/products", name="Premium", type="service")
        month = {"amount": "499", "currency": "usd", "interval": "month", "product": product["id"]}
        await self.ask("POST", "/v1/plans", id="price_premium", **month)

    async def subscribe(self, customer: str, card: str) -> str:
        """Gives a card and buys, which in Stripe's world is what Checkout does."""
        numbers = {
            "card[number]": card,
            "card[exp_month]": "12",
            "card[exp_year]": "2040",
            "card[cvc]": "123",
        }
        method = (await self.ask("POST", "/v1/payment_methods", type="card", **numbers))["id"]
        await self.ask("POST", f"/v1/payment_methods/{method}/attach", customer=customer)
        default = {"invoice_settings[default_payment_method]": method}
        await self.ask("POST", f"/v1/customers/{customer}", **default)
        bought = {"customer": customer, "items[0][plan]": "price_premium"}
        return str((await self.ask("POST", "/v1/subscriptions", **bought))["id"])


@contextlib.asynccontextmanager
async def localstripe(receiver: Receiver) -> AsyncIterator[tuple[str, Stripe]]:
    """The program, with notices sent to ``receiver``."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    running = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, str(port))
    stripe = Stripe(url)
    try:
        async with asyncio.timeout(WITHIN_S):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    await stripe.client.get("/v1/customers")
                    break
                assert running.returncode is None
                await asyncio.sleep(0.05)
        await stripe.ask("POST", "/_config/webhooks/restante", url=f"{receiver.url}{NOTICES}", secret=SECRET)
        yield url, stripe
    finally:
        await stripe.client.aclose()
        running.kill()
        await running.wait()


async def heard(receiver: Receiver, kind: str) -> Asked:
    """The notice of this kind, as it came over the network."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            for each in receiver.asked:
                if f'"{kind}"'.encode() in each.body:
                    receiver.asked.remove(each)
                    return each
            await asyncio.sleep(0.02)


async def hand_over(inside: Inside, notice: Asked, body: bytes | None = None) -> httpx.Response:
    names = ("stripe-signature", "content-type")
    headers = {name: notice.headers[name] for name in names}
    answer = await inside.client.post(NOTICES, content=notice.body if body is None else body, headers=headers)
    await at_rest(inside)
    return answer


async def plan_of(inside: Inside, head: Head) -> tuple[str, str]:
    told = await standing(inside, head)
    return told["plan"]["id"], told["state"]


def test_what_is_bought_ended_and_deleted_there_holds_here(tmp_path: Path) -> None:
    async def story(inside: Inside, stripe: Stripe, receiver: Receiver) -> None:
        ann = await inside.sign_up("ann")
        await stripe.offer()
        for _ in range(2):
            assert_problem(
                await begin(inside, ann), 503, "payments-silent"
            )  # it has no prices to compare with
        (customer,) = (await stripe.ask("GET", "/v1/customers"))["data"]
        assert "ann" not in str(customer).replace("null", "")
        assert len(customer["metadata"]["account"]) == 32

        refused = await stripe.subscribe(customer["id"], IS_REFUSED)
        assert (await stripe.ask("GET", f"/v1/subscriptions/{refused}"))["status"] == "incomplete"
        assert (
            await hand_over(inside, await heard(receiver, "customer.subscription.created"))
        ).status_code == 204
        assert await plan_of(inside, ann) == ("trial", "free")

        bought = await stripe.subscribe(customer["id"], WORKS)
        notice = await heard(receiver, "customer.subscription.created")
        forged = notice.body.replace(b'"livemode": false', b'"livemode":  false')
        assert forged != notice.body
        assert_problem(await hand_over(inside, notice, forged), 400, "notice-refused")
        assert await plan_of(inside, ann) == ("trial", "free")
        for _ in range(2):
            assert (await hand_over(inside, notice)).status_code == 204
        assert await plan_of(inside, ann) == ("premium", "paid")
        told = await standing(inside, ann)
        there = await stripe.ask("GET", f"/v1/subscriptions/{bought}")
        assert told["until_at"] == 1000 * there["current_period_end"]

        await stripe.ask("POST", f"/v1/subscriptions/{bought}", cancel_at_period_end="true")
        back = await inside.client.post("/api/v1/account/plan/refresh", headers=ann)
        assert (back.json()["plan"]["id"], back.json()["state"]) == ("premium", "ending")
        await stripe.ask("DELETE", f"/v1/subscriptions/{bought}")
        assert (
            await hand_over(inside, await heard(receiver, "customer.subscription.deleted"))
        ).status_code == 204
        assert await plan_of(inside, ann) == ("trial", "free")

        assert (await inside.client.delete("/api/v1/account", headers=ann)).status_code == 204
        await at_rest(inside)
        assert (await stripe.ask("GET", "/v1/customers"))["data"] == []

    async def main() -> None:
        async with (
            receiving() as receiver,
            localstripe(receiver) as (url, stripe),
            opened(declare(tmp_path, STRIPE), stripe_url=url, **ORIGINS) as inside,
        ):
            await asyncio.wait_for(story(inside, stripe, receiver), 90)

    asyncio.run(main())
