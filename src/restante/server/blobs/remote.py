"""Blobs as objects of a bucket, for installations that one disk does not hold.

[Note: The ledger decides] An object store has no append and knows no order. So each acknowledged piece is an object whose name is
never used for other bytes, and it counts once the ledger, which is in the database, took it at the blob's end under the
writer's epoch. Whoever raised the epoch since has the pen: what another still stores is a stray, which nobody reads and a
sweep removes. So a lost answer, a death between the two steps and two writers at once end alike: what was acknowledged is
in the ledger, and everything else never was.
"""

import asyncio
import errno
import re
import secrets
import threading
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from restante.protocol import limits
from restante.protocol.ids import Prefix, is_id
from restante.server.blobs import joining
from restante.server.blobs.ledger import Ledger, Part
from restante.server.blobs.objects import Objects
from restante.server.blobs.store import BlobMissing, BlobStat
from restante.server.failpoints import failpoint

T = TypeVar("T")

SEGMENT_BYTES = 4 * limits.MIB
"""Largest object, and so the most that a body keeps in memory."""
THREADS = 32
"""Requests to the object store at once."""
LOOK_EVERY_S = 1800.0
"""How often the whole bucket is listed for strays: each time costs one request per thousand objects."""
ADDRESSES = 64
"""Most addresses handed out at once: some seconds to minutes of a video, in some ten kilobytes."""
READABLE_S = 300
"""How long an address may be read: so long whoever got it reads on after a message was deleted or a session ended."""
_ROOM = 2**62
_NAME = re.compile(r"(upl_[0-9a-z]+)/[0-9]{15}-[0-9a-f]{16}\Z")
_PROBE = "probe-"
_ASKED = 500
_THE_BUCKET = "the bucket of RESTANTE_BLOB_URL"


class Overtaken(OSError):
    """Somebody else took the pen: what was written since is not stored."""


@dataclass(frozen=True, slots=True)
class ReadablePart:
    """Bytes of a blob, and the address where a client may read them for ``READABLE_S``."""

    offset: int
    size: int
    url: str


class UnusableBlobs(RuntimeError):
    """The object store does not do what is needed of it; the text says what."""


