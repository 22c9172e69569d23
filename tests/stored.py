"""What a server has stored of an upload, seen behind its back: its file, or its objects in the bucket that the ledger names."""

import os
from pathlib import Path

from restante.server.blobs.objects import Bucket
from restante.server.blobs.s3 import S3Objects, open_bucket
from tests import seaweed
from tests.databases import looking_into
from tests.serving import Server


def in_bucket() -> bool:
    """Whether the servers of this run keep videos in a bucket."""
    return bool(os.environ.get("RESTANTE_BLOB_URL"))


def is_stored(server: Server, upload: str) -> bool:
    """Whether there is anything of it; ``upload`` is an id or an address."""
    return _objects_of(server, upload) is not None if in_bucket() else _path(server, upload).exists()


def stored(server: Server, upload: str) -> bytes:
    """The bytes, the server not asked. Raises FileNotFoundError."""
    if not in_bucket():
        return _path(server, upload).read_bytes()
    parts = _objects_of(server, upload)
    if parts is None:
        raise FileNotFoundError(upload)
    objects = _bucket()
    return b"".join(objects.get(name, 0, size) for name, size in parts)


def all_stored(server: Server) -> dict[str, int]:
    """The bytes that there are of each upload, by its id."""
    if not in_bucket():
        return {path.name: path.stat().st_size for path in (server.data / "blobs").rglob("upl_*")}
    with looking_into(server.data) as database:
        return {row[0]: row[1] for row in database.execute("SELECT id, size FROM remote_blobs")}


def change(server: Server, upload: str, data: bytes) -> None:
    """Puts other bytes in the place of those that are stored, as a disk or a store that fails would."""
    if not in_bucket():
        _path(server, upload).write_bytes(data)
        return
    blob, name = upload.rpartition("/")[2], f"{upload.rpartition('/')[2]}/{0:015d}-{os.urandom(8).hex()}"
    _bucket().put(name, data)
    with looking_into(server.data) as database:
        database.execute("DELETE FROM remote_parts WHERE blob_id = ?", (blob,))
        database.execute("UPDATE remote_blobs SET size = ? WHERE id = ?", (len(data), blob))
        if data:
            part = 'INSERT INTO remote_parts (blob_id, "offset", size, name) VALUES (?, 0, ?, ?)'
            database.execute(part, (blob, len(data), name))


def lose(server: Server, upload: str) -> None:
    """Removes the bytes as a failing disk would, without a word to the server."""
    if not in_bucket():
        _path(server, upload).unlink()
        return
    _bucket().delete([name for name, _ in _objects_of(server, upload) or []])


def _path(server: Server, upload: str) -> Path:
    name = upload.rpartition("/")[2]
    return server.data / "blobs" / name[4:5] / name


def _objects_of(server: Server, upload: str) -> list[tuple[str, int]] | None:
    """None where there is no such blob."""
    name = (upload.rpartition("/")[2],)
    parts = 'SELECT name, size FROM remote_parts WHERE blob_id = ? ORDER BY "offset"'
    with looking_into(server.data) as database:
        if database.execute("SELECT 1 FROM remote_blobs WHERE id = ?", name).first() is None:
            return None
        return [(row[0], row[1]) for row in database.execute(parts, name)]


def _bucket() -> S3Objects:
    url = os.environ["RESTANTE_BLOB_URL"]
    return open_bucket(Bucket.parse(url), key=seaweed.KEY, secret=seaweed.SECRET)
