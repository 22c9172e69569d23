"""Our server as several nodes on one PostgreSQL, one S3 store and what tells between them, each on the disk of the measured data."""

import contextlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from bench.harness.processes import TICKS, Running
from bench.peers.ours import House
from bench.peers.servers import data_folder
from bench.scale.ground import kept_cluster
from tests import seaweed
from tests.nodes import Node
from tests.serving import free_port


@dataclass
class Nodes:
    """As one server that is measured: each new connection goes to the next node, whoever asks."""

    each: tuple[Running, ...]

    def __post_init__(self) -> None:
        self._turn = cycle(node.port for node in self.each)

    @property
    def port(self) -> int:
        """Of the node whose turn it is."""
        return next(self._turn)

    def cpu_s(self) -> float:
        return sum(node.cpu_s() for node in self.each)

    def peak_mib(self) -> float:
        return max(node.peak_mib() for node in self.each)


@dataclass(frozen=True)
class Engines:
    """What the nodes have in common."""

    postmaster: int
    store: Running
    env: dict[str, str]

    def database_cpu_s(self) -> float:
        """Of PostgreSQL with all that it has started, ended ones included."""
        return sum(_times(pid) for pid in _family(self.postmaster))

    def store_cpu_s(self) -> float:
        return self.store.cpu_s()


@contextlib.contextmanager
def engines() -> Iterator[Engines]:
    """Starts them empty."""
    with ExitStack() as stack:
        folder = stack.enter_context(data_folder("engines"))
        folder.chmod(0o755)
        cluster = stack.enter_context(kept_cluster(folder / "postgresql"))
        cluster.lay("measured")
        weed = stack.enter_context(seaweed.running(folder / "weed"))
        postmaster = int((cluster.folder / "data" / "postmaster.pid").read_text().split()[0])
        env = {"RESTANTE_DATABASE_URL": cluster.url("measured"), **weed.environment()}
        yield Engines(postmaster, Running(weed.port, weed.process.pid), env)


@contextlib.contextmanager
def scaled(on: Engines, count: int = 2, **env: str) -> Iterator[list[House]]:
    """Serves with so many nodes; yields the first one alone, the first two, and so on."""
    with ExitStack() as stack:
        found = []
        for number in range(count):
            folder = stack.enter_context(data_folder(f"node-{number}"))
            node = Node(Path(folder) / "data", {**on.env, **env}, port=free_port())
            stack.callback(node.kill)
            _same_key(found, node)
            node.start()
            assert node.process is not None
            found.append(node)
        running = tuple(Running(node.port, node.process.pid) for node in found)
        yield [House(Nodes(running[: many + 1]), found[0].url) for many in range(count)]


def _same_key(before: list[Node], node: Node) -> None:
    """Has a node read the first one's key of the log."""
    if before:
        node.data.mkdir(mode=0o700, parents=True)
        (node.data / "log.key").symlink_to(before[0].data / "log.key")


def _family(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [parent, *(int(child) for child in children)]


def _times(pid: int) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15]) / TICKS
    return 0.0
