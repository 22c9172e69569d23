"""`restante operator availability` and `restante operator waiting`: where it is open, and who waits for it."""

import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from restante.protocol.wire_availability import Platform
from restante.protocol.wire_office import DeskWaiter
from restante.server.availability import service
from restante.server.availability.file import EXAMPLE, NAME, BadFile, read
from restante.server.availability.in_force import read_chart
from restante.server.availability.waiting import WAITED, everybody
from restante.server.commands.office import (
    Misused,
    data_folder,
    day,
    failed,
    in_database,
    note,
    plain,
    print_json,
)
from restante.server.errors import Refusal

_EDIT = "restante operator availability --example shows what may stand in it."


def availability(
    *,
    country: str = "",
    platform: Platform | None = None,
    on: date | None = None,
    file: Path | None = None,
    example: bool = False,
    data: Path | None = None,
    json: bool = False,
) -> int:
    """Shows where, on what and from when people may sign up and send; decides one case with --platform.

    Args:
        country: two letters such as GB; none: a country that is not known.
        platform: what somebody uses.
        on: a day to decide for (default: now).
        file: another file than availability.toml of the data folder, to look at it before it counts.
        example: prints a file to begin with.
        data: the server's data folder (default: RESTANTE_DATA, or ./data).
        json: prints JSON.
    """
    if example:
        print(EXAMPLE.read_text(), end="")
        return 0
    try:
        told = _told(
            file or data_folder(data) / NAME, country.upper(), platform, _instant(on), must=file is not None
        )
    except Misused as error:
        return failed(error)
    if json:
        print_json(told)
    else:
        for line in told if isinstance(told, list) else [told]:
            print(_in_words(line))
    return 0


def waiting(
    *, each: bool = False, invite: int | None = None, data: Path | None = None, json: bool = False
) -> int:
    """Counts who waits to be told that it opens, by country and platform; lists and invites them.

    Args:
        each: lists them one by one; of a mail address the first letter and the domain.
        invite: the number of somebody in that list, who is let into the beta where they are.
        data: the server's data folder (default: RESTANTE_DATA, or ./data).
        json: prints JSON.
    """
    try:
        folder = data_folder(data)
        if each or invite is not None:
            return _one_by_one(folder, invite, as_json=json)
        rows = in_database(folder, service.waiting_by_place)
    except Misused as error:
        return failed(error)
    if json:
        print_json(rows)
        return 0
    for row in rows:
        print(f"{row['people']:6}  {row['country'] or '-':2}  {row['platform']}")
    return 0


def _one_by_one(folder: Path, invite: int | None, *, as_json: bool) -> int:
    now_ms = _instant(None)
    try:
        chart = read_chart(folder)
    except BadFile as error:
        raise Misused(str(error), _EDIT) from error

    def work(connection: Connection) -> list[DeskWaiter]:
        if invite is not None:
            made = service.let_in(connection, chart, invite, note=WAITED, now_ms=now_ms)
            note(connection, folder, "invite", made, now_ms=now_ms)
        return everybody(connection, chart, now_ms=now_ms)

    try:
        listed = in_database(folder, work)
    except Refusal as error:
        hint = "An invite opens a beta only; restante operator waiting --each says to whom."
        raise Misused(error.detail or "nobody with that number waits", hint) from error
    if as_json:
        print_json(listed)
        return 0
    for row in listed:
        words = [
            f"{row.id:6}",
            day(row.created_at),
            row.country or "-",
            row.platform,
            row.name or row.mail or "-",
        ]
        print("  ".join([*map(plain, words), *(["an invite lets them in"] if row.opens else [])]))
    return 0


def _told(
    path: Path, country: str, platform: Platform | None, now_ms: int, *, must: bool
) -> list[dict[str, Any]] | dict[str, Any]:
    try:
        chart = read(path) if must else read_chart(path.parent)
    except BadFile as error:
        raise Misused(str(error), _EDIT) from error
    except OSError as error:
        raise Misused(f"{path}: {error.strerror}", _EDIT) from error
    if platform is not None:
        return service.decided(chart, country or None, platform, now_ms=now_ms)
    return service.listed(chart, now_ms=now_ms)


def _instant(on: date | None) -> int:
    if on is None:
        return time.time_ns() // 1_000_000
    return int(datetime(on.year, on.month, on.day, tzinfo=UTC).timestamp() * 1000)


def _in_words(line: dict[str, Any]) -> str:
    if "allowed" in line:
        return "open" if line["allowed"] else f"shut: {plain(line['why'])}"
    words = [f"{line['what']:9}", f"{line['name']:14}", "open" if line["open"] else "shut", line["phase"]]
    return "  ".join([*words, *([line["from"]] if line["from"] else [])])
