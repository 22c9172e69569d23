"""`restante check`: says of every blob and row whether it is what it was; of a backup, or of a data folder while it is served."""

import hashlib
import hmac
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from restante.protocol.audit import ChainBroken, follow
from restante.server.abuse.service import claim_hmac
from restante.server.backup import queries
from restante.server.backup.copying import digest_of
from restante.server.backup.faults import Finding, Undone
from restante.server.backup.manifest import BLOBS, Stored, load
from restante.server.backup.restoring import check_revision, known_revisions
from restante.server.backup.taking import is_blob, now_ms
from restante.server.blobs.local import LocalBlobs
from restante.server.desk import record
from restante.server.transparency import keyfile
from restante.transparency.entries import entry_of
from restante.transparency.merkle import leaf_hash, new_nodes

CHECK_AT, CHECK_ERRORS = "check_at", "check_errors"


@dataclass(frozen=True, slots=True)
class Share:
    """Which of the blobs are read: the ``n``-th of ``of`` parts, always the same ones."""

    n: int
    of: int

    def has(self, blob_id: str) -> bool:
        return int.from_bytes(hashlib.sha256(blob_id.encode()).digest()[:8]) % self.of == self.n - 1


NOTHING = Share(0, 1)
EVERYTHING = Share(1, 1)


@dataclass(slots=True)
class Checked:
    """What was looked at, and what is wrong."""

    blobs: int = 0
    read_blobs: int = 0
    read_bytes: int = 0
    unhashed: int = 0
    """Blobs too young to have a hash to be held against."""
    findings: list[Finding] = field(default_factory=list)

    def add(self, kind: str, what: str, detail: str = "") -> None:
        self.findings.append(Finding(kind, what, detail))  # type: ignore[arg-type] # the callers' literals


def check_backup(folder: Path, *, read: Share) -> Checked:
    """Checks a backup. Raises Undone when its list cannot be read."""
    manifest, checked = load(folder), Checked()
    check_revision(manifest)
    for stored in manifest.everything():
        checked.blobs += stored.path.startswith(f"{BLOBS}/")
        _check_stored(folder, stored, checked, read=read)
    named = {folder / each.stored for each in manifest.blobs}
    for path in (folder / BLOBS).rglob("*"):
        if path.is_file() and path not in named:
            checked.add("stray", path.name)
    if not checked.findings:
        with closing(queries.sealed(folder / manifest.database.stored)) as database:
            keys = [folder / each.stored for each in manifest.files if each.path == keyfile.NAME]
            check_rows(database, checked, key_file=keys[0] if keys else folder / keyfile.NAME)
    return checked


def _check_stored(folder: Path, stored: Stored, checked: Checked, *, read: Share) -> None:
    what = Path(stored.path).name
    try:
        size = (folder / stored.stored).stat().st_size
    except FileNotFoundError:
        checked.add("missing", what)
        return
    if size != stored.bytes:
        checked.add("damaged", what, f"{size} bytes instead of {stored.bytes}")
    elif not stored.path.startswith(f"{BLOBS}/") or read.has(what):
        checked.read_blobs += stored.path.startswith(f"{BLOBS}/")
        checked.read_bytes += size
        if digest_of(folder / stored.stored)[1] != stored.sha256:
            checked.add("damaged", what, "other bytes than were backed up")


def check_data(folder: Path, *, read: Share) -> Checked:
    """Checks a server's own data, and notes when that was and what came of it. Raises Undone."""
    if not (folder / queries.DATABASE).is_file():
        raise Undone(
            f"there is no server's data and no backup in {folder}",
            "Name a data folder, or a folder with a backup.",
        )
    checked = Checked()
    with closing(queries.living(folder)) as database:
        try:
            if queries.revision(database) not in known_revisions():
                raise Undone(
                    "the data was written by a newer release", "Use the release that runs the server."
                )
            _check_blobs(folder, database, checked, read=read)
            database.execute("BEGIN")
            check_rows(database, checked, key_file=folder / keyfile.NAME)
            database.execute("ROLLBACK")
            queries.remember(database, CHECK_AT, now_ms())
            queries.remember(database, CHECK_ERRORS, len(checked.findings))
        except sqlite3.DatabaseError as error:
            checked.add("database", queries.DATABASE, str(error))
    return checked


