"""`restante operator switches`: phases that count in the place of those in `availability.toml`, as at the desk."""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection

from restante.protocol.wire_availability import Phase
from restante.protocol.wire_office import DeskDoors, DeskPreview, DeskSwitch, What
from restante.server.availability import showing
from restante.server.availability import switches as file
from restante.server.availability.file import BadFile
from restante.server.availability.in_force import read_both
from restante.server.availability.showing import BadSwitch
from restante.server.availability.switches import Switches
from restante.server.commands.office import (
    Misused,
    data_folder,
    day,
    failed,
    in_database,
    is_shared,
    note,
    plain,
    print_json,
)

_HOW = "restante operator switches set GB open; or macos, elsewhere, other; planned takes --from DAY."


@dataclass(frozen=True, slots=True)
class _Wish:
    action: Literal["list", "set", "undo"]
    name: str
    phase: Phase | None
    opens_at: int | None

    @property
    def key(self) -> tuple[What, str]:
        is_country = self.name == file.ELSEWHERE or self.name.isupper()
        return ("country" if is_country else "platform"), self.name


def switches(
    action: Literal["list", "set", "undo"] = "list",
    name: str = "",
    phase: Phase | None = None,
    *,
    from_: date | None = None,
    preview: bool = False,
    data: Path | None = None,
    json: bool = False,
) -> int:
    """Lists what is open, sets a phase that counts over availability.toml, or undoes it. A running server follows within seconds.

    Args:
        action: what to do.
        name: two letters of a country such as GB, elsewhere, a platform, or other.
        phase: open, beta, planned, later or unknown.
        from_: the day on which a planned one opens.
        preview: shows what people would see then, and changes nothing.
        data: the server's data folder (default: RESTANTE_DATA, or ./data).
        json: prints JSON.
    """
    wish = _Wish(action, name, phase, _instant(from_))
    try:
        folder = data_folder(data)
        told = _told(folder, wish, preview=preview)
    except Misused as error:
        return failed(error)
    except OSError as error:
        return failed(Misused(f"{error.filename}: {error.strerror}", "Look at the data folder."))
    if json:
        print_json(told)
    else:
        _show(told)
    return 0


def _told(folder: Path, wish: _Wish, *, preview: bool) -> DeskDoors | DeskPreview:
    now_ms = time.time_ns() // 1_000_000
    _follow(folder)
    try:
        own, before = read_both(folder)
    except BadFile as error:
        raise Misused(
            str(error), "Mend that file; restante operator availability --example shows the form."
        ) from error
    if wish.action == "list":
        return showing.doors(own, before, now_ms=now_ms)
    after = _changed(before, wish)
    if preview:
        return showing.preview(own, before, after, now_ms=now_ms)

    def work(connection: Connection) -> None:
        note(connection, folder, "switch", "", showing.in_words(before, after), now_ms=now_ms)
        file.keep(connection, after)
        file.write(folder / file.NAME, after)

    in_database(folder, work)
    return showing.doors(own, after, now_ms=now_ms)


def _follow(folder: Path) -> None:
    """Has the folder know what was switched on other nodes, where there can be any."""
    if is_shared(folder):
        text = in_database(folder, file.kept)
        if text is not None:
            file.copy(folder / file.NAME, text)


def _changed(before: Switches, wish: _Wish) -> Switches:
    rest: Switches = {key: door for key, door in before.items() if key != wish.key}
    if wish.action == "undo":
        if wish.key not in before:
            raise Misused(
                f"{wish.name or 'nothing'} is not switched", "restante operator switches lists what is."
            )
        return rest
    if wish.phase is None or not wish.name:
        raise Misused("a name and a phase are missing", _HOW)
    switch = DeskSwitch(what=wish.key[0], name=wish.name, phase=wish.phase, opens_at=wish.opens_at)
    try:
        return {**rest, **showing.switches_of([switch])}
    except BadSwitch as error:
        raise Misused(str(error), _HOW) from error


def _instant(on: date | None) -> int | None:
    return None if on is None else int(datetime(on.year, on.month, on.day, tzinfo=UTC).timestamp() * 1000)


def _show(told: DeskDoors | DeskPreview) -> None:
    if isinstance(told, DeskDoors):
        for door in told.items:
            since = f" {day(door.opens_at)}" if door.opens_at is not None else ""
            mark = f"  (switched; the file says {door.written})" if door.switched else ""
            print(
                f"{door.what:9} {door.name:14} {'open' if door.open else 'shut'}  {door.phase}{since}{mark}"
            )
        return
    changed = [case for case in told.items if case.before != case.after]
    for case in changed:
        words = ["open" if sight.allowed else f"shut ({sight.phase})" for sight in (case.before, case.after)]
        print(plain(f"{case.country or 'elsewhere':10} {case.platform:14} {words[0]} -> {words[1]}"))
    if not changed:
        print("Nobody without an invite would see a difference.")
