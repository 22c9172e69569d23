"""What `restante plan` says, and what is said at the limit."""

from restante.cli.plan import lines
from restante.protocol.codes import CODES
from restante.protocol.wire_plans import Plan, Standing

TRIAL = Plan("trial", {"en": "Trial"}, "0", "usd", None, 20, "once", None, None, [], "added")
PREMIUM = Plan("premium", {"fr": "Mieux"}, "4.99", "usd", "month", None, "month", None, None, [], "added")
DAY_MS = 1_900_000_000_000


def test_the_plan_is_told_in_words() -> None:
    assert lines(Standing(on=False)) == ["Everything is free on this server."]
    standing = Standing(
        on=True, plan=TRIAL, used=17, messages=20, kept_bytes=5, kept_most=9, retention_days=30
    )
    assert lines(standing) == [
        "Trial: everybody has it",
        "videos: 17 of 20 sent",
        "kept: 5 of 9 bytes",
        "videos stay 30 days at most",
    ]
    late = Standing(on=True, plan=PREMIUM, state="late", until_at=DAY_MS, messages=None, offers=[PREMIUM])
    assert lines(late) == [
        "Mieux: a payment failed: lasts until 2030-03-17, unless it is put right",
        "videos: as many as you like",
        "to be had: Mieux, 4.99 USD a month, plus tax",
    ]


def test_at_the_limit_the_way_on_is_said() -> None:
    assert "is kept" in CODES["plan-limit"].hint
    assert "restante plan" in CODES["plan-limit"].hint
