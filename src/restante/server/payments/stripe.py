"""Stripe, by its HTTP API: Checkout and the customer portal are pages at Stripe; here are only ids.

[Note: A pinned version] Each request names the version of the API whose answers this file reads, so that an upgrade of the operator's account changes nothing.
What notices carry is not read beyond their customer, since their version is the account's.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Literal

import httpx

from restante.server.asgi import RawHeaders, headers_named
from restante.server.errors import Refusal
from restante.server.payments.provider import Begun, Held, Language, ProviderSilent, WrongPrice
from restante.server.plans.declared import Declared, minor_units
from restante.server.plans.terms import Plan, Subscription

API_VERSION = "2025-02-24.acacia"
TOLERANCE_S = 300
"""How old a notice may be: Stripe signs each try anew."""
WITHIN_S = 15.0
_OVER = {"unpaid", "paused"}
_NEVER_WAS = {"incomplete", "incomplete_expired"}


class Stripe:
    """One account at Stripe. ``back`` is this server's own address, to which people return."""

    name: Literal["stripe", "manual"] = "stripe"

    def __init__(
        self,
        declared: Declared,
        *,
        key: str,
        secret: str,
        back: str,
        url: str,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._declared = declared
        self._secret = secret
        self._back = back
        self._is_live = key.startswith(("sk_live_", "rk_live_"))
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"authorization": f"Bearer {key}", "stripe-version": API_VERSION},
            trust_env=False,
            follow_redirects=False,
            timeout=WITHIN_S,
            transport=transport,
        )

    async def register(self, account: str) -> str:
        """Makes a customer without name and address: Checkout asks for what a payment needs."""
        made = await self._ask(
            "POST", "/v1/customers", {"metadata[account]": account}, once=f"customer:{account}"
        )
        return str(made["id"])

    async def begin(self, customer: str, plan: Plan, *, language: Language) -> Begun:
        """Checkout for who has nothing yet; else the portal, where a plan is changed."""
        await self._check_price(plan)
        living = [
            each
            for each in await self._subscriptions(customer)
            if each["status"] in {"active", "trialing", "past_due"}
        ]
        if living:
            return Begun(url=await self._change(customer, living[0], plan, language))
        form = {
            "mode": "subscription",
            "customer": customer,
            "client_reference_id": customer,
            "line_items[0][price]": plan.provider_price,
            "line_items[0][quantity]": "1",
            "success_url": f"{self._back}/plan?paid",
            "cancel_url": f"{self._back}/plan",
            "locale": language,
        }
        if self._declared.tax != "none":
            form |= {
                "automatic_tax[enabled]": "true",
                "tax_id_collection[enabled]": "true",
                "customer_update[address]": "auto",
                "customer_update[name]": "auto",
            }
        return Begun(url=_page(await self._ask("POST", "/v1/checkout/sessions", form)))

    async def manage(self, customer: str, *, language: Language) -> str:
        """The customer portal."""
        form = {"customer": customer, "return_url": f"{self._back}/plan?back", "locale": language}
        return _page(await self._ask("POST", "/v1/billing_portal/sessions", form))

    def heard(self, headers: RawHeaders, body: bytes, *, now_ms: int) -> str | None:
        """Checks the signature over time and body; reads the customer and nothing else."""
        named = headers_named(headers, b"stripe-signature")
        if len(named) != 1 or not is_signed(named[0].decode("latin-1"), body, self._secret, now_ms=now_ms):
            raise Refusal("notice-refused")
        try:
            event = json.loads(body)
            about = event["data"]["object"]
            if bool(event.get("livemode")) != self._is_live:
                return None
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Refusal("notice-refused") from error
        if not isinstance(about, dict):
            return None
        customer = about.get("id") if about.get("object") == "customer" else about.get("customer")
        if isinstance(customer, dict):
            customer = customer.get("id")
        return customer if isinstance(customer, str) else None

    async def held(self, customer: str) -> list[Held]:
        """Every subscription to a declared plan, as the rules want it."""
        each = [self._held(raw) for raw in await self._subscriptions(customer)]
        return [held for held in each if held is not None]

    async def forget(self, customer: str) -> None:
        """Deleting a customer ends its subscriptions at once."""
        await self._ask("DELETE", f"/v1/customers/{customer}", missing={})

    async def close(self) -> None:
        """Closes connections."""
        await self._client.aclose()

    # Inside

    async def _change(self, customer: str, living: Mapping[str, Any], plan: Plan, language: Language) -> str:
        """The portal's page that confirms another plan; for the same plan, which was ended, its first page."""
        (item, price) = _item(living)
        if price == plan.provider_price:
            if _renews(living):
                raise Refusal("already-subscribed")
            return await self.manage(customer, language=language)
        confirm = "flow_data[subscription_update_confirm]"
        form = {
            "customer": customer,
            "return_url": f"{self._back}/plan?back",
            "locale": language,
            "flow_data[type]": "subscription_update_confirm",
            f"{confirm}[subscription]": str(living["id"]),
            f"{confirm}[items][0][id]": str(item["id"]),
            f"{confirm}[items][0][price]": plan.provider_price,
            f"{confirm}[items][0][quantity]": "1",
        }
        return _page(await self._ask("POST", "/v1/billing_portal/sessions", form))

    async def _check_price(self, plan: Plan) -> None:
        """What people are shown here is what they pay there, or nothing is sold."""
        price = await self._ask("GET", f"/v1/prices/{plan.provider_price}")
        recurring = price.get("recurring") or {}
        asked = (
            price.get("active"),
            price.get("unit_amount"),
            price.get("currency"),
            recurring.get("interval"),
            recurring.get("interval_count", 1),
        )
        currency = self._declared.plans.currency
        if asked != (True, minor_units(plan.price, currency), currency, plan.every, 1):
            raise WrongPrice

    async def _subscriptions(self, customer: str) -> list[dict[str, Any]]:
        asked = {
            "customer": customer,
            "status": "all",
            "limit": "100",
            "expand[]": "data.latest_invoice.charge",
        }
        told = await self._ask("GET", "/v1/subscriptions", asked, missing={"data": []})
        return [each for each in told["data"] if isinstance(each, dict)]

    def _held(self, raw: Mapping[str, Any]) -> Held | None:
        item, price = _item(raw)
        plan = self._declared.plans.by_price(price)
        if plan is None or raw["status"] in _NEVER_WAS:
            return None
        begins_at, period_ends_at = (
            1000 * int(raw.get(name) or item[name]) for name in ("current_period_start", "current_period_end")
        )
        ended_at = None
        if raw["status"] == "canceled":
            ended_at = 1000 * int(raw.get("ended_at") or raw.get("canceled_at") or 0)
        elif raw["status"] in _OVER:
            ended_at = begins_at
        if _is_paid_back(raw):
            ended_at = begins_at
        cancel_at = raw.get("cancel_at")
        subscription = Subscription(
            plan=plan.id,
            begins_at=begins_at,
            ends_at=period_ends_at if cancel_at is None else min(period_ends_at, 1000 * int(cancel_at)),
            renews=_renews(raw),
            unpaid_since_at=begins_at if raw["status"] == "past_due" else None,
            ended_at=ended_at,
        )
        return Held(str(raw["id"]), subscription)

    async def _ask(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | None = None,
        *,
        once: str = "",
        missing: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One request; ``once`` makes a repeated one the same, ``missing`` is the answer to 404."""
        headers = {"idempotency-key": hashlib.sha256(once.encode()).hexdigest()} if once else {}
        by_query = {"params": form} if method == "GET" else {"data": form}
        try:
            answer = await self._client.request(method, path, headers=headers, **by_query)  # type: ignore[arg-type] # one of the two
            if answer.status_code == 404 and missing is not None:
                return missing
            answer.raise_for_status()
            told: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderSilent(type(error).__name__) from error
        return told


def is_signed(header: str, body: bytes, secret: str, *, now_ms: int) -> bool:
    """Tells whether one of the header's ``v1`` is the HMAC-SHA256 of its time and the body, and the time is near."""
    fields = [field.strip().partition("=") for field in header.split(",")]
    times = [value for name, _, value in fields if name == "t"]
    if len(times) != 1 or not times[0].isascii() or not times[0].isdigit() or len(times[0]) > 15:
        return False
    if abs(now_ms - 1000 * int(times[0])) > 1000 * TOLERANCE_S:
        return False
    expected = hmac.new(secret.encode(), times[0].encode() + b"." + body, hashlib.sha256).hexdigest()
    given = [value for name, _, value in fields if name == "v1"]
    return any(hmac.compare_digest(expected.encode(), value.encode()) for value in given)


def _item(raw: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The first item and its price."""
    items = raw["items"]["data"]
    item: Mapping[str, Any] = items[0] if items else {}
    price = item.get("price") or item.get("plan") or {}
    return item, str(price.get("id", ""))


def _renews(raw: Mapping[str, Any]) -> bool:
    return not raw.get("cancel_at_period_end") and raw.get("cancel_at") is None


def _is_paid_back(raw: Mapping[str, Any]) -> bool:
    """Whether the charge of the period that runs was paid back whole."""
    invoice = raw.get("latest_invoice")
    charge = invoice.get("charge") if isinstance(invoice, dict) else None
    return isinstance(charge, dict) and charge.get("refunded") is True


def _page(session: Mapping[str, Any]) -> str:
    url = str(session.get("url", ""))
    if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise ProviderSilent("no address to go to")
    return url
