"""`python -m bench.capacity`: the model and the simulator from 10 people to a country; writes bench/capacity.md and the plots beside docs/concepts/capacity.md."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.capacity.drawing import Series, plot
from bench.capacity.measured import Costs, costs, listed
from bench.capacity.model import (
    COUNTRY,
    Habits,
    Limits,
    Plan,
    Prices,
    breaks_at,
    cpu_parts,
    fleet_limits,
    house_limits,
    plan,
)
from bench.capacity.scenes import scene_of, with_a_death
from bench.capacity.simulate import Outcome, simulate

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "bench" / "capacity.md"
PLOTS = ROOT / "docs" / "concepts"
DECADES = (6e3, 6e4, 6e5, 6e6, 6e7, 6e8, 6e9, 6e10, COUNTRY)
SEED = 2012
MEASURED_HOUSE, MEASURED_FLEET = 120, 30
"""How many recorded at once in the runs of bench/agreement.md, and in those of two nodes; what lies above is extrapolated."""
REMEDIES = {
    "disk": "a larger disk, a shorter time that messages are kept, or blobs in S3",
    "connections": "`RESTANTE_CONNECTIONS`, and open files of the service; memory follows",
    "processor": "a second node: PostgreSQL and S3 instead of the embedded engines",
    "line": "presigned reads: what is watched leaves S3, not the node",
    "memory": "more of it, or a second node",
    "writer": "PostgreSQL",
    "one node": "more nodes; they keep nothing",
    "one primary": "shards by `account_id`",
    "its disk": "shards by `account_id`",
    "its connections": "`max_connections`, and shards by `account_id`",
    "NOTIFY": "NATS",
    "listing one bucket": "a bucket for each shard, swept by its own inventory; pieces made one object afterwards",
    "one NATS server": "a bus for each shard: hints never cross accounts",
    "the line of one site": "several sites, each with the shards of the people near it",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """A decade: what it needs, and what the simulator saw of it."""

    plan: Plan
    seen: Outcome
    bereft: Outcome | None
    """When one of several nodes dies."""


def main() -> int:
    habits, limits, prices, found = Habits(), Limits(), Prices(), costs()
    stages = []
    for minutes in DECADES:
        one = plan(minutes, habits, found, limits, prices)
        scene = scene_of(one, habits, found)
        seen = simulate(scene, found, habits, limits, seed=SEED)
        bereft = simulate(with_a_death(scene), found, habits, limits, seed=SEED) if one.fleet else None
        print(f"{minutes:.1e}: {one.nodes} nodes, {seen}", file=sys.stderr, flush=True)
        stages.append(Stage(one, seen, bereft))
    PAGE.write_text(page(stages, found, habits, limits))
    for name, drawn in plots([stage.plan for stage in stages], found, habits, limits).items():
        (PLOTS / name).write_text(drawn)
    return 0


def page(stages: Sequence[Stage], found: Costs, habits: Habits, limits: Limits) -> str:
    return "\n".join(
        [
            "# From ten people to a country",
            "",
            "Written by `python -m bench.capacity` from the figures in results.md, scale.md and agreement_two_nodes.md; seeded, so the same figures give the same page. What everything means, and",
            "what of it is assumed: [docs/concepts/capacity.md](../docs/concepts/capacity.md).",
            "",
            "## What an installation needs",
            "All in the busiest hour of the year. **E**: beyond any run, extrapolated.",
            "",
            "| message-minutes a year | people | recording at once | nodes (cores) | by | shards | stored | out, Gbit/s | cent per message-minute | |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
            *(_needs(stage.plan) for stage in stages),
            "",
            "## What a message-minute costs, in cent",
            "",
            "| message-minutes a year | nodes | database | storage | line | requests to S3 |",
            "| --- | --- | --- | --- | --- | --- |",
            *(_cents(stage.plan) for stage in stages),
            "",
            "## What the simulator sees",
            "A house as a whole; of a fleet one shard with its nodes. The first column is the formulas', the rest is simulated.",
            "",
            "| message-minutes a year | processor, foretold | simulated | database | acknowledged, ms, p50 / p99 | told, ms, p99 | p99 of both when a node dies |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            *(_saw(stage, habits, found, limits) for stage in stages),
            "",
            "## When clients read from the bucket",
            f"The same with `direct` = 1: {found.bucket_share * 100:.1f} % of what is watched does not pass the nodes. Smaller sizes need no bucket.",
            "",
            "| message-minutes a year | nodes | by | out of the nodes, Gbit/s | cent per message-minute |",
            "| --- | --- | --- | --- | --- |",
            *(
                _direct(
                    plan(
                        stage.plan.demand.minutes_a_year, replace(habits, direct=1.0), found, limits, Prices()
                    )
                )
                for stage in stages
                if stage.plan.fleet
            ),
            "",
            "## What breaks first",
            "On one machine with the embedded engines, one core for the worker:",
            "",
            *_broken(breaks_at(house_limits, habits, found, limits), habits),
            "",
            "With PostgreSQL, S3 and a bus, where there is one of the thing:",
            "",
            *_broken(breaks_at(fleet_limits, habits, found, limits), habits),
            "",
            "## Parameters",
            "",
            "| parameter | value |",
            "| --- | --- |",
            *(f"| `{name}` | {value:.3g} |" for name, value in listed(found)),
            "",
        ]
    )


def _needs(one: Plan) -> str:
    of = one.demand
    return (
        f"| {_much(of.minutes_a_year)} | {_much(of.people)} | {_much(of.recording)} | {_much(one.nodes)} | {one.binding if one.fleet else ''} |"
        f" {_much(one.shards) if one.fleet else 'SQLite'} | {_bytes(of.stored)} | {of.bytes_out_s * 8 / 1e9:.2g} | {one.cost:.3f} |"
        f" {_known(one)} |"
    )


def _known(one: Plan) -> str:
    """How much of it anybody has seen."""
    return "E" if one.demand.recording > (MEASURED_FLEET if one.fleet else MEASURED_HOUSE) else ""


def _direct(one: Plan) -> str:
    return (
        f"| {_much(one.demand.minutes_a_year)} | {_much(one.nodes)} | {one.binding} |"
        f" {one.demand.node_out_s * 8 / 1e9:.2g} | {one.cost:.3f} |"
    )


def _cents(one: Plan) -> str:
    cells = " | ".join(f"{cents:.4f}" for cents in one.cents.values())
    return f"| {_much(one.demand.minutes_a_year)} | {cells} |"


def _saw(stage: Stage, habits: Habits, found: Costs, limits: Limits) -> str:
    one, seen = stage.plan, stage.seen
    foretold = sum(cpu_parts(one.demand, habits, found, fleet=one.fleet).values()) / one.nodes
    died = f"{stage.bereft.ack_ms(0.99):.0f}, {stage.bereft.told_in_ms(0.99):.0f}" if stage.bereft else ""
    return (
        f"| {_much(one.demand.minutes_a_year)} | {foretold * 100:.1f} % | {seen.use * 100:.1f} % | {seen.database_use * 100:.1f} % |"
        f" {seen.ack_ms(0.5):.1f} / {seen.ack_ms(0.99):.0f} | {seen.told_in_ms(0.99):.0f} | {died} |"
    )


def _broken(found: Sequence[tuple[str, float]], habits: Habits) -> list[str]:
    rows = [
        f"| {name} | {_much(minutes)} | {_much(minutes / habits.minutes_a_year)} | {REMEDIES[name]} |"
        for name, minutes in found
    ]
    return ["| what | at message-minutes a year | people | remedy |", "| --- | --- | --- | --- |", *rows]


def plots(plans: Sequence[Plan], found: Costs, habits: Habits, limits: Limits) -> dict[str, str]:
    """The pictures, by file name."""
    across = "message-minutes a year"
    first = [(minutes, name) for name, minutes in breaks_at(house_limits, habits, found, limits)[:3]]

    def line(name: str, of: Sequence[float]) -> Series:
        return Series(
            name, [(one.demand.minutes_a_year, value) for one, value in zip(plans, of, strict=True)]
        )

    size = plot(
        "What an installation needs",
        across,
        "how many",
        [
            line("people", [one.demand.people for one in plans]),
            line("open channels", [one.demand.channels for one in plans]),
            line("recording at once", [one.demand.recording for one in plans]),
            line("nodes", [one.nodes for one in plans]),
            line("database shards", [one.shards for one in plans]),
            line("stored, TB", [one.demand.stored / 1e12 for one in plans]),
            line("out, Gbit/s", [one.demand.bytes_out_s * 8 / 1e9 for one in plans]),
        ],
        marks=first,
        floor=1e-2,
    )
    cost = plot(
        "What a message-minute costs",
        across,
        "euro cent",
        [
            line("all of it", [one.cost for one in plans]),
            *(line(name, [one.cents[name] for one in plans]) for name in plans[0].cents),
        ],
        floor=1e-4,
    )
    return {"capacity-size.svg": size, "capacity-cost.svg": cost}


def _much(number: float) -> str:
    for size, word in ((1e9, "billion"), (1e6, "million")):
        if number >= size:
            return f"{number / size:.3g} {word}"
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def _bytes(number: float) -> str:
    for size, word in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB")):
        if number >= size:
            return f"{number / size:.3g} {word}"
    return f"{number / 1e6:.0f} MB"


if __name__ == "__main__":
    raise SystemExit(main())
