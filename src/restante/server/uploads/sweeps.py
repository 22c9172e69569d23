"""Which uploads end by themselves, and which blobs nobody needs."""

import asyncio
import hashlib
from functools import partial

from restante.protocol import limits
from restante.server.blobs.remote import RemoteBlobs
from restante.server.blobs.store import BlobFile, BlobMissing, BlobStore
from restante.server.clock import Clock
from restante.server.db.engine import Database
from restante.server.uploads import queries, rules
from restante.server.uploads.queries import Owned

SUMS = 100
"""Blobs hashed in one pass."""
JOINS = 20
"""Blobs joined in one pass at most: each is read twice and stored once."""
JOIN_FOR_S = 20.0
"""After so long no other is begun in this pass, since other sweeps wait."""
_PIECE_BYTES = limits.MIB


class Sweeps:
    """Finds what has ended; ending it is the service's business."""

    def __init__(self, database: Database, blobs: BlobStore, clock: Clock) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._without_row_since_s: dict[str, float] = {}

    async def never_created(self) -> list[Owned]:
        """Uploads whose row was committed and whose blob was not made before the process died."""
        now_ms = self._clock.now_ms()
        rows = await self._database.read(partial(queries.unfinished, created_before_ms=now_ms + 1))
        return await asyncio.to_thread(self._untouched, rows, since_ms=0)

    async def silent(self, now_ms: int) -> list[Owned]:
        """Unfinished uploads that received no byte for 24 h, judged by the file's own time."""
        before_ms = now_ms - rules.to_ms(limits.UPLOAD_UNFINISHED_FOR)
        rows = await self._database.read(partial(queries.unfinished, created_before_ms=before_ms))
        return await asyncio.to_thread(self._untouched, rows, since_ms=before_ms)

    async def unclaimed(self, now_ms: int) -> list[Owned]:
        """Uploads that were finished 24 h ago and sent with no message."""
        before_ms = now_ms - rules.to_ms(limits.UPLOAD_UNCLAIMED_FOR)
        return await self._database.read(partial(queries.unclaimed, finished_before_ms=before_ms))

    async def orphans(self) -> list[str]:
        """Blobs that no row needs, seen so in two passes at least an hour of monotonic time apart.

        One pass proves nothing: a clock may have jumped, or a restored database may lag behind its blobs.
        """
        listed = await asyncio.to_thread(lambda: [stat.id for stat in self._blobs.list()])
        living = await self._database.read(partial(queries.living, upload_ids=listed))
        now_s, known = self._clock.monotonic_s(), self._without_row_since_s
        self._without_row_since_s = {each: known.get(each, now_s) for each in set(listed) - living}
        grace_s = limits.ORPHAN_GRACE.total_seconds()
        return [each for each, since_s in self._without_row_since_s.items() if now_s - since_s >= grace_s]

    async def sum_up(self) -> int:
        """Hashes finished blobs, so that `restante check` finds what the disk changed later; returns how many."""
        found = await self._database.read(partial(queries.unsummed, most=SUMS))
        for each in found:
            await self._keep_sum(each, await asyncio.to_thread(self._sum, each.id))
        return len(found)

    async def join_up(self, remote: RemoteBlobs) -> int:
        """Makes one object of each finished blob and keeps its hash, which tells that this was done; returns how many."""
        began_s, count = self._clock.monotonic_s(), 0
        for each in await self._database.read(partial(queries.unsummed, most=JOINS)):
            if self._clock.monotonic_s() - began_s > JOIN_FOR_S:
                break
            digest, count = await remote.run(remote.join, each.id), count + 1
            await self._keep_sum(each, digest)
        return count

    async def _keep_sum(self, upload: Owned, digest: bytes | None) -> None:
        if digest is not None:
            keep = partial(queries.set_sum, account_id=upload.account_id, upload_id=upload.id, sha256=digest)
            await self._database.write(keep)

    def _sum(self, upload_id: str) -> bytes | None:
        """None when it was removed meanwhile."""
        try:
            blob = self._blobs.open(upload_id)
        except BlobMissing:
            return None
        try:
            return digest_of(blob)
        finally:
            blob.close()

    async def forget_gone(self, now_ms: int) -> int:
        """Removes tombstones after 90 days; returns how many."""
        before_ms = now_ms - rules.to_ms(limits.TOMBSTONE_FOR)
        return await self._database.write(partial(queries.forget_gone, gone_before_ms=before_ms))

    def _untouched(self, found: list[Owned], *, since_ms: int) -> list[Owned]:
        """Those without a blob, or whose last byte came earlier."""
        return [each for each in found if self._modified_ms(each.id) < since_ms]

    def _modified_ms(self, upload_id: str) -> int:
        try:
            return self._blobs.stat(upload_id).modified_ms
        except BlobMissing:
            return -1


def digest_of(blob: BlobFile) -> bytes:
    """SHA-256 of a whole blob."""
    digest = hashlib.sha256()
    for at in range(0, blob.size(), _PIECE_BYTES):
        digest.update(blob.read(at, _PIECE_BYTES))
    return digest.digest()
