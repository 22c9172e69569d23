"""What an account may do: the algebra of plans, subscriptions, grants and time, without a server."""

import dataclasses
from datetime import UTC, datetime
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.server.config import BadSettings
from restante.server.plans import rules
from restante.server.plans.declared import minor_units, parse
from restante.server.plans.terms import DAY_MS, Allowance, Entitlement, Grant, Plan, Plans, Subscription
from tests.shape.source import ROOT

NOW = 1_900_000_000_000
TRIAL = Plan("trial", {"en": "Trial"}, messages=20, kept_bytes=1000, retention_days=30, features=frozenset())
HUNDRED = Plan("hundred", {"en": "100"}, "1.99", "month", 100, "month", kept_bytes=5000)
PREMIUM = Plan("premium", {"en": "Premium"}, "4.99", "month")
PLANS = Plans((TRIAL, HUNDRED, PREMIUM), "trial", "usd", grace_ms=7 * DAY_MS)

instants = st.integers(NOW - 800 * DAY_MS, NOW + 800 * DAY_MS)
plan_ids = st.sampled_from(["trial", "hundred", "premium", "no-more-on-offer"])


@st.composite
def some_subscriptions(draw: st.DrawFn) -> Subscription:
    begins = draw(instants)
    return Subscription(
        plan=draw(plan_ids),
        begins_at=begins,
        ends_at=begins + draw(st.integers(1, 366)) * DAY_MS,
        renews=draw(st.booleans()),
        unpaid_since_at=draw(st.none() | st.just(begins)),
        ended_at=draw(st.none() | instants),
    )


some_grants = st.builds(
    Grant,
    id=st.text("abc", min_size=1, max_size=8),
    begins_at=instants,
    ends_at=st.none() | instants,
    plan=st.sampled_from(["", "hundred", "premium"]),
    messages=st.integers(0, 50),
)
held = st.lists(some_subscriptions(), max_size=3)
given_ = st.lists(some_grants, max_size=3, unique_by=lambda grant: grant.id)


def entitled(subscriptions=(), grants=(), *, now_ms: int = NOW, since_ms: int = NOW - DAY_MS) -> Entitlement:
    return rules.entitlement(
        PLANS, since_ms=since_ms, subscriptions=subscriptions, grants=grants, now_ms=now_ms
    )


def is_at_least(one: int | None, other: int | None) -> bool:
    return one is None or (other is not None and one >= other)


@given(held, given_, some_subscriptions() | some_grants, instants)
def test_what_is_added_takes_nothing_away(subscriptions, grants, more, now_ms):
    before = entitled(subscriptions, grants, now_ms=now_ms)
    if isinstance(more, Grant):
        after = entitled(subscriptions, [*grants, more], now_ms=now_ms)
    else:
        after = entitled([*subscriptions, more], grants, now_ms=now_ms)
    assert is_at_least(after.messages, before.messages)
    assert is_at_least(after.kept_bytes, before.kept_bytes)
    assert is_at_least(after.retention_days, before.retention_days)
    assert after.features >= before.features
    assert set(after.allowances) >= set(before.allowances)


@given(held, given_, instants, st.randoms(use_true_random=False))
def test_the_order_in_which_it_was_heard_does_not_matter(subscriptions, grants, now_ms, random):
    before = entitled(subscriptions, grants, now_ms=now_ms)
    random.shuffle(subscriptions)
    random.shuffle(grants)
    after = entitled(subscriptions, grants, now_ms=now_ms)
    assert set(after.allowances) == set(before.allowances)
    assert (after.plan, after.messages, after.kept_bytes) == (before.plan, before.messages, before.kept_bytes)


@given(some_subscriptions(), instants)
def test_a_subscription_ends_once_and_for_good(subscription, now_ms):
    until = subscription.holds_until(PLANS.grace_ms)
    holds = entitled([subscription], now_ms=now_ms).state in {"paid", "ending", "late"}
    assert holds == (now_ms < until and subscription.plan in {"hundred", "premium"})


@given(some_subscriptions(), st.integers(0, 90))
def test_the_last_millisecond_of_the_grace_is_in_and_the_next_is_out(subscription, grace_days):
    plans = Plans((TRIAL, PREMIUM), "trial", "usd", grace_ms=grace_days * DAY_MS)
    until = subscription.holds_until(plans.grace_ms)
    held = {"since_ms": 0, "subscriptions": [dataclasses.replace(subscription, plan="premium")], "grants": []}
    states = [rules.entitlement(plans, now_ms=at_ms, **held).state for at_ms in (until - 1, until)]
    assert states[0] != "free"
    assert states[1] == "free"
    late = subscription.unpaid_since_at is not None and subscription.ended_at is None
    assert not late or until == subscription.unpaid_since_at + grace_days * DAY_MS


@given(instants, st.sampled_from(["month", "year"]), instants)
def test_counting_times_follow_each_other_without_gap(anchor_ms, per, now_ms):
    now_ms = max(anchor_ms, now_ms)
    begins_at, ends_at = rules.window(anchor_ms, per, now_ms)
    assert begins_at <= now_ms < ends_at
    assert rules.window(anchor_ms, per, begins_at) == (begins_at, ends_at)
    assert rules.window(anchor_ms, per, ends_at)[0] == ends_at
    assert rules.window(anchor_ms, per, ends_at - 1) == (begins_at, ends_at)
    longest = 31 if per == "month" else 366
    assert (ends_at - begins_at) <= longest * DAY_MS


