"""`restante backup`, `restore` and `check`: what the operator does so that nothing is lost; on the server's machine."""

import sys
from collections.abc import Callable
from pathlib import Path
from sqlite3 import DatabaseError
from typing import Any

from restante.protocol import ijson
from restante.server.backup import checking, restoring, taking
from restante.server.backup.checking import EVERYTHING, NOTHING, Checked, Share
from restante.server.backup.faults import Finding, Undone
from restante.server.backup.manifest import is_backup
from restante.server.config import BadSettings, from_environment
from restante.server.standstill import Elsewhere, check_start


def backup(folder: Path, *, data: Path | None = None, json: bool = False) -> int:
    """Copies everything that the server keeps to a folder, while it serves; again into the same folder, what is new.

    Args:
        folder: where to, best on another disk; empty, missing, or with an earlier backup.
        data: the server's data folder (default: RESTANTE_DATA, or ./data).
        json: prints JSON.
    """

    def work() -> int:
        taken = taking.take(_data(data), folder)
        told = {
            "taken_at": taken.manifest.taken_at,
            "blobs": len(taken.manifest.blobs),
            "bytes": sum(each.bytes for each in taken.manifest.everything()),
            "copied_blobs": taken.copied_count,
            "copied_bytes": taken.copied_bytes,
        }
        said = f"Backed up {told['blobs']} videos and the database to {folder}; {taken.copied_count} of them are new."
        return _tell(told, said, taken.findings, as_json=json)

    return _explained(work)


def restore(folder: Path, *, data: Path | None = None, json: bool = False) -> int:
    """Makes a server's data folder from a backup, verifying all of it.

    Args:
        folder: the backup.
        data: where to: an empty or missing folder (default: RESTANTE_DATA, or ./data).
        json: prints JSON.
    """

    def work() -> int:
        place = _data(data)
        done = restoring.restore(folder, place)
        told = {
            "taken_at": done.manifest.taken_at,
            "blobs": len(done.manifest.blobs),
            "bytes": done.bytes,
        }
        said = f"Restored {told['blobs']} videos and the database to {place}. Start it: restante serve --data {place}"
        return _tell(told, said, [], as_json=json)

    return _explained(work)


def check(
    folder: Path | None = None, *, read_data: bool | str = False, data: Path | None = None, json: bool = False
) -> int:
    """Checks a server's data, or a backup: that nothing is missing, damaged or too much.

    Args:
        folder: a backup, or a data folder (default: the server's).
        read_data: reads all videos and verifies them; =N/T reads the N-th of T parts, for a part each night.
        data: the server's data folder (default: RESTANTE_DATA, or ./data).
        json: prints JSON.
    """

    def work() -> int:
        share = _share(read_data)
        place = folder or _data(data)
        look: Callable[..., Checked] = checking.check_backup if is_backup(place) else checking.check_data
        found = look(place, read=share)
        told = {
            "blobs": found.blobs,
            "read_blobs": found.read_blobs,
            "read_bytes": found.read_bytes,
            "unhashed": found.unhashed,
        }
        said = f"{place}: {found.blobs} videos, {found.read_blobs} of them read; all is as it should be."
        return _tell(told, said, found.findings, as_json=json)

    return _explained(work)


def _share(read_data: bool | str) -> Share:  # noqa: FBT001 - a flag of the command line, with or without a value
    if isinstance(read_data, bool):
        return EVERYTHING if read_data else NOTHING
    n, slash, of = read_data.partition("/")
    if (
        slash
        and n.isascii()
        and n.isdigit()
        and of.isascii()
        and of.isdigit()
        and 1 <= int(n) <= int(of) <= 10_000
    ):
        return Share(int(n), int(of))
    raise Undone(
        f"--read-data={read_data} is no part of a whole",
        "Write --read-data, or --read-data=2/7 for the second of seven parts.",
    )


def _data(data: Path | None) -> Path:
    settings = from_environment(data=data)
    if settings.database_url:
        raise Undone(
            "the database is PostgreSQL's, which has backups of its own", "docs/guides/scale.md says which."
        )
    if settings.blob_url:
        raise Undone(
            "the videos are in a bucket, which has backups of its own",
            "docs/guides/object-storage.md says what belongs together.",
        )
    try:
        check_start(settings.data, database=False, blobs=False)
    except Elsewhere as error:
        raise Undone(
            str(error), "Set where they are; docs/guides/scale.md says how that is backed up."
        ) from error
    return settings.data


def _tell(told: dict[str, Any], said: str, findings: list[Finding], *, as_json: bool) -> int:
    if as_json:
        listed = [{"kind": each.kind, "what": each.what, "detail": each.detail} for each in findings]
        sys.stdout.buffer.write(ijson.encode({**told, "findings": listed}) + b"\n")
        sys.stdout.buffer.flush()
    else:
        for each in findings:
            print(f"{each.kind}: {each.what}{f' ({each.detail})' if each.detail else ''}")
        if not findings:
            print(said)
    if findings:
        print(f"error: {len(findings)} found\nhint: {_HINT}", file=sys.stderr)
    return 1 if findings else 0


def _explained(work: Callable[[], int]) -> int:
    try:
        return work()
    except BadSettings as error:
        return _failed(str(error), "docs/reference/settings.md lists what can be set.")
    except Undone as error:
        return _failed(str(error), error.hint, code=error.code)
    except DatabaseError as error:
        return _failed(
            f"the database: {error}", "`restante check` says more; a backup brings it back.", code=1
        )
    except OSError as error:
        return _failed(
            f"{error.filename or 'the disk'}: {error.strerror}",
            "Look at the disk and its permissions, and try again.",
            code=1,
        )


def _failed(text: str, hint: str, *, code: int = 2) -> int:
    print(f"error: {text}\nhint: {hint}", file=sys.stderr)
    return code


_HINT = "docs/guides/backup.md says what to do about each; what is missing can come from a backup."
