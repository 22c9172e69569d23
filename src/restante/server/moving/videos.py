"""Copies blobs from files to a bucket; each part is read back and each file hashed before it counts."""

import hashlib
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from restante.server.backup.faults import Finding, Undone
from restante.server.backup.living import BlobRow
from restante.server.backup.manifest import BLOBS
from restante.server.backup.taking import now_ms
from restante.server.blobs.ledger import Part
from restante.server.blobs.local import LocalBlobs
from restante.server.blobs.objects import Objects
from restante.server.blobs.remote import SEGMENT_BYTES
from restante.server.failpoints import failpoint
from restante.server.moving.journal import Journal
from restante.server.moving.queries import together

_AT_ONCE = 8
_AHEAD = 256


@dataclass(slots=True)
class Copied:
    """What one pass over the blobs did."""

    blobs: int = 0
    bytes: int = 0
    findings: list[Finding] = field(default_factory=list)
    """What is missing or damaged here already."""


class Videos:
    """The files of a data folder, and the bucket that they go to."""

    def __init__(self, folder: Path, objects: Objects, journal: Journal) -> None:
        self._files = LocalBlobs(folder / BLOBS)
        self._objects = objects
        self._journal = journal
        self._turn = threading.Lock()

    def forget_missing(self) -> int:
        """Forgets what was copied once and is not in the bucket any more."""
        if not self._journal.totals()[0]:
            return 0
        return self._journal.forget_missing(set(self._objects.names("")))

    def copy(self, rows: Iterable[BlobRow], told: Callable[[Copied], None]) -> Copied:
        """Copies what the bucket does not have yet. Raises OSError, Undone."""
        done, sealed = Copied(), self._journal.sealed()

        def one(row: BlobRow) -> None:
            if row.id not in sealed:
                self._copy(row, done)
                told(done)

        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="moving") as threads:
            for some in together(rows, _AHEAD):
                list(threads.map(one, some))
        return done

    def _copy(self, row: BlobRow, done: Copied) -> None:
        try:
            with self._files.path(row.id).open("rb") as file:
                self._copy_file(row, file, done)
        except FileNotFoundError:
            if not row.is_finished:
                self._journal.enter(row.id, now_ms=now_ms())  # its client was told that it is there
            elif not row.is_leaving:
                self._find(done, Finding("missing", row.id))

    def _copy_file(self, row: BlobRow, file: BinaryIO, done: Copied) -> None:
        state = os.fstat(file.fileno())
        self._journal.enter(row.id, now_ms=state.st_mtime_ns // 1_000_000)
        whole = hashlib.sha256()
        offset = start = self._verify(row.id, file, whole)
        for data in _pieces(file, offset, state.st_size):
            self._store(row.id, offset, data)
            whole.update(data)
            offset += len(data)
        with self._turn:
            done.blobs, done.bytes = done.blobs + 1, done.bytes + offset - start
        if row.is_finished and (wrong := _fault(row, offset, whole.digest())):
            self._find(done, Finding("damaged", row.id, wrong))
        elif row.is_finished:
            self._journal.seal(row.id, whole.digest())

    def _verify(self, blob_id: str, file: BinaryIO, whole: "hashlib._Hash") -> int:
        """Tells up to where the bucket has what the file has; one that was cut back and written anew may differ."""
        offset = 0
        for part, sha256 in self._journal.parts(blob_id):
            file.seek(part.offset)
            data = file.read(part.size)
            if part.offset != offset or hashlib.sha256(data).digest() != sha256:
                self._journal.cut(blob_id, offset)
                break
            whole.update(data)
            offset = part.end
        return offset

    def _store(self, blob_id: str, offset: int, data: bytes) -> None:
        part = Part(offset, len(data), f"{blob_id}/{offset:015d}-{secrets.token_hex(8)}")
        self._objects.put(part.name, data)
        if self._objects.get(part.name, 0, len(data)) != data:
            raise Undone(
                "the bucket does not give back what was stored a moment ago", "Look at the object store."
            )
        failpoint("move-object")
        self._journal.add(blob_id, part, hashlib.sha256(data).digest())

    def _find(self, done: Copied, finding: Finding) -> None:
        with self._turn:
            done.findings.append(finding)


def _pieces(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    while start < end and (data := file.read(min(SEGMENT_BYTES, end - start))):
        yield data
        start += len(data)


def _fault(row: BlobRow, size: int, sha256: bytes) -> str:
    if size != row.length:
        return f"{size} bytes instead of {row.length}"
    return "" if row.sha256 in {None, sha256} else "other bytes than were acknowledged"