def _check_blobs(folder: Path, database: sqlite3.Connection, checked: Checked, *, read: Share) -> None:
    store = LocalBlobs(folder / BLOBS)
    for row in list(queries.blobs(database)):
        if row.is_finished and not row.is_leaving:
            checked.blobs += 1
            found = _blob_fault(store.path(row.id), row, checked, read=read)
            now = next(queries.blobs(database, row.id), None)
            if found and now is not None and not now.is_leaving:  # else it was removed meanwhile
                checked.findings.append(found)
    for path in (folder / BLOBS).rglob("*"):
        if path.is_file() and not (is_blob(path) and queries.is_known(database, path.name)) and path.exists():
            checked.add("stray", path.name)


def _blob_fault(path: Path, row: queries.BlobRow, checked: Checked, *, read: Share) -> Finding | None:
    try:
        wrong = _wrong(path, row, checked, read=read)
    except FileNotFoundError:
        return Finding("missing", row.id)
    except OSError as error:
        wrong = f"the disk: {error.strerror}"
    return Finding("damaged", row.id, wrong) if wrong else None


def _wrong(path: Path, row: queries.BlobRow, checked: Checked, *, read: Share) -> str:
    size = path.stat().st_size
    if size != row.length:
        return f"{size} bytes instead of {row.length}"
    if not read.has(row.id):
        return ""
    if row.sha256 is None:
        checked.unhashed += 1
        return ""
    checked.read_blobs, checked.read_bytes = checked.read_blobs + 1, checked.read_bytes + size
    return "" if digest_of(path)[1] == row.sha256.hex() else "other bytes than were acknowledged"


def check_rows(database: sqlite3.Connection, checked: Checked, *, key_file: Path) -> None:
    """Every message against what was acknowledged and against its copies, the log, the chains of deletions, and the desk's record."""
    for text in queries.faults(database):
        checked.add("database", queries.DATABASE, text)
    for message_id, text in queries.disagreements(database):
        checked.add("database", message_id, text)
    _check_messages(database, checked)
    _check_log(database, checked)
    for account_id, lines in _by_account(queries.chains(database)):
        try:
            follow(lines, seq=0, head=None)
        except ChainBroken as error:
            checked.add("database", f"audit of account {account_id}", str(error))
    _check_desk(database, checked, key_file)


def _check_desk(database: sqlite3.Connection, checked: Checked, key_file: Path) -> None:
    acts = queries.acts(database)
    try:
        key = record.key_of(keyfile.read(key_file)) if acts else b""
    except (OSError, keyfile.BadKeyFile):
        checked.add(
            "database", "the desk's record", f"without {keyfile.NAME} nobody can tell whether it is whole"
        )
        return
    if not record.is_whole(acts, key=key):
        checked.add("database", "the desk's record", "a line of it was changed, added or taken out")


def _check_messages(database: sqlite3.Connection, checked: Checked) -> None:
    key = queries.meta(database, "secret:claims") or b""
    for id_, sender, upload, size, details, digest, claim, received_at, deleted_at in queries.messages(
        database
    ):
        expected = claim_hmac(key, id_, digest, account_id=sender, received_at=received_at)
        if not hmac.compare_digest(expected, claim):
            checked.add("database", id_, "its sender, time or hash is not the one that was acknowledged")
        if deleted_at is not None:
            continue
        if hashlib.sha256(details).digest() != digest:
            checked.add("database", id_, "its details are not those that were acknowledged")
        if upload is not None and queries.claimed(database, upload) != (id_, size):
            checked.add("database", id_, "its video belongs to another message, or has another size")


def _check_log(database: sqlite3.Connection, checked: Checked) -> None:
    """Each entry, the tree above them, and that every account record stands in it."""
    server, stands = (queries.meta(database, "server_name") or b"").decode(), {}
    newest: dict[int, bytes] = {}
    for place, (leaf, account_id, rev, entry, nodes) in enumerate(queries.log_entries(database)):
        made = new_nodes(leaf_hash(entry), place, lambda level, _: newest.get(level, b""))
        if leaf != place or b"".join(made) != nodes:
            checked.add("database", f"log entry {place}", "the log of account records is broken here")
            return
        newest.update(enumerate(made))
        stands[account_id, rev] = entry
    for account_id, rev, name, written in queries.records(database):
        if stands.get((account_id, rev)) != entry_of(f"{name}@{server}", written):
            checked.add("database", f"record {rev} of account {account_id}", "it is not the one in the log")


def _by_account(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    together: dict[int, list[str]] = {}
    for account_id, line in lines:
        together.setdefault(account_id, []).append(line)
    yield from together.items()
