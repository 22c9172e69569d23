"""CPU of a recording in Debian's Chromium, all its processes, beside a plain MediaRecorder and the preview alone."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

from bench.harness.compare import Claim, Sample, cheaper, interleave
from bench.harness.report import Result
from tests.e2e.browsing import CHROMIUM, FAKE_DEVICES, QUIET
from tests.e2e.harness import build, served

SECONDS = 6
OURS = "Restante's recorder"
PLAIN = "MediaRecorder"
IDLE = "preview alone"
_TICKS = os.sysconf("SC_CLK_TCK")
_WISH = {"width": 1280, "height": 720}
_FAKE = [FAKE_DEVICES[0] + "=fps=30", *FAKE_DEVICES[1:]]


def recorder(rounds: int) -> Result:
    """Six seconds at 1280 x 720, 30 pictures a second, with sound, by each in turn."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        page, pid = stack.enter_context(_opened(folder))
        turns = {
            IDLE: _turn(page, pid, "new Promise((resolve) => setTimeout(resolve, ms))"),
            OURS: _turn(page, pid, "media.recordHere(ms)"),
            PLAIN: _turn(page, pid, "media.recordPlainly(ms)"),
        }
        samples = interleave(turns, rounds)
    lead = [ours.load - idle.load for ours, idle in zip(samples[OURS], samples[IDLE], strict=True)]
    claims = [
        cheaper("recording 720p30, whole browser", samples, OURS, PLAIN),
        Claim("recording 720p30 above the preview: share of a core", IDLE, median(lead), min(lead), "core"),
    ]
    figures: list[tuple[str, ...]] = [
        (name, f"{median(one.load for one in taken):.2f} cores") for name, taken in samples.items()
    ]
    return Result("recorder", "Recording in the browser", claims, ("", "median"), figures)


@contextmanager
def _opened(folder: Path) -> Iterator[tuple[Page, int]]:
    (folder / "out").mkdir()
    with served(build(folder / "pages"), folder / "out") as harness, sync_playwright() as playwright:
        mark = f"--user-agent-product=bench-{os.getpid()}"
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *_FAKE, mark])
        page = browser.new_page()
        page.goto(f"{harness.url}/media.html")
        page.evaluate("wish => media.open(wish)", _WISH)
        yield page, _process_with(mark)
        browser.close()


def _turn(page: Page, pid: int, work: str) -> Callable[[], Sample]:
    def turn() -> Sample:
        before, began = _cpu_s(pid), time.perf_counter()
        page.evaluate(f"(ms) => {work}", SECONDS * 1000)
        wall_s = time.perf_counter() - began
        return Sample(SECONDS, wall_s, _cpu_s(pid) - before)

    return turn


def _process_with(mark: str) -> int:
    """The oldest process that was started with an argument: the browser, of which all others are children."""
    processes = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return min(int(entry.name) for entry in processes if mark.encode() in _read(entry / "cmdline"))


def _cpu_s(root: int) -> float:
    """CPU seconds of a process and all that descend from it."""
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        fields = _read(entry / "stat").rpartition(b")")[2].split() if entry.name.isdigit() else []
        if fields:
            children.setdefault(int(fields[1]), []).append(int(entry.name))
            ticks[int(entry.name)] = int(fields[11]) + int(fields[12])
    todo, total = [root], 0
    while todo:
        pid = todo.pop()
        total += ticks.get(pid, 0)
        todo += children.get(pid, [])
    return total / _TICKS


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
