"""Uploads: created, appended to, finished, and either claimed by a message or removed.

[Note: Acknowledged means durable] The row is committed and the file's name flushed before 201; the bytes are flushed
before 204 (setting `durability`), and before a HEAD tells them; the finish is committed after the bytes are flushed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Protocol

from sqlalchemy import Connection

from restante.protocol import limits
from restante.protocol.ids import Prefix, new_id
from restante.server.blobs.remote import ReadablePart, RemoteBlobs, RemoteFile
from restante.server.blobs.store import BlobFile, BlobMissing, BlobStore
from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.db.engine import Database
from restante.server.errors import Refusal, RetryLater
from restante.server.failpoints import failpoint
from restante.server.limits.service import Limiter
from restante.server.log import Log
from restante.server.plans.service import Plans
from restante.server.recent import Recent
from restante.server.sessions.actor import Actor, Caller
from restante.server.uploads import queries
from restante.server.uploads.access import Access, digest_of
from restante.server.uploads.durable import BUSY_RETRY_S, FULL_RETRY_S, Durable, full_or_busy
from restante.server.uploads.opened import Lease, OpenUpload, Shelf
from restante.server.uploads.sweeps import Sweeps

LEASE_WAIT_S = 4.0
"""How long a PATCH waits for another one that is alive, before 423."""
_LOOK_EVERY_S = 0.25
PIECE_BYTES = limits.MIB // 4
REMOTE_PIECE_BYTES = limits.MIB
"""Each costs a request."""
OPENED_FOR_S = 30.0
"""How long the kernel is trusted to have a file's entry at hand, so that opening it again needs no thread."""
_DRAIN_SHARE = 0.75
"""Of ``drain_s``: the rest is for the answers and the database."""


