"""`restante backup`: the database as it was at one moment, and every blob that it names, while the server goes on serving.

See [Note: Database first, then blobs]. A second backup into the same folder copies only what is new.
"""

import fcntl
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from restante import __version__
from restante.protocol.ids import Prefix, is_id
from restante.server.backup import queries
from restante.server.backup.copying import copy, digest_of, flush_folders, make_folder
from restante.server.backup.faults import Finding, Undone
from restante.server.backup.manifest import BLOBS, FORMAT, NAME, Manifest, Stored, is_backup, load, save
from restante.server.blobs.local import LocalBlobs
from restante.server.db.hold import LONGEST_MS

BACKUP_AT = "backup_at"
_LOCK = ".lock"
_RENEW_S = 60.0
_OWN = frozenset({BLOBS, ".move", queries.DATABASE, f"{queries.DATABASE}-wal", f"{queries.DATABASE}-shm"})


@dataclass(slots=True)
class Taken:
    """What a backup did; it is whole unless something was found to be missing or damaged in the data folder itself."""

    manifest: Manifest
    copied_count: int = 0
    copied_bytes: int = 0
    findings: list[Finding] = field(default_factory=list)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def take(data: Path, target: Path) -> Taken:
    """Makes a backup, or brings the one in ``target`` up to date. Raises Undone, OSError."""
    _check_places(data, target)
    make_folder(target)
    with _alone(target), closing(queries.living(data)) as living, _held(living) as beat:
        former = load(target) if is_backup(target) else None
        taken = _take(data, target, former, beat)
        _forget_what_is_not_in(target, taken.manifest)
        queries.remember(living, BACKUP_AT, taken.manifest.taken_at)
    return taken


def _check_places(data: Path, target: Path) -> None:
    if not (data / queries.DATABASE).is_file():
        raise Undone(f"there is no server's data in {data}", "Name its data folder with --data.")
    inside, outside = target.resolve(), data.resolve()
    if inside == outside or outside in inside.parents or inside in outside.parents:
        raise Undone(
            "a backup inside the data folder, or around it, is none",
            "Name a folder elsewhere, best on another disk.",
        )
    if target.is_file() or (
        target.is_dir()
        and not is_backup(target)
        and any(each.name != _LOCK for each in target.iterdir() if not _is_ours(each))
    ):
        raise Undone(
            f"{target} has something else in it", "Name an empty folder, or one with an earlier backup."
        )


def _is_ours(path: Path) -> bool:
    """What a first backup leaves when it is interrupted."""
    return path.name in {BLOBS, f"{NAME}.new"} or path.name.startswith(("database-", "files-"))


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    descriptor = os.open(target / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Undone(f"another backup into {target} is under way", "Wait until it is done.") from None
    finally:
        os.close(descriptor)


@contextmanager
def _held(living: sqlite3.Connection) -> Iterator[Callable[[], None]]:
    """Keeps the server from removing blobs; the yielded function renews that when it is time."""
    token, renewed_s = secrets.token_hex(8), 0.0

    def beat() -> None:
        nonlocal renewed_s
        if time.monotonic() - renewed_s > _RENEW_S or not renewed_s:
            queries.hold(living, token, now_ms=now_ms(), until_ms=now_ms() + LONGEST_MS // 2)
            renewed_s = time.monotonic()

    beat()
    try:
        yield beat
    finally:
        queries.release(living, token)


def _take(data: Path, target: Path, former: Manifest | None, beat: Callable[[], None]) -> Taken:
    taken_at = now_ms()
    stamp = f"{datetime.fromtimestamp(taken_at / 1000, UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    name = f"database-{stamp}.sqlite3"
    with open(target / name, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)):
        pass
    queries.snapshot(data, target / name)
    _flush(target / name)
    with closing(queries.sealed(target / name)) as snapshot:
        taken = Taken(
            Manifest(
                format=FORMAT,
                release=__version__,
                revision=queries.revision(snapshot),
                server_name=(queries.meta(snapshot, "server_name") or b"").decode(),
                taken_at=taken_at,
                database=Stored(queries.DATABASE, name, *digest_of(target / name)),
                files=list(_files(data, target, f"files-{stamp}")),
                blobs=[],
            )
        )
        known = {} if former is None else {each.stored: each for each in former.blobs}
        copier = _Copier(data, target, known, taken, beat)
        copied = (copier.blob(row) for row in queries.blobs(snapshot))
        taken.manifest.blobs.extend(stored for stored in copied if stored is not None)
    flush_folders(target)
    save(target, taken.manifest)
    flush_folders(target)
    return taken


def _files(data: Path, target: Path, folder: str) -> Iterator[Stored]:
    """Keys, certificates, settings: whatever else lies in the data folder."""
    for path in sorted(data.rglob("*")):
        place = path.relative_to(data)
        if place.parts[0] in _OWN or path.is_symlink() or not path.is_file() or path.name.startswith("."):
            continue
        yield Stored(str(place), f"{folder}/{place}", *copy(path, target / folder / place))


@dataclass(frozen=True, slots=True)
class _Copier:
    """Copies blobs, those that the earlier backup does not have."""

    data: Path
    target: Path
    known: dict[str, Stored]
    taken: Taken
    beat: Callable[[], None]

    def blob(self, row: queries.BlobRow) -> Stored | None:
        """Copies one and notes what is wrong with it; None when it is not there."""
        source = LocalBlobs(self.data / BLOBS).path(row.id)
        place = f"{BLOBS}/{source.parent.name}/{row.id}"
        target, taken = self.target / place, self.taken
        if row.is_finished and place in self.known and target.is_file():
            return self.known[place]
        try:
            size, digest = copy(source, target, beat=self.beat)
        except FileNotFoundError:
            if row.is_finished and not row.is_leaving:
                taken.findings.append(Finding("missing", row.id))
            return None
        taken.copied_count, taken.copied_bytes = taken.copied_count + 1, taken.copied_bytes + size
        if row.is_finished and (size != row.length or digest != (row.sha256 or bytes.fromhex(digest)).hex()):
            taken.findings.append(Finding("damaged", row.id))
        if row.is_finished:
            return Stored(place, place, size, digest)
        named = f"{place}.{digest[:16]}"  # it grows: what it is now has a name of its own
        target.replace(self.target / named)
        return Stored(place, named, size, digest)


def _forget_what_is_not_in(target: Path, manifest: Manifest) -> None:
    """Removes what earlier backups left, and with it what was deleted on the server since."""
    keep = {target / each.stored for each in manifest.everything()} | {target / NAME, target / _LOCK}
    for path in sorted(target.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in keep and (
            _is_ours(target / path.relative_to(target).parts[0]) or path.name.startswith(".")
        ):
            path.unlink()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_blob(path: Path) -> bool:
    """Tells whether a file has the name of a blob."""
    return is_id(path.name, Prefix.UPLOAD)
