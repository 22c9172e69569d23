"""Copies files, hashing on the way, so that a copy survives power loss before anything names it."""

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from restante.server.backup.manifest import private

PIECE_BYTES = 1 << 20


def copy(source: Path, target: Path, *, beat: Callable[[], None] = lambda: None) -> tuple[int, str]:
    """Copies to a new file, in one step; returns its size and hash. ``beat`` is called with each piece."""
    make_folder(target.parent)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    digest, size = hashlib.sha256(), 0
    try:
        with open(temporary, "xb", opener=private) as file:
            for piece in pieces(source):
                file.write(piece)
                digest.update(piece)
                size += len(piece)
                beat()
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return size, digest.hexdigest()


def digest_of(path: Path) -> tuple[int, str]:
    """Size and hash of a file."""
    digest, size = hashlib.sha256(), 0
    for piece in pieces(path):
        digest.update(piece)
        size += len(piece)
    return size, digest.hexdigest()


def pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def make_folder(folder: Path) -> None:
    """Makes it, and what is missing above it, for nobody else's eyes."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def flush_folders(root: Path) -> None:
    """Makes the names of all files below survive power loss."""
    for folder in (root, *(path for path in root.rglob("*") if path.is_dir())):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
