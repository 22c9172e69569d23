"""`restante restore`: makes a data folder from a backup. Everything is verified while it is copied; the database comes last.

A folder in which a restore was interrupted has nothing but `.restoring` in it, and is begun anew.
"""

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from restante.server.backup import queries
from restante.server.backup.copying import copy, flush_folders, make_folder
from restante.server.backup.faults import Spoilt, Undone
from restante.server.backup.manifest import Manifest, Stored, load
from restante.server.db import migrate

_WORK = ".restoring"


@dataclass(frozen=True, slots=True)
class Restored:
    manifest: Manifest
    bytes: int


def restore(source: Path, data: Path) -> Restored:
    """Makes the data folder, which is empty or missing. Raises Undone, OSError."""
    manifest = load(source)
    check_revision(manifest)
    if data.exists() and (not data.is_dir() or any(each.name != _WORK for each in data.iterdir())):
        raise Undone(
            f"{data} is not empty", "A restore never overwrites: name another folder, or move this one away."
        )
    make_folder(data)
    work = data / _WORK
    shutil.rmtree(work, ignore_errors=True)
    make_folder(work)
    copied = sum(_copy(source, work, stored) for stored in manifest.everything())
    with closing(queries.living(work)) as database:
        if found := queries.faults(database):
            raise Spoilt(f"the database in the backup is damaged: {found[0]}", "Use an older backup.")
        queries.move_on(database)
    flush_folders(work)
    _move_in(work, data)
    return Restored(manifest, copied)


def check_revision(manifest: Manifest) -> None:
    """Refuses a database that only a newer release can read. Raises Undone."""
    if manifest.revision not in known_revisions():
        raise Undone(
            f"the backup was made by release {manifest.release}, which is newer than this one",
            "Restore with that release, or a newer one.",
        )


def is_current(folder: Path) -> bool | None:
    """Tells whether a data folder has the schema of this release; None when there is no data."""
    if not (folder / queries.DATABASE).is_file():
        return None
    with closing(queries.living(folder)) as database:
        return queries.revision(database) == migrate.HEAD


def known_revisions() -> frozenset[str]:
    """Every revision of the schema that this release can bring up to date."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    return frozenset(script.revision for script in ScriptDirectory.from_config(config).walk_revisions())


def _copy(source: Path, work: Path, stored: Stored) -> int:
    try:
        size, digest = copy(source / stored.stored, work / stored.path)
    except FileNotFoundError:
        raise Spoilt(f"{stored.stored} is missing in the backup", _CURE) from None
    if (size, digest) != (stored.bytes, stored.sha256):
        raise Spoilt(f"{stored.stored} is damaged in the backup", _CURE)
    return size


def _move_in(work: Path, data: Path) -> None:
    """The database last: a server that is started before that would begin with nothing, and say so."""
    is_database: Callable[[Path], bool] = lambda path: path.name == queries.DATABASE  # noqa: E731 - a sort key
    for path in sorted(work.iterdir(), key=is_database):
        path.rename(data / path.name)
    work.rmdir()
    flush_folders(data)


_CURE = "`restante check FOLDER --read-data` lists all that is wrong with it; use another copy of the backup."
