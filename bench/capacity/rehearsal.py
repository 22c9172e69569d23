"""Does the simulator say what a real server does? `python -m bench.capacity.rehearsal [--rounds N]` writes bench/agreement.md.

Two runs on one server say what a piece and what an exchange cost today: recordings alone, and exchanges of short videos alone. From
these two, and from nothing else of the day, the simulator foretells a third kind of run: pairs who record, send and fetch. That one is
measured in the same rounds, at several loads, so that a fast or slow spell of the machine meets all of them.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from threading import Lock

from bench.capacity.measured import JOB_BYTES, Costs, figure
from bench.capacity.model import Habits, Limits
from bench.capacity.simulate import Outcome, Scene, simulate
from bench.harness.compare import Sample
from bench.harness.films import Film, film
from bench.harness.turns import timed
from bench.harness.tus import Tus
from bench.measures.live import BETWEEN_S, PIECE, PIECES, RATE, Uploader
from bench.peers.ours import UNFINISHED, House, Pair, ours

PAGE = Path(__file__).parent.parent / "agreement.md"
RECORDINGS, EACH = 60, 12
LOADS = (20, 60, 120)
SECONDS = 5.0
LENGTHS = (4, 6, 8)
"""Pieces of a message, one after the other."""
WITHIN = 0.2


@dataclass(slots=True)
class Talk:
    """What pairs did in one turn."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    messages: int = 0
    acks_ms: list[float] = field(default_factory=list)

    @property
    def load(self) -> float:
        return self.cpu_s / self.seconds