class RemoteFile:
    """An open blob: what the ledger has, and after it what is in memory still."""

    def __init__(self, objects: Objects, ledger: Ledger, blob_id: str, *, epoch: int, stored: int) -> None:
        self._objects = objects
        self._ledger = ledger
        self._id = blob_id
        self._epoch = epoch
        self._stored = stored
        self._parts: list[Part] = []
        self._pending: list[bytes] = []
        self._held = 0
        self._state = threading.Lock()
        self._turn = threading.Lock()
        """One who flushes or takes the pen at a time."""

    def size(self) -> int:
        """What is stored and what is held."""
        with self._state:
            return self._stored + self._held

    @property
    def full(self) -> bool:
        """Whether so much is held in memory that it has to be stored before more comes."""
        return self._held >= SEGMENT_BYTES

    def write(self, offset: int, data: bytes) -> int:
        """Holds the data until the next flush."""
        with self._state:
            if offset != self._stored + self._held:
                raise Overtaken(errno.ESTALE, "the blob does not end there")
            self._pending.append(bytes(data))
            self._held += len(data)
        return len(data)

    def flush(self) -> None:
        """Stores what is held as one object, and enters that. Raises Overtaken, OSError."""
        with self._turn:
            with self._state:
                pieces, at, epoch = list(self._pending), self._stored, self._epoch
            if not pieces:
                return
            data = b"".join(pieces)
            part = Part(at, len(data), f"{self._id}/{at:015d}-{secrets.token_hex(8)}")
            failpoint("blob-before-object")
            self._objects.put(part.name, data)
            failpoint("blob-object-stored")
            if not self._ledger.add(self._id, epoch, part):
                self._adopt()
                raise Overtaken(errno.ESTALE, "another writer has the blob")
            failpoint("blob-object-entered")
            with self._state:
                self._stored = part.end
                if self._pending:  # else it was truncated meanwhile
                    del self._pending[: len(pieces)]
                    self._held -= len(data)

    def take(self) -> None:
        """Takes the pen from every other process; then ``size`` is the truth. Raises BlobMissing."""
        with self._turn:
            taken = self._ledger.take(self._id)
            if taken is None:
                raise BlobMissing(self._id)
            if (taken.epoch, taken.size) != (self._epoch + 1, self._stored):
                self._drop()
            with self._state:
                self._epoch, self._stored = taken.epoch, taken.size

    def refresh(self) -> None:
        """Learns what other processes wrote since, unless this one has the pen still. Raises BlobMissing."""
        with self._turn:
            self._adopt()

    def truncate(self, size: int) -> None:
        """Forgets what is held beyond the size; what is stored stays."""
        with self._state:
            keep = max(0, size - self._stored)
            held = b"".join(self._pending)[:keep]
            self._pending, self._held = ([held] if held else []), len(held)

    def read(self, offset: int, length: int) -> bytes:
        """Reads across objects; each answer is held against the length that was asked for. Raises BlobMissing, OSError."""
        with self._state:
            stored, held = self._stored, list(self._pending)
        end = min(offset + length, stored)
        try:
            pieces = self._read_parts(offset, end)
        except BlobMissing:
            self._parts = []  # they were joined since, or it is gone
            pieces = self._read_parts(offset, end)
        if held and offset + length > stored:
            start = max(0, offset - stored)
            pieces.append(b"".join(held)[start : offset + length - stored])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read_now(self, offset: int, length: int) -> bytes:  # noqa: ARG002 - the contract's names
        """Nothing is at hand."""
        return b""

    def close(self) -> None:
        """Lets go of what is held."""
        self._drop()

    def _drop(self) -> None:
        with self._state:
            self._pending, self._held = [], 0

    def _adopt(self) -> None:
        standing = self._ledger.find(self._id)
        if standing is None:
            self._drop()
            raise BlobMissing(self._id)
        if (standing.epoch, standing.size) != (self._epoch, self._stored):
            self._drop()
            with self._state:
                self._epoch, self._stored = standing.epoch, standing.size

    def _parts_of(self, offset: int, end: int) -> list[Part]:
        if offset >= end:
            return []
        if not self._parts or self._parts[-1].end < end:
            self._parts = self._ledger.parts(self._id)
            if not self._parts or self._parts[-1].end < end:
                raise BlobMissing(self._id)
        first = bisect_right(self._parts, offset, key=lambda part: part.offset) - 1
        last = bisect_right(self._parts, end - 1, key=lambda part: part.offset)
        return self._parts[first:last]

    def addresses(self, start: int, end: int) -> list[ReadablePart]:
        """Where the bytes from ``start`` on may be read without us: as many as are told at once, none beyond ``end``. Raises BlobMissing."""
        parts = self._parts_of(start, min(end, self._stored))[:ADDRESSES]
        urls = self._objects.addresses([part.name for part in parts], for_s=READABLE_S)
        return [ReadablePart(part.offset, part.size, url) for part, url in zip(parts, urls, strict=True)]

    def _read_parts(self, offset: int, end: int) -> list[bytes]:
        parts = self._parts_of(offset, end)
        return [self._read_part(part, max(offset, part.offset), min(end, part.end)) for part in parts]

    def _read_part(self, part: Part, start: int, end: int) -> bytes:
        try:
            data = self._objects.get(part.name, start - part.offset, end - start)
        except FileNotFoundError as error:
            raise BlobMissing(self._id) from error
        if len(data) != end - start:
            raise OSError(errno.EIO, "the object store answered with another length")
        return data


