"""A crash leaves nothing of the memory behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.anomaly import processes
from tests.cli.person import COMMAND
from tests.serving import Server

PATTERN = Path("/proc/sys/kernel/core_pattern")
SECRET = "f1a9-a-secret-in-memory-77c0"
CRASH = f"""
import os, resource, sys
{{before}}
secret = "{SECRET}" * 3
os.abort()
"""
WITHHELD = "from restante.cli.cores import withhold_cores; withhold_cores()"


def limits(pid: int) -> tuple[str, int]:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    (core,) = (line.split() for line in lines if line.startswith("Max core file size"))
    return core[5], int(Path(f"/proc/{pid}/coredump_filter").read_text(), 16)


def test_the_server_and_its_worker_leave_no_core(server: Server) -> None:
    assert server.process is not None
    pids = processes.group(server.process.pid)
    assert len(pids) >= 2, "granian and its worker"
    assert {limits(pid) for pid in pids} == {("0", 0)}
    assert limits(os.getpid())[1] != 0, "the control: what is usual"


def test_a_command_leaves_no_core_and_neither_does_what_it_starts(server: Server, tmp_path: Path) -> None:
    environment = {**os.environ, "RESTANTE_PROFILE": str(tmp_path)}
    command: list[str | Path] = [
        COMMAND,
        "sign-up",
        "nobody",
        "--server",
        "http://127.0.0.1:1",
    ]  # repeats for a while
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            while process.poll() is None and limits(process.pid) != ("0", 0):
                pass
            assert process.poll() is None, "it was still running when it was asked"
        finally:
            process.kill()


@pytest.mark.skipif(
    PATTERN.read_text().startswith(("|", "/")) if PATTERN.exists() else True,
    reason="cores do not come to the folder of the process here",
)
def test_a_crash_writes_nothing_down(tmp_path: Path) -> None:
    control, ours = tmp_path / "control", tmp_path / "ours"
    most = "resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)"
    for folder, before in ((control, most), (ours, f"{most}; {WITHHELD}")):
        folder.mkdir()
        run = subprocess.run([sys.executable, "-c", CRASH.format(before=before)], cwd=folder, check=False)
        assert run.returncode == -signal.SIGABRT
    if not list(control.iterdir()):
        pytest.skip("no process leaves a core here")
    assert any(SECRET.encode() in path.read_bytes() for path in control.iterdir()), "the control"
    assert list(ours.iterdir()) == []
