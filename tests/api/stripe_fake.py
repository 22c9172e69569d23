"""A small Stripe: customers, prices, subscriptions, Checkout, the portal, notices with retries; stateful, in this process.

It answers in the shapes of Stripe's public API, and refuses what that would refuse. Time is the test's.
"""

import hashlib
import hmac
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx

MONTH_S = 30 * 24 * 3600
SECRET = "whsec_of_the_fake"
KEY = "sk_test_fake"


@dataclass
class FakeStripe:
    """``now_s`` tells its time; ``sent`` are the notices that it wants to deliver, oldest first."""

    now_s: Callable[[], int]
    prices: dict[str, dict[str, Any]] = field(default_factory=dict)
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    is_down: bool = False
    address: str = "https://checkout.stripe.test"
    _numbers: Any = field(default_factory=lambda: itertools.count(1))
    _once: dict[str, dict[str, Any]] = field(default_factory=dict)

    def price(self, name: str, amount: int, *, every: str = "month", currency: str = "usd") -> None:
        recurring = {"interval": every, "interval_count": 1}
        self.prices[name] = {
            "id": name,
            "object": "price",
            "active": True,
            "unit_amount": amount,
            "currency": currency,
            "recurring": recurring,
        }

    # The API

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        form = dict(parse_qsl(request.content.decode() or request.url.query.decode()))
        self.asked.append((request.method, request.url.path, form))
        if self.is_down:
            return httpx.Response(503, json={"error": {"type": "api_error"}})
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return httpx.Response(401, json={"error": {"type": "authentication_error"}})
        if not request.headers.get("stripe-version"):
            return httpx.Response(400, json={"error": {"message": "the version is not pinned"}})
        once = request.headers.get("idempotency-key")
        if once and once in self._once:
            return httpx.Response(200, json=self._once[once])
        found = self._route(request.method, request.url.path, form)
        if found is None:
            return httpx.Response(404, json={"error": {"code": "resource_missing"}})
        if once:
            self._once[once] = found
        return httpx.Response(200, json=found)

    def _route(self, method: str, path: str, form: dict[str, str]) -> dict[str, Any] | None:  # noqa: PLR0911 - one for each address
        match method, path.split("/")[2:]:
            case "POST", ["customers"]:
                return self._add(self.customers, "cus", {"object": "customer", "metadata": form})
            case "DELETE", ["customers", customer]:
                return self._forget(customer)
            case "GET", ["prices", price]:
                return self.prices.get(price)
            case "GET", ["subscriptions"]:
                if form["customer"] not in self.customers:
                    return None
                each = [one for one in self.subscriptions.values() if one["customer"] == form["customer"]]
                return {"object": "list", "data": each[::-1], "has_more": False}
            case "POST", ["checkout", "sessions"]:
                assert form["mode"] == "subscription"
                assert form["customer"] in self.customers
                assert form["line_items[0][price]"] in self.prices
                made = self._add(self.sessions, "cs", {"object": "checkout.session", "form": form})
                return made | {"url": f"{self.address}/pay/{made['id']}"}
            case "POST", ["billing_portal", "sessions"]:
                made = self._add(self.sessions, "bps", {"object": "billing_portal.session", "form": form})
                return made | {"url": f"{self.address}/portal/{made['id']}"}
        return None

    def _add(self, where: dict[str, dict[str, Any]], prefix: str, what: dict[str, Any]) -> dict[str, Any]:
        name = f"{prefix}_{next(self._numbers)}"
        where[name] = {"id": name, "livemode": False, **what}
        return where[name]

    def _forget(self, customer: str) -> dict[str, Any] | None:
        if self.customers.pop(customer, None) is None:
            return None
        for one in self.subscriptions.values():
            if one["customer"] == customer and one["status"] != "canceled":
                self.cancel_now(one["id"])
        return {"id": customer, "deleted": True}

    # What people and time do

    def pay(self, url: str) -> str:
        """Goes through Checkout with a card that works; returns the subscription."""
        session = self.sessions[url.rpartition("/")[2]]
        form, now = session["form"], self.now_s()
        made = self._add(
            self.subscriptions,
            "sub",
            {
                "object": "subscription",
                "customer": form["customer"],
                "status": "active",
                "current_period_start": now,
                "current_period_end": now + MONTH_S,
                "cancel_at_period_end": False,
                "cancel_at": None,
                "canceled_at": None,
                "ended_at": None,
                "items": {
                    "object": "list",
                    "data": [{"id": "si_1", "price": self.prices[form["line_items[0][price]"]]}],
                },
                "latest_invoice": self._invoice(paid=True),
            },
        )
        self._notify("customer.subscription.created", made)
        self._notify("invoice.paid", {"object": "invoice", "customer": form["customer"]})
        self._notify(
            "checkout.session.completed", {"object": "checkout.session", "customer": form["customer"]}
        )
        return str(made["id"])

    def renew(self, subscription: str, *, paid: bool) -> None:
        """The next period begins; the card works or not."""
        one = self.subscriptions[subscription]
        one["current_period_start"], one["current_period_end"] = (
            one["current_period_end"],
            one["current_period_end"] + MONTH_S,
        )
        one["status"], one["latest_invoice"] = "active" if paid else "past_due", self._invoice(paid=paid)
        self._notify("customer.subscription.updated", one)
        kind = "invoice.paid" if paid else "invoice.payment_failed"
        self._notify(kind, {"object": "invoice", "customer": one["customer"]})

    def mend(self, subscription: str) -> None:
        """A retry of the payment works."""
        one = self.subscriptions[subscription]
        one["status"], one["latest_invoice"] = "active", self._invoice(paid=True)
        self._notify("customer.subscription.updated", one)

    def give_up(self, subscription: str) -> None:
        """All retries failed."""
        self.subscriptions[subscription]["status"] = "unpaid"
        self._notify("customer.subscription.updated", self.subscriptions[subscription])

    def cancel_at_end(self, subscription: str) -> None:
        self.subscriptions[subscription]["cancel_at_period_end"] = True
        self._notify("customer.subscription.updated", self.subscriptions[subscription])

    def cancel_now(self, subscription: str) -> None:
        one = self.subscriptions[subscription]
        one["status"], one["ended_at"], one["canceled_at"] = "canceled", self.now_s(), self.now_s()
        self._notify("customer.subscription.deleted", one)

    def change(self, subscription: str, price: str) -> None:
        """Confirms another plan at the portal."""
        self.subscriptions[subscription]["items"]["data"][0]["price"] = self.prices[price]
        self._notify("customer.subscription.updated", self.subscriptions[subscription])

    def refund(self, subscription: str) -> None:
        """The operator pays the running period back, at Stripe's own desk."""
        one = self.subscriptions[subscription]
        one["latest_invoice"]["charge"]["refunded"] = True
        self._notify("charge.refunded", {"object": "charge", "customer": one["customer"]})

    def _invoice(self, *, paid: bool) -> dict[str, Any]:
        charge = {"object": "charge", "paid": paid, "refunded": False}
        return {"object": "invoice", "status": "paid" if paid else "open", "charge": charge}

    # Notices

    def _notify(self, kind: str, about: dict[str, Any]) -> None:
        self.sent.append(self.notice(kind, about))

    def notice(self, kind: str, about: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": f"evt_{next(self._numbers)}",
            "object": "event",
            "type": kind,
            "created": self.now_s(),
            "livemode": False,
            "data": {"object": json.loads(json.dumps(about))},
        }

    def signed(
        self, notice: dict[str, Any], *, secret: str = SECRET, at_s: int | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of one try to deliver it."""
        body, at = json.dumps(notice).encode(), str(self.now_s() if at_s is None else at_s)
        sum_ = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"stripe-signature": f"t={at},v1={sum_},v0=old", "content-type": "application/json"}
        return headers, body
