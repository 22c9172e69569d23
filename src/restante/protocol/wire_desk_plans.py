"""What the operator's desk says of plans, and what operators give: counts, and grants by the names of accounts."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from restante.protocol.wire_base import Instant, Name
from restante.protocol.wire_plans import Plan, PlanId

_Words = Annotated[str, Meta(max_length=500)]
GrantId = Annotated[str, Meta(pattern=r"^grt_[a-z2-7]{25}[aeimquy4]$", max_length=30)]


class DeskPlan(Struct, frozen=True):
    """A plan, and how many have it: paid and going on, paid to its end only, late with a payment, given. Never who."""

    plan: Plan
    paid: int
    ending: int
    late: int
    granted: int


class DeskPlans(Struct, frozen=True):
    """The plans that the server's file declares; ``on`` is false where there is none and everything is free."""

    on: bool
    items: list[DeskPlan] = []
    pays_by: Literal["none", "manual", "stripe"] = "none"
    grace_days: int = 0


class DeskGrant(Struct, frozen=True):
    """What an account was given, or what a recorded payment gave it."""

    id: GrantId
    account: Name
    plan: str
    """Empty: videos besides."""
    videos: int
    begins_at: Instant
    ends_at: Instant | None
    source: Literal["operator", "manual"]
    """``manual``: a payment."""
    reference: str | None
    reason: str
    created_at: Instant


class DeskGrants(Struct, frozen=True):
    items: list[DeskGrant]
    more: bool


class GiveGrant(Struct, frozen=True, kw_only=True):
    """A plan, or a number of videos, for some days or (0) for good."""

    account: Name
    plan: PlanId | None = None
    videos: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    days: Annotated[int, Meta(ge=0, le=36_500)] = 0
    reason: _Words = ""


class RecordPayment(Struct, frozen=True, kw_only=True):
    """A payment that arrived, under the bank's own ``reference``, by which it counts once."""

    account: Annotated[str, Meta(min_length=1, max_length=64)]
    """A name, or the reference that the account was told to pay with."""
    plan: PlanId
    reference: Annotated[str, Meta(min_length=1, max_length=200)]
    periods: Annotated[int, Meta(ge=1, le=120)] = 1
    reason: _Words = ""
