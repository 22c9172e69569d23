"""A server's rooms in this process, on a real SQLite file and real blobs, with a clock that a test turns."""

import asyncio
import hashlib
import io
import os
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import insert, text

from restante.protocol.encoding import b64
from restante.protocol.ids import Prefix, new_id
from restante.protocol.wire import Send
from restante.server.blobs.local import LocalBlobs
from restante.server.config import Settings
from restante.server.db import tables
from restante.server.db.agreement import DISAGREEMENTS
from restante.server.house import furnish
from restante.server.messages.rules import Parcel
from restante.server.sessions.actor import Actor
from restante.server.sessions.service import NewSession
from restante.server.uploads.opened import OpenUpload
from tests.api.people import sealed
from tests.databases import url_for
from tests.laying import lay_schema

T = TypeVar("T")

START_MS = 1_900_000_000_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


@dataclass
class TurnedClock:
    """Stands still until it is turned; the wall and the monotonic clock can be turned apart."""

    wall_ms: int = START_MS
    monotonic_ms: int = 5_000_000

    def now_ms(self) -> int:
        return self.wall_ms

    def monotonic_s(self) -> float:
        return self.monotonic_ms / 1000

    def pass_ms(self, milliseconds: int) -> None:
        """Time passes."""
        self.wall_ms += milliseconds
        self.monotonic_ms += milliseconds

    def jump_ms(self, milliseconds: int) -> None:
        """Somebody sets the wall clock."""
        self.wall_ms += milliseconds


class Household:
    """One process; nothing runs beside what a test asks for. Close it, and another may go on with the same folder."""

    def __init__(self, folder: Path, clock: TurnedClock, **settings: Any) -> None:
        generous = {"rate_uploads": "100000/1s", "rate_sends": "100000/1s", "keep_free_bytes": 0}
        self.clock = clock
        self.log = io.StringIO()
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        lay_schema(folder)
        settings = {"database_url": url_for(folder), **generous, **settings}
        self.house = furnish(Settings(data=folder, **settings), clock, log_to=self.log)
        self.house.database.start()
        self.run(self.house.uploads.start())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)

    def close(self) -> None:
        assert self.disagreements() == []
        self.run(self.house.close())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def account(self, name: str) -> Actor:
        def work(connection: Any) -> int:
            row = insert(tables.accounts).values(name=name, created_at=self.clock.now_ms())
            return int(connection.execute(row.returning(tables.accounts.c.id)).scalar_one())

        account_id = self.run(self.house.database.write(work))
        return Actor(account_id, name, f"ses_{name}", "cli")

    def session(self, actor: Actor) -> NewSession:
        def work(connection: Any) -> NewSession:
            return self.house.sessions.create(connection, actor.account_id, "cli")

        return self.run(self.house.database.write(work))

    def upload(self, actor: Actor, data: bytes, *, length: int | None = None) -> str:
        """Uploads the bytes; it is unfinished when ``length`` announces more."""

        async def work() -> str:
            created = await self.house.uploads.create(actor, length=len(data) if length is None else length)
            await self._append(created.upload, data)
            return created.upload.id

        return self.run(work())

    def resume(self, actor: Actor, upload_id: str, data: bytes) -> None:
        """Appends to an upload. Raises Refusal."""

        async def who(_: str) -> Actor:
            await asyncio.sleep(0)
            return actor

        async def work() -> None:
            async with self.house.uploads.access_upload(upload_id, "no capability", who) as upload:
                await self._append(upload, data)

        self.run(work())

    async def _append(self, upload: OpenUpload, data: bytes) -> None:
        uploads = self.house.uploads
        async with uploads.appending(upload) as lease:
            lease.append(data, now_ms=self.clock.now_ms())
            await uploads.acknowledge(upload)
        path = LocalBlobs(self._folder / "blobs").path(upload.id)
        os.utime(path, ns=(self.clock.now_ms() * 1_000_000,) * 2)  # the disk lives by the same clock

    def send(self, sender: Actor, parcel: Parcel, key: str | None = None) -> None:
        self.run(self.house.messages.send(sender, key or b64(os.urandom(12)), parcel))

    def sweep(self) -> dict[str, int]:
        """One sweep, and then what it left to the outbox."""
        counts = self.run(self.house.jobs.sweeper.run())
        self.run(self.house.jobs.dispatcher.run())
        return counts

    def blobs(self) -> dict[str, bytes]:
        """Everything that lies in the store."""
        return {
            path.name: path.read_bytes() for path in (self._folder / "blobs").rglob("*") if path.is_file()
        }

    def disagreements(self) -> list[str]:
        """What two rows that must say the same do not."""

        def work(connection: Any) -> list[str]:
            return [
                f"{row[0]}: {wrong}"
                for wrong, ask in DISAGREEMENTS.items()
                for row in connection.execute(text(ask))
            ]

        return self.run(self.house.database.read(work))

    def rows(self, table: str) -> list[Any]:
        whole = tables.metadata.tables[table].select()
        return self.run(self.house.database.read(lambda connection: list(connection.execute(whole))))


def parcel_for(names: Iterable[str], *, upload: str | None = None, expires_at: int | None = None) -> Parcel:
    """A parcel as the form hands it to the service."""
    details = sealed(200)
    recipients = list(names)
    message = Send(
        id=new_id(Prefix.MESSAGE),
        kind="text" if upload is None else "video",
        details_sha256=b64(hashlib.sha256(details).digest()),
        recipients=recipients,
        upload=upload,
        expires_at=expires_at,
    )
    envelopes = {name: sealed(100) for name in recipients}
    return Parcel(message, details, envelopes, sealed(100), digest=os.urandom(32))
