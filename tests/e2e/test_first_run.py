"""From `make run` on a fresh clone to the first video recorded on a telephone's screen that trusts nothing beforehand.

The telephone is Chromium with an empty home. What a real one's own settings ask for, installing the certificate, is done by
`certutil`: the taps stand in docs/guides/phones.md and were not shown on a device. `FIRST_RUN_OF=.` runs the tree as it is.
"""

import contextlib
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest
from playwright.sync_api import BrowserContext, Playwright
from playwright.sync_api import Error as BrowserError

from tests.e2e.browsing import CHROMIUM, PHONE, QUIET, Visitor, Witness, devices
from tests.e2e.mailbox import open_mailbox
from tests.e2e.mailing import NO_NOTES, record
from tests.serving import ROOT, free_port

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
WITHIN_S = 180.0
DECODE = """
import decode from './web/node_modules/qr/decode.js';
const rows = JSON.parse(process.argv[1]), scale = 4, side = rows.length * scale;
const data = new Uint8Array(side * side * 4).fill(255);
rows.forEach((row, y) => row.forEach((dark, x) => {
  for (let i = 0; dark && i < scale; i++) for (let j = 0; j < scale; j++)
    data.fill(0, ((y * scale + i) * side + x * scale + j) * 4, ((y * scale + i) * side + x * scale + j) * 4 + 3);
}));
console.log(decode({ width: side, height: side, data }));
"""


@dataclass
class Terminal:
    """A command in a terminal of its own, and what stands on its screen."""

    folder: Path
    command: list[str]
    screen: str = ""
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, args=(ours,))
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(30)
        self._ended.set()
        self._reader.join()

    def until(self, text: str, within_s: float = 600) -> str:
        deadline = time.monotonic() + within_s
        while text not in self.screen:
            assert self._process.poll() is None, self.screen
            assert time.monotonic() < deadline, self.screen
            time.sleep(0.05)
        return self.screen

    def _read(self, descriptor: int) -> None:
        kept = b""
        while not self._ended.is_set():
            if select.select([descriptor], [], [], 0.2)[0]:
                try:
                    kept += os.read(descriptor, 65536)
                except OSError:
                    break
                self.screen = kept.decode(errors="replace").replace("\r\n", "\n")
        os.close(descriptor)


def scanned(screen: str) -> str:
    """What a telephone's camera reads off the terminal: the code that is drawn there in half blocks, dark where nothing is drawn."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", screen)
    drawn = [line for line in plain.splitlines() if re.fullmatch(r"[ █▀▄]{25,}", line)]
    width = max(map(len, drawn))
    rows: list[list[int]] = []
    for line in drawn:
        cells = line.ljust(width)
        rows += [[int(cell not in "█▀") for cell in cells], [int(cell not in "█▄") for cell in cells]]
    command = ["node", "--input-type=module", "-e", DECODE, str(rows)]
    read = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    return read.stdout.strip()


@contextlib.contextmanager
def telephone(playwright: Playwright, folder: Path) -> Iterator[BrowserContext]:
    """A small screen, and a home folder in which nothing is trusted but what is put there."""
    context = playwright.chromium.launch_persistent_context(
        folder / "profile",
        executable_path=CHROMIUM,
        args=[*QUIET, *devices()],
        env={**os.environ, "HOME": str(folder)},
        accept_downloads=True,
        **PHONE,
    )
    context.set_default_timeout(60_000)
    try:
        yield context
    finally:
        context.close()


def install(certificate: Path, home: Path) -> None:
    """What the taps in a telephone's settings do."""
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True, exist_ok=True)
    subprocess.run(["certutil", "-d", f"sql:{store}", "-N", "--empty-password"], check=True, timeout=30)
    add = ["certutil", "-d", f"sql:{store}", "-A", "-t", "C,,", "-n", "restante", "-i", str(certificate)]
    subprocess.run(add, check=True, timeout=30)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A fresh clone, or the tree that `FIRST_RUN_OF` names."""
    if named := os.environ.get("FIRST_RUN_OF"):
        return Path(named).resolve()
    subprocess.run(["git", "clone", "-q", ROOT, tmp_path / "clone"], check=True, timeout=120)
    return tmp_path / "clone"


def test_from_make_run_to_the_first_video_on_a_telephone(
    playwright: Playwright, tree: Path, tmp_path: Path
) -> None:
    port, home = free_port(), tmp_path / "home"
    home.mkdir()
    begun_s = time.monotonic()
    took: dict[str, float] = {}

    def note(what: str) -> None:
        took[what] = round(time.monotonic() - begun_s, 1)

    command = ["make", "run", "TLS=local", f"PORT={port}", f"DATA={tmp_path / 'data'}"]
    with Terminal(tree, command) as terminal:
        terminal.until("Stop with Ctrl-C")
        note("served")
        page_of_trust = scanned(terminal.screen)
        assert page_of_trust.startswith("http://")
        assert page_of_trust in terminal.screen
        note("scanned")
        certificate = tmp_path / "restante.crt"
        with telephone(playwright, home) as phone:
            page = phone.new_page()
            page.goto(page_of_trust)
            address = page.get_by_role("link", name="Go on to").get_attribute("href")
            with pytest.raises(BrowserError, match="ERR_CERT_AUTHORITY_INVALID"):
                phone.new_page().goto(f"{address}")
            with page.expect_download() as coming:
                page.get_by_role("link", name="Download the certificate").click()
            shutil.copy(coming.value.path(), certificate)
        note("refused, and given the certificate")
        install(certificate, home)
        with telephone(playwright, home) as phone:
            page = phone.new_page()
            page.goto(page_of_trust)
            page.get_by_role("link", name="Go on to").click()
            page.wait_for_url(f"{address}/**")
            assert page.evaluate("isSecureContext")
            note("trusted")
            witness = Witness({f"{address}"})
            witness.allow(NO_NOTES)
            page.close()
            page, _ = open_mailbox(Visitor(f"{address}", phone, witness), "ada")
            note("mailbox open")
            page.goto(f"{address}/record")
            record(page, seconds=3)
            note("first video recorded")
    print(f"\n{took}")
    assert took["first video recorded"] < WITHIN_S
