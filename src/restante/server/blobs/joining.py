"""Makes one object of a finished blob's many: fewer requests for whoever reads it, fewer names to list.

[Note: Joined beside] The whole is stored under a new name, read back and compared, and then one transaction puts it in the
place of the pieces. Before it readers have the pieces, after it the whole; the pieces' objects are strays from then on, which
are removed an hour later at the earliest, and so outlive every address that was told. A death in between leaves a stray.
"""

import errno
import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from restante.protocol import limits
from restante.server.blobs.ledger import Ledger, Part, Standing
from restante.server.blobs.objects import Objects
from restante.server.failpoints import failpoint

_READ_BYTES = 4 * limits.MIB


def join(
    objects: Objects, ledger: Ledger, blob_id: str, *, stopping: Callable[[], bool] = lambda: False
) -> bytes | None:
    """Returns SHA-256 of the blob, which is one object then; None when it is gone, or somebody had the pen meanwhile.

    Raises OSError, within a few MiB of ``stopping`` too.
    """
    standing = ledger.find(blob_id)
    if standing is None:
        return None
    try:
        return _join(_Source(objects, stopping), ledger, blob_id, standing)
    except FileNotFoundError:
        if ledger.find(blob_id) is None:
            return None
        raise


@dataclass(frozen=True, slots=True)
class _Source:
    """Where bytes are read while the process goes on."""

    objects: Objects
    stopping: Callable[[], bool]

    def bytes_of(self, parts: list[Part]) -> Iterator[bytes]:
        for part in parts:
            for at in range(0, part.size, _READ_BYTES):
                if self.stopping():
                    raise OSError(errno.EINTR, "the server stops")
                length = min(_READ_BYTES, part.size - at)
                data = self.objects.get(part.name, at, length)
                if len(data) != length:
                    raise OSError(errno.EIO, "the object store answered with another length")
                yield data


def _join(source: _Source, ledger: Ledger, blob_id: str, standing: Standing) -> bytes | None:
    parts = ledger.parts(blob_id)
    if len(parts) < 2:
        return _digest_of(source.bytes_of(parts))
    digest = hashlib.sha256()

    def hashed() -> Iterator[bytes]:
        for piece in source.bytes_of(parts):
            digest.update(piece)
            yield piece

    whole = Part(0, standing.size, f"{blob_id}/{0:015d}-{secrets.token_hex(8)}")
    source.objects.put_all(whole.name, hashed(), size=whole.size)
    failpoint("blob-joined")
    if _digest_of(source.bytes_of([whole])) != digest.digest():
        raise OSError(errno.EIO, "the object store does not give back what was joined")
    if not ledger.replace(blob_id, standing.epoch, whole):
        return None
    failpoint("blob-joined-entered")
    return digest.digest()


def _digest_of(pieces: Iterator[bytes]) -> bytes:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()
