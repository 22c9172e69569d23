"""What travels about plans: what an account has, what it used, what can be had, and where it is paid."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from restante.protocol.wire_base import Instant

PlanId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", max_length=32)]
Every = Literal["month", "year"]
Per = Literal["once", "month", "year"]
State = Literal["free", "granted", "paid", "ending", "late"]
Tax = Literal["none", "included", "added"]


class Plan(Struct, frozen=True):
    """A plan: ``name`` by language; ``price`` a decimal number in ``currency``, paid ``every`` month or year, or free.

    ``messages`` are videos that may be sent ``per`` time; null in any limit is no limit. ``tax`` is whether the price
    has it.
    """

    id: PlanId
    name: dict[str, str]
    price: str
    currency: str
    every: Every | None
    messages: int | None
    per: Per
    kept_bytes: int | None
    retention_days: int | None
    features: list[Literal["links", "page"]]
    tax: Tax


class Standing(Struct, frozen=True):
    """What the account may do. ``on`` is false where there are no plans: then everything is free and the rest is empty.

    ``state`` is ``free`` for the plan that everybody begins with, ``granted`` for a gift of the operator, ``paid`` for a
    plan that goes on, ``ending`` for one that lasts to ``until_at`` only, ``late`` when a payment failed and the plan
    lasts to ``until_at`` unless it is mended. ``used`` of ``messages`` are sent; counters begin anew at ``anew_at``.
    ``offers`` are what can be paid for, ``pays_by`` how.
    """

    on: bool
    plan: Plan | None = None
    state: State = "free"
    until_at: Instant | None = None
    used: int = 0
    messages: int | None = None
    anew_at: Instant | None = None
    kept_bytes: int = 0
    kept_most: int | None = None
    retention_days: int | None = None
    features: list[Literal["links", "page"]] = []
    offers: list[Plan] = []
    pays_by: Literal["none", "manual", "stripe"] = "none"
    manages: bool = False
    """Whether there is something to manage at the payment provider."""


class BeginPayment(Struct, frozen=True):
    """Which plan is to be paid, and in which language the provider speaks."""

    plan: PlanId
    language: Literal["en", "fr"] = "en"


class ManagePayment(Struct, frozen=True):
    """In which language the provider speaks."""

    language: Literal["en", "fr"] = "en"


class Payment(Struct, frozen=True):
    """How to go on: ``url`` is a page of the provider; without one ``words`` (by language) and ``reference`` say how to pay."""

    url: str = ""
    words: dict[str, str] = {}
    reference: str = ""
