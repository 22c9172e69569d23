"""Looks at running processes from outside, through /proc: which belong together, what they hold, what is in their memory."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def group(leader: int) -> list[int]:
    """The processes of a group; zombies are not among them."""
    return sorted(pid for pid in _all() if _group_of(pid) == leader)


def memory(pid: int) -> Iterator[tuple[str, bytes]]:
    """Yields every readable region by name and place, and what it holds; not the unchanging parts of program files."""
    with (PROC / str(pid) / "mem").open("rb", buffering=0) as file:
        for line in (PROC / str(pid) / "maps").read_text().splitlines():
            span, modes, *_, name = [*line.split(maxsplit=5), ""][:6]
            start, end = (int(part, 16) for part in span.split("-"))
            if "w" in modes or ("r" in modes and not name.startswith("/")):
                with contextlib.suppress(OSError):  # the kernel's own pages; or unmapped meanwhile
                    yield f"{name or 'anonymous'}@{span}", os.pread(file.fileno(), end - start, start)


def open_files(pid: int) -> int:
    """How many descriptors it holds."""
    return len(list((PROC / str(pid) / "fd").iterdir()))


def sockets(pid: int) -> int:
    """How many of them are sockets."""
    count = 0
    for path in (PROC / str(pid) / "fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            count += str(path.readlink()).startswith("socket:")
    return count


def peak_bytes(pid: int) -> int:
    """The most that was ever resident."""
    lines = (PROC / str(pid) / "status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def resident_bytes(pid: int) -> int:
    """What is resident now; nothing of a process that is gone."""
    with contextlib.suppress(OSError):
        return os.sysconf("SC_PAGE_SIZE") * int((PROC / str(pid) / "statm").read_text().split()[1])
    return 0


def children(parent: int) -> list[int]:
    """Those that it started itself, in whatever group they are."""
    return sorted(pid for pid in _all() if (fields := _stat(pid)) and int(fields[1]) == parent)


def _all() -> Iterator[int]:
    return (int(path.name) for path in PROC.iterdir() if path.name.isdigit())


def _group_of(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[2]) if fields and fields[0] != "Z" else None


def _stat(pid: int) -> list[str]:
    """The fields of stat from the state on; the name before it may hold anything. None of a process that is gone."""
    with contextlib.suppress(OSError):
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return []
