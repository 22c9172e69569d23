"""Nodes on one real PostgreSQL and one real bucket, with a bad day between them, and what can be done to each."""

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from restante.server.blobs.objects import Bucket, Objects
from restante.server.blobs.s3 import open_bucket
from tests import chaos, seaweed
from tests.anomaly import processes
from tests.api.planned import declare
from tests.chaos import Chaos
from tests.databases import Cluster, cluster, laid_for
from tests.nodes import Node, Nodes
from tests.seaweed import Seaweed
from tests.serving import ServerDied

STARTS = 20
PLANS = """
currency = "usd"
start = "free"
[[plan]]
id = "free"
name = "Free"
messages = 1000000
"""
"""Without an end, but counted."""


@dataclass
class Site:
    """Everything that a fault can get at."""

    whole: Nodes
    database: str
    settings: dict[str, str]
    postgres: Cluster
    weed: Seaweed
    bucket: Chaos
    objects: Objects
    prefix: str
    refused: list[str] = field(default_factory=list)
    """Why nodes did not start, by their own words."""

    @property
    def nodes(self) -> list[Node]:
        return self.whole.each

    @property
    def urls(self) -> list[str]:
        return [node.url for node in self.nodes]

    def restart(self, node: Node) -> None:
        """Starts it as it was; where what it needs is away, again and again, as whatever supervises services does."""
        for _ in range(STARTS):
            with contextlib.suppress(ServerDied):
                node.start(**self.settings)
                return
            self.refused.append(refusal(node))
        raise AssertionError(f"the node never started: {self.refused}")

    def signal(self, node: Node, number: int) -> None:
        """To all processes of a node."""
        assert node.process is not None
        os.killpg(node.process.pid, number)

    def postgres_processes(self) -> list[int]:
        """Its first one, and who serves somebody."""
        first = int((self.postgres.folder / "data" / "postmaster.pid").read_text().split()[0])
        return [first, *processes.children(first)]

    def resident_bytes(self) -> int:
        """Of the nodes that run."""
        leaders = [node.process.pid for node in self.nodes if node.process is not None]
        return sum(processes.resident_bytes(pid) for leader in leaders for pid in processes.group(leader))


def refusal(node: Node) -> str:
    """What a node said last when it refused to start."""
    said = [line for line in node.log().splitlines() if line.startswith("error: ")]
    return said[-1] if said else ""


@contextlib.contextmanager
def site(folder: Path, *, count: int, seed: int, weed: Seaweed, **env: str) -> Iterator[Site]:
    """Runs as many nodes; all ends with them."""
    data = folder / "data"
    data.mkdir(parents=True)
    declare(data, PLANS)
    prefix, database = f"/{folder.parent.name}-{folder.name}", laid_for(data)
    with chaos.before(weed.port, seed=seed) as (bad_day, port):
        settings = {
            **weed.environment(prefix=prefix, port=port),
            "RESTANTE_DATABASE_URL": database,
            **env,
        }
        whole = Nodes(data, settings, count=count)
        objects = open_bucket(Bucket.parse(weed.url(prefix=prefix)), key=seaweed.KEY, secret=seaweed.SECRET)
        try:
            whole.start()
            yield Site(whole, database, settings, cluster(), weed, bad_day, objects, prefix)
        finally:
            for node in whole.each:
                if node.process is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(node.process.pid, signal.SIGCONT)
            whole.kill()
