"""From `make tools-scaled` and `make run-scaled` on a fresh clone to a video that was recorded in a browser and saved at a terminal.

`FIRST_RUN_OF=.` runs the tree as it is.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.person import Person
from tests.e2e.browsing import Visitors
from tests.e2e.mailbox import open_mailbox
from tests.e2e.mailing import NO_NOTES, record, send, sent
from tests.e2e.test_first_run import Terminal, tree  # noqa: F401 - a fixture
from tests.footage import assert_plays
from tests.serving import Server, free_port

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
OWN = range(10)
"""Ports that it takes, from the one that it is told."""
ENDS_WITHIN_S = 40.0


def is_free(port: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False


def row_of_ports() -> int:
    while True:
        port = free_port()
        if all(is_free(port + more + high) for more in OWN for high in (0, 10_000)):
            return port


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where PostgreSQL's own user can reach it, when the tests are run by root."""
    made = Path(tempfile.mkdtemp(prefix="scaled-", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def interrupt(terminal: Terminal) -> None:
    """Ctrl-C, which reaches all that runs in a terminal."""
    os.killpg(terminal._process.pid, signal.SIGINT)
    terminal._process.wait(ENDS_WITHIN_S)


def asked(folder: Path, node: str) -> int:
    return (folder / f"{node}.log").read_text().count('"/api/v1/')


def test_two_commands_and_the_main_job(
    tree: Path,  # noqa: F811
    visitors: Visitors,
    folder: Path,
    tmp_path: Path,
) -> None:
    port = row_of_ports()
    begun_s = time.monotonic()
    subprocess.run(["make", "tools-scaled"], cwd=tree, check=True, timeout=600)
    command = ["make", "run-scaled", f"PORT={port}", f"SCALED={folder}"]
    with Terminal(tree, command) as terminal:
        said = terminal.until("Stop with Ctrl-C.")
        print(f"\nserved after {time.monotonic() - begun_s:.0f} s")
        assert f"http://localhost:{port}/operator/link#" in said
        joseph = Person("joseph", tmp_path, f"http://localhost:{port}").sign_up()
        visitor = visitors.move_in(Server(tmp_path / "elsewhere", port=port), "ada")
        visitor.witness.allow(NO_NOTES)
        page, _ = open_mailbox(visitor, "ada")
        page.goto(f"{visitor.url}/record")
        record(page, seconds=3)
        send(page, "joseph", caption="from two nodes")
        sent(page)
        (item,) = joseph.inbox()
        assert (item["from"], item["caption"]) == ("ada", "from two nodes")
        saved = joseph.spawn("save", 1, "-o", tmp_path / "saved.mp4")
        assert saved.code == 0, saved.err
        assert_plays(tmp_path / "saved.mp4", duration_s=3.0, tolerance_s=2.0)
        assert min(asked(folder, "node1"), asked(folder, "node2")) > 5
        page.close()
        interrupt(terminal)
    assert [port + more for more in OWN if not is_free(port + more)] == [], "all of it ended"
    with Terminal(tree, command) as terminal:
        terminal.until("Stop with Ctrl-C.")
        (again,) = joseph.inbox()
        assert again["id"] == item["id"], "and is there the next time"
        interrupt(terminal)


def test_when_one_part_ends_all_end_and_it_is_said(tree: Path, folder: Path) -> None:  # noqa: F811
    port = row_of_ports()
    with Terminal(tree, ["make", "run-scaled", f"PORT={port}", f"SCALED={folder}"]) as terminal:
        terminal.until("Stop with Ctrl-C.")
        (nats,) = subprocess.run(
            ["pgrep", "-f", f"nats-server -a 127.0.0.1 -p {port + 4}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        os.kill(int(nats), signal.SIGKILL)
        terminal._process.wait(ENDS_WITHIN_S)
        deadline = time.monotonic() + 5
        while "nats ended by itself" not in terminal.screen and time.monotonic() < deadline:
            time.sleep(0.05)
        assert "error: nats ended by itself" in terminal.screen
    assert [port + more for more in OWN if not is_free(port + more)] == []
