"""What comes before every acknowledgement: bytes on the disk, and the finish in the database."""

import asyncio
import errno
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from restante.protocol import limits
from restante.server.blobs.flusher import Flusher
from restante.server.blobs.remote import Overtaken, RemoteBlobs
from restante.server.blobs.store import BlobMissing, BlobsFull
from restante.server.clock import Clock
from restante.server.config import Settings
from restante.server.db.engine import Database
from restante.server.errors import Refusal, RetryLater
from restante.server.failpoints import failpoint
from restante.server.standstill import Standstill
from restante.server.uploads import queries
from restante.server.uploads.opened import OpenUpload

FULL_RETRY_S = 60.0
BUSY_RETRY_S = 1.0
AHEAD_BYTES = 8 * limits.MIB
"""Where not every acknowledgement waits for the disk, it is still kept busy, so that the finish has little left to flush."""


class Durable:
    """Flushes and finishes uploads; ``give_up`` ends one of which nothing certain is left.

    [Note: Failed flush] After a failed flush nobody can know which of the unflushed bytes are stored, and asking again
    lies. So the file is cut back to what an earlier flush made certain, and the client sends on from there. Where no
    earlier flush is known (the process started since), the upload ends, and its client sends it anew. Of a remote blob the
    ledger says what is certain.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        *,
        remote: RemoteBlobs | None,
        give_up: Callable[[OpenUpload], Awaitable[object]],
    ) -> None:
        self._database = database
        self._clock = clock
        self._remote = remote
        # What is held for an object store does not survive the process either.
        self._every_byte = settings.durability == "power" or remote is not None
        self._standstill = Standstill(settings.data) if remote is None else None
        self._give_up = give_up
        self._flusher = Flusher()

    def start(self) -> None:
        """Starts the flusher."""
        self._flusher.start()

    async def stop(self) -> None:
        """Serves who still waits for a flush, then ends."""
        await asyncio.to_thread(self._flusher.stop)
        if self._standstill is not None:
            self._standstill.close()

    async def acknowledge(self, upload: OpenUpload) -> int:
        """Makes what is written as durable as promised, finishes it when it is complete; returns the offset to tell."""
        size = upload.size
        if upload.complete:
            await self.finish(upload)
        elif self._every_byte:
            await self._flush(upload, size)
        elif upload.ahead is None and size - (upload.durable or 0) >= AHEAD_BYTES:
            upload.ahead = asyncio.create_task(self._flush_ahead(upload, size))
            upload.ahead.add_done_callback(partial(_came_ahead, upload))
        if self._standstill is not None:
            self._standstill.check()
        failpoint("upload-before-ack")
        return size

    async def store(self, upload: OpenUpload) -> None:
        """Makes what is written so far durable; the answer waits for more."""
        await self._flush(upload, upload.size)

    async def finish(self, upload: OpenUpload) -> None:
        """Finishes an upload whose bytes are all there: flush, commit; any number of times, at once or later."""
        if upload.finished_at is not None:
            return
        if upload.finishing is None:
            upload.finishing = asyncio.create_task(self._finish(upload))
            upload.finishing.add_done_callback(partial(_finished, upload))
        await asyncio.shield(upload.finishing)

    async def _finish(self, upload: OpenUpload) -> None:
        with self._database.timing.of("upload-finish"):
            await self._flush_and_finish(upload)

    async def _flush_and_finish(self, upload: OpenUpload) -> None:
        assert upload.length is not None
        await self._flush(upload, upload.size)
        failpoint("upload-before-finish")
        now_ms = self._clock.now_ms()
        finished_at = await self._database.write(
            partial(
                queries.finish,
                account_id=upload.account_id,
                upload_id=upload.id,
                length=upload.length,
                now_ms=now_ms,
            )
        )
        if finished_at is None:
            raise Refusal("upload-gone")
        upload.finished_at = finished_at

    async def _flush(self, upload: OpenUpload, size: int) -> None:
        if upload.durable is not None and upload.durable >= size:
            return
        try:
            with self._database.timing.of("flush"):
                await self._flush_file(upload)
        except Overtaken as error:
            upload.fence()
            upload.resume()
            raise RetryLater("locked", seconds=BUSY_RETRY_S) from error
        except BlobMissing as error:
            raise Refusal("upload-gone") from error
        except OSError as error:
            await self._retreat(upload)
            raise full_or_busy(error) from error
        if upload.size < size:  # another flush of these bytes failed meanwhile
            raise RetryLater("busy", seconds=BUSY_RETRY_S)
        upload.durable = max(upload.durable or 0, size)

    async def _flush_file(self, upload: OpenUpload) -> None:
        if self._remote is None:
            await self._flusher.flush(upload.file)
        else:
            await self._remote.run(upload.file.flush)

    async def _flush_ahead(self, upload: OpenUpload, size: int) -> None:
        """Flushes while more comes. A file that was closed meanwhile has told its errors to who closed it."""
        try:
            await self._flusher.flush(upload.file)
        except OSError as error:
            if error.errno != errno.EBADF:
                await self._retreat(upload)
            return
        if upload.size >= size:
            upload.durable = max(upload.durable or 0, size)

    async def _retreat(self, upload: OpenUpload) -> None:
        if upload.durable is not None:
            with suppress(OSError):
                upload.step_back(upload.durable)
                return
        await self._give_up(upload)


def full_or_busy(error: OSError) -> RetryLater:
    """What a client hears of a disk that failed: full, or try again."""
    if isinstance(error, BlobsFull):
        return RetryLater("storage-full", seconds=FULL_RETRY_S)
    return RetryLater("busy", seconds=BUSY_RETRY_S)


def _came_ahead(upload: OpenUpload, task: asyncio.Task[None]) -> None:
    upload.ahead = None
    if not task.cancelled():
        task.exception()


def _finished(upload: OpenUpload, task: asyncio.Task[None]) -> None:
    upload.finishing = None
    if not task.cancelled():
        task.exception()
