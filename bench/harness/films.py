"""Random bytes that stand for encrypted videos: no server can tell them apart. And memory to write them to.

[Note: Warm memory] A virtual machine hands memory that has been free for a while back to its host, and pays for it again
at the first touch: five to ten times what storing a page costs otherwise, and more than most servers' whole work. Which
server pays would be chance. So a turn begins with a reserve of memory in use, and each request gives up as much of it as
it is about to send, just before: that is what the server's file is then made of, whoever serves and however fast. The
reserve is page cache of the same file system; anonymous memory or tmpfs does not help (measured: 0.9 CPU s/GB for a new
file, 0.9 with tmpfs given up, 0.2 with page cache given up).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from bench.peers.servers import WORK

_STEP = os.urandom(1 << 20)


class Reserve:
    """Page cache of a file without a name that nobody reads."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
        self._size = 0
        self._lock = Lock()

    def fill(self, size: int) -> None:
        """Takes memory until the reserve has the size."""
        for start in range(self._size, size, len(_STEP)):
            os.pwrite(self._file, _STEP[: size - start], start)
        self._size = max(size, self._size)

    def give(self, size: int) -> None:
        """Frees as much as is there, at most ``size``."""
        with self._lock:
            self._size = max(0, self._size - size)
            os.ftruncate(self._file, self._size)

    def close(self) -> None:
        os.close(self._file)


@dataclass(frozen=True, slots=True)
class Film:
    """An open file of random bytes, and the memory for its copies."""

    descriptor: int
    size: int
    reserve: Reserve


@contextmanager
def film(size: int) -> Iterator[Film]:
    """Yields a film in the page cache."""
    path = WORK / "data" / f"film-{size}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(size))
    reserve, descriptor = Reserve(path.parent), os.open(path, os.O_RDONLY)
    try:
        yield Film(descriptor, size, reserve)
    finally:
        os.close(descriptor)
        reserve.close()
        path.unlink()
