"""`backup.json`: what a backup holds and what each file of it hashes to. Written last, so a backup is whole or is not there.

Two lines: JSON, and the SHA-256 of the first. Every stored file has a name of its own, which never comes to mean other bytes; so a
backup that is interrupted while it brings an older one up to date leaves the older one as it was.
"""

import hashlib
import os
from pathlib import Path

import msgspec

from restante.server.backup.faults import Spoilt, Undone

NAME = "backup.json"
FORMAT = "restante-backup/1"
BLOBS = "blobs"


class Stored(msgspec.Struct, frozen=True):
    """One file. ``path`` is where it belongs in a data folder, ``stored`` where it is in the backup."""

    path: str
    stored: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one backup holds."""

    format: str
    release: str
    revision: str
    server_name: str
    taken_at: int
    database: Stored
    files: list[Stored]
    blobs: list[Stored]

    def everything(self) -> list[Stored]:
        return [self.database, *self.files, *self.blobs]


class _Format(msgspec.Struct):
    format: str = ""


def is_backup(folder: Path) -> bool:
    return (folder / NAME).is_file()


def load(folder: Path) -> Manifest:
    """Reads and checks the list. Raises Undone."""
    try:
        text, digest = (folder / NAME).read_bytes().split(b"\n", 1)
    except FileNotFoundError:
        raise Undone(
            f"there is no backup in {folder}", "Name the folder that `restante backup` wrote."
        ) from None
    except ValueError:
        raise _damaged(folder) from None
    if hashlib.sha256(text).hexdigest().encode() + b"\n" != digest:
        raise _damaged(folder)
    try:
        found = msgspec.json.decode(text, type=_Format).format
        if found != FORMAT:
            raise Undone(
                f"the backup in {folder} has the format {found!r}, which this release does not know",
                "Use the release that wrote it, or a newer one.",
            )
        manifest = msgspec.json.decode(text, type=Manifest)
    except msgspec.DecodeError:
        raise _damaged(folder) from None
    if any(not _stays_inside(each) for each in manifest.everything()):
        raise _damaged(folder)
    return manifest


def save(folder: Path, manifest: Manifest) -> None:
    """Writes the list in one step that survives power loss."""
    text = msgspec.json.encode(manifest)
    temporary = folder / f"{NAME}.new"
    with open(temporary, "wb", opener=private) as file:
        file.write(text + b"\n" + hashlib.sha256(text).hexdigest().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / NAME)


def private(path: str, flags: int) -> int:
    """Opens for nobody else's eyes."""
    return os.open(path, flags, 0o600)


def _stays_inside(stored: Stored) -> bool:
    places = (Path(stored.path), Path(stored.stored))
    return all(not place.is_absolute() and ".." not in place.parts for place in places)


def _damaged(folder: Path) -> Spoilt:
    return Spoilt(
        f"the list of the backup in {folder} is damaged",
        "Take an older copy of the backup, or make a new one.",
    )