class Pace:
    """Lets pieces go when they are due; what was late because an exchange came between is due at once."""

    def __init__(self, due_s: float) -> None:
        self._due_s = due_s
        self.acks_ms: list[float] = []

    @contextmanager
    def piece(self) -> Iterator[None]:
        self._due_s = max(self._due_s + BETWEEN_S, time.perf_counter())
        time.sleep(max(0.0, self._due_s - time.perf_counter()))
        yield
        self.acks_ms.append((time.perf_counter() - self._due_s) * 1000)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.capacity.rehearsal", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    recordings, exchanges = [], []
    talks: dict[int, list[Talk]] = {load: [] for load in LOADS}
    with ExitStack() as stack:
        films = [stack.enter_context(film(pieces * PIECE)) for pieces in LENGTHS]
        short, long = stack.enter_context(film(PIECE + 1)), stack.enter_context(film(PIECES * PIECE))
        house = stack.enter_context(ours(durability="power"))
        pairs = [stack.enter_context(closing(house.pair())) for _ in range(max(LOADS))]
        targets = [house.tus("restante") for _ in range(RECORDINGS // UNFINISHED)]
        for number in range(rounds + 1):
            recording = _recordings(house, targets, long)
            exchange = timed(house.server, _exchange_of(short), pairs[:4], units=4 * EACH)
            turn = {load: _talk(house, pairs[:load], films) for load in LOADS}
            if number:
                recordings.append(recording)
                exchanges.append(exchange)
                for load, talk in turn.items():
                    talks[load].append(talk)
    text = page(recordings, exchanges, talks)
    PAGE.write_text(text)
    print(text)
    return 0


def _recordings(house: House, targets: Sequence[Tus], video: Film) -> Sample:
    """Recordings that nobody sends: what a piece costs."""
    with ExitStack() as stack, ThreadPoolExecutor(RECORDINGS) as pool:
        mine = [targets[number % len(targets)] for number in range(RECORDINGS)]
        uploaders = list(pool.map(Uploader.begin, mine))
        for one in uploaders:
            stack.callback(one.connection.close)
        cpu_s, started_s = house.server.cpu_s(), time.perf_counter() + 0.1
        running = [
            pool.submit(one.record, video, started_s + number * BETWEEN_S / RECORDINGS)
            for number, one in enumerate(uploaders)
        ]
        for done in running:
            done.result()
        wall_s, cpu_s = time.perf_counter() - started_s, house.server.cpu_s() - cpu_s
        for done in [pool.submit(one.discard) for one in uploaders]:
            done.result()
    latencies = tuple(latency for one in uploaders for latency in one.latencies_ms)
    return Sample(len(latencies), wall_s, cpu_s, latencies)


def _exchange_of(video: Film) -> Callable[[Pair], None]:
    def work(pair: Pair) -> None:
        for _ in range(EACH):
            pair.exchange(video)

    return work


def _talk(house: House, pairs: Sequence[Pair], films: Sequence[Film]) -> Talk:
    """Each pair records, sends and fetches, over and over; what is under way at the end is finished, and counted."""
    talk, lock = Talk(), Lock()
    begin_s = time.perf_counter()

    def work(numbered: tuple[int, Pair]) -> None:
        number, pair = numbered
        pace, messages = Pace(begin_s + number * BETWEEN_S / len(pairs)), 0
        while time.perf_counter() - begin_s < SECONDS:
            video = films[(number + messages) % len(films)]
            upload = pair.upload(video, piece=PIECE, around=pace.piece)
            pair.receive(pair.post(upload), video)
            messages += 1
        with lock:
            talk.messages += messages
            talk.acks_ms += pace.acks_ms

    sample = timed(house.server, work, list(enumerate(pairs)), units=1)
    talk.seconds, talk.cpu_s = sample.wall_s, sample.cpu_s
    return talk


def costs_today(recordings: Sequence[Sample], exchanges: Sequence[Sample]) -> Costs:
    """Two figures from the two runs; those of bytes from bench/results.md, since they hardly weigh here."""
    up = figure("results.md", "Upload in one request", "restante", "CPU s/GB") / 1e9
    down = figure("results.md", "Download by range", "restante, 4", "CPU s/GB") / 1e9
    piece_s = median(one.cost for one in recordings) - PIECE * up
    exchange_s = median(one.cost for one in exchanges) - piece_s - PIECE * (up + down)
    ack_s = median(one.latency_ms(0.5) for one in recordings) / 1000
    return Costs(up, piece_s, down, exchange_s, JOB_BYTES, ack_s, 0, 0, 0, 0, 0, 0)


def foretold(costs: Costs, talkers: int, *, seed: int = 1) -> Outcome:
    """What the simulator says of the pairs."""
    mean = sum(LENGTHS) / len(LENGTHS)
    scene = Scene(1, 0, mean * BETWEEN_S, RATE, 0, 0, 0, fleet=False, talkers=talkers)
    return simulate(scene, costs, replace(Habits(), piece_bytes=float(PIECE)), Limits(), seed=seed)


def page(recordings: Sequence[Sample], exchanges: Sequence[Sample], talks: dict[int, list[Talk]]) -> str:
    costs = costs_today(recordings, exchanges)
    rows = []
    for load, several in talks.items():
        said, was = foretold(costs, load), median(one.load for one in several)
        off = said.use / was - 1
        acks = sorted(ack for one in several for ack in one.acks_ms)
        messages = median(one.messages / one.seconds for one in several)
        rows.append(
            f"| {load} pairs | {said.use * 100:.1f} % | {was * 100:.1f} % | {off * 100:+.0f} % |"
            f" {len(said.told_ms) / 30:.1f} | {messages:.1f} |"
            f" {said.ack_ms(0.5):.1f} / {said.ack_ms(0.99):.1f} | {_at(acks, 0.5):.1f} / {_at(acks, 0.99):.1f} |"
            f" {'holds' if abs(off) <= WITHIN else 'missed'} |"
        )
    spread = ", ".join(
        f"{load}: {min(one.load for one in several) * 100:.0f} to {max(one.load for one in several) * 100:.0f} %"
        for load, several in talks.items()
    )
    return "\n".join(
        [
            "# Foretold and measured: one node",
            "",
            f"Written by `python -m bench.capacity.rehearsal` on {datetime.now(UTC):%Y-%m-%d}: {len(recordings)} rounds, interleaved; {os.cpu_count()} cores, which the clients",
            f"share, load {os.getloadavg()[0]:.1f} at the end. From {RECORDINGS} recordings alone and from exchanges of a short video alone come the two costs",
            f"of the day ({costs.piece_s * 1000:.2f} ms a piece, {costs.exchange_s * 1000:.1f} ms an exchange); the simulator then foretells pairs who record at 2 Mbit/s, send and fetch.",
            f"Target: the processor's load within {WITHIN * 100:.0f} %. Latencies count from when a piece was due, to the client's clock.",
            "",
            "| | load foretold | load measured | off by | messages/s foretold | measured | acknowledged, ms, p50 / p99: foretold | measured | |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
            f"Measured loads from round to round: {spread}.",
            "",
        ]
    )


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


if __name__ == "__main__":
    raise SystemExit(main())
