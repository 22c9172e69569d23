"""The contract of the ledger of remote blobs: which objects count, in which order, and who has the pen.

Every method blocks and is called in a thread that is not the event loop's.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from restante.server.blobs.store import BlobStat


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes ``offset`` to ``end`` of a blob, and the object that has them."""

    offset: int
    size: int
    name: str

    @property
    def end(self) -> int:
        """The first byte after it."""
        return self.offset + self.size


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a blob is, and under which epoch it is written."""

    epoch: int
    size: int
    modified_ms: int


class Ledger(Protocol):
    """What the database knows of remote blobs."""

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Names the loop that asks the database."""
        ...

    def create(self, blob_id: str) -> bool:
        """Enters an empty blob; False when there is one of this id."""
        ...

    def find(self, blob_id: str) -> Standing | None:
        """Where a blob stands; None when there is none."""
        ...

    def take(self, blob_id: str) -> Standing | None:
        """Raises the epoch, so that nobody else can add; None when there is no such blob."""
        ...

    def add(self, blob_id: str, epoch: int, part: Part) -> bool:
        """Enters a part that begins where the blob ends, if the epoch still stands; else False and nothing is changed."""
        ...

    def replace(self, blob_id: str, epoch: int, whole: Part) -> bool:
        """Puts one part in the place of all, if the epoch and the size still stand; raises the epoch. Else False and nothing is changed."""
        ...

    def parts(self, blob_id: str) -> list[Part]:
        """A blob's parts in their order, without gaps."""
        ...

    def forget(self, blob_id: str) -> None:
        """Removes a blob and its parts; a missing one is fine."""
        ...

    def all(self) -> list[BlobStat]:
        """Every blob, in no order."""
        ...

    def known(self, names: Collection[str]) -> set[str]:
        """Which of these objects are parts of a blob."""
        ...
