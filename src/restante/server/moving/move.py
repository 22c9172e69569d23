"""`restante move`: copies while the server runs, then again what changed while it stores nothing, and leaves it marked as moved.

[Note: Never two] The old installation is marked before the new one may be started, and the mark is on the disk first. A move that
dies in between leaves two that refuse to start, and goes on when it is run again, or is taken back; at no moment do both take messages.
"""

import fcntl
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from restante.server import standstill
from restante.server.backup import living
from restante.server.backup.checking import Checked, check_rows
from restante.server.backup.copying import make_folder
from restante.server.backup.faults import Finding, Spoilt, Undone
from restante.server.backup.taking import now_ms
from restante.server.blobs.objects import Bucket, Objects
from restante.server.blobs.remote import RemoteBlobs, UnusableBlobs
from restante.server.config import Settings
from restante.server.db import arrival, migrate
from restante.server.db.arrival import State
from restante.server.failpoints import failpoint
from restante.server.moving import target
from restante.server.moving.journal import FOLDER, LEDGER, Journal
from restante.server.moving.queries import SHAPES, Sum, quoted
from restante.server.moving.rows import Rows
from restante.server.moving.videos import Copied, Videos
from restante.server.standstill import Marker, standing_still
from restante.server.storage import open_objects
from restante.server.transparency import keyfile

ENOUGH = 2000
"""Rows that differed in a round: with fewer, the next one may as well be the last."""
_ROUNDS = 4


class Telling(Protocol):
    """Hears how far it is."""

    def step(self, text: str) -> None:
        """Something new begins, or has ended."""
        ...

    def progress(self, text: str) -> None:
        """It goes on; too often to show each."""
        ...


@dataclass(slots=True)
class Moved:
    """What was done, and what was found on the way."""

    places: str
    tables: dict[str, Sum] = field(default_factory=dict)
    videos: int = 0
    bytes: int = 0
    copied_s: float = 0.0
    stopped_s: float = 0.0
    """How long nothing could be stored."""
    was_done: bool = False
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mover:
    """One move out of a data folder."""

    settings: Settings
    telling: Telling
    despite_damage: bool = False

    @property
    def folder(self) -> Path:
        return self.settings.data

    @property
    def marker_to_be(self) -> Marker:
        """Where the settings lead."""
        database, blobs = self.settings.database_url, self.settings.blob_url
        bucket = Bucket.parse(blobs) if blobs else None
        return Marker(
            id="",
            moved_at=now_ms(),
            database=target.place_of(database) if database else "",
            blobs=f"the bucket s3://{bucket.name}/{bucket.prefix}".rstrip("/") if bucket else "",
        )

    def look(self) -> Moved:
        """Checks both sides and counts, and changes nothing. Raises Undone."""
        with self._begun() as begun:
            for shape in SHAPES:
                count = begun.here.execute(f"SELECT count(*) FROM {quoted(shape.name)}").fetchone()[0]  # noqa: S608 - the schema's own names
                begun.done.tables[shape.name] = Sum(rows=count)
            rows = [row for row in living.blobs(begun.here) if row.is_finished] if begun.videos else []
            begun.done.videos, begun.done.bytes = len(rows), sum(row.length or 0 for row in rows)
            return begun.done

    def move(self, *, copy_only: bool = False) -> Moved:
        """Moves, or goes on with a move that was broken off. Raises Undone, OSError."""
        with self._begun() as begun:
            if begun.done.was_done:
                return begun.done
            if self.settings.database_url:
                target.lay(self.settings.database_url, move_id=begun.move_id)
            with ExitStack() as stack:
                if self.settings.database_url:
                    there = stack.enter_context(target.opened(self.settings.database_url))
                    ledger = begun.journal.connection if begun.videos else None
                    begun.rows = Rows(begun.here, there, ledger, LEDGER)
                started_s = time.monotonic()
                begun.copy_while_served()
                begun.done.copied_s = time.monotonic() - started_s
                if not copy_only:
                    begun.stand_still_and_finish()
            return begun.done

    @contextmanager
    def _begun(self) -> Iterator["_Begun"]:
        """Everything opened and looked at."""
        wanted = self.marker_to_be
        if not wanted.places:
            raise Undone(
                "nothing says where to",
                "Set RESTANTE_DATABASE_URL, RESTANTE_BLOB_URL or both, as the server shall have them afterwards.",
            )
        _check_folder(self.folder)
        marker = _standing_marker(self.folder, wanted)
        with ExitStack() as stack:
            stack.enter_context(_alone(self.folder))
            journal = stack.enter_context(closing(Journal(self.folder)))
            here = stack.enter_context(closing(living.opened(self.folder)))
            move_id = journal.move_id(marker.id if marker else secrets.token_hex(8))
            objects = self._objects(here, marker)
            begun = _Begun(
                self,
                here,
                journal,
                move_id,
                Videos(self.folder, objects, journal) if objects is not None else None,
                Moved(wanted.places),
            )
            if marker is not None and self._has_arrived(here, move_id):
                begun.done.was_done = True
            else:
                self._look(begun)
            yield begun

    def _look(self, begun: "_Begun") -> None:
        if self.settings.database_url:
            target.look_at(self.settings.database_url, move_id=begun.move_id)
        self.telling.step("Checking what is here.")
        found = Checked()
        with _reading(begun.here):
            check_rows(begun.here, found, key_file=self.folder / keyfile.NAME)
        begun.take_note(found.findings)

    def _has_arrived(self, here: sqlite3.Connection, move_id: str) -> bool:
        if self.settings.database_url:
            with target.opened(self.settings.database_url) as there:
                state = target.state_of(there)
        else:
            value = living.meta(here, arrival.KEY)
            state = arrival.understood(value) if value else None
        return state is not None and state[1] == move_id and state[0] is not State.COPYING

    def _objects(self, here: sqlite3.Connection, marker: Marker | None) -> Objects | None:
        objects = open_objects(self.settings)
        if objects is None:
            return None
        if marker is None and here.execute("SELECT 1 FROM remote_blobs LIMIT 1").fetchone() is not None:
            if self.settings.database_url:  # they stay in their bucket, and the rows that say so go
                return None
            raise Undone(
                "the videos are in a bucket already", "Name a database as well, or leave it at that."
            )
        try:
            readers = self.settings.origins if self.settings.blob_reads == "direct" else None
            RemoteBlobs(objects, None).check(read_by=readers)  # type: ignore[arg-type] # the ledger is not asked
        except UnusableBlobs as error:
            raise Undone(str(error), "docs/guides/object-storage.md says what a bucket must do.") from error
        return objects


