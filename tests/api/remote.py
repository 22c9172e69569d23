"""Servers whose blobs are objects: an object store in memory, or a real one, that a test can make sick."""

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
from obstore.store import MemoryStore

from restante.server.app import assemble
from restante.server.blobs.objects import Objects
from restante.server.blobs.remote import RemoteBlobs
from restante.server.blobs.s3 import S3Objects
from restante.server.config import Settings
from restante.server.edge.webapp import WebApp
from restante.server.storage import Storage, engines
from restante.signing.keys import SigningKey
from tests.api.inside import OPEN_HANDED, Inside, MovedClock, SickBlobs, _litestar, furnished
from tests.databases import url_for
from tests.laying import lay_schema


class SickObjects:
    """An object store that is down, loses the answers of its successes, or gives less than it was asked for."""

    def __init__(self, inner: Objects | None = None) -> None:
        self.inner = inner or S3Objects(MemoryStore())
        self.down = False
        self.losing = False
        self.short = False
        self.stored: dict[str, int] = {}
        self.before_answer: Callable[[], None] = lambda: None
        self.dice: random.Random | None = None

    def put(self, name: str, data: bytes) -> None:
        fault = self._fault()
        if self.down or fault == "down":
            raise OSError(5, "down")
        self.inner.put(name, data)
        self.stored[name] = len(data)
        self.before_answer()
        if self.losing or fault == "lost":
            raise OSError(5, "the answer is lost")

    def put_all(self, name: str, pieces: Iterator[bytes], *, size: int) -> None:
        self.put(name, b"".join(pieces))
        assert self.stored[name] == size

    def addresses(self, names: list[str], *, for_s: int) -> list[str]:
        return self.inner.addresses(names, for_s=for_s)

    def faults(self, name: str, *, read_by: tuple[str, ...] | None) -> Iterator[str]:
        return self.inner.faults(name, read_by=read_by)

    def get(self, name: str, start: int, length: int) -> bytes:
        if self.down:
            raise OSError(5, "down")
        return self.inner.get(name, start, length)[: length - 1 if self.short else None]

    def names(self, prefix: str = "") -> Iterator[str]:
        return self.inner.names(prefix)

    def delete(self, names: list[str]) -> None:
        self.inner.delete(names)

    def all(self) -> set[str]:
        return set(self.inner.names(""))

    def _fault(self) -> str:
        return self.dice.choice(["", "", "down", "lost"]) if self.dice else ""


class Node(Inside):
    """A server inside this process, on a database and a bucket that others may use too."""

    def __init__(self, folder: Path, objects: Objects, **settings: Any) -> None:
        lay_schema(folder)
        everything = Settings(data=folder, database_url=url_for(folder), **OPEN_HANDED | settings)
        self.clock = MovedClock()
        self.blobs = SickBlobs(folder / "blobs")
        storage = Storage(*engines(everything), self.blobs, SigningKey.generate(), objects)
        self.house = furnished(everything, self.clock, storage)
        self.control = _litestar(self.house)
        self.app = assemble(self.house, self.control, WebApp({}))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://inside")

    @property
    def remote(self) -> RemoteBlobs:
        """Its blobs, with their objects."""
        blobs = self.house.uploads._blobs
        assert isinstance(blobs, RemoteBlobs)
        return blobs


class Gate:
    """Holds up whoever comes, until it is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self.opened.wait(20)
