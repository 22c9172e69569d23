"""Uploads of 40 MB: in pieces of 1 MiB against both tus servers, whole against nginx; four connections."""

from collections.abc import Callable
from contextlib import ExitStack
from itertools import count

from bench.harness.compare import Sample, cheaper, faster, interleave
from bench.harness.films import Film, film
from bench.harness.http import Connection
from bench.harness.processes import Running
from bench.harness.report import Result, moved
from bench.harness.turns import timed
from bench.harness.tus import Tus
from bench.peers.ours import ours
from bench.peers.servers import nginx, tus_node, tus_python

FILM = 40_000_000
PIECE = 1 << 20
CONNECTIONS = 4
EACH = 2
"""Films that each connection uploads in a turn: CPU time is counted in ticks of 10 ms."""

OURS, POWER = "restante", "restante, power"
NODE, PYTHON, NGINX = "@tus/server", "tuspyserver", "nginx"
Upload = Callable[[Connection], str]


def pieces(rounds: int) -> Result:
    """1 MiB PATCHes over four connections."""
    with ExitStack() as stack:
        video = stack.enter_context(film(FILM))
        targets = [
            stack.enter_context(ours(durability="process")).tus(OURS),
            stack.enter_context(ours(durability="power")).tus(POWER),
            Tus(NODE, stack.enter_context(tus_node())),
            Tus(PYTHON, stack.enter_context(tus_python())),
        ]
        samples = interleave({one.name: _turn(one, video, PIECE) for one in targets}, rounds)
    what = "40 MB in 1 MiB pieces"
    claims = []
    for peer in (NODE, PYTHON):
        claims += [
            faster(what, samples, OURS, peer, least=3),
            cheaper(what, samples, OURS, peer, most=0.35),
            faster(f"{what}, durability power", samples, POWER, peer, least=2),
            cheaper(f"{what}, durability power", samples, POWER, peer),
        ]
    return Result("uploads", "Upload in pieces, 4 connections", claims, *moved(samples))


def whole(rounds: int) -> Result:
    """One PATCH for the whole body, against nginx that stores a PUT."""
    with ExitStack() as stack:
        video = stack.enter_context(film(FILM))
        mine = stack.enter_context(ours(durability="process")).tus(OURS)
        peer = stack.enter_context(nginx())
        turns = {OURS: _turn(mine, video, FILM), NGINX: _put(peer, video)}
        samples = interleave(turns, rounds)
    what = "40 MB whole"
    claims = [faster(what, samples, OURS, NGINX, least=0.7), cheaper(what, samples, OURS, NGINX)]
    return Result("whole", "Upload in one request, 4 connections", claims, *moved(samples))


def _turn(target: Tus, video: Film, piece: int) -> Callable[[], Sample]:
    def upload(connection: Connection) -> str:
        path = target.create(connection, FILM)
        for start in range(0, FILM, piece):
            target.append(connection, path, video, start=start, count=min(piece, FILM - start))
        return path

    return lambda: _uploads(target.server, video, upload, target.delete)


def _put(server: Running, video: Film) -> Callable[[], Sample]:
    numbers = count()

    def upload(connection: Connection) -> str:
        path = f"/film{next(numbers)}"
        connection.send_file("PUT", path, {}, video, start=0, count=FILM).expect(201)
        return path

    def delete(connection: Connection, path: str) -> None:
        connection.ask("DELETE", path, {}).expect(204)

    return lambda: _uploads(server, video, upload, delete)


def _uploads(
    server: Running, video: Film, upload: Upload, delete: Callable[[Connection, str], None]
) -> Sample:
    made: list[str] = []

    def work(connection: Connection) -> None:
        made.extend(upload(connection) for _ in range(EACH))

    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(server.port)) for _ in range(CONNECTIONS)]
        sample = timed(server, work, connections, units=FILM * EACH * CONNECTIONS)
        for path in made:
            delete(connections[0], path)
    return sample
