"""Several nodes as one server: on one PostgreSQL and one bucket, behind a balancer that sends consecutive requests to different ones.

With `pytest --stack scaled` every server that `serving` makes is one of these, and the tests do not notice.
"""

import contextlib
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from restante.server.transparency import keyfile
from tests.balancing import SOURCE, Balancer
from tests.databases import laid_for
from tests.serving import Server, ServerDied, free_port

OPERATORS_OWN = ("availability.toml", "plans.toml", "log.key")
"""Files of the first node's data folder that an operator gives to every node."""


@dataclass
class Node(Server):
    """One process of several; its data folder is its own."""

    def environment(self) -> dict[str, str]:
        """Told by who starts them all."""
        return {}

    def kill(self) -> None:
        """And waits until nobody can be let in by it any more."""
        super().kill()
        deadline = time.monotonic() + 10
        while self.answers() and time.monotonic() < deadline:
            time.sleep(0.005)


@dataclass
class Nodes(Server):
    """As many nodes as ``count`` behind one port; what happens to the server happens to all, unless it is said to one of ``each``."""

    count: int = 2
    each: list[Node] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number in range(self.count):
            folder = self.data if not number else self.data.with_name(f"{self.data.name}-{number + 1}")
            self.each.append(Node(folder, port=free_port(), log_to=self.log_path))
        self.balancer = Balancer(self.port, [node.port for node in self.each])

    @property
    def lags_s(self) -> float:
        return 5.0

    @property
    def processes(self) -> int:
        return self.count

    def settings(self, **env: str) -> dict[str, str]:
        """What each node is told."""
        found = {"RESTANTE_DATABASE_URL": laid_for(self.data), **self.env, **env}
        trusted = found.get("RESTANTE_TRUSTED_PROXIES", "")
        return found | {"RESTANTE_TRUSTED_PROXIES": f"{trusted},{SOURCE}" if trusted else SOURCE}

    def start(self, **env: str) -> "Nodes":
        settings = self.settings(**env)
        try:
            for node in self.each:
                _give(self.data, node.data)
                node.begin(**settings)
            for node in self.each:
                node.await_ready()
        except ServerDied:
            self.kill()
            raise
        self.process = self.each[0].process
        # Where a process is to die at its third such step, all steps are that process's.
        ports = [node.port for node in self.each]
        self.balancer.nodes = ports[:1] if settings.get("RESTANTE_FAILPOINT") else ports
        self.balancer.open()
        return self

    def kill(self) -> None:
        self.balancer.close()
        for node in self.each:
            node.kill()
        self.process = None

    def stop(self) -> int:
        """SIGTERM to all, and the worst exit code."""
        for node in self.each:
            assert node.process is not None
            node.process.send_signal(signal.SIGTERM)
        codes = [node.stop() for node in self.each]
        self.balancer.close()
        self.process = None
        return max(codes, key=abs)

    def died(self) -> bool:
        """Tells whether any is gone."""
        return any(node.died() for node in self.each)

    def stored(self) -> bytes:
        others = [path for node in self.each[1:] for path in node.data.rglob("*") if path.is_file()]
        return super().stored() + b"".join(path.read_bytes() for path in others)

    def answers(self) -> bool:
        """Tells whether every one is alive."""
        return all(node.answers() for node in self.each)


@contextlib.contextmanager
def running(data: Path, *, count: int = 2, **env: str) -> Iterator[Nodes]:
    """Starts nodes and kills them at the end; where their videos are the environment says."""
    nodes = Nodes(data, env, count=count)
    try:
        yield nodes.start()
    finally:
        nodes.kill()


def _give(first: Path, folder: Path) -> None:
    """Has a node read the operator's own files, as one does who installs several, the key of the log among them."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder == first:
        keyfile.load(folder)
        return
    for name in OPERATORS_OWN:
        path = folder / name
        if not path.is_symlink():
            path.symlink_to(first / name)
