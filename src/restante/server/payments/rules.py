"""When the owner of a subscription is told that its payment fails and that it ended: pure.

[Note: Told once] Of each step one mail goes out, whatever is heard meanwhile and however often. Steps only go on, until the payment
is put right; what nobody noticed in time is not told late.
"""

from dataclasses import dataclass
from typing import Literal

from restante.server.plans.terms import DAY_MS, Subscription

Step = Literal["", "late", "soon", "ended"]
"""Nothing to tell; a payment failed, and the grace runs; the grace ends soon; the plan ended."""

SOON_MS = 2 * DAY_MS
"""How long before its end somebody is told once more, or half of the grace where that is shorter."""
OLD_NEWS_MS = 3 * DAY_MS
_ORDER: tuple[Step, ...] = ("", "late", "soon", "ended")


@dataclass(frozen=True, slots=True)
class Told:
    """What is known to be told after now, what of it is to be mailed now, and when to look again."""

    step: Step
    mail: Step
    next_at: int | None


def step_of(held: Subscription, *, grace_ms: int, now_ms: int) -> Step:
    """Where a subscription stands on the way to its end."""
    until = held.holds_until(grace_ms)
    if now_ms >= until:
        return "ended"
    if held.unpaid_since_at is None or held.ended_at is not None:
        return ""
    return "soon" if now_ms >= until - _soon_ms(grace_ms) else "late"


def tell(held: Subscription, before: Step, *, grace_ms: int, now_ms: int) -> Told:
    """What follows from what holds and what was told before."""
    step, until = step_of(held, grace_ms=grace_ms, now_ms=now_ms), held.holds_until(grace_ms)
    is_news = _ORDER.index(step) > _ORDER.index(before) and now_ms < until + OLD_NEWS_MS
    next_at = {"": until, "late": until - _soon_ms(grace_ms), "soon": until, "ended": None}[step]
    return Told(step, step if is_news else "", next_at)


def _soon_ms(grace_ms: int) -> int:
    return min(SOON_MS, grace_ms // 2)
