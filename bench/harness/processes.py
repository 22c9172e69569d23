"""Servers under measurement: each in a session of its own, whose CPU and memory are read from /proc, and ended by pid."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
START_WITHIN_S = 60.0
_SESSION, _UTIME, _CSTIME = 3, 11, 14  # fields of /proc/PID/stat after the command's closing bracket


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens; ``session`` is the id of the session that it and its children make up."""

    port: int
    session: int

    def cpu_s(self) -> float:
        """User and system time of every process in the session, ended children included."""
        return sum(sum(times) for times in self.members().values()) / TICKS

    def peak_mib(self) -> float:
        """Sum of the processes' largest resident sizes so far (VmHWM)."""
        return sum(_peak_kib(pid) for pid in self.members()) / 1024

    def members(self) -> dict[int, list[int]]:
        found = {}
        for entry in Path("/proc").iterdir():
            fields = _stat(int(entry.name)) if entry.name.isdigit() else []
            if fields and int(fields[_SESSION]) == self.session:
                found[int(entry.name)] = [int(field) for field in fields[_UTIME : _CSTIME + 1]]
        return found


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    *,
    port: int,
    log: Path,
    cwd: Path,
    ready: Callable[[int], bool],
    env: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Starts a server, waits until it is ``ready``, and kills its process group at the end, come what may."""
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            cwd=cwd,
            env={**os.environ, **(env or {})},
        )
    try:
        _await(process, port, ready, log)
        yield Running(port, process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def listens(port: int) -> bool:
    """Tells whether something takes connections on the port of the loopback address."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _await(process: subprocess.Popen[bytes], port: int, ready: Callable[[int], bool], log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        if ready(port):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text(errors='replace')[-3000:]}")


def _stat(pid: int) -> list[str]:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []


def _peak_kib(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0
