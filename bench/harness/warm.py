"""Memory for files that a turn leaves behind.

[Note: Warm memory] A virtual machine hands memory that has been free for a while back to its host, and pays for it again at
the first touch: several times what storing a page costs otherwise. Which server pays would be chance. Uploads that are
deleted after each turn leave their memory to the next one. Messages stay; so their turn begins with a reserve of memory
in use, page cache of the same file system, and gives up some of it before each message, whoever serves.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from bench.peers.servers import WORK

_STEP = os.urandom(1 << 20)


class Reserve:
    """Page cache of a file without a name that nobody reads."""

    def __init__(self, file: int) -> None:
        self._file = file
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


@contextmanager
def reserve() -> Iterator[Reserve]:
    """Yields an empty reserve on the disk of the servers' data."""
    file = os.open(WORK / "data", os.O_TMPFILE | os.O_RDWR, 0o600)
    try:
        yield Reserve(file)
    finally:
        os.close(file)
