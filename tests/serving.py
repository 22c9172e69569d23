"""Runs the real server as a person would, in a process group of its own, on loopback; stops only what it started."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tests.databases import environment_of, rows_of
from tests.nursery import Child, nursery

ROOT = Path(__file__).parent.parent
START_WITHIN_S = 60.0
GENEROUS = {
    "RESTANTE_RATE_SIGN_IN": "100000/1s",
    "RESTANTE_RATE_SIGN_UP": "100000/1s",
    "RESTANTE_RATE_PAIRINGS": "100000/1s",
    "RESTANTE_RATE_PASSKEYS": "100000/1s",
    "RESTANTE_RATE_UPLOADS": "100000/1s",
    "RESTANTE_RATE_SENDS": "100000/1s",
    "RESTANTE_KEEP_FREE_BYTES": "0",
}
"""Limits that do not stand in the way; a test of limits sets its own."""


def free_port() -> int:
    """Finds a port below those of outgoing connections, so that nobody takes it while its server is down."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class ServerDied(AssertionError):
    """The server did not come up."""


@dataclass
class Server:
    """One server process on one data folder; can be killed and started again on the same port."""

    data: Path
    env: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | Child | None = None
    log_to: Path | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_path(self) -> Path:
        return self.log_to or self.data.with_suffix(".log")

    @property
    def lags_s(self) -> float:
        """How long one process may go on believing a session that another has ended."""
        return 0.0

    @property
    def processes(self) -> int:
        """How many serve, each with a memory of its own."""
        return 1

    def start(self, **env: str) -> "Server":
        self.begin(**env)
        self.await_ready()
        return self

    def begin(self, **env: str) -> None:
        """Starts the process, and waits for nothing."""
        arguments = ["serve", "--data", str(self.data), "--port", str(self.port)]
        own = {**self.env, **env}
        everything = {**os.environ, **GENEROUS, **self.environment(), **own}
        if any(
            name.startswith("PYTHON") for name in own
        ):  # another build of the program, or another interpreter
            self.process = _launch(arguments, everything, self.log_path)
        else:
            self.process = nursery().fork(arguments, env=everything, log=self.log_path)

    def environment(self) -> dict[str, str]:
        """What follows from where the tests' rows are."""
        return environment_of(self.data)

    def kill(self) -> None:
        """SIGKILL to the whole group: nothing gets to flush or say goodbye."""
        self._signal(signal.SIGKILL)
        self._wait()

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired as late:
            raise AssertionError(f"the server did not end:\n{self.log()[-3000:]}") from late
        self._signal(signal.SIGKILL)
        self.process = None
        return code

    def died(self) -> bool:
        """Tells whether the worker or the process is gone (a failpoint fired)."""
        return self.process is None or self.process.poll() is not None

    def answers(self) -> bool:
        """Tells whether a worker is alive."""
        return self._status("/livez") == 200

    def keeps_answering(self, *, for_s: float) -> bool:
        """Tells whether it is still alive a moment later: some work follows its answer."""
        deadline = time.monotonic() + for_s
        while self.answers():
            if time.monotonic() > deadline:
                return True
            time.sleep(0.02)
        return False

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def stored(self) -> bytes:
        """All that it keeps: the bytes of its files, and of its rows where they are elsewhere."""
        files = [path for path in self.data.rglob("*") if path.is_file()]
        return b"".join(path.read_bytes() for path in files) + rows_of(self.data)

    def _status(self, path: str) -> int | None:
        """Of an answer; None without one. By the simplest client there is, since it is asked again and again."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection), contextlib.suppress(OSError, HTTPException):
            connection.request("GET", path)
            return connection.getresponse().status
        return None

    def _signal(self, number: int) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def _wait(self) -> None:
        if self.process is not None:
            self.process.wait(30)
            self.process = None

    def await_ready(self) -> None:
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline:
            if self.died():
                break
            if self._status("/readyz") == 200:
                return
            time.sleep(0.02)
        self.kill()
        raise ServerDied(f"the server did not start:\n{self.log()[-3000:]}")


kind: type[Server] = Server
"""What `serving` makes; `--stack` may say otherwise."""


def _launch(arguments: list[str], env: dict[str, str], log_path: Path) -> subprocess.Popen[bytes]:
    with log_path.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "restante.cli.main", *arguments],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=ROOT,
        )


@contextlib.contextmanager
def serving(data: Path, **env: str) -> Iterator[Server]:
    """Starts a server, of several nodes with `pytest --stack scaled`, and kills it at the end."""
    server = kind(data, env)
    try:
        yield server.start()
    finally:
        server.kill()
