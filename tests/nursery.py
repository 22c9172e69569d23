"""Starts servers by forking a process that has imported everything: the same program, three quarters of a second sooner."""

import atexit
import functools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


class Child:
    """A forked process, asked about as of a `subprocess.Popen`; it leads a session of its own."""

    def __init__(self, pid: int, ask: Callable[[dict[str, Any]], Any]) -> None:
        self.pid = pid
        self._ask = ask

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._ask({"poll": self.pid})

    def wait(self, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(0.005)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


class Nursery:
    """Asks the process that forks."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forking"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # it ends with this process, after those that it forked
        )
        self._lock = threading.Lock()

    def fork(
        self, arguments: Sequence[str], *, env: Mapping[str, str], log: Path, out: Path | None = None
    ) -> Child:
        """Runs `restante` with the arguments in an environment of its own; what it prints goes to the log, its data to ``out``."""
        asked = {"fork": list(arguments), "env": dict(env), "log": str(log), "out": str(out or log)}
        return Child(self._ask(asked), self._ask)

    def run(self, arguments: Sequence[str], *, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Runs `restante` with the arguments to its end."""
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder) / "out", Path(folder) / "err"
            code = self.fork(arguments, env=env, log=err, out=out).wait(60)
            return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())

    def close(self) -> None:
        self._process.communicate()

    def _ask(self, question: dict[str, Any]) -> Any:
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())


@functools.cache
def nursery() -> Nursery:
    """The one of this process."""
    made = Nursery()
    atexit.register(made.close)
    return made