@dataclass(slots=True)
class _Begun:
    """A move under way."""

    mover: Mover
    here: sqlite3.Connection
    journal: Journal
    move_id: str
    videos: Videos | None
    done: Moved
    rows: Rows | None = None

    def copy_while_served(self) -> None:
        """Copies again and again, until little is left."""
        if self.videos is not None:
            self.videos.forget_missing()
        for number in range(1, _ROUNDS + 1):
            began_s = time.monotonic()
            self._copy_videos()
            with _reading(self.here):
                changed = self._copy_rows(each_by_itself=True)
            took_s = time.monotonic() - began_s
            self.mover.telling.step(f"Copied, round {number}: {changed} rows had changed, in {took_s:.0f} s.")
            if changed < ENOUGH:
                break

    def stand_still_and_finish(self) -> None:
        """What changed meanwhile, while nothing is stored; then the mark; then the new one may be started."""
        folder, telling = self.mover.folder, self.mover.telling
        try:
            with standing_still(folder):
                telling.step("From now on nothing is stored, and everything can be read.")
                since_s = time.monotonic()
                self.here.execute("BEGIN IMMEDIATE")
                failpoint("move-still")
                self._finish()
                self.done.stopped_s = time.monotonic() - since_s
        except TimeoutError as error:
            raise Undone("another move of this folder is under way", "Wait until it is done.") from error
        finally:
            if self.here.in_transaction:
                self.here.execute("ROLLBACK")

    def _finish(self) -> None:
        self._copy_videos()
        if self.videos is not None:
            self.journal.keep_only({row.id for row in living.blobs(self.here) if not row.is_leaving})
            self.done.videos, self.done.bytes = self.journal.totals()
        self._copy_rows(each_by_itself=False)
        self._verify()
        failpoint("move-copied")
        marker = self.mover.marker_to_be
        standstill.write(
            self.mover.folder,
            Marker(id=self.move_id, moved_at=marker.moved_at, database=marker.database, blobs=marker.blobs),
        )
        failpoint("move-marked")
        if self.rows is not None:
            target.note(self.rows.there, State.ARRIVED, self.move_id)
        else:
            self._enter_ledger()
        failpoint("move-arrived")

    def _verify(self) -> None:
        if self.rows is None:
            return
        self.mover.telling.step("Comparing every row.")
        unlike = self.rows.unlike(self.done.tables) + self.rows.carry_over_counters()
        if unlike:
            raise Spoilt(
                f"{', '.join(unlike)}: the rows there are not those here",
                "Let nobody else write to that database, and run it again.",
            )
        self.rows.there.commit()

    def _enter_ledger(self) -> None:
        """Where the rows stay: what says which objects hold the videos is added to them."""
        for shape in SHAPES:
            if shape.name in LEDGER:
                marks = ", ".join("?" * len(shape.columns))
                self.here.executemany(
                    f"INSERT INTO {quoted(shape.name)} ({shape.listed}) VALUES ({marks})",  # noqa: S608 - the schema's own names
                    self.journal.rows(shape),
                )
        value = arrival.written(State.ARRIVED, self.move_id)
        self.here.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (arrival.KEY, value))
        self.here.execute("COMMIT")

    def _copy_videos(self) -> None:
        if self.videos is None:
            return
        told = self.mover.telling.progress

        def tell(now: Copied) -> None:
            told(f"{now.blobs} videos copied, {now.bytes >> 20} MiB")

        copied = self.videos.copy(list(living.blobs(self.here)), tell)
        self.done.videos, self.done.bytes = self.journal.totals()
        self.take_note([each for each in copied.findings if self._is_here(each.what)])

    def _is_here(self, blob_id: str) -> bool:
        """Whether the server did not remove it in the meantime."""
        now = next(living.blobs(self.here, blob_id), None)
        return now is not None and not now.is_leaving

    def _copy_rows(self, *, each_by_itself: bool) -> int:
        if self.rows is None:
            return 0
        told = self.mover.telling.progress
        found = self.rows.carry_over(
            lambda name, count: told(f"{name}: {count} rows"), each_by_itself=each_by_itself
        )
        self.done.tables = found.sums
        return found.changed

    def take_note(self, findings: list[Finding]) -> None:
        """Goes on with what is damaged here only where that was said. Raises Spoilt."""
        known = {(each.kind, each.what) for each in self.done.findings}
        self.done.findings += [each for each in findings if (each.kind, each.what) not in known]
        if self.done.findings and not self.mover.despite_damage:
            first = self.done.findings[0]
            more = f", and {len(self.done.findings) - 1} more" if len(self.done.findings) > 1 else ""
            raise Spoilt(
                f"this data is damaged already: {first.kind} {first.what} {first.detail}".rstrip() + more,
                "`restante check --read-data` lists it all; mend it from a backup, or move it as it is: --despite-damage.",
            )


