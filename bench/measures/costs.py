"""What a message-minute costs on each path: CPU and bytes of the servers that people's devices ask, beside those of the peers, in one run.

A minute is 33 pieces of 256 KiB, about what the web client makes of one. It is recorded (each piece a request, where the protocol has pieces), watched in
ranges of 1 MiB, and told: everything else about a message, which here carries 1 KiB. What PostgreSQL and the store work for it is counted apart.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Any, Protocol
from urllib.parse import urlsplit

from bench.harness.compare import Claim, Sample, cheaper, interleave
from bench.harness.films import Film, film
from bench.harness.http import Connection
from bench.harness.report import Result
from bench.harness.turns import timed
from bench.harness.tus import Tus
from bench.measures.uploads import NODE, OURS, PYTHON
from bench.peers.ours import House, ours
from bench.peers.scaled import Engines, engines, scaled
from bench.peers.servers import tus_node, tus_python
from bench.peers.synapse import MEDIA, UPLOAD, Account, synapse
from bench.peers.synapse import Pair as SynapsePair
from restante.protocol.wire_messages import VIDEO_PIECES

PIECE = 256 * 1024
MINUTE = 33 * PIECE
RANGE = 1 << 20
CONNECTIONS, EACH = 4, 3
"""Minutes of each connection in a turn."""
PAIRS, EXCHANGES = 4, 10
SHORT = 1024
SCALED, DIRECT, SYNAPSE = "restante, PostgreSQL and S3", "the same, read from the bucket", "Matrix Synapse"
RECORDED, WATCHED, TOLD = "recorded", "watched", "told"
MOST_THROUGH_NODES = 10
"""Per cent of a video's bytes that still pass the nodes where clients read from the bucket."""


class Counted(Protocol):
    """What has a processor."""

    def cpu_s(self) -> float: ...


@dataclass
class Line:
    """What one worker asks by."""

    node: Connection
    bucket: Connection | None = None
    made: list[str] = field(default_factory=list)

    def moved(self) -> tuple[int, int]:
        """Bytes to and from the node, and the bucket."""
        both = (self.node, self.bucket)
        node, bucket = (one.sent + one.received if one else 0 for one in both)
        return node, bucket


@dataclass
class Path:
    """One way of one contestant, and what each turn of it took of what is no node."""

    server: Counted
    workers: Sequence[Any]
    work: Callable[[Any], None]
    minutes: float
    on: Engines | None = None
    clean: Callable[[Any], None] = lambda _: None
    taken: list[tuple[float, ...]] = field(default_factory=list)
    """For a minute: bytes of the nodes, bytes of the bucket, CPU of PostgreSQL, CPU of the store."""

    def turn(self) -> Sample:
        before = self._elsewhere()
        sample = timed(self.server, self.work, self.workers, units=self.minutes)
        after = self._elsewhere()
        self.taken.append(tuple((b - a) / self.minutes for a, b in zip(before, after, strict=True)))
        for worker in self.workers:
            self.clean(worker)
        return sample

    def _elsewhere(self) -> tuple[float, ...]:
        node, bucket = (sum(each) for each in zip(*(one.moved() for one in self.workers), strict=True))
        if self.on is None:
            return node, bucket, 0.0, 0.0
        return node, bucket, self.on.database_cpu_s(), self.on.store_cpu_s()


def costs(rounds: int) -> Result:
    """All paths of all contestants, in turns."""
    with ExitStack() as stack:
        minute, short = stack.enter_context(film(MINUTE)), stack.enter_context(film(SHORT))
        house, on = stack.enter_context(ours(durability="power")), stack.enter_context(engines())
        fleet = stack.enter_context(scaled(on, 1, RESTANTE_BLOB_READS="direct"))[0]
        peer = stack.enter_context(synapse())
        theirs = [stack.enter_context(closing(SynapsePair(peer.port, number))) for number in range(PAIRS)]
        paths = {
            (RECORDED, OURS): _recorded(house.tus(OURS), minute),
            (RECORDED, SCALED): _recorded(fleet.tus(SCALED), minute, on),
            (RECORDED, NODE): _recorded(Tus(NODE, stack.enter_context(tus_node())), minute),
            (RECORDED, PYTHON): _recorded(Tus(PYTHON, stack.enter_context(tus_python())), minute),
            (RECORDED, SYNAPSE): _sent_whole(peer, theirs[0].sender, minute),
            (WATCHED, OURS): _watched(house, minute),
            (WATCHED, SCALED): _watched(fleet, minute, on),
            (WATCHED, DIRECT): _read_directly(fleet, minute, on),
            (WATCHED, SYNAPSE): _read_whole(peer, theirs[0].sender, minute),
            (TOLD, OURS): _told(house, stack, short),
            (TOLD, SCALED): _told(fleet, stack, short, on),
            (TOLD, SYNAPSE): _exchanged(peer, theirs, short),
        }
        samples = interleave({f"{what}: {who}": path.turn for (what, who), path in paths.items()}, rounds)
    claims = [
        cheaper(f"{what} by {OURS}", _of(samples, what), OURS, SYNAPSE) for what in (RECORDED, WATCHED, TOLD)
    ]
    claims += [
        cheaper(f"{RECORDED} by {OURS}", _of(samples, RECORDED), OURS, other) for other in (NODE, PYTHON)
    ]
    claims += [
        cheaper(f"{what} by {SCALED}", _of(samples, what), SCALED, SYNAPSE)
        for what in (RECORDED, WATCHED, TOLD)
    ]
    claims.append(_through_nodes(paths[WATCHED, DIRECT], paths[WATCHED, SCALED]))
    heading = ("path: server", "CPU ms", "of PostgreSQL", "of the store", "MB by the server", "by the bucket")
    figures = [
        _figures(f"{what}: {who}", samples[f"{what}: {who}"], path) for (what, who), path in paths.items()
    ]
    return Result("costs", "What a message-minute costs", claims, heading, figures)


