"""The busiest hour of a plan, as the simulator takes it: all of a house, or one shard of a fleet with the nodes that are its own."""

from dataclasses import replace

from bench.capacity.measured import Costs
from bench.capacity.model import Habits, Plan
from bench.capacity.simulate import Scene

MOST_NODES = 8


def scene_of(plan: Plan, habits: Habits, costs: Costs) -> Scene:
    """Nodes are alike and so are shards, so a part stands for the whole; its nodes carry the mean of all."""
    nodes = min(MOST_NODES, max(2, round(plan.nodes / plan.shards))) if plan.fleet else 1
    share = min(1.0, nodes / plan.nodes)
    return Scene(
        nodes=nodes,
        messages_s=plan.demand.minutes_s / habits.message_minutes * share,
        message_s=habits.message_minutes * 60,
        bytes_s=costs.minute_bytes / 60,
        views=habits.views * (1 - habits.direct * costs.bucket_share),
        visits_s=plan.demand.visits_s * share,
        channels=plan.demand.channels * share,
        fleet=plan.fleet,
    )


def with_a_death(scene: Scene) -> Scene:
    """The same, and one node dies five seconds after the watching begins."""
    return replace(scene, fails_at=5.0)
