"""The blob store's contract: files of ciphertext, written once from front to back, never changed afterwards.

An implementation passes tests/api/test_blob_store.py. All methods block and belong in a thread, except ``BlobFile.write``,
``BlobFile.size``, ``BlobFile.truncate``, ``BlobFile.close`` and ``BlobFile.read_now``, which reach memory or the page cache only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class BlobMissing(LookupError):
    """No blob has this id."""


class BlobsFull(OSError):
    """The store takes no more bytes; what is stored stays readable."""


class BlobFile(Protocol):
    """An open blob. Offsets are bytes from its start."""

    def size(self) -> int:
        """Bytes written so far: the upload's offset."""
        ...

    def write(self, offset: int, data: bytes) -> int:
        """Writes the data at the offset, which is the size; returns how many bytes went in. Raises BlobsFull."""
        ...

    def flush(self) -> None:
        """Returns when every byte written before the call survives power loss."""
        ...

    def truncate(self, size: int) -> None:
        """Forgets every byte beyond the size."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Reads at most ``length`` bytes; fewer only at the end."""
        ...

    def read_now(self, offset: int, length: int) -> bytes:
        """Reads what needs no waiting for a disk, perhaps nothing: safe in the event loop."""
        ...

    def close(self) -> None:
        """Frees the file, with what was never flushed; closing twice is harmless."""
        ...


@dataclass(frozen=True, slots=True)
class BlobStat:
    """A blob as a sweep sees it."""

    id: str
    size: int
    modified_ms: int


class BlobStore(Protocol):
    """Where blobs are. Ids are the server's own and safe as file names."""

    def create(self, blob_id: str) -> BlobFile:
        """Makes an empty blob whose existence survives power loss. Raises FileExistsError, BlobsFull."""
        ...

    def open(self, blob_id: str) -> BlobFile:
        """Opens a blob for appending and reading. Raises BlobMissing."""
        ...

    def path(self, blob_id: str) -> Path | None:
        """Tells where the blob is as a local file, or None when it is none. Raises BlobMissing for what is no id."""
        ...

    def stat(self, blob_id: str) -> BlobStat:
        """Tells size and time of the last write. Raises BlobMissing."""
        ...

    def delete(self, blob_id: str) -> None:
        """Removes a blob for good; a missing one is fine."""
        ...

    def list(self) -> Iterator[BlobStat]:
        """Lists all blobs in no order."""
        ...

    def free_bytes(self) -> int:
        """Bytes that the store can still take."""
        ...
