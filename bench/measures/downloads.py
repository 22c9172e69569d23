"""Ranges of 4 MiB of a 40 MB video, against nginx serving a static file; one connection and four."""

from collections.abc import Callable
from contextlib import ExitStack

from bench.harness.compare import Sample, cheaper, faster, interleave
from bench.harness.films import film
from bench.harness.http import Connection
from bench.harness.processes import Running
from bench.harness.report import Result, moved
from bench.harness.turns import timed
from bench.measures.uploads import FILM, NGINX, OURS
from bench.peers.ours import ours
from bench.peers.servers import nginx

RANGE = 4 << 20
FILMS = 24
"""Times that the film is read in a turn, shared out among the connections."""


def downloads(rounds: int) -> Result:
    """Every range of the film, in order, as a player asks."""
    with ExitStack() as stack:
        video = stack.enter_context(film(FILM))
        house = stack.enter_context(ours(durability="power"))
        peer = stack.enter_context(nginx())
        with Connection(peer.port) as connection:
            connection.send_file("PUT", "/film", {}, video, start=0, count=FILM).expect(201)
        path, headers = house.store_video(video)
        claims, figures = [], []
        for connections in (1, 4):
            turns = {
                OURS: _turn(house.server, path, headers, connections),
                NGINX: _turn(peer, "/film", {}, connections),
            }
            samples = interleave(turns, rounds)
            what = f"4 MiB ranges, {connections} connection{'s' if connections > 1 else ''}"
            claims += [faster(what, samples, OURS, NGINX, least=0.7), cheaper(what, samples, OURS, NGINX)]
            heading, lines = moved(samples)
            figures += [(f"{line[0]}, {connections}", *line[1:]) for line in lines]
    return Result("downloads", "Download by range", claims, ("server, connections", *heading[1:]), figures)


def _turn(server: Running, path: str, headers: dict[str, str], connections: int) -> Callable[[], Sample]:
    def work(connection: Connection) -> None:
        for _ in range(FILMS // connections):
            for start in range(0, FILM, RANGE):
                end = min(start + RANGE, FILM)
                wanted = {**headers, "Range": f"bytes={start}-{end - 1}"}
                got = connection.ask("GET", path, wanted, drop=True).expect(206)
                assert got.size == end - start

    def turn() -> Sample:
        with ExitStack() as stack:
            opened = [stack.enter_context(Connection(server.port)) for _ in range(connections)]
            return timed(server, work, opened, units=FILM * (FILMS // connections) * connections)

    return turn
