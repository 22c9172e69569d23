"""Whose data folder has the videos, where they are local files and other nodes could share the database.

[Note: One folder] What a node keeps on its own disk the others miss, so several nodes need a bucket. A data folder has an id in a file of its own,
the database knows the id of the one that has the videos, and a node with another folder does not start. A folder that was moved, or whose
server was killed, is still the same.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, Engine

from restante.server.db import meta

NAME = "blobs.id"
_KEY = "blob_folder"


class OtherFolder(RuntimeError):
    """The videos are in the data folder of another node. See [Note: One folder]."""


def check(engine: Engine, folder: Path) -> None:
    """Looks whether the folder is the one, and writes nothing. Raises OtherFolder."""
    if meta.is_there(engine):
        with engine.connect() as connection:
            _compared(connection, folder)


def agree(connection: Connection, folder: Path) -> None:
    """Makes the folder the one, where there is none yet. Raises OtherFolder."""
    known, own = _compared(connection, folder)
    if own is None:
        own = secrets.token_hex(16).encode()
        _write(folder, own)
    if known is None:
        meta.put(connection, _KEY, own)


def _compared(connection: Connection, folder: Path) -> tuple[bytes | None, bytes | None]:
    """The id that the database knows, and the folder's."""
    known, own = meta.get(connection, _KEY), None
    with suppress(FileNotFoundError):
        own = (folder / NAME).read_bytes().strip()
    if known is not None and known != own:
        raise OtherFolder(
            f"this installation's videos are local files of another data folder, which a node with {folder} would miss"
        )
    return known, own


def _write(folder: Path, own: bytes) -> None:
    """In one step that survives power loss."""
    temporary = folder / f".{NAME}"
    with open(temporary, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(own + b"\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / NAME)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
