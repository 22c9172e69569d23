"""The whole job with everything on: upload 5 MB, send, the recipient is told and downloads; eight pairs at once."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from statistics import median
from time import perf_counter
from typing import Protocol

from bench.harness.compare import Sample, cheaper, faster, interleave
from bench.harness.films import Film, film
from bench.harness.processes import Running
from bench.harness.report import Result
from bench.harness.turns import timed
from bench.harness.warm import Reserve, reserve
from bench.measures.uploads import OURS
from bench.peers.ours import ours
from bench.peers.synapse import Pair as SynapsePair
from bench.peers.synapse import synapse

FILM = 5_000_000
PAIRS = 8
EACH = 12
GIVEN = 4 * FILM
"""Memory freed for each message: what one processor frees is not always what the other takes."""
SYNAPSE = "Matrix Synapse"


class Pair(Protocol):
    """A sender and a recipient, both signed in."""

    def exchange(self, video: Film) -> None:
        """Carries one message all the way."""


def jobs(rounds: int) -> Result:
    """Messages a second and CPU for each."""
    with ExitStack() as stack:
        video, memory = stack.enter_context(film(FILM)), stack.enter_context(reserve())
        house = stack.enter_context(ours(durability="power"))
        peer = stack.enter_context(synapse())
        mine = [stack.enter_context(closing(house.pair())) for _ in range(PAIRS)]
        theirs = [stack.enter_context(closing(SynapsePair(peer.port, number))) for number in range(PAIRS)]
        turns = {OURS: _turn(house.server, mine, video, memory), SYNAPSE: _turn(peer, theirs, video, memory)}
        samples = interleave(turns, rounds)
        peaks = {OURS: house.server.peak_mib(), SYNAPSE: peer.peak_mib()}
    claims = [
        faster("whole job, 5 MB", samples, OURS, SYNAPSE, least=3),
        cheaper("whole job, 5 MB", samples, OURS, SYNAPSE, most=0.33),
    ]
    figures = [_figures(name, taken, peaks[name]) for name, taken in samples.items()]
    heading = ("server", "messages/s", "CPU s/message", "p50 ms", "p99 ms", "peak MiB")
    return Result("jobs", "The whole job, 8 pairs in parallel", claims, heading, figures)


def _turn(server: Running, pairs: Sequence[Pair], video: Film, memory: Reserve) -> Callable[[], Sample]:
    def turn() -> Sample:
        latencies: list[float] = []

        def work(pair: Pair) -> None:
            for _ in range(EACH):
                memory.give(GIVEN)
                started_s = perf_counter()
                pair.exchange(video)
                latencies.append((perf_counter() - started_s) * 1000)

        memory.fill(GIVEN * PAIRS * EACH)
        sample = timed(server, work, pairs, units=PAIRS * EACH)
        return Sample(sample.units, sample.wall_s, sample.cpu_s, tuple(latencies))

    return turn


def _figures(name: str, taken: Sequence[Sample], peak_mib: float) -> tuple[str, ...]:
    return (
        name,
        f"{median(one.rate for one in taken):.1f}",
        f"{median(one.cost for one in taken):.4f}",
        f"{median(one.latency_ms(0.5) for one in taken):.0f}",
        f"{median(one.latency_ms(0.99) for one in taken):.0f}",
        f"{peak_mib:.0f}",
    )
