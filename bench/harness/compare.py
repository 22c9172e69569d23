"""Interleaved samples, ratios within a round, and the claims that are made of them.

[Note: Ratios of one run] A shared machine has fast and slow spells that change every server's figures by a factor of
four. So contestants take turns, A B A B, each ratio is of two samples of the same round, and the median of the
ratios is what counts; figures of different runs are never compared.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

GB = 1e9
SETTLE_S = 2.5
"""Pause after a turn, in which servers that remove files later than they are told to do so."""
RATIO = "x"
"""Unit of a claim that compares."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One turn of one contestant: bytes or messages moved, the time, and the server's CPU seconds."""

    units: float
    wall_s: float
    cpu_s: float
    latencies_ms: tuple[float, ...] = ()

    @property
    def rate(self) -> float:
        """Units per second."""
        return self.units / self.wall_s

    @property
    def cost(self) -> float:
        """CPU seconds per unit."""
        return self.cpu_s / self.units

    @property
    def load(self) -> float:
        """CPU seconds per second: the share of one core."""
        return self.cpu_s / self.wall_s

    def latency_ms(self, share: float) -> float:
        """The latency that this share of all stays below."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


Samples = Mapping[str, Sequence[Sample]]


@dataclass(frozen=True, slots=True)
class Claim:
    """A figure and its target; ``target`` is None for a figure that is only told."""

    what: str
    against: str
    median: float
    best: float
    unit: str
    least: float | None = None
    most: float | None = None

    @property
    def holds(self) -> bool:
        return (self.least is None or self.median >= self.least) and (
            self.most is None or self.median <= self.most
        )

    @property
    def target(self) -> str:
        if self.least is not None:
            return f"≥ {self.least:g} {self.unit}"
        return f"≤ {self.most:g} {self.unit}" if self.most is not None else ""


def interleave(contestants: Mapping[str, Callable[[], Sample]], rounds: int) -> Samples:
    """Lets each take its turn in every round, there and back; a first round warms up and is dropped."""
    samples: dict[str, list[Sample]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        names = list(contestants)[:: 1 if number % 2 else -1]
        for name in names:
            sample = contestants[name]()
            time.sleep(SETTLE_S)
            if number:
                samples[name].append(sample)
    return samples


def faster(what: str, samples: Samples, ours: str, peer: str, *, least: float | None = None) -> Claim:
    """Claims a ratio of throughput."""
    ratios = [a.rate / b.rate for a, b in zip(samples[ours], samples[peer], strict=True)]
    best = max(a.rate for a in samples[ours]) / max(b.rate for b in samples[peer])
    return Claim(f"{what}: throughput", peer, median(ratios), best, RATIO, least=least)


def cheaper(what: str, samples: Samples, ours: str, peer: str, *, most: float | None = None) -> Claim:
    """Claims a ratio of CPU time for the same work."""
    ratios = [a.cost / max(b.cost, 1e-12) for a, b in zip(samples[ours], samples[peer], strict=True)]
    best = min(a.cost for a in samples[ours]) / max(min(b.cost for b in samples[peer]), 1e-12)
    return Claim(f"{what}: CPU", peer, median(ratios), best, RATIO, most=most)