class Bury(Protocol):
    """A query that makes a tombstone and tells whether it did."""

    def __call__(self, connection: Connection, account_id: int, upload_id: str, *, now_ms: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class Created:
    """A new upload and the token that gives the right to it, told once."""

    upload: OpenUpload
    capability: str


class Uploads:
    """Every upload of this process; the offset of each is the size of its file."""

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        clock: Clock,
        settings: Settings,
        *,
        limiter: Limiter,
        plans: Plans,
        log: Log,
        key: bytes,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._access = Access(database, clock, key=key)
        self._remote = blobs if isinstance(blobs, RemoteBlobs) else None
        self._clock = clock
        self._settings = settings
        self._limiter = limiter
        self._plans = plans
        self._log = log
        self._shelf = Shelf()
        self._opened = Recent[str, str](clock, fresh_for_s=OPENED_FOR_S)
        self._sweeps = Sweeps(database, blobs, clock)
        self._durable = Durable(database, clock, settings, remote=self._remote, give_up=self._give_up)
        self._stopping = False

    # Life of the process

    async def start(self) -> None:
        """Starts flushing, and buries what a process that died had not created to the end."""
        if self._remote is not None:
            self._remote.attach(asyncio.get_running_loop())
        self._durable.start()
        if self._remote is None:  # of a remote one, row and blob are made in one transaction
            for each in await self._sweeps.never_created():
                await self._bury(each.account_id, each.id)

    async def stop(self) -> None:
        """Ends open requests with what they have, flushed; within ``drain_s``."""
        self.interrupt()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.drain_s * _DRAIN_SHARE):
                await self._shelf.drained()
        await self._durable.stop()
        self._shelf.close()
        if self._remote is not None:
            self._remote.close()

    def interrupt(self) -> None:
        """Takes no byte more: every writer flushes and answers 503, new ones are refused."""
        self._stopping = True
        self._shelf.fence_all()
        if self._remote is not None:
            self._remote.interrupt()

    @property
    def stopping(self) -> bool:
        """Whether the process ends and clients must come back later."""
        return self._stopping

    def now_ms(self) -> int:
        """The clock that dates bytes."""
        return self._clock.now_ms()

    def actor(self, account_id: int) -> str:
        """How the log calls an account."""
        return self._log.actor(account_id)

    @property
    def most_bytes(self) -> int:
        """Largest upload taken."""
        return self._settings.upload_bytes

    @property
    def piece_bytes(self) -> int:
        """How much of a blob is read at once."""
        return REMOTE_PIECE_BYTES if self._remote is not None else PIECE_BYTES

    def has_room(self) -> bool:
        """Whether the store has more than the operator wants to keep free."""
        return self._blobs.free_bytes() >= self._settings.keep_free_bytes

    # Creating and finding

    async def create(self, who: Actor | Caller, *, length: int | None) -> Created:
        """Creates an upload.

        Raises Refusal too-large, too-many-uploads, plan-limit, rate-limited, storage-full, busy.
        """
        if self._stopping:
            raise RetryLater("busy", seconds=BUSY_RETRY_S)
        if length is not None and length > self.most_bytes:
            raise Refusal("too-large", limit=self.most_bytes)
        free = self._blobs.free_bytes() if self._remote is None else None
        capability, now_ms = self._access.new_capability(who.account_id), self._clock.now_ms()
        row = queries.Upload(
            id=new_id(Prefix.UPLOAD),
            account_id=who.account_id,
            capability_sha256=digest_of(capability),
            length=length,
            created_at=now_ms,
            finished_at=None,
            message_id=None,
            gone_at=None,
            call_sha256=_by(who) or None,
        )
        await self._database.write(partial(self._add, row=row, free=free))
        failpoint("upload-row-committed")
        file = await self._create_blob(row)
        failpoint("upload-created")
        upload = self._shelf.put(OpenUpload.of(row, file, last_byte_ms=now_ms))
        if upload.complete:
            with self._shelf.using(upload):
                await self._durable.finish(upload)
        return Created(upload, capability)

    @asynccontextmanager
    async def access_upload(
        self, upload_id: str, token: str, who: Callable[[str], Awaitable[Actor]]
    ) -> AsyncIterator[OpenUpload]:
        """Gives an upload to who created it: its capability token, or a session (``who``) of the account.

        Raises Refusal upload-gone to them, not-found to others, not-signed-in where the token is nobody's. What is
        open in memory and asked for with its own token costs no database access.
        """
        upload = self._shelf.find(upload_id)
        if upload is not None and await self._access.owns(upload, token, who):
            upload = self._shelf.find(upload_id)  # again, since it may have been closed meanwhile
        else:
            upload = None
        if upload is None:
            upload = await self._open(await self._access.row(upload_id, token, who))
        with self._shelf.using(upload):
            if self._remote is not None:
                await self._catch_up(upload, self._remote)
            yield upload

    def using(self, upload: OpenUpload) -> AbstractContextManager[OpenUpload]:
        """Keeps a just created upload open meanwhile."""
        return self._shelf.using(upload)

    # Writing

    @asynccontextmanager
    async def appending(self, upload: OpenUpload) -> AsyncIterator[Lease]:
        """Gives the one right to write, from a stalled or dead holder if need be. Raises RetryLater locked, busy."""
        await self._wait_for_holder(upload)
        self.check_usable(upload)
        upload.fence()
        lease = upload.lease = Lease(upload, upload.epoch)
        try:
            await self.take(upload)
            yield lease
        finally:
            lease.ended.set()
            if upload.lease is lease:
                upload.lease = None

    async def take(self, upload: OpenUpload) -> None:
        """Takes the pen of a remote blob from other processes, so that its size is the truth. Raises Refusal upload-gone."""
        if self._remote is not None and upload.finished_at is None:
            await self._learn(upload, self._remote, RemoteFile.take)

    async def relieve(self, lease: Lease) -> None:
        """Stores what a body brought so far, where it would fill the memory. Raises Fenced, RetryLater."""
        if lease.upload.full:
            try:
                with lease.storing():
                    await self._durable.store(lease.upload)
            except Refusal as refusal:
                refusal.headers["connection"] = "close"
                raise

    def check_usable(self, upload: OpenUpload) -> None:
        """Raises Refusal upload-gone, or busy when the process ends."""
        if upload.gone:
            raise Refusal("upload-gone")
        if self._stopping:
            raise RetryLater("busy", seconds=BUSY_RETRY_S)

    async def declare_length(self, upload: OpenUpload, length: int) -> None:
        """Stores a length that was deferred; one that the size has reached is stored with the finish."""
        if upload.size < length and not await self._database.write(
            partial(queries.set_length, account_id=upload.account_id, upload_id=upload.id, length=length)
        ):
            raise Refusal("upload-gone")
        upload.length = length

    async def acknowledge(self, upload: OpenUpload) -> int:
        """Makes what is written as durable as promised, finishes it when it is complete; returns the offset to tell."""
        return await self._durable.acknowledge(upload)

    async def terminate(self, upload: OpenUpload) -> None:
        """Removes an upload for good. Raises Refusal upload-claimed when a message carries it."""
        if not await self._bury(upload.account_id, upload.id):
            raise Refusal("upload-gone" if upload.gone else "upload-claimed")
        failpoint("upload-terminated")

    # For messages and jobs

    def claim(
        self, connection: Connection, account_id: int, upload_id: str, message_id: str, *, by: bytes = b""
    ) -> int:
        """Gives a finished upload to a message within the transaction; returns its size in bytes.

        ``by`` is the call of a caller who made the upload for the account.

        Raises Refusal not-found, upload-gone, upload-unfinished, upload-claimed. The same claim twice is fine.
        """
        length = queries.claim(connection, account_id, upload_id, message_id, by=by)
        if length is None:
            raise _unclaimable(queries.find(connection, account_id, upload_id), by)
        return length

    async def open_blob(self, upload_id: str) -> BlobFile:
        """Opens a blob for reading; the caller closes it. Raises BlobMissing."""
        if self._remote is None and self._opened.find(upload_id):
            return self._blobs.open(upload_id)
        file = await asyncio.to_thread(self._blobs.open, upload_id)
        self._opened.keep(upload_id, upload_id, generation=self._opened.generation)
        return file

    async def read_blob(self, file: BlobFile, offset: int, length: int) -> bytes:
        """Reads a piece, in the event loop where that needs no waiting. Raises BlobMissing."""
        if self._remote is not None:
            return await self._remote.run(file.read, offset, length)
        return file.read_now(offset, length) or await asyncio.to_thread(file.read, offset, length)

    @property
    def reads_directly(self) -> bool:
        """Whether clients that can read from the bucket themselves are told where."""
        return self._remote is not None and self._settings.blob_reads == "direct"

    async def addresses(self, upload_id: str, start: int, end: int) -> list[ReadablePart]:
        """Where the bytes from ``start`` on may be read without us for a while. Raises BlobMissing."""
        assert self._remote is not None
        return await self._remote.ask(self._remote.addresses, upload_id, start, end)

    def blob_path(self, upload_id: str) -> str | None:
        """Where a blob is as a local file, for servers that send files by themselves; None when it is none."""
        path = self._blobs.path(upload_id)
        return None if path is None else str(path.absolute())

    async def delete_blob(self, upload_id: str, *, account_id: int | None) -> None:
        """Removes a blob and leaves a tombstone; a second time does nothing. ``account_id``: see ``queries.set_gone``."""
        self._shelf.drop(upload_id)
        await asyncio.to_thread(self._blobs.delete, upload_id)
        failpoint("blob-deleted")
        now_ms = self._clock.now_ms()
        await self._database.write(
            partial(queries.set_gone, account_id=account_id, upload_id=upload_id, now_ms=now_ms)
        )

    async def expire_unfinished(self, now_ms: int) -> int:
        """Ends what received no byte for 24 h; returns how many."""
        found = await self._sweeps.silent(now_ms)
        return sum([await self._bury(each.account_id, each.id, queries.bury_unfinished) for each in found])

    async def expire_unclaimed(self, now_ms: int) -> int:
        """Ends what was finished 24 h ago and sent with no message; returns how many."""
        found = await self._sweeps.unclaimed(now_ms)
        return sum([await self._bury(each.account_id, each.id) for each in found])

    async def sweep_orphans(self) -> int:
        """Removes blobs that no row needs and needed an hour ago; returns how many."""
        found = await self._sweeps.orphans()
        for blob_id in found:
            self._shelf.drop(blob_id)
            await asyncio.to_thread(self._blobs.delete, blob_id)
        return len(found) + await self._sweep_strays()

    async def sum_up(self) -> int:
        """Hashes finished blobs that nobody has hashed; returns how many. An object store keeps sums of its own, and is read only to join."""
        if self._remote is None:
            return await self._sweeps.sum_up()
        return await self._sweeps.join_up(self._remote) if self._settings.blob_join == "on" else 0

    async def forget_gone(self, now_ms: int) -> int:
        """Removes tombstones after 90 days; returns how many."""
        return await self._sweeps.forget_gone(now_ms)

    # Inside

    def _add(self, connection: Connection, *, row: queries.Upload, free: int | None) -> None:
        """``free`` bytes of a local disk, on which everybody's uploads lie; a bucket has no end, and nobody's are counted."""
        by = row.call_sha256 or b""
        account = f"{row.account_id}:{by.hex()}" if by else str(row.account_id)
        self._limiter.take(connection, "uploads", account, self._settings.rate_uploads)
        if not by:
            self._plans.check_may_upload(connection, row.account_id, now_ms=row.created_at)
        if queries.count_unfinished(connection, row.account_id, by=by) >= limits.UNFINISHED_UPLOADS:
            raise Refusal("too-many-uploads", limit=limits.UNFINISHED_UPLOADS)
        if free is not None:
            wanted = self.most_bytes if row.length is None else row.length
            reserved = queries.reserved_bytes(connection, deferred=self.most_bytes)
            if free < self._settings.keep_free_bytes + reserved + wanted:
                raise RetryLater("storage-full", seconds=FULL_RETRY_S)
        queries.add(connection, row)
        if self._remote is not None:
            queries.add_blob(connection, row.id, now_ms=row.created_at)

    async def _create_blob(self, row: queries.Upload) -> BlobFile:
        if self._remote is not None:
            return self._remote.created(row.id)
        try:
            return await asyncio.to_thread(self._blobs.create, row.id)
        except OSError as error:
            await self._bury(row.account_id, row.id)
            raise full_or_busy(error) from error

    async def _open(self, row: queries.Upload) -> OpenUpload:
        try:
            stat = await asyncio.to_thread(self._blobs.stat, row.id)
            file = await asyncio.to_thread(self._blobs.open, row.id)
        except BlobMissing as error:
            raise Refusal("upload-gone") from error
        return self._shelf.put(OpenUpload.of(row, file, last_byte_ms=stat.modified_ms))

    async def _catch_up(self, upload: OpenUpload, remote: RemoteBlobs) -> None:
        """Learns what other processes did to an upload whose blob is remote."""
        if upload.lease is not None:
            return
        row = await self._access.find(upload.id, upload.account_id)
        if row is None or row.gone_at is not None:
            self._shelf.drop(upload.id)
            raise Refusal("upload-gone")
        upload.finished_at = row.finished_at
        upload.length = upload.length if row.length is None else row.length
        await self._learn(upload, remote, RemoteFile.refresh)

    async def _learn(
        self, upload: OpenUpload, remote: RemoteBlobs, ask: Callable[[RemoteFile], None]
    ) -> None:
        assert isinstance(upload.file, RemoteFile)
        try:
            await remote.ask(ask, upload.file)
        except BlobMissing as error:
            self._shelf.drop(upload.id)
            raise Refusal("upload-gone") from error
        except OSError as error:
            raise full_or_busy(error) from error
        upload.size = upload.file.size()

    async def _sweep_strays(self) -> int:
        if self._remote is None:
            return 0
        return await self._remote.run(
            partial(
                self._remote.sweep_strays,
                now_s=self._clock.monotonic_s(),
                grace_s=limits.ORPHAN_GRACE.total_seconds(),
            )
        )

    async def _wait_for_holder(self, upload: OpenUpload) -> None:
        deadline_s = monotonic() + LEASE_WAIT_S
        while (holder := upload.lease) is not None and holder.alive:
            if monotonic() > deadline_s:
                raise RetryLater("locked", seconds=BUSY_RETRY_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await holder.ended.wait()

    async def _give_up(self, upload: OpenUpload) -> None:
        self._shelf.drop(upload.id)
        await self._bury(upload.account_id, upload.id)

    async def _bury(self, account_id: int, upload_id: str, query: Bury = queries.bury) -> bool:
        buried = await self._database.write(
            lambda connection: query(connection, account_id, upload_id, now_ms=self._clock.now_ms())
        )
        if buried:
            self._shelf.drop(upload_id)
        return buried


def _unclaimable(row: queries.Upload | None, by: bytes) -> Refusal:
    if row is None or (row.call_sha256 or b"") != by:
        return Refusal("not-found")
    if row.gone_at is not None:
        return Refusal("upload-gone")
    return Refusal("upload-unfinished" if row.finished_at is None else "upload-claimed")


def _by(who: Actor | Caller) -> bytes:
    """Names the call of a caller; empty for an account."""
    return who.call_sha256 if isinstance(who, Caller) else b""
