"""A turn: several connections at once do the same work on one server, which is watched meanwhile."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import TypeVar

from bench.harness.compare import Sample
from bench.harness.processes import Running

T = TypeVar("T")


def timed(server: Running, work: Callable[[T], None], workers: Iterable[T], *, units: float) -> Sample:
    """Runs ``work`` once for each worker, all in parallel; ``units`` is what they move together."""
    workers = list(workers)
    with ThreadPoolExecutor(len(workers)) as pool:
        cpu_s, started_s = server.cpu_s(), perf_counter()
        for done in [pool.submit(work, worker) for worker in workers]:
            done.result()
        wall_s = perf_counter() - started_s
        return Sample(units, wall_s, server.cpu_s() - cpu_s)
