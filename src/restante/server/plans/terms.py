"""The words of plans: what is declared, what accounts hold, what they may do. Pure values; ``rules`` puts them together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Per = Literal["once", "month", "year"]
Feature = Literal["links", "page"]
State = Literal["free", "granted", "paid", "ending", "late"]
"""Begun with; given by the operator; paid and going on; paid, but ended by the person; a payment failed, and the grace runs."""

FEATURES: frozenset[Feature] = frozenset({"links", "page"})
DAY_MS = 24 * 3600 * 1000
_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the operator declares (plans.toml). None is: no limit."""

    id: str
    name: Mapping[str, str]
    price: str = "0"
    """Decimal number in the currency, as it is declared."""
    every: Literal["month", "year"] | None = None
    """How often the price is paid; None: never."""
    messages: int | None = None
    per: Per = "once"
    kept_bytes: int | None = None
    retention_days: int | None = None
    features: frozenset[Feature] = FEATURES
    provider_price: str = ""
    """What the payment provider calls its price."""


@dataclass(frozen=True, slots=True)
class Plans:
    """All that is declared: the plan that everybody has, and those that can be had besides."""

    all: tuple[Plan, ...]
    start: str
    currency: str
    grace_ms: int = 7 * DAY_MS

    def find(self, plan_id: str) -> Plan | None:
        """The plan of this id; one that was taken out of the file gives nothing more."""
        return next((plan for plan in self.all if plan.id == plan_id), None)

    def by_price(self, provider_price: str) -> Plan | None:
        """The plan that the provider sells under this price."""
        return next((plan for plan in self.all if plan.provider_price == provider_price != ""), None)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A standing with a payment provider, as it was told when it was last asked. Times in Unix ms."""

    plan: str
    begins_at: int
    """Begin of the period that runs."""
    ends_at: int
    """End of the period that runs."""
    renews: bool
    """False: the person ended it, and it lasts to the end of the period."""
    unpaid_since_at: int | None = None
    """Since when a payment is missing."""
    ended_at: int | None = None
    """When it was over for good: cancelled at once, given up, or paid back."""

    def holds_until(self, grace_ms: int) -> int:
        """The instant at which it gives nothing more, if nothing else is heard.

        A period that was paid runs out with grace as well, since the news that the next one is paid may be late.
        """
        if self.ended_at is not None:
            return self.ended_at
        if self.unpaid_since_at is not None:
            return self.unpaid_since_at + grace_ms
        return self.ends_at + grace_ms if self.renews else self.ends_at


@dataclass(frozen=True, slots=True)
class Grant:
    """What the operator gave: a plan for a time, or messages besides."""

    id: str
    begins_at: int
    ends_at: int | None = None
    plan: str = ""
    messages: int = 0
    is_paid: bool = False

    def holds(self, now_ms: int) -> bool:
        return self.begins_at <= now_ms < (_NEVER if self.ends_at is None else self.ends_at)


@dataclass(frozen=True, slots=True)
class Allowance:
    """Messages that may be sent in a time; they are counted under ``key`` and ``begins_at``."""

    key: str
    messages: int | None
    begins_at: int
    ends_at: int | None


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What an account may do now."""

    plan: Plan
    state: State
    until_at: int | None
    allowances: tuple[Allowance, ...]
    kept_bytes: int | None
    retention_days: int | None
    features: frozenset[Feature]

    @property
    def messages(self) -> int | None:
        """How many in all, sent ones included; None: as many as one likes."""
        limits = [allowance.messages for allowance in self.allowances]
        return None if None in limits else sum(limit for limit in limits if limit is not None)

    @property
    def anew_at(self) -> int | None:
        """When the first of the counters begins anew."""
        ends = [
            allowance.ends_at
            for allowance in self.allowances
            if allowance.ends_at is not None and not allowance.key.startswith("gift:")
        ]
        return min(ends, default=None)
