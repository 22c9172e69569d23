"""Random bytes that stand for encrypted videos: no server can tell them apart."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from bench.peers.servers import WORK


@contextmanager
def film(size: int) -> Iterator[int]:
    """Yields the descriptor of a file of ``size`` random bytes, in the page cache once it is written."""
    path = WORK / "data" / f"film-{size}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.stat().st_size != size:
        path.write_bytes(os.urandom(size))
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
