"""The capacity model says what its own simulator sees, reads committed figures only, and its page explains each of its names."""

from dataclasses import asdict, fields

import pytest

from bench.capacity.measured import Costs, costs, figure
from bench.capacity.model import (
    COUNTRY,
    YEAR_S,
    Habits,
    Limits,
    Prices,
    breaks_at,
    cpu_parts,
    demand,
    fleet_limits,
    house_limits,
    plan,
)
from bench.capacity.scenes import scene_of
from bench.capacity.simulate import simulate
from tests.shape.source import ROOT

HABITS, LIMITS, PRICES = Habits(), Limits(), Prices()


def test_every_parameter_stands_in_a_committed_figure():
    assert [name for name, value in asdict(costs()).items() if not value > 0] == []
    with pytest.raises(LookupError):
        figure("results.md", "Upload in one request", "restante", "no such column")


@pytest.mark.parametrize("minutes", [3e6, 2e7])
def test_the_simulator_is_as_busy_as_the_formulas_say(minutes: float):
    found = costs()
    one = plan(minutes, HABITS, found, LIMITS, PRICES)
    foretold = sum(cpu_parts(one.demand, HABITS, found, fleet=one.fleet).values()) / one.nodes
    seen = simulate(scene_of(one, HABITS, found), found, HABITS, LIMITS, messages=500, seed=3)
    assert seen.use == pytest.approx(foretold, rel=0.15)


def test_the_same_seed_gives_the_same_run_and_another_one_another():
    found = costs()
    scene = scene_of(plan(1e6, HABITS, found, LIMITS, PRICES), HABITS, found)
    first, again, other = (
        simulate(scene, found, HABITS, LIMITS, messages=5, seed=seed) for seed in (1, 1, 2)
    )
    assert first.acks_ms == again.acks_ms != other.acks_ms


def test_a_busier_node_lets_people_wait_longer():
    found = costs()
    near, far = (
        simulate(
            scene_of(plan(minutes, HABITS, found, Limits(disk=1e18, use=1.0), PRICES), HABITS, found),
            found,
            HABITS,
            LIMITS,
            messages=40,
        )
        for minutes in (1e6, 4e7)
    )
    assert near.use < far.use
    assert near.ack_ms(0.99) < far.ack_ms(0.99)


def test_a_plan_holds_its_own_limits_at_every_size():
    found = costs()
    for minutes in (6e3, 6e5, 6e6, 6e8, COUNTRY):
        one = plan(minutes, HABITS, found, LIMITS, PRICES)
        cores = sum(cpu_parts(one.demand, HABITS, found, fleet=one.fleet).values())
        assert cores / one.nodes <= LIMITS.use
        assert one.demand.node_out_s / one.nodes <= LIMITS.node_line * LIMITS.use
        assert one.cost > 0


def test_the_country_is_what_was_carried_in_2012():
    of = demand(COUNTRY, Habits(busiest=1.0), costs())
    assert of.minutes_s * 60 == pytest.approx(318_000, rel=0.01)
    assert of.minutes_s * YEAR_S == pytest.approx(COUNTRY)


def test_where_a_thing_breaks_is_where_its_use_passes_one():
    found = costs()
    for use in (house_limits, fleet_limits):
        for name, minutes in breaks_at(use, HABITS, found, LIMITS):
            assert use(demand(minutes, HABITS, found), HABITS, found, LIMITS)[name] == pytest.approx(
                1, rel=0.01
            )


def test_the_page_explains_every_name_of_the_model():
    text = (ROOT / "docs" / "concepts" / "capacity.md").read_text()
    names = [field.name for kind in (Costs, Habits, Limits, Prices) for field in fields(kind)]
    assert [name for name in names if f"`{name}`" not in text] == []
    for drawn in ("capacity-size.svg", "capacity-cost.svg"):
        assert f"({drawn})" in text
        assert (ROOT / "docs" / "concepts" / drawn).exists()
