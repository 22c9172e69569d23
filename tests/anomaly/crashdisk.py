"""A disk that forgets: bytes that were written but not flushed are gone, or half there, after the power fails.

kill -9 proves nothing about power loss, because the page cache outlives the process. Here every file has what was
written (`current`) and what was flushed (`durable`); `power_loss()` returns a disk with the durable bytes only,
on which some unflushed writes may have landed, whole or torn, in any order, as real disks do.
"""

import errno
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import apsw

from restante.server.blobs.store import BlobMissing, BlobStat


class PowerFailed(OSError):
    """The disk is dead: nothing goes in or out any more."""


@dataclass
class File:
    current: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    unflushed: list[tuple[int, bytes]] = field(default_factory=list)
    entry_durable: bool = False

    def write(self, offset: int, data: bytes) -> None:
        if len(self.current) < offset:
            self.current.extend(bytes(offset - len(self.current)))
        self.current[offset : offset + len(data)] = data
        self.unflushed.append((offset, bytes(data)))

    def truncate(self, size: int) -> None:
        del self.current[size:]
        self.unflushed.append((-1, size.to_bytes(8, "big")))

    def flush(self) -> None:
        self.durable = bytearray(self.current)
        self.unflushed.clear()
        self.entry_durable = True

    def after_power_loss(self, chance: random.Random) -> "File":
        survivor = bytearray(self.durable)
        for offset, data in self.unflushed:
            fate = chance.random()
            if offset < 0 or fate < 0.5:
                continue
            kept = data if fate > 0.75 else data[: len(data) // 2]
            if len(survivor) < offset:
                survivor.extend(bytes(offset - len(survivor)))
            survivor[offset : offset + len(kept)] = kept
        return File(bytearray(survivor), survivor, [], entry_durable=True)


class Disk:
    """Files by name; counts its operations, dies at the one it is told to, or fails one and goes on."""

    def __init__(self, files: dict[str, File] | None = None, *, dies_at: int | None = None) -> None:
        self.fails_at: int | None = None
        self.files = files or {}
        self.operations = 0
        self.dies_at = dies_at
        self.dead = threading.Event()
        self.lock = threading.RLock()

    def operate(self) -> None:
        """Called before each write, flush, truncate, creation and removal."""
        with self.lock:
            if self.dies_at is not None and self.operations >= self.dies_at:
                self.dead.set()
            self.check()
            self.operations += 1
            if self.operations == self.fails_at:
                raise OSError(errno.EIO, "one failed operation")

    def check(self) -> None:
        if self.dead.is_set():
            raise PowerFailed("power failed")

    def power_loss(self, chance: random.Random) -> "Disk":
        """The disk as it is found when the power is back."""
        with self.lock:
            self.dead.set()
            kept = {
                name: file.after_power_loss(chance) for name, file in self.files.items() if file.entry_durable
            }
            return Disk(kept)

    def copy(self, *, dies_at: int | None = None) -> "Disk":
        files = {
            name: File(
                bytearray(file.current), bytearray(file.durable), list(file.unflushed), file.entry_durable
            )
            for name, file in self.files.items()
        }
        return Disk(files, dies_at=dies_at)


class DiskVFS(apsw.VFS):
    """SQLite's file layer on a Disk; without shared memory, so WAL needs `locking_mode=EXCLUSIVE`."""

    def __init__(self, name: str, disk: Disk) -> None:
        self.disk, self.vfs_name = disk, name
        super().__init__(name, base="")

    def xOpen(self, name: Any, flags: list[int]) -> "DiskFile":
        text = name.filename() if isinstance(name, apsw.URIFilename) else str(name or "temporary")
        with self.disk.lock:
            file = self.disk.files.setdefault(text.rpartition("/")[2], File())
        flags[1] = flags[0]
        return DiskFile(self.disk, file)

    def xAccess(self, path: str, _: int) -> bool:
        return path.rpartition("/")[2] in self.disk.files

    def xDelete(self, path: str, _: bool) -> None:
        self.disk.operate()
        self.disk.files.pop(path.rpartition("/")[2], None)

    def xFullPathname(self, name: str) -> str:
        return name


class DiskFile:
    """One open file of the VFS."""

    def __init__(self, disk: Disk, file: File) -> None:
        self._disk, self._file = disk, file

    def xRead(self, amount: int, offset: int) -> bytes:
        self._disk.check()
        return bytes(self._file.current[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.operate()
        self._file.write(offset, data)

    def xTruncate(self, size: int) -> None:
        self._disk.operate()
        self._file.truncate(size)

    def xSync(self, _: int) -> None:
        self._disk.operate()
        self._file.flush()

    def xFileSize(self) -> int:
        return len(self._file.current)

    def xClose(self) -> None:
        pass

    def xLock(self, _: int) -> None:
        pass

    def xUnlock(self, _: int) -> None:
        pass

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, *_: Any) -> bool:
        return False

    def xSectorSize(self) -> int:
        return 4096

    def xDeviceCharacteristics(self) -> int:
        return 0


class CrashBlobs:
    """The blob store's contract on a Disk: creation and flush are the only durable moments."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk

    def create(self, blob_id: str) -> "CrashBlob":
        self.disk.operate()
        if f"blob/{blob_id}" in self.disk.files:
            raise FileExistsError(blob_id)
        file = self.disk.files[f"blob/{blob_id}"] = File()
        self.disk.operate()
        file.entry_durable = True
        return CrashBlob(self.disk, file)

    def open(self, blob_id: str) -> "CrashBlob":
        self.disk.check()
        file = self.disk.files.get(f"blob/{blob_id}")
        if file is None:
            raise BlobMissing(blob_id)
        return CrashBlob(self.disk, file)

    def delete(self, blob_id: str) -> None:
        self.disk.operate()
        self.disk.files.pop(f"blob/{blob_id}", None)

    def list(self) -> Iterator[BlobStat]:
        self.disk.check()
        for name in list(self.disk.files):
            if name.startswith("blob/"):
                yield self.stat(name.removeprefix("blob/"))

    def stat(self, blob_id: str) -> BlobStat:
        self.disk.check()
        file = self.disk.files.get(f"blob/{blob_id}")
        if file is None:
            raise BlobMissing(blob_id)
        return BlobStat(blob_id, len(file.current), time.time_ns() // 1_000_000)

    def path(self, _: str) -> None:
        """No local file to name: everything is served by reading."""

    def free_bytes(self) -> int:
        return 2**40


class CrashBlob:
    """One open blob on a Disk."""

    def __init__(self, disk: Disk, file: File) -> None:
        self._disk, self._file = disk, file

    def size(self) -> int:
        self._disk.check()
        return len(self._file.current)

    def write(self, offset: int, data: bytes) -> int:
        self._disk.operate()
        self._file.write(offset, bytes(data))
        return len(data)

    def flush(self) -> None:
        self._disk.operate()
        self._file.flush()

    def truncate(self, size: int) -> None:
        self._disk.operate()
        self._file.truncate(size)

    def read_now(self, _: int, __: int) -> bytes:
        return b""

    def read(self, offset: int, length: int) -> bytes:
        self._disk.check()
        return bytes(self._file.current[offset : offset + length])

    def close(self) -> None:
        pass
