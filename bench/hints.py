"""`python -m bench.hints [--hints N]`: what a hint takes from one node to another, by NATS and by PostgreSQL; writes bench/hints.md."""

import argparse
import asyncio
import io
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from restante.server.bus.nats import Address, NatsWire
from restante.server.bus.notify import NotifyWire
from restante.server.bus.shared import SharedBus
from restante.server.bus.wire import Wire
from restante.server.clock import SystemClock
from restante.server.log import Log
from tests.databases import cluster
from tests.nats_server import NatsServer

PAGE = Path(__file__).parent / "hints.md"
SINGLE, BURST = 500, 10


@dataclass(frozen=True, slots=True)
class Figure:
    wire: str
    p50_ms: float
    p99_ms: float
    per_second: float
    cpu_us: float
    """Of both nodes, for each hint of many."""


async def measure(wire: Wire, hints: int) -> Figure:
    one, two = (SharedBus(wire, Log(SystemClock(), key=b"k", stream=io.StringIO())) for _ in range(2))
    for bus in (one, two):
        await bus.start()
        while not bus.parts["bus"]:  # noqa: ASYNC110 - nobody rings
            await asyncio.sleep(0.01)
    delays_ms = await _single(one, two)
    took_s, cpu_s = await _many(one, two, hints)
    for bus in (one, two):
        await bus.stop()
    percentiles = statistics.quantiles(delays_ms, n=100)
    return Figure(wire.kind, percentiles[49], percentiles[98], hints / took_s, cpu_s / hints * 1e6)


async def _single(one: SharedBus, two: SharedBus) -> list[float]:
    delays_ms = []
    with two.subscribe(1) as bell:
        for _ in range(SINGLE):
            begun_s = time.perf_counter()
            one.publish([1])
            await asyncio.wait_for(bell.wait(), 10)
            delays_ms.append((time.perf_counter() - begun_s) * 1000)
            bell.clear()
            await asyncio.sleep(0.004)
    return delays_ms


async def _many(one: SharedBus, two: SharedBus, hints: int) -> tuple[float, float]:
    """Tells of an account each, ten at a time as a group of sends does, until all have arrived; seconds and CPU seconds."""
    with ExitStack() as stack:
        bells = [stack.enter_context(two.subscribe(account)) for account in range(1, hints + 1)]
        begun_s, cpu_s = time.perf_counter(), _cpu_s()
        for account in range(1, hints + 1, BURST):
            one.publish(range(account, account + BURST))
            await asyncio.sleep(0)
        for bell in bells:
            await asyncio.wait_for(bell.wait(), 60)
        return time.perf_counter() - begun_s, _cpu_s() - cpu_s


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def page(figures: Sequence[Figure], hints: int) -> str:
    rows = [
        f"| {each.wire} | {each.p50_ms:.2f} | {each.p99_ms:.2f} | {each.per_second:,.0f} | {each.cpu_us:.0f} |"
        for each in figures
    ]
    return "\n".join(
        [
            "# Hints between nodes",
            "",
            f"Written by `python -m bench.hints` on {datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end. Two nodes' buses in one process, so that",
            f"one clock times both; PostgreSQL and NATS beside them on loopback. Alone: {SINGLE} hints, each after the one before was heard. Many: {hints:,} accounts, ten at a time.",
            "",
            "| by | alone p50 ms | alone p99 ms | many, a second | CPU of both nodes for each of many, µs |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
            "Many travel together: a word carries up to 250 accounts.",
            "",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.hints", description=__doc__)
    parser.add_argument("--hints", type=int, default=50_000)
    options = parser.parse_args()
    cluster().lay("bench_hints")
    with tempfile.TemporaryDirectory() as folder, NatsServer(Path(folder)) as nats:
        wires = (
            NotifyWire(cluster().url("bench_hints")),
            NatsWire(Address.parse(nats.url), "bench.hints"),
        )
        figures = [asyncio.run(measure(wire, options.hints)) for wire in wires]
    text = page(figures, options.hints)
    PAGE.write_text(text)
    print(text)
    return 0


raise SystemExit(main())