def _of(samples: Any, what: str) -> dict[str, Sequence[Sample]]:
    return {name.partition(": ")[2]: taken for name, taken in samples.items() if name.startswith(f"{what}: ")}


def _through_nodes(direct: Path, proxied: Path) -> Claim:
    shares = [a[0] / b[0] * 100 for a, b in zip(direct.taken[1:], proxied.taken[1:], strict=True)]
    return Claim(
        "watched from the bucket: bytes by the node",
        "proxied",
        median(shares),
        min(shares),
        "%",
        most=MOST_THROUGH_NODES,
    )


def _figures(name: str, samples: Sequence[Sample], path: Path) -> tuple[str, ...]:
    node, bucket, database, store = (median(each) for each in zip(*path.taken[1:], strict=True))
    cells = [f"{median(one.cost for one in samples) * 1000:.1f}"]
    cells += [f"{part * 1000:.1f}" if path.on else "" for part in (database, store)]
    return (name, *cells, f"{node / 1e6:.3f}", f"{bucket / 1e6:.3f}" if bucket else "")


def _lines(server: Any, **more: Any) -> list[Line]:
    return [Line(Connection(server.port), **more) for _ in range(CONNECTIONS)]


def _recorded(target: Tus, minute: Film, on: Engines | None = None) -> Path:
    def record(line: Line) -> None:
        for _ in range(EACH):
            path = target.create(line.node, minute.size)
            for start in range(0, minute.size, PIECE):
                target.append(line.node, path, minute, start=start, count=PIECE)
            line.made.append(path)

    def clean(line: Line) -> None:
        while line.made:
            target.delete(line.node, line.made.pop())

    return Path(target.server, _lines(target.server), record, CONNECTIONS * EACH, on, clean)


def _sent_whole(peer: Any, sender: Account, minute: Film) -> Path:
    headers = {**sender.auth, "Content-Type": "application/octet-stream"}

    def send(line: Line) -> None:
        for _ in range(EACH):
            line.node.send_file("POST", UPLOAD, headers, minute, start=0, count=minute.size).expect(200)

    return Path(peer, _lines(peer), send, CONNECTIONS * EACH)


def _ranges(size: int) -> list[tuple[int, int]]:
    return [(start, min(size, start + RANGE)) for start in range(0, size, RANGE)]


def _watched(house: House, minute: Film, on: Engines | None = None) -> Path:
    target, headers = house.store_video(minute)

    def watch(line: Line) -> None:
        for _ in range(EACH):
            for start, end in _ranges(minute.size):
                wanted = {**headers, "Range": f"bytes={start}-{end - 1}"}
                assert line.node.ask("GET", target, wanted, drop=True).expect(206).size == end - start

    return Path(house.server, _lines(house.server), watch, CONNECTIONS * EACH, on)


def _read_directly(house: House, minute: Film, on: Engines) -> Path:
    """The client asks the node for addresses of the rest, as often as it has used up what it got."""
    target, headers = house.store_video(minute)
    wanted = {**headers, "Accept": f"{VIDEO_PIECES}, application/octet-stream"}

    def watch(line: Line) -> None:
        assert line.bucket is not None
        for _ in range(EACH):
            at = 0
            while at < minute.size:
                said = line.node.ask("GET", target, {**wanted, "Range": f"bytes={at}-"}).expect(200)
                for piece in json.loads(said.body)["pieces"]:
                    url = urlsplit(piece["url"])
                    got = line.bucket.ask("GET", f"{url.path}?{url.query}", {}, drop=True).expect(200, 206)
                    assert got.size == piece["size"]
                    at = piece["offset"] + piece["size"]

    lines = [Line(Connection(house.server.port), Connection(on.store.port)) for _ in range(CONNECTIONS)]
    return Path(house.server, lines, watch, CONNECTIONS * EACH, on)


def _read_whole(peer: Any, sender: Account, minute: Film) -> Path:
    headers = {**sender.auth, "Content-Type": "application/octet-stream"}
    sent = sender.connection.send_file("POST", UPLOAD, headers, minute, start=0, count=minute.size).expect(
        200
    )
    target = MEDIA + json.loads(sent.body)["content_uri"].removeprefix("mxc://")

    def watch(line: Line) -> None:
        for _ in range(EACH):
            got = line.node.ask("GET", target, sender.auth, drop=True).expect(200)
            assert got.size == minute.size

    return Path(peer, _lines(peer), watch, CONNECTIONS * EACH)


def _told(house: House, stack: ExitStack, short: Film, on: Engines | None = None) -> Path:
    pairs = [stack.enter_context(closing(house.pair())) for _ in range(PAIRS)]
    return Path(house.server, pairs, partial(_exchange, short), PAIRS * EXCHANGES, on)


def _exchanged(peer: Any, pairs: Sequence[SynapsePair], short: Film) -> Path:
    return Path(peer, pairs, partial(_exchange, short), PAIRS * EXCHANGES)


def _exchange(short: Film, pair: Any) -> None:
    for _ in range(EXCHANGES):
        pair.exchange(short)
