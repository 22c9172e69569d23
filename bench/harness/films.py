"""Random bytes that stand for encrypted videos: no server can tell them apart."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.peers.servers import WORK


@dataclass(frozen=True, slots=True)
class Film:
    """An open file of random bytes."""

    descriptor: int
    size: int


@contextmanager
def film(size: int) -> Iterator[Film]:
    """Yields a film in the page cache."""
    path = WORK / "data" / f"film-{size}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(size))
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield Film(descriptor, size)
    finally:
        os.close(descriptor)
        path.unlink()
