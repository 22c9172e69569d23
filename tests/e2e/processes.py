"""The processes of one browser, as /proc tells of them: which they are, and how much memory they have."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

EVERY_S = 0.25


def belonging(mark: str, kind: str) -> list[int]:
    """Finds processes with this word on their command line, below one that was started with the mark on its own."""
    every = [process.name for process in Path("/proc").iterdir() if process.name.isdigit()]
    return [int(one) for one in every if kind in _command(one) and _is_below(one, mark)]


def _is_below(process: str, mark: str) -> bool:
    return any(mark in _command(ancestor) for ancestor in _ancestors(process))


def _command(process: str) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


def _ancestors(process: str) -> Iterator[str]:
    while process not in {"", "0", "1"}:
        try:
            process = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            return
        yield process


@dataclass
class Memory:
    """What a tab holds, its workers included; shared pages count in part for each process that shares them.

    That is the largest of the browser's renderers. It also has one for its blank first page, one in reserve, and one for
    the service worker: `all_peak_mib` is the most that they held together.
    """

    mark: str
    now_mib: float = 0
    peak_mib: float = 0
    all_peak_mib: float = 0

    def look(self) -> None:
        held = [_pss_kib(pid) / 1024 for pid in belonging(self.mark, "--type=renderer")]
        self.now_mib = max(held, default=0)
        self.peak_mib = max(self.peak_mib, self.now_mib)
        self.all_peak_mib = max(self.all_peak_mib, sum(held))


@contextmanager
def watched(mark: str) -> Iterator[Memory]:
    """Looks four times a second, from a thread of its own."""
    memory, over = Memory(mark), threading.Event()

    def look_on() -> None:
        while not over.wait(EVERY_S):
            memory.look()

    memory.look()
    looking = threading.Thread(target=look_on)
    looking.start()
    try:
        yield memory
    finally:
        over.set()
        looking.join()


def _pss_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0  # it has just ended
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
