"""`availability.desk.toml`: what operators switched at the desk or by `restante operator switches`, over `availability.toml`.

[Note: Two files] What an operator wrote by hand, with its comments, is never written by a program. A switch stands in a file of its own,
in the same form, and counts in the place of the entry of the same name: of that entry it keeps the words and the cohort. Without that
file, or without the entry in it, what was written by hand counts again. Both lie in the data folder, so a backup has them, and what is
switched at the terminal reaches a server that runs.

[Note: A copy on each node] Where several nodes share a database, what was switched stands there, and each node's file is a copy that it
brings up to date every other second.
"""

import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from restante.server.availability.file import BadFile, chart_of
from restante.server.availability.rules import OPEN, Chart, Door, What
from restante.server.db import meta

NAME = "availability.desk.toml"
_KEY = "switches"
ELSEWHERE, OTHER = "elsewhere", "other"
Switches = Mapping[tuple[What, str], Door]
"""By what is switched: a country by its two letters or ``elsewhere``, a platform by its name."""
_TABLES: dict[What, str] = {"country": "countries", "platform": "platforms"}
_HEAD = """# Written by the operator's desk and by `restante operator switches`, over availability.toml.
# Delete this file, and availability.toml counts alone.
"""


def read(path: Path) -> Switches:
    """Reads the file. Raises BadFile, or OSError."""
    try:
        raw = tomllib.loads(path.read_bytes().decode())
        chart = chart_of(raw)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, BadFile) as error:
        raise BadFile(f"{path}: {error}") from error
    if chart.exceptions:
        raise BadFile(f"{path}: only availability.toml tells platforms of one country apart")
    return {
        (what, name): door_of(chart, what, name) or OPEN
        for what, table in _TABLES.items()
        for name in raw.get(table, {})
    }


def write(path: Path, switches: Switches) -> None:
    """Replaces the file in one step, and removes it when nothing is switched. Raises OSError."""
    _replace(path, _text(switches))


def keep(connection: Connection, switches: Switches) -> None:
    """Tells the other nodes, if there can be any, within the caller's transaction. See [Note: A copy on each node]."""
    if connection.dialect.name == "postgresql":
        meta.put(connection, _KEY, _text(switches))


def kept(connection: Connection) -> bytes | None:
    """What the file is a copy of; None: nobody ever switched anything for all nodes."""
    return meta.get(connection, _KEY)


def copy(path: Path, text: bytes) -> None:
    """Makes the file what the database has, unless it is that. Blocks. Raises OSError."""
    if text != (path.read_bytes() if path.exists() else b""):
        _replace(path, text)


def _text(switches: Switches) -> bytes:
    entries = "".join(_entry(*each) for each in sorted(switches.items(), key=_order))
    return (_HEAD + entries).encode() if entries else b""


def _replace(path: Path, text: bytes) -> None:
    if not text:
        path.unlink(missing_ok=True)
        return
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def laid_over(chart: Chart | None, switches: Switches) -> Chart | None:
    """The chart with what was switched. See [Note: Two files]."""
    if not switches:
        return chart
    base = chart or Chart({}, {})
    doors = {key: _over(door_of(base, *key), door) for key, door in switches.items()}
    countries = {
        name: door for (what, name), door in doors.items() if what == "country" and name != ELSEWHERE
    }
    platforms = {name: door for (what, name), door in doors.items() if what == "platform"}
    return replace(
        base,
        countries={**base.countries, **countries},
        platforms={**base.platforms, **platforms},
        elsewhere=doors.get(("country", ELSEWHERE), base.elsewhere),
        other=doors.get(("platform", OTHER), base.other),
    )


def door_of(chart: Chart, what: What, name: str) -> Door | None:
    """The entry of a country or a platform; None: it has none of its own."""
    if what == "country":
        return chart.elsewhere if name == ELSEWHERE else chart.countries.get(name)
    return chart.other if name == OTHER else chart.platforms.get(name)


def _over(own: Door | None, switched: Door) -> Door:
    if own is None:
        return switched
    cohort = own.cohort if switched.phase == "beta" else frozenset[str]()
    return replace(switched, text=switched.text or own.text, cohort=switched.cohort or cohort)


def _entry(key: tuple[What, str], door: Door) -> str:
    what, name = key
    lines = [f"\n[{_TABLES[what]}.{name}]", f'phase = "{door.phase}"']
    if door.from_ms is not None:
        lines.append(f"from = {datetime.fromtimestamp(door.from_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}")
    return "\n".join(lines) + "\n"


def _order(each: tuple[tuple[What, str], Any]) -> tuple[str, str]:
    return each[0]
