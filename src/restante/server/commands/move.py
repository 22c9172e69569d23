"""`restante move`: brings a running installation to PostgreSQL, a bucket, or both; on the server's machine."""

import shlex
import sys
import time
from pathlib import Path

from restante.server import standstill
from restante.server.backup.faults import Undone
from restante.server.commands.office import Misused, failed, print_json
from restante.server.config import BadSettings, Settings, from_environment
from restante.server.moving.move import Moved, Mover, take_back

_EVERY_S = 10.0
_MIB = 1 << 20


def move(
    *,
    config: Path | None = None,
    data: Path | None = None,
    dry_run: bool = False,
    copy_only: bool = False,
    undo: bool = False,
    despite_damage: bool = False,
    anyway: bool = False,
    json: bool = False,
) -> int:
    """Moves a server's data to the database and the bucket of the settings, while it runs; for the last seconds or minutes it stores nothing.

    Args:
        config: TOML file of the settings that the server shall have afterwards; the environment wins.
        data: the server's data folder (default: RESTANTE_DATA, or ./data).
        dry_run: looks at both sides, counts, and changes nothing.
        copy_only: copies, and leaves the end for another time.
        undo: lets the old installation go on.
        despite_damage: moves data that is damaged already, as it is.
        anyway: with --undo, although what came since is lost.
        json: prints JSON.
    """
    telling = _Terminal()
    try:
        settings = from_environment(config=config, data=data)
        if undo:
            places = take_back(settings, anyway=anyway)
            print(f"{settings.data} serves again as it was; nothing more is served from {places}.")
            return 0
        mover = Mover(settings, telling, despite_damage=despite_damage)
        done = mover.look() if dry_run else mover.move(copy_only=copy_only)
    except BadSettings as error:
        return failed(Misused(str(error), "docs/reference/settings.md lists what can be set."))
    except Undone as error:
        failed(Misused(str(error), error.hint))
        return error.code
    except OSError as error:
        place = f"{error.filename}: " if error.filename else "the bucket: "
        return (
            failed(Misused(f"{place}{error.strerror or error}", "Run it again: it goes on where it was."))
            // 2
        )
    except KeyboardInterrupt:
        went = standstill.read(settings.data) is not None
        said = "interrupted, and marked as moved" if went else "interrupted: the server goes on as it was"
        return failed(Misused(said, "Run it again: it goes on where it was.")) + 128
    if json:
        print_json(_as_json(done))
    else:
        print(_said(settings, done, config, dry_run=dry_run, copy_only=copy_only))
    return 0


def _as_json(done: Moved) -> dict[str, object]:
    return {
        "to": done.places,
        "videos": done.videos,
        "bytes": done.bytes,
        "tables": {name: {"rows": each.rows, "sha256": each.sha256} for name, each in done.tables.items()},
        "copied_s": round(done.copied_s, 3),
        "stopped_s": round(done.stopped_s, 3),
        "findings": [{"kind": each.kind, "what": each.what, "detail": each.detail} for each in done.findings],
    }


def _said(settings: Settings, done: Moved, config: Path | None, *, dry_run: bool, copy_only: bool) -> str:
    rows = sum(each.rows for each in done.tables.values())
    what = " and ".join(
        filter(
            None,
            (
                f"{rows} rows" if settings.database_url else "",
                f"{done.videos} videos ({done.bytes // _MIB} MiB)" if settings.blob_url else "",
            ),
        )
    )
    if dry_run:
        return f"{what} would go to {done.places}. Nothing is in the way."
    if copy_only:
        return f"{what} are at {done.places} already. The server goes on; run it again to end the move."
    told = shlex.join(
        ["restante", "serve", *(["--config", str(config)] if config else []), "--data", str(settings.data)]
    )
    began = "Everything was at" if done.was_done else f"{what} are at"
    stood = "" if done.was_done else f" Nothing could be stored for {done.stopped_s:.1f} s."
    return (
        f"{began} {done.places}.{stood}\n"
        f"Now stop the server, and start it with these settings: {told}\n"
        f"Until then it stores nothing. {settings.data} stays in use: log.key is there"
        f"{'' if settings.blob_url else ', and so are the videos'}.\n"
        "Back to how it was, as long as the new one was not started: restante move --undo"
    )


class _Terminal:
    """Tells on standard error; what goes on, every so often."""

    def __init__(self) -> None:
        self._told_s = time.monotonic()

    def step(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def progress(self, text: str) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s > _EVERY_S:
            self._told_s = now_s
            print(f"  {text}", file=sys.stderr, flush=True)
