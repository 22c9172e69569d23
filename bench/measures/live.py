"""Two hundred recordings at once: each sends 256 KiB about every second, and waits for its acknowledgement.

tuspyserver does not take part: on two cores it falls behind this rate and hangs.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Self

from bench.harness.compare import Claim, Sample, Samples, cheaper, interleave
from bench.harness.films import Film, film
from bench.harness.http import Connection
from bench.harness.report import Result
from bench.harness.tus import Tus
from bench.measures.uploads import NODE, OURS, POWER
from bench.peers.ours import UNFINISHED, ours
from bench.peers.servers import tus_node

UPLOADERS = 200
RATE = 2_000_000 / 8
PIECE = 256 * 1024
SECONDS = 10.0
BETWEEN_S = PIECE / RATE
PIECES = round(SECONDS / BETWEEN_S)


@dataclass
class Uploader:
    """One recording under way."""

    target: Tus
    connection: Connection
    path: str
    latencies_ms: list[float] = field(default_factory=list)

    @classmethod
    def begin(cls, target: Tus) -> Self:
        connection = Connection(target.server.port)
        return cls(target, connection, target.create(connection, None))

    def record(self, video: Film, first_s: float) -> None:
        """Sends a piece whenever one is due; a latency counts from then, so that a server that lags cannot hide it."""
        for number in range(PIECES):
            due_s = first_s + number * BETWEEN_S
            time.sleep(max(0.0, due_s - time.perf_counter()))
            start = number * PIECE
            self.target.append(self.connection, self.path, video, start=start, count=PIECE)
            self.latencies_ms.append((time.perf_counter() - due_s) * 1000)

    def discard(self) -> None:
        self.target.delete(self.connection, self.path)


def live(rounds: int) -> Result:
    """CPU, acknowledgements and memory; the length of each upload stays unknown, as while recording."""
    with ExitStack() as stack:
        video = stack.enter_context(film(PIECES * PIECE))
        targets = {
            name: _ours(stack, name, durability) for name, durability in ((POWER, "power"), (OURS, "process"))
        }
        targets[NODE] = [Tus(NODE, stack.enter_context(tus_node()))]
        samples = interleave({name: _turn(several, video) for name, several in targets.items()}, rounds)
        peaks = {name: several[0].server.peak_mib() for name, several in targets.items()}
    claims = _claims(samples, POWER, peaks[POWER])
    claims.append(cheaper("200 live uploads", samples, POWER, NODE))
    heading = ("server", "% of a core", "p50 ms", "p99 ms", "peak MiB")
    figures = [_figures(name, taken, peaks[name]) for name, taken in samples.items()]
    return Result("live", "200 live uploads of 2 Mbit/s, 256 KiB at a time", claims, heading, figures)


def _ours(stack: ExitStack, name: str, durability: str) -> list[Tus]:
    """As many accounts as the limit of unfinished uploads asks for."""
    house = stack.enter_context(ours(durability=durability))
    return [house.tus(name) for _ in range(UPLOADERS // UNFINISHED)]


def _turn(targets: list[Tus], video: Film) -> Callable[[], Sample]:
    server = targets[0].server

    def turn() -> Sample:
        with ExitStack() as stack:
            pool = stack.enter_context(ThreadPoolExecutor(UPLOADERS))
            mine = [targets[number % len(targets)] for number in range(UPLOADERS)]
            uploaders = list(pool.map(Uploader.begin, mine))
            for one in uploaders:
                stack.callback(one.connection.close)
            cpu_s, started_s = server.cpu_s(), time.perf_counter() + 0.1
            running = [
                pool.submit(one.record, video, started_s + number * BETWEEN_S / UPLOADERS)
                for number, one in enumerate(uploaders)
            ]
            for done in running:
                done.result()
            wall_s, cpu_s = time.perf_counter() - started_s, server.cpu_s() - cpu_s
            for done in [pool.submit(one.discard) for one in uploaders]:
                done.result()
        latencies = tuple(latency for one in uploaders for latency in one.latencies_ms)
        return Sample(UPLOADERS * PIECES * PIECE, wall_s, cpu_s, latencies)

    return turn


def _claims(samples: Samples, name: str, peak_mib: float) -> list[Claim]:
    taken = samples[name]
    loads = [one.load * 100 for one in taken]
    p99s = [one.latency_ms(0.99) for one in taken]
    return [
        Claim("200 live uploads: CPU", "one core", median(loads), min(loads), "%", most=40),
        Claim("200 live uploads: p99 of acknowledgements", "", median(p99s), min(p99s), "ms", most=50),
        Claim("200 live uploads: peak memory", "", peak_mib, peak_mib, "MiB", most=250),
    ]


def _figures(name: str, taken: Sequence[Sample], peak_mib: float) -> tuple[str, ...]:
    values = (
        median(one.load * 100 for one in taken),
        median(one.latency_ms(0.5) for one in taken),
        median(one.latency_ms(0.99) for one in taken),
        peak_mib,
    )
    return (name, *(f"{value:.1f}" for value in values))
