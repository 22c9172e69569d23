"""Uploads that are open in memory: their file, how far it is, and who may write to it.

[Note: One writer] The right to append is a lease with an epoch. Taking it, or a HEAD, raises the epoch; whoever held it
finds that out before the next write and changes nothing any more, whatever it still receives. So nobody ever waits for a
dead client, and two writers never mix. An open upload lives in one process; its offset is the size of its file.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic

from restante.server.blobs.remote import RemoteFile
from restante.server.blobs.store import BlobFile
from restante.server.uploads.queries import Upload

STALLED_S = 1.0
"""A writer that heard nothing for so long gives way to a newer one."""
IDLE_FILES = 256
"""Open files kept for uploads that nobody is just now talking to."""


class Fenced(Exception):
    """The lease was taken away; what was written stays."""


@dataclass(slots=True, eq=False)
class OpenUpload:
    """An upload with its file. ``size`` bytes are written, ``durable`` of them survive power loss (None: not known)."""

    id: str
    account_id: int
    capability_sha256: bytes
    created_at: int
    length: int | None
    finished_at: int | None
    file: BlobFile
    size: int
    last_byte_ms: int
    durable: int | None = 0
    by_caller: bool = False
    gone: bool = False
    users: int = 0
    epoch: int = 0
    lease: "Lease | None" = None
    finishing: "asyncio.Task[None] | None" = field(default=None, repr=False)
    ahead: "asyncio.Task[None] | None" = field(default=None, repr=False)

    @classmethod
    def of(cls, row: Upload, file: BlobFile, *, last_byte_ms: int) -> "OpenUpload":
        """Opens what a row names; of bytes that were in a file before it is not known whether they were flushed."""
        size = file.size()
        return cls(
            id=row.id,
            account_id=row.account_id,
            capability_sha256=row.capability_sha256,
            created_at=row.created_at,
            length=row.length,
            finished_at=row.finished_at,
            file=file,
            size=size,
            last_byte_ms=last_byte_ms,
            durable=None if size and not isinstance(file, RemoteFile) else size,
            by_caller=row.call_sha256 is not None,
        )

    @property
    def complete(self) -> bool:
        """Whether every announced byte is there."""
        return self.length is not None and self.size == self.length

    @property
    def full(self) -> bool:
        """Whether what was written has to be stored before more is written, so that memory stays flat."""
        return isinstance(self.file, RemoteFile) and self.file.full

    def resume(self) -> None:
        """Goes on from where a remote blob is, whoever brought it there."""
        self.size = self.durable = self.file.size()

    def step_back(self, size: int) -> None:
        """Forgets what was written beyond the size; whoever writes just now is fenced."""
        self.fence()
        self.file.truncate(size)
        self.size = size

    def fence(self) -> None:
        """Takes the lease away from whoever has it."""
        self.epoch += 1
        if self.lease is not None:
            self.lease.interrupt()


@dataclass(slots=True, eq=False)
class Lease:
    """The right to append to one upload, until the epoch passes."""

    upload: OpenUpload
    epoch: int
    heard_at_s: float = field(default_factory=monotonic)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _scope: asyncio.Timeout | None = None

    def append(self, data: bytes, *, now_ms: int) -> None:
        """Writes at the end. Raises Fenced, BlobsFull; what went in before an error stays and counts."""
        upload = self.upload
        if upload.epoch != self.epoch:
            raise Fenced
        self.heard_at_s = monotonic()
        upload.last_byte_ms = now_ms
        try:
            upload.size += upload.file.write(upload.size, data)
        except OSError:
            upload.size = upload.file.size()
            raise

    @property
    def alive(self) -> bool:
        """Whether to wait for the holder: it received bytes lately, or it has them all and is flushing."""
        if self.epoch != self.upload.epoch:
            return False
        return self._scope is None or monotonic() - self.heard_at_s < STALLED_S

    @contextmanager
    def storing(self) -> Iterator[None]:
        """Holds the pen while what was received is stored, however long that takes. Raises Fenced afterwards."""
        scope, self._scope = self._scope, None
        try:
            yield
        finally:
            self._scope = scope
            self.heard_at_s = monotonic()
        if self.upload.epoch != self.epoch:
            raise Fenced

    @contextmanager
    def noticing(self, scope: asyncio.Timeout) -> Iterator[None]:
        """Names the timeout that an interruption fires while the holder waits for its client."""
        self._scope = scope
        try:
            yield
        finally:
            self._scope = None

    def interrupt(self) -> None:
        """Wakes the holder, if it waits for its client."""
        if self._scope is not None:
            with suppress(RuntimeError):
                self._scope.reschedule(asyncio.get_running_loop().time())


class Shelf:
    """All open uploads by id; closes the files of those that have not been used for longest."""

    def __init__(self, *, idle_files: int = IDLE_FILES) -> None:
        self._open: dict[str, OpenUpload] = {}
        self._idle: OrderedDict[str, OpenUpload] = OrderedDict()
        self._idle_files = idle_files
        self._left = asyncio.Event()

    def find(self, upload_id: str) -> OpenUpload | None:
        return self._open.get(upload_id)

    def put(self, upload: OpenUpload) -> OpenUpload:
        """Adds an upload, or closes it again when another request was quicker; returns the one that counts."""
        standing = self._open.setdefault(upload.id, upload)
        if standing is not upload:
            upload.file.close()
        elif not upload.users:
            self._rest(upload)
        return standing

    @contextmanager
    def using(self, upload: OpenUpload) -> Iterator[OpenUpload]:
        """Keeps the file open meanwhile, and for a while after unless the upload is finished."""
        upload.users += 1
        self._idle.pop(upload.id, None)
        try:
            yield upload
        finally:
            upload.users -= 1
            if not upload.users:
                self._leave(upload)
                self._left.set()

    def drop(self, upload_id: str) -> None:
        """Forgets an upload that is gone: its writer ends, and its file closes after the last use."""
        upload = self._open.pop(upload_id, None)
        if upload is None:
            return
        upload.gone = True
        upload.fence()
        self._idle.pop(upload_id, None)
        if not upload.users:
            upload.file.close()

    def fence_all(self) -> None:
        """Takes every lease away."""
        for upload in self._open.values():
            upload.fence()

    async def drained(self) -> None:
        """Returns when no request works on any upload."""
        while len(self._open) > len(self._idle):
            self._left.clear()
            await self._left.wait()

    def close(self) -> None:
        """Closes every file."""
        for upload in self._open.values():
            upload.file.close()
        self._open.clear()
        self._idle.clear()

    def _leave(self, upload: OpenUpload) -> None:
        if upload.finished_at is not None and self._open.get(upload.id) is upload:
            del self._open[upload.id]
        self._rest(upload)

    def _rest(self, upload: OpenUpload) -> None:
        if self._open.get(upload.id) is not upload:
            upload.file.close()
            return
        self._idle[upload.id] = upload
        while len(self._idle) > self._idle_files:
            _, oldest = self._idle.popitem(last=False)
            del self._open[oldest.id]
            oldest.file.close()
