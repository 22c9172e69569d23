"""An installation in its busiest hour, event by event: nodes, a database, recordings, sends, views, visits, channels.

The model's formulas know means only. What they cannot know is found here: how long pieces wait for their acknowledgement when
arrivals bunch, and what a node that dies does to the others. Everything is drawn from one seed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random

from bench.capacity.kernel import Clock, GroupCommit, Process, Resource
from bench.capacity.measured import Costs
from bench.capacity.model import Habits, Limits

WARM_S = 110.0
"""Until as many record as in a busy hour: the longest message has had its time."""
CHUNK = 1 << 20
"""Bytes of a view that are asked for at once; a player reads ahead at its line's pace."""
LINE = 10e6 / 8
RETRY_S = 1.0
SHARES = {"create": 0.2, "send": 0.4, "receive": 0.4}
"""How the cost of an exchange falls on its steps: assumed; the sum is measured."""
CHANNELS_EVERY_S = 3.0
"""Between two looks that stand for all that an open channel costs."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens, in a second, on how many nodes."""

    nodes: int
    messages_s: float
    message_s: float
    """Seconds of a message; lengths are drawn around it."""
    bytes_s: float
    views: float
    visits_s: float
    channels: float
    fleet: bool
    spread: bool = True
    """Lengths and services differ; without, they are all the mean, as in a bench."""
    fails_at: float | None = None
    """When one of the nodes dies, after the warm-up."""
    talkers: int = 0
    """Pairs of whom one records and sends, the other fetches it all at once, and so on without a pause: as a bench does."""
    lengths: tuple[int, ...] = ()
    """Pieces of the messages of such a pair, in turn; each pair begins with another."""


@dataclass(slots=True)
class Outcome:
    """What was seen after the warm-up."""

    use: float
    """Mean share of a node's processor that was busy."""
    database_use: float
    acks_ms: list[float] = field(default_factory=list, repr=False)
    told_ms: list[float] = field(default_factory=list, repr=False)
    """From the end of a recording until its recipient has envelope and details."""

    def ack_ms(self, share: float) -> float:
        return _quantile(self.acks_ms, share)

    def told_in_ms(self, share: float) -> float:
        return _quantile(self.told_ms, share)


class Installation:
    """The parts, and the processes that use them."""

    def __init__(self, scene: Scene, costs: Costs, habits: Habits, limits: Limits, seed: int) -> None:
        self._scene, self._costs, self._habits = scene, costs, habits
        self._random = Random(seed)
        self._clock = Clock()
        self._nodes = [Resource(self._clock) for _ in range(scene.nodes)]
        self._down: set[Resource] = set()
        embedded_s = 1 / limits.house_writes_s / 10
        self._piece_write_s = costs.database_piece_s / limits.shard_cores
        self._write_s = costs.database_exchange_s / 6 / limits.shard_cores if scene.fleet else embedded_s
        self._database = GroupCommit(self._clock, flush_s=costs.flush_s)
        self._seen = Outcome(0, 0)

    def run(self, seconds: float, *, warm_s: float = WARM_S) -> Outcome:
        """Warms up, then watches."""
        scene, clock = self._scene, self._clock
        streams: list[tuple[float, Callable[[], Process]]] = [
            (scene.messages_s, self._message),
            (scene.visits_s, self._visit),
            (scene.channels / CHANNELS_EVERY_S / 20, self._looks),
            (scene.messages_s * scene.views, self._view),
        ]
        for rate, begin in streams:
            if rate > 0:
                clock.start(self._arrivals(rate, begin))
        for number in range(scene.talkers):
            between_s = self._habits.piece_bytes / scene.bytes_s
            clock.at(number * between_s / scene.talkers, self._talker(number))
        clock.run(warm_s)
        self._seen.acks_ms.clear()
        self._seen.told_ms.clear()
        before = [node.busy_s for node in self._nodes], self._database.busy_s
        if scene.fails_at is not None:
            clock.at(warm_s + scene.fails_at, self._failure())
        clock.run(warm_s + seconds)
        used = [node.busy_s - was for node, was in zip(self._nodes, before[0], strict=True)]
        self._seen.use = sum(used) / len(used) / seconds
        self._seen.database_use = (self._database.busy_s - before[1]) / seconds
        return self._seen

    def _arrivals(self, rate: float, begin: Callable[[], Process]) -> Process:
        while True:
            yield self._random.expovariate(rate)
            self._clock.start(begin())

    def _message(self, pieces: int | None = None) -> Process:
        costs, scene = self._costs, self._scene
        piece = self._habits.piece_bytes
        yield from self._request(costs.exchange_s * SHARES["create"], writes=1)
        length_s = scene.message_s * (self._random.uniform(0.2, 1.8) if scene.spread else 1.0)
        between_s = piece / scene.bytes_s
        for _ in range(pieces or max(1, round(length_s / between_s))):
            yield between_s
            due = self._clock.now
            store_s = costs.put_s if scene.fleet else 0.0
            yield from self._request(costs.piece_s + piece * costs.up_s_per_byte + store_s, moves=scene.fleet)
            yield self._drawn(costs.put_wait_s if scene.fleet else costs.flush_s)
            self._seen.acks_ms.append((self._clock.now - due) * 1000)
        begun = self._clock.now
        yield from self._request(costs.exchange_s * SHARES["send"], writes=3)
        yield from self._request(costs.exchange_s * SHARES["receive"], writes=2)
        self._seen.told_ms.append((self._clock.now - begun) * 1000)

    def _talker(self, number: int) -> Process:
        for at in count(number):
            pieces = self._scene.lengths[at % len(self._scene.lengths)]
            yield from self._message(pieces)
            yield from self._request(pieces * self._habits.piece_bytes * self._costs.down_s_per_byte)

    def _view(self) -> Process:
        left = self._scene.message_s * self._scene.bytes_s
        while left > 0:
            yield from self._request(min(CHUNK, left) * self._costs.down_s_per_byte)
            yield CHUNK / LINE
            left -= CHUNK

    def _visit(self) -> Process:
        yield from self._request(self._costs.visit_request_s)

    def _looks(self) -> Process:
        yield from self._request(self._costs.channel_s * CHANNELS_EVERY_S * 20)

    def _request(self, seconds: float, *, writes: int = 0, moves: bool = False) -> Process:
        """One request on any node that lives; asked again elsewhere when its node dies under it. It may move an offset."""
        if self._scene.fleet:
            seconds += (writes + moves) * self._costs.write_s
        while True:
            alive = [node for node in self._nodes if node not in self._down]
            node = self._random.choice(alive)
            yield node, self._drawn(seconds)
            if node not in self._down:
                break
            yield RETRY_S
        for _ in range(writes):
            yield self._database, self._drawn(self._write_s)
        if moves:
            yield self._database, self._drawn(self._piece_write_s)

    def _failure(self) -> Process:
        self._down.add(self._nodes[0])
        yield 0.0

    def _drawn(self, mean: float) -> float:
        return self._random.expovariate(1 / mean) if mean > 0 else 0.0


def simulate(
    scene: Scene, costs: Costs, habits: Habits, limits: Limits, *, messages: int = 600, seed: int = 1
) -> Outcome:
    """Watches about as many messages as are asked for, thirty seconds at least."""
    seconds = max(30.0, messages / scene.messages_s) if scene.messages_s else 30.0
    return Installation(scene, costs, habits, limits, seed).run(seconds)


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