class RemoteBlobs:
    """A BlobStore over an object store and a ledger, which may be shared by several processes."""

    def __init__(self, objects: Objects, ledger: Ledger) -> None:
        self._objects = objects
        self._ledger = ledger
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="objects")
        self._asking = ThreadPoolExecutor(THREADS, thread_name_prefix="ledger")
        self._strays: dict[str, float] = {}
        self._looked_at_s: float | None = None
        self._stopping = threading.Event()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Names the loop on which the ledger's database is asked."""
        self._ledger.attach(loop)

    async def run(self, call: Callable[..., T], *args: object) -> T:
        """Calls what may wait for the object store, in threads of its own: nothing else stands still with it."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)

    async def ask(self, call: Callable[..., T], *args: object) -> T:
        """Calls what asks the ledger only, and so does not queue behind an object store that is slow."""
        return await asyncio.get_running_loop().run_in_executor(self._asking, call, *args)

    def interrupt(self) -> None:
        """Ends what may take long and can be begun anew."""
        self._stopping.set()

    def close(self) -> None:
        """Ends the threads, without waiting for an object store that does not answer."""
        self._asking.shutdown(wait=False, cancel_futures=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def create(self, blob_id: str) -> RemoteFile:
        """Enters an empty blob."""
        self.path(blob_id)
        if not self._ledger.create(blob_id):
            raise FileExistsError(blob_id)
        failpoint("blob-created")
        return RemoteFile(self._objects, self._ledger, blob_id, epoch=0, stored=0)

    def created(self, blob_id: str) -> RemoteFile:
        """Opens an empty blob that was entered together with what it is for."""
        return RemoteFile(self._objects, self._ledger, blob_id, epoch=0, stored=0)

    def open(self, blob_id: str) -> RemoteFile:
        """Opens for reading, and for appending after ``take``."""
        self.path(blob_id)
        standing = self._ledger.find(blob_id)
        if standing is None:
            raise BlobMissing(blob_id)
        return RemoteFile(self._objects, self._ledger, blob_id, epoch=standing.epoch, stored=standing.size)

    def path(self, blob_id: str) -> None:
        """No local file to name."""
        if not is_id(blob_id, Prefix.UPLOAD):
            raise BlobMissing(blob_id)

    def addresses(self, blob_id: str, start: int, end: int) -> list[ReadablePart]:
        """Where a blob may be read without us, see ``RemoteFile.addresses``."""
        return self.open(blob_id).addresses(start, end)

    def join(self, blob_id: str) -> bytes | None:
        """Makes one object of a finished blob, see ``joining``; None also when the process ends meanwhile."""
        try:
            return joining.join(self._objects, self._ledger, blob_id, stopping=self._stopping.is_set)
        except OSError:
            if self._stopping.is_set():
                return None
            raise

    def stat(self, blob_id: str) -> BlobStat:
        """Size and time of the last entry."""
        self.path(blob_id)
        standing = self._ledger.find(blob_id)
        if standing is None:
            raise BlobMissing(blob_id)
        return BlobStat(blob_id, standing.size, standing.modified_ms)

    def delete(self, blob_id: str) -> None:
        """Takes it out of the ledger first, so that nobody appends meanwhile; a second time removes what a first one left."""
        if not is_id(blob_id, Prefix.UPLOAD):
            return
        self._ledger.forget(blob_id)
        self._remove(list(self._objects.names(f"{blob_id}/")))

    def list(self) -> Iterator[BlobStat]:
        """What the ledger has."""
        return iter(self._ledger.all())

    def free_bytes(self) -> int:
        """A bucket has no end; what it costs is the operator's plan."""
        return _ROOM

    def sweep_strays(self, *, now_s: float, grace_s: float) -> int:
        """Removes objects that are in no ledger and were not, ``grace_s`` of monotonic time ago either; returns how many.

        Whoever stored such an object and sleeps since finds, when it wakes, that the pen was taken before its object went.
        """
        if self._looked_at_s is not None and now_s - self._looked_at_s < LOOK_EVERY_S:
            return 0
        self._looked_at_s = now_s
        seen: dict[str, float] = {}
        for names in batched_names(self._objects.names("")):
            for name in set(names) - self._ledger.known(names):
                seen[name] = self._strays.get(name, now_s)
        self._strays = seen
        old = [name for name, since_s in seen.items() if now_s - since_s >= grace_s]
        for blob_id in {name.partition("/")[0] for name in old} - {""}:
            self._ledger.take(blob_id)
        leaving = [name for names in batched_names(old) for name in set(names) - self._ledger.known(names)]
        self._remove(leaving)
        return len(leaving)

    def check(self, *, read_by: tuple[str, ...] | None = None) -> None:
        """Stores, reads, lists and removes an object, and looks at what the store does by itself; ``read_by``: see ``Objects.faults``.

        Raises UnusableBlobs.
        """
        objects, name, data = self._objects, f"{_PROBE}{secrets.token_hex(8)}", secrets.token_bytes(64)
        _tried("store objects", lambda: objects.put(name, data))
        read = _tried("read objects", lambda: objects.get(name, 0, 64))
        part = _tried("read parts of objects", lambda: objects.get(name, 16, 32))
        listed = _tried("list objects below the prefix", lambda: name in objects.names(name))
        faults = _tried("read objects", lambda: list(objects.faults(name, read_by=read_by)))
        _tried("remove objects", lambda: objects.delete([name]))
        if read != data or part != data[16:48] or not listed or self._is_there(name):
            raise UnusableBlobs(
                f"{_THE_BUCKET} does not give back, or list, what was stored a moment ago, or keeps what was removed"
            )
        if faults:
            raise UnusableBlobs(f"{_THE_BUCKET} cannot be used: {faults[0]}")

    def _is_there(self, name: str) -> bool:
        try:
            self._objects.get(name, 0, 1)
        except OSError:  # as a rule that there is no such object
            return False
        return True

    def _remove(self, names: Collection[str]) -> None:
        if names:
            self._objects.delete([*names])
            failpoint("blob-unlinked")


def _tried(what: str, ask: Callable[[], T]) -> T:
    """Says which right is missing. Raises UnusableBlobs."""
    try:
        return ask()
    except PermissionError as error:
        raise UnusableBlobs(f"{_THE_BUCKET} cannot be used: RESTANTE_BLOB_KEY may not {what}") from error
    except OSError as error:
        raise UnusableBlobs(f"{_THE_BUCKET} cannot be used: {error.strerror}") from error


def batched_names(names: Iterable[str]) -> Iterator[list[str]]:
    """Names that are ours, some hundred at a time."""
    batch: list[str] = []
    for name in names:
        if _NAME.match(name) or name.startswith(_PROBE):
            batch.append(name)
        if len(batch) == _ASKED:
            yield batch
            batch = []
    if batch:
        yield batch
