"""NATS as the bus of tests: the real one, on loopback, as an unprivileged user, stopped by its process id."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.serving import free_port

START_WITHIN_S = 20.0
_NOBODY = 65534


@dataclass
class NatsServer:
    """One that can be stopped and started again on the same port; ``config`` is what stands in its file."""

    folder: Path
    config: str = ""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        file = self.folder / f"nats-{self.port}.conf"
        file.write_text(f'listen: "127.0.0.1:{self.port}"\n{self.config}\n')
        with file.open("rb") as config, (self.folder / f"nats-{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [program(), "--config", "/dev/stdin"],
                stdin=config,
                stdout=log,
                stderr=log,
                user=_NOBODY if os.getuid() == 0 else None,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_WITHIN_S
        while not self._answers():
            assert time.monotonic() < deadline, "NATS did not start"
            assert self.process.poll() is None, Path(log.name).read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """At once, as when the machine dies."""
        if self.process is not None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            self.process = None

    def _answers(self) -> bool:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.port), timeout=1) as link,
        ):
            return link.recv(4) == b"INFO"
        return False


def program() -> str:
    """Where `nats-server` is; `make setup` brings it."""
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    assert found, "NATS is missing: make setup"
    return found
