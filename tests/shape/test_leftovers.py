"""What tests start ends with them, also when they are killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.shape.source import ROOT

TEST = """
import time
from pathlib import Path
from tests.databases import cluster, laid_for
from tests.serving import Server

def test_that_is_killed(tmp_path):
    server = Server(tmp_path / "data", {{"RESTANTE_DATABASE_URL": laid_for(tmp_path)}}).start()
    Path({told!r}).write_text(f"{{server.port}} {{cluster().port}} {{cluster().folder}}\\n")
    time.sleep(100)
"""


def until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def answers(port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


def test_servers_and_the_postgresql_of_tests_that_are_killed_go_with_them(tmp_path: Path):
    told, file = tmp_path / "told", tmp_path / "test_it.py"
    file.write_text(TEST.format(told=str(told)))
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        "pyproject.toml",
        str(file),
    ]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    tests = subprocess.Popen(words, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        until(lambda: told.exists() and told.read_text().endswith("\n"))
        *ports, folder = told.read_text().split()
        assert all(map(answers, ports))
        assert Path(folder).is_dir()
    finally:
        os.killpg(tests.pid, signal.SIGKILL)
        tests.wait(10)
    until(lambda: not any(map(answers, ports)) and not Path(folder).exists())
