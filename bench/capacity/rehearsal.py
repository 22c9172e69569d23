"""Does the simulator say what a real server does? `python -m bench.capacity.rehearsal [--nodes 2] [--rounds N]`.

Two runs on one server say what a piece and what an exchange cost today: recordings alone, and exchanges of short videos alone. From
these two, and from nothing else of the day, the simulator foretells a third kind of run: pairs who record, send and fetch. That one is
measured in the same rounds, at several loads, so that a fast or slow spell of the machine meets all of them. Writes bench/agreement.md.

With ``--nodes 2`` the runs are on two nodes with PostgreSQL and S3, each request at the one that the request before was not at; what nodes do at rest, which
embedded is next to nothing, is measured, too. It also tells what these engines cost, and how much more two nodes carry than one. Writes bench/agreement_two_nodes.md.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.capacity.measured import JOB_BYTES, Costs, figure
from bench.capacity.model import Habits, Limits
from bench.capacity.simulate import Installation, Outcome, Scene
from bench.harness.compare import Sample
from bench.harness.films import Film, film
from bench.harness.turns import timed
from bench.harness.tus import Tus
from bench.measures.live import BETWEEN_S, PIECE, PIECES, RATE, Uploader
from bench.peers.ours import UNFINISHED, House, Pair, ours
from bench.peers.scaled import Engines, engines, scaled

PAGE = Path(__file__).parent.parent / "agreement.md"
PAGE_TWO = PAGE.with_name("agreement_two_nodes.md")
RECORDINGS, EACH = 60, 12
LOADS, LOADS_TWO = (20, 60, 120), (10, 30)
"""Pairs; with the engines beside them, two cores are full from some 60 on, and what is then measured is the machine."""
SEEDS = 5
FULL = 16
"""Pairs without a pause."""
WRITES = 6
"""Transactions of an exchange, as the model counts them."""
NOTHING = Costs(**dict.fromkeys((each.name for each in fields(Costs)), 0.0))
REST_S = 5.0
WARM_S, SECONDS = 2.0, 8.0
"""What is counted begins after the first and lasts the second; all pairs are at it."""
LENGTHS = (3, 4, 5)
"""Pieces of a message, one after the other."""
WITHIN = 0.2


@dataclass(slots=True)
class Talk:
    """What pairs did while it was counted."""

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
        self.acks: list[tuple[float, float]] = []
        """When each piece was acknowledged, and how long after it was due, ms."""

    @contextmanager
    def piece(self) -> Iterator[None]:
        self._due_s = max(self._due_s + BETWEEN_S, time.perf_counter())
        time.sleep(max(0.0, self._due_s - time.perf_counter()))
        yield
        now_s = time.perf_counter()
        self.acks.append((now_s, (now_s - self._due_s) * 1000))


@dataclass(frozen=True)
class Place:
    """A server, and who is there."""

    house: House
    pairs: list[Pair]
    targets: list[Tus]

    @classmethod
    def of(cls, stack: ExitStack, house: House, pairs: int) -> "Place":
        found = [stack.enter_context(closing(house.pair())) for _ in range(pairs)]
        return cls(house, found, [house.tus("restante") for _ in range(RECORDINGS // UNFINISHED)])

    def exchange(self, video: Film, pairs: int) -> Sample:
        return timed(self.house.server, _exchange_of(video), self.pairs[:pairs], units=pairs * EACH)


@dataclass(slots=True)
class Stage:
    """Where the runs take place, and what was seen there."""

    alone: Place
    together: Place
    plain: Place
    nodes: int
    on: Engines | None = None
    rests: list[float] = field(default_factory=list)
    """CPU seconds in a second of all nodes together when nobody is there."""
    recordings: list[Sample] = field(default_factory=list)
    exchanges: list[Sample] = field(default_factory=list)
    talks: dict[int, list[Talk]] = field(default_factory=dict)
    elsewhere: dict[str, list[tuple[float, float]]] = field(
        default_factory=lambda: {"piece": [], "exchange": []}
    )
    """CPU of PostgreSQL and of the store for one piece, for one exchange."""
    plain_recordings: list[Sample] = field(default_factory=list)
    plain_exchanges: list[Sample] = field(default_factory=list)
    """Of an embedded server in the same rounds."""
    full: dict[int, list[Sample]] = field(default_factory=lambda: {1: [], 2: []})
    """Exchanges without a pause, by the number of nodes."""

    def beside(self, what: str, run: Callable[[], Sample]) -> Sample:
        """Runs it, and counts what others worked for it."""
        before = self._others()
        sample = run()
        after = self._others()
        database, store = (b - a for a, b in zip(before, after, strict=True))
        self.elsewhere[what].append((database / sample.units, store / sample.units))
        return sample

    def _others(self) -> tuple[float, float]:
        return (self.on.database_cpu_s(), self.on.store_cpu_s()) if self.on else (0.0, 0.0)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.capacity.rehearsal")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--nodes", type=int, choices=[1, 2], default=1)
    options = parser.parse_args()
    with ExitStack() as stack:
        films = [stack.enter_context(film(pieces * PIECE)) for pieces in LENGTHS]
        short, long = stack.enter_context(film(PIECE + 1)), stack.enter_context(film(PIECES * PIECE))
        stage = _stage(stack, options.nodes)
        _talk(stage.together, min(LOADS), films)  # warms up, as the exchanges do
        stage.alone.exchange(short, 4)
        for _ in range(options.rounds):
            _round(stage, films, short, long)
    text = page(stage)
    (PAGE_TWO if stage.on else PAGE).write_text(text)
    print(text)
    return 1 if "missed" in text else 0


def _stage(stack: ExitStack, nodes: int) -> Stage:
    house = stack.enter_context(ours(durability="power"))
    if nodes == 1:
        plain = Place.of(stack, house, max(LOADS))
        return Stage(plain, plain, plain, 1)
    on = stack.enter_context(engines())
    one, two = stack.enter_context(scaled(on))
    places = Place.of(stack, one, FULL), Place.of(stack, two, max(LOADS_TWO)), Place.of(stack, house, 4)
    return Stage(*places, 2, on)


def _round(stage: Stage, films: Sequence[Film], short: Film, long: Film) -> None:
    stage.rests.append(_rest(stage.together))
    stage.recordings.append(stage.beside("piece", lambda: _recordings(stage.together, long)))
    stage.exchanges.append(stage.beside("exchange", lambda: stage.together.exchange(short, 4)))
    for load in LOADS_TWO if stage.on else LOADS:
        stage.talks.setdefault(load, []).append(_talk(stage.together, load, films))
    if stage.on:
        stage.plain_recordings.append(_recordings(stage.plain, long))
        stage.plain_exchanges.append(stage.plain.exchange(short, 4))
        for nodes, place in ((1, stage.alone), (2, stage.together)):
            stage.full[nodes].append(place.exchange(short, FULL))


def _rest(place: Place) -> float:
    cpu_s = place.house.server.cpu_s()
    time.sleep(REST_S)
    return (place.house.server.cpu_s() - cpu_s) / REST_S


def _recordings(place: Place, video: Film) -> Sample:
    """Recordings that nobody sends: what a piece costs."""
    house, targets = place.house, place.targets
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


def _talk(place: Place, load: int, films: Sequence[Film]) -> Talk:
    """Each pair records, sends and fetches, over and over; counted is while all of them do."""
    pairs, talk = place.pairs[:load], Talk()
    begin_s = time.perf_counter() + 0.1
    from_s, to_s = begin_s + WARM_S, begin_s + WARM_S + SECONDS

    def work(number: int, pair: Pair) -> tuple[list[float], Pace]:
        pace, told = Pace(begin_s + number * BETWEEN_S / len(pairs)), []
        while time.perf_counter() < to_s:
            video = films[(number + len(told)) % len(films)]
            upload = pair.upload(video, piece=PIECE, around=pace.piece)
            pair.receive(pair.post(upload), video)
            told.append(time.perf_counter())
        return told, pace

    with ThreadPoolExecutor(load) as pool:
        running = [pool.submit(work, number, pair) for number, pair in enumerate(pairs)]
        cpu_s = []
        for moment_s in (from_s, to_s):
            time.sleep(max(0.0, moment_s - time.perf_counter()))
            cpu_s.append(place.house.server.cpu_s())
        for told, pace in (one.result() for one in running):
            talk.messages += sum(from_s <= at < to_s for at in told)
            talk.acks_ms += [waited for at, waited in pace.acks if from_s <= at < to_s]
    talk.seconds, talk.cpu_s = SECONDS, cpu_s[1] - cpu_s[0]
    return talk


def costs_today(recordings: Sequence[Sample], exchanges: Sequence[Sample]) -> Costs:
    """Two figures from the two runs; those of bytes from bench/results.md, since they hardly weigh here."""
    up = figure("results.md", "Upload in one request", "restante", "CPU s/GB") / 1e9
    down = figure("results.md", "Download by range", "restante, 4", "CPU s/GB") / 1e9
    piece_s = median(one.cost for one in recordings) - PIECE * up
    exchange_s = median(one.cost for one in exchanges) - piece_s - PIECE * (up + down)
    ack_s = median(one.latency_ms(0.5) for one in recordings) / 1000
    return replace(
        NOTHING,
        up_s_per_byte=up,
        piece_s=piece_s,
        down_s_per_byte=down,
        exchange_s=exchange_s,
        minute_bytes=JOB_BYTES,
        ack_s=ack_s,
    )


def foretold(costs: Costs, talkers: int, nodes: int) -> Outcome:
    """What the simulator says of the pairs, from the same beginning on: all that several seeds see."""
    scene = Scene(nodes, 0, 0, RATE, 0, 0, 0, fleet=nodes > 1, talkers=talkers, lengths=LENGTHS)
    habits, several = replace(Habits(), piece_bytes=float(PIECE)), range(SEEDS)
    seen = [
        Installation(scene, costs, habits, Limits(), seed).run(SECONDS, warm_s=WARM_S) for seed in several
    ]
    whole = Outcome(sum(one.use for one in seen) / SEEDS, 0)
    for one in seen:
        whole.acks_ms += one.acks_ms
        whole.told_ms += one.told_ms
    return whole


def page(stage: Stage) -> str:
    costs = _of_the_engines(stage) if stage.on else costs_today(stage.recordings, stage.exchanges)
    rows = [
        _row(load, several, foretold(costs, load, stage.nodes), stage)
        for load, several in stage.talks.items()
    ]
    spread = ", ".join(
        f"{load}: {min(one.load for one in several) * 100:.0f} to {max(one.load for one in several) * 100:.0f} %"
        for load, several in stage.talks.items()
    )
    command = "python -m bench.capacity.rehearsal" + (" --nodes 2" if stage.on else "")
    where = " on two nodes with PostgreSQL and S3" if stage.on else ""
    foretells = "two nodes with" if stage.on else "one with"
    return "\n".join(
        [
            f"# Foretold and measured: {'two nodes' if stage.on else 'one node'}",
            "",
            f"Written by `{command}` on {datetime.now(UTC):%Y-%m-%d}: {len(stage.recordings)} rounds, interleaved; {os.cpu_count()} cores, which clients{' and engines' if stage.on else ''}",
            f"share, load {os.getloadavg()[0]:.1f} at the end. From {RECORDINGS} recordings alone and from exchanges of a short video alone{where} come the two costs",
            f"of the day ({costs.piece_s * 1000:.2f} ms a piece, {costs.exchange_s * 1000:.1f} ms an exchange, and {median(stage.rests) * 100:.1f} % of a core at rest); the simulator then foretells {foretells} pairs who record at 2 Mbit/s, send and fetch.",
            f"Target: the processor's load within {WITHIN * 100:.0f} %. Latencies count from when a piece was due, to the client's clock.",
            "",
            "| | load foretold | load measured | off by | messages/s foretold | measured | acknowledged, ms, p50 / p99: foretold | measured | |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
            f"Loads are of one core{', both nodes together' if stage.on else ''}. Measured from round to round: {spread}.",
            "",
            *(_engines_cost(stage, costs) if stage.on else []),
        ]
    )


def _row(load: int, several: Sequence[Talk], said: Outcome, stage: Stage) -> str:
    said_load, was = said.use * stage.nodes + median(stage.rests), median(one.load for one in several)
    off = said_load / was - 1
    acks = sorted(ack for one in several for ack in one.acks_ms)
    messages = median(one.messages / one.seconds for one in several)
    return (
        f"| {load} pairs | {said_load * 100:.1f} % | {was * 100:.1f} % | {off * 100:+.0f} % |"
        f" {len(said.told_ms) / SEEDS / SECONDS:.1f} | {messages:.1f} |"
        f" {said.ack_ms(0.5):.1f} / {said.ack_ms(0.99):.1f} | {_at(acks, 0.5):.1f} / {_at(acks, 0.99):.1f} |"
        f" {'holds' if abs(off) <= WITHIN else 'missed'} |"
    )


def _of_the_engines(stage: Stage) -> Costs:
    """A piece waits for the store beside others; a commit for the disk, as it does embedded."""
    costs, plain = (
        costs_today(*both)
        for both in ((stage.recordings, stage.exchanges), (stage.plain_recordings, stage.plain_exchanges))
    )
    database = {what: median(each[0] for each in several) for what, several in stage.elsewhere.items()}
    return replace(
        costs,
        ack_s=costs.piece_s + plain.flush_s,
        put_wait_s=costs.flush_s,
        database_piece_s=database["piece"],
        database_exchange_s=database["exchange"],
    )


def _engines_cost(stage: Stage, costs: Costs) -> list[str]:
    """What the model takes for installations that have them."""
    plain = costs_today(stage.plain_recordings, stage.plain_exchanges)
    write_s = max(0.0, (costs.exchange_s - plain.exchange_s) / WRITES)
    put_s = max(0.0, costs.piece_s - plain.piece_s - write_s)
    (piece_db, piece_store), (exchange_db, exchange_store) = (
        tuple(median(each) for each in zip(*stage.elsewhere[what], strict=True))
        for what in ("piece", "exchange")
    )
    one, two = (median(sample.rate for sample in stage.full[nodes]) for nodes in (1, 2))
    gains = [b.rate / a.rate for a, b in zip(stage.full[1], stage.full[2], strict=True)]
    return [
        "## What the engines cost",
        "In the same rounds as an embedded server: a transaction of the node is a sixth of what an exchange costs more, an object in the store what is left of a piece of 256 KiB.",
        "",
        "| what | figure |",
        "| --- | --- |",
        f"| CPU of a node for a piece, embedded, ms | {plain.piece_s * 1000:.2f} |",
        f"| CPU of a node for a piece, ms | {costs.piece_s * 1000:.2f} |",
        f"| CPU of a node for an exchange, embedded, ms | {plain.exchange_s * 1000:.1f} |",
        f"| CPU of a node for an exchange, ms | {costs.exchange_s * 1000:.1f} |",
        f"| CPU of a node for a transaction, more than embedded, ms | {write_s * 1000:.3f} |",
        f"| CPU of a node for an object in the store, ms | {put_s * 1000:.2f} |",
        f"| CPU of PostgreSQL for a piece, ms | {piece_db * 1000:.2f} |",
        f"| CPU of PostgreSQL for an exchange, ms | {exchange_db * 1000:.1f} |",
        f"| CPU of the store for a piece, ms | {piece_store * 1000:.2f} |",
        f"| CPU of the store for an exchange, ms | {exchange_store * 1000:.1f} |",
        f"| until a piece is acknowledged, median, ms | {(costs.put_wait_s + costs.piece_s) * 1000:.1f} |",
        "",
        "## Two nodes against one",
        f"{FULL} pairs who exchange short videos without a pause; clients, PostgreSQL, store and nodes share {os.cpu_count()} cores, so a second node brings no second machine.",
        "",
        "| nodes | exchanges/s |",
        "| --- | --- |",
        f"| 1 | {one:.1f} |",
        f"| 2 | {two:.1f} |",
        "",
        f"Two against one, median of the rounds: {median(gains):.2f} x.",
        "",
    ]


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


if __name__ == "__main__":
    raise SystemExit(main())