def test_months_end_on_the_last_day_when_there_is_no_such_day():
    january = at(2026, 1, 31)
    assert rules.window(january, "month", at(2026, 2, 28))[0] == at(2026, 2, 28)
    assert rules.window(january, "month", at(2026, 3, 30))[0] == at(2026, 2, 28)
    assert rules.window(january, "month", at(2026, 3, 31))[0] == at(2026, 3, 31)
    assert rules.window(at(2024, 2, 29), "year", at(2025, 6, 1))[0] == at(2025, 2, 28)


def at(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, 12, tzinfo=UTC).timestamp() * 1000)


allowances = st.lists(
    st.builds(
        Allowance,
        key=st.text("abcd", min_size=1, max_size=3),
        messages=st.none() | st.integers(0, 5),
        begins_at=st.just(0),
        ends_at=st.none() | st.integers(1, 100),
    ),
    max_size=5,
    unique_by=lambda one: one.key,
)


@given(allowances)
def test_exactly_as_many_are_sent_as_all_allowances_have(each):
    used: dict[tuple[str, int], int] = {}
    wanted = 1000
    for _ in range(wanted):
        chosen = rules.choose(each, used)
        if chosen is None:
            break
        key = (chosen.key, chosen.begins_at)
        used[key] = used.get(key, 0) + 1
    limits = [one.messages for one in each]
    assert sum(used.values()) == (wanted if None in limits else sum(limits))
    for one in each:
        assert one.messages is None or used.get((one.key, 0), 0) <= one.messages


def test_unlimited_ones_are_used_first_and_then_what_ends_soonest():
    start, gift = Allowance("start", 20, 0, None), Allowance("gift", 5, 0, 90)
    month, paid = Allowance("month", 100, 0, 30), Allowance("paid", None, 0, None)
    for each in permutations([start, gift, month, paid]):
        assert rules.choose(each, {}) is paid
    for each in permutations([start, gift, month]):
        assert rules.choose(each, {}) is month
        assert rules.choose(each, {("month", 0): 100}) is gift
        assert rules.choose(each, {("month", 0): 100, ("gift", 0): 5}) is start


def test_states_say_what_lies_ahead():
    month = {"plan": "premium", "begins_at": NOW - 10 * DAY_MS, "ends_at": NOW + 20 * DAY_MS}
    cases = [
        (Subscription(**month, renews=True), "paid", NOW + 20 * DAY_MS),
        (Subscription(**month, renews=False), "ending", NOW + 20 * DAY_MS),
        (Subscription(**month, renews=True, unpaid_since_at=NOW - DAY_MS), "late", NOW + 6 * DAY_MS),
        (Subscription(**month, renews=True, unpaid_since_at=NOW - 8 * DAY_MS), "free", None),
        (Subscription(**month, renews=False, ended_at=NOW - 1), "free", None),
    ]
    for subscription, state, until_at in cases:
        found = entitled([subscription])
        assert (found.state, found.until_at) == (state, until_at)
        assert found.plan is (TRIAL if state == "free" else PREMIUM)
    gift = Grant("g", NOW - 1, NOW + 1, "premium")
    assert entitled(grants=[gift]).state == "granted"
    assert entitled(grants=[gift], now_ms=NOW + 1).state == "free"


def test_the_shipped_example_is_the_founding_one():
    declared = parse((ROOT / "docs" / "guides" / "plans.toml").read_text())
    trial, premium = declared.plans.all
    assert (trial.name["en"], trial.messages, trial.per, trial.every) == ("Trial", 20, "once", None)
    assert (premium.price, premium.every, premium.messages) == ("4.99", "month", None)
    assert (declared.plans.start, declared.plans.currency) == ("trial", "usd")
    assert minor_units(premium.price, "usd") == 499
    assert minor_units("500", "jpy") == 500
    assert minor_units("1.5", "kwd") == 1500


GOOD = 'currency = "usd"\nstart = "a"\n[[plan]]\nid = "a"\nname = "A"\nmessages = 3\n'
SPOILT = [
    ("currency = ", "is no TOML"),
    (GOOD.replace('"usd"', '"dollars"'), "currency"),
    (GOOD.replace('start = "a"', 'start = "b"'), "start names `b`"),
    (GOOD.replace("messages", "mesages"), "mesages"),
    (GOOD.replace("messages = 3", "messages = -3"), "messages"),
    (GOOD + "price = 4.99", "both a price and a period"),
    (GOOD + 'price = 4.99\nperiod = "month"', "has a price: everybody begins"),
    (GOOD + 'price = "4,99"\nperiod = "month"', "no number such as 4.99"),
    (GOOD + "price = nan", "no number such as 4.99"),
    (GOOD + 'price = 4.999\nperiod = "month"', "more digits than usd has"),
    (GOOD + 'kept = "much"', "no size such as 10G"),
    (GOOD + 'features = ["everything"]', "features"),
    (GOOD + "[[plan]]\nid = 'a'\nname = 'B'", "two plans are called `a`"),
    (GOOD + "[[plan]]\nid = 'A b'\nname = 'B'", "id"),
    (GOOD + "[payments]\nprovider = 'paypal'", "provider"),
    (GOOD + "[payments]\nprovider = 'manual'", "needs words"),
    (
        GOOD + "[[plan]]\nid='b'\nname='B'\nprice=1\nperiod='year'\n[payments]\nprovider='stripe'",
        "needs stripe_price",
    ),
]


@pytest.mark.parametrize(("text", "sentence"), SPOILT)
def test_a_bad_file_gets_one_line_that_names_what_is_wrong(text, sentence):
    assert parse(GOOD)
    with pytest.raises(BadSettings) as refused:
        parse(text)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
