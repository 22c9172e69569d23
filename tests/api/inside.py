"""The whole server in this process, on a real database, where a test brings its own clock or a disk that fails."""

import asyncio
import contextlib
import errno
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
from litestar import Litestar

from restante.server import app as composition
from restante.server.app import assemble, build_litestar
from restante.server.blobs.local import LocalBlobFile, LocalBlobs
from restante.server.blobs.store import BlobsFull
from restante.server.clock import SystemClock
from restante.server.config import Settings
from restante.server.edge.webapp import WebApp
from restante.server.house import House, furnish
from restante.server.storage import Storage, engines
from restante.signing.keys import SigningKey
from tests.api.people import sign_up_form
from tests.databases import url_for
from tests.laying import lay_schema

OPEN_HANDED: dict[str, Any] = {
    "keep_free_bytes": 0,
    "rate_sign_up": "100000/1s",
    "rate_sign_in": "100000/1s",
    "rate_passkeys": "100000/1s",
    "rate_uploads": "100000/1s",
    "sweep_every_s": 3600.0,
}


class MovedClock(SystemClock):
    """The machine's clock, plus what the test adds."""

    ahead_s = 0.0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + int(self.ahead_s * 1000)

    def monotonic_s(self) -> float:
        return time.monotonic() + self.ahead_s


class SickBlobs(LocalBlobs):
    """Local files on a disk that can fill up, or lose the power to flush."""

    room_bytes = 2**40
    flush_error: OSError | None = None

    def create(self, blob_id: str) -> LocalBlobFile:
        if not self.room_bytes:
            raise BlobsFull(errno.ENOSPC, "full")
        return self._sick(super().create(blob_id))

    def open(self, blob_id: str) -> LocalBlobFile:
        return self._sick(super().open(blob_id))

    def _sick(self, file: LocalBlobFile) -> LocalBlobFile:
        descriptor, file._descriptor = file._descriptor, -1
        return SickFile(descriptor, self)


class SickFile(LocalBlobFile):
    def __init__(self, descriptor: int, disk: SickBlobs) -> None:
        super().__init__(descriptor)
        self._disk = disk

    def write(self, offset: int, data: bytes) -> int:
        fits = min(len(data), self._disk.room_bytes)
        self._disk.room_bytes -= fits
        super().write(offset, data[:fits])
        if fits < len(data):
            raise BlobsFull(errno.ENOSPC, "full")
        return fits

    def flush(self) -> None:
        if self._disk.flush_error is not None:
            raise self._disk.flush_error
        super().flush()


_idle: list[Litestar] = []
"""JSON sides of houses that are closed."""


def _litestar(house: House) -> Litestar:
    """The JSON side, taken over from a house that is closed, since making one takes longer than most tests.

    All that belongs to the house is in its state.
    """

    def taken_over(**parts: Any) -> Litestar:
        if not _idle:
            return Litestar(**parts)
        litestar = _idle.pop()
        litestar.state = parts["state"]
        return litestar

    with mock.patch.object(composition, "Litestar", taken_over):
        return build_litestar(house)


def furnished(settings: Settings, clock: MovedClock, storage: Storage) -> House:
    """Makes a house; one that refuses to begin leaves no connection behind, as its process would."""
    try:
        return furnish(settings, clock, storage)
    except Exception:
        for engine in (storage.writer, *storage.readers):
            engine.dispose()
        raise


class Inside:
    """A running house, its disk and its clock; ``client`` speaks to it without a network."""

    def __init__(self, folder: Path, *, log_key: SigningKey | None = None, **settings: Any) -> None:
        lay_schema(folder)
        everything = Settings(data=folder, database_url=url_for(folder), **OPEN_HANDED | settings)
        self.clock = MovedClock()
        self.blobs = SickBlobs(folder / "blobs")
        log_key = log_key or SigningKey.generate()
        storage = Storage(*engines(everything), self.blobs, log_key)
        self.house = furnished(everything, self.clock, storage)
        self.control = _litestar(self.house)
        self.app = assemble(self.house, self.control, WebApp({}))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://inside")

    async def sign_up(self, name: str) -> dict[str, str]:
        """Makes an account; returns the header that speaks for it."""
        answer = await self.client.post("/api/v1/accounts", json=sign_up_form(name))
        assert answer.status_code == 201, answer.text
        return {"authorization": f"Bearer {answer.json()['token']}"}

    async def close(self) -> None:
        """Closes the house, whose JSON side another may have then."""
        await self.client.aclose()
        await self.house.close()
        _idle.append(self.control)


@contextlib.asynccontextmanager
async def opened(folder: Path, **settings: Any) -> AsyncIterator[Inside]:
    inside = Inside(folder, **settings)
    await inside.house.open()
    try:
        yield inside
    finally:
        await inside.close()


def run(folder: Path, scenario: Callable[[Inside], Awaitable[None]], **settings: Any) -> None:
    """Runs the scenario in a house of its own."""

    async def main() -> None:
        async with opened(folder, **settings) as inside:
            await asyncio.wait_for(scenario(inside), 60)

    asyncio.run(main())
