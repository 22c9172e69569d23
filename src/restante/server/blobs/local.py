"""Blobs as files of one folder, ``root/<character>/<id>``, readable by nobody else."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from restante.protocol.ids import Prefix, is_id
from restante.server.blobs.store import BlobMissing, BlobsFull, BlobStat
from restante.server.failpoints import failpoint

FILE_MODE, FOLDER_MODE = 0o600, 0o700
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NOWAIT = getattr(os, "RWF_NOWAIT", 0)
_SHARD = slice(4, 5)
"""The first random character of an id: 32 folders, so that most uploads find theirs made and flushed."""


class LocalBlobFile:
    """An open file; the descriptor is free for others once ``close`` returns."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._closing = threading.Lock()

    def size(self) -> int:
        """Asks the file system, so that it is the truth after a restart as well."""
        return os.fstat(self._descriptor).st_size

    def write(self, offset: int, data: bytes) -> int:
        """Writes all of the data, or as much of it as the disk took before BlobsFull."""
        view, written = memoryview(data), 0
        while written < len(data):
            try:
                written += os.pwrite(self._descriptor, view[written:], offset + written)
            except OSError as error:
                raise _translated(error) from error
        failpoint("blob-written")
        return written

    def flush(self) -> None:
        """fdatasync: the bytes and the size; the times do not matter."""
        failpoint("blob-before-flush")
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            raise _translated(error) from error
        failpoint("blob-after-flush")

    def truncate(self, size: int) -> None:
        """Drops the pages beyond the size, also those that could not be flushed."""
        os.ftruncate(self._descriptor, size)

    def read(self, offset: int, length: int) -> bytes:
        """Reads until the length or the end is reached."""
        pieces = []
        while length and (piece := os.pread(self._descriptor, length, offset)):
            pieces.append(piece)
            offset, length = offset + len(piece), length - len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read_now(self, offset: int, length: int) -> bytes:
        """Reads what the page cache holds, judged by its first byte; nothing where the kernel cannot tell."""
        try:
            cached = _NOWAIT and os.preadv(self._descriptor, [bytearray(1)], offset, _NOWAIT)
        except OSError:
            return b""
        return os.pread(self._descriptor, length, offset) if cached else b""

    def close(self) -> None:
        """Closes once, whoever calls first."""
        with self._closing:
            descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class LocalBlobs:
    """A BlobStore on a local file system that keeps what fdatasync promised."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._sure: set[Path] = set()

    def path(self, blob_id: str) -> Path:
        """Where the blob is, for servers that send a file by its path. Raises BlobMissing for what is no id."""
        if not is_id(blob_id, Prefix.UPLOAD):
            raise BlobMissing(blob_id)
        return self._root / blob_id[_SHARD] / blob_id

    def create(self, blob_id: str) -> LocalBlobFile:
        """Makes the file, its folder where missing, and flushes the entries that name them."""
        path = self.path(blob_id)
        try:
            self._ensure(self._root)
            self._ensure(path.parent)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        except OSError as error:
            raise _translated(error) from error
        failpoint("blob-created")
        try:
            _flush_folder(path.parent)
        except OSError as error:
            os.close(descriptor)
            raise _translated(error) from error
        return LocalBlobFile(descriptor)

    def open(self, blob_id: str) -> LocalBlobFile:
        """Opens for reading and appending."""
        try:
            return LocalBlobFile(os.open(self.path(blob_id), os.O_RDWR | os.O_CLOEXEC))
        except FileNotFoundError as error:
            raise BlobMissing(blob_id) from error

    def stat(self, blob_id: str) -> BlobStat:
        """Size and time of the last write."""
        try:
            return _stat(blob_id, self.path(blob_id).stat())
        except FileNotFoundError as error:
            raise BlobMissing(blob_id) from error

    def delete(self, blob_id: str) -> None:
        """Unlinks and flushes the folder, so that a power loss does not bring it back."""
        with suppress(BlobMissing, FileNotFoundError):
            path = self.path(blob_id)
            path.unlink()
            failpoint("blob-unlinked")
            _flush_folder(path.parent)

    def list(self) -> Iterator[BlobStat]:
        """Walks the folders; what is no blob of ours is passed over."""
        for folder in _entries(self._root):
            if not folder.is_dir(follow_symlinks=False):
                continue
            for entry in _entries(Path(folder.path)):
                if is_id(entry.name, Prefix.UPLOAD):
                    with suppress(FileNotFoundError):
                        yield _stat(entry.name, entry.stat(follow_symlinks=False))

    def free_bytes(self) -> int:
        """What the file system leaves to an unprivileged process."""
        place = self._root if self._root.exists() else self._root.parent
        state = os.statvfs(place)
        return state.f_bavail * state.f_frsize

    def _ensure(self, folder: Path) -> None:
        """Makes a folder; one that was there may come from a process that died before it flushed."""
        if folder in self._sure:
            return
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        _flush_folder(folder.parent)
        self._sure.add(folder)


def _flush_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _entries(path: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _stat(blob_id: str, state: os.stat_result) -> BlobStat:
    return BlobStat(blob_id, state.st_size, state.st_mtime_ns // 1_000_000)


def _translated(error: OSError) -> OSError:
    return BlobsFull(*error.args) if error.errno in _FULL else error