def take_back(settings: Settings, *, anyway: bool) -> str:
    """Lets the old installation go on; returns where its data had been moved to. Raises Undone."""
    folder = settings.data
    _check_folder(folder, current=False)
    marker = standstill.read(folder)
    if marker is None:
        raise Undone(f"nothing was moved from {folder}", "There is nothing to take back.")
    with _alone(folder), standing_still(folder), closing(living.opened(folder)) as here:
        if marker.database:
            _take_back_rows(settings, marker, anyway=anyway)
        else:
            _take_back_ledger(here, anyway=anyway)
        failpoint("move-taken-back")
        standstill.remove(folder)
    return marker.places


def _take_back_rows(settings: Settings, marker: Marker, *, anyway: bool) -> None:
    if not settings.database_url and not anyway:
        raise Undone(
            "without its address nobody can ask the new database whether it was served from",
            "Set RESTANTE_DATABASE_URL as for the move; or --anyway, when nothing was.",
        )
    if not settings.database_url:
        return
    with target.opened(settings.database_url) as there:
        state = target.state_of(there)
        if state is not None and state[1] == marker.id:
            _check_unserved(state[0], anyway=anyway)
            target.note(there, State.COPYING, marker.id)


def _take_back_ledger(here: sqlite3.Connection, *, anyway: bool) -> None:
    value = living.meta(here, arrival.KEY)
    if value is not None:
        _check_unserved(arrival.understood(value)[0], anyway=anyway)
    here.execute("BEGIN IMMEDIATE")
    for shape in reversed(SHAPES):
        if shape.name in LEDGER:
            here.execute(f"DELETE FROM {quoted(shape.name)}")  # noqa: S608 - the schema's own names
    here.execute("DELETE FROM meta WHERE key = ?", (arrival.KEY,))
    here.execute("COMMIT")


def _check_unserved(state: State, *, anyway: bool) -> None:
    if state is State.STARTED and not anyway:
        raise Undone(
            "the new installation was started: what it has taken since would be lost",
            "Go on with it; or --anyway, to lose that.",
        )


def _check_folder(folder: Path, *, current: bool = True) -> None:
    path = folder / living.DATABASE
    if not path.is_file():
        raise Undone(f"there is no server's data in {folder}", "Name its data folder with --data.")
    if path.stat().st_uid != os.geteuid():
        raise Undone(
            f"{path} is not yours",
            "Run it as the user who runs the server: sudo -u restante restante move …",
        )
    if not current:
        return
    with closing(living.opened(folder)) as here:
        revision = living.revision(here)
    if revision != migrate.HEAD:
        raise Undone(
            f"the data are at revision {revision} of the schema, and this release's is {migrate.HEAD}",
            "Run the server of this release on them first, and leave it running.",
        )


def _standing_marker(folder: Path, wanted: Marker) -> Marker | None:
    try:
        marker = standstill.read(folder)
    except standstill.Elsewhere as error:
        raise Undone(str(error), "Bring moved.json back from a backup of the folder.") from error
    if marker is not None and wanted.database and (marker.database, marker.blobs) == ("", wanted.blobs):
        return None  # the videos went first
    if marker is not None and (marker.database, marker.blobs) != (wanted.database, wanted.blobs):
        raise Undone(
            f"the data of {folder} were moved to {marker.places} already",
            "Serve with the settings that lead there, or take that move back first: restante move --undo.",
        )
    return marker


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    make_folder(folder / FOLDER)
    descriptor = os.open(folder / FOLDER / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Undone("another move of this folder is under way", "Wait until it is done.") from None
    finally:
        os.close(descriptor)


@contextmanager
def _reading(here: sqlite3.Connection) -> Iterator[None]:
    """One moment of the database, however long it takes to read it."""
    here.execute("BEGIN")
    try:
        yield
    finally:
        here.execute("ROLLBACK")
