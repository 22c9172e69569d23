"""What may stand in `availability.toml` in the data folder; without that file everything is open."""

import re
import tomllib
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, get_args

import msgspec

from restante.protocol.wire_availability import Phase, Platform
from restante.server.availability.rules import OPEN, UNKNOWN, Chart, Door

NAME = "availability.toml"
EXAMPLE = Path(__file__).with_name("example.toml")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")
_PLATFORMS = get_args(Platform)


class BadFile(ValueError):
    """The file cannot be what it should be; the text is one line that says where and why."""


class _Entry(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    phase: Phase
    from_: Any = None
    cohort: list[str] = []
    text: dict[str, str] = {}


class _Country(_Entry):
    platforms: dict[str, _Entry] = {}


class _File(msgspec.Struct, forbid_unknown_fields=True):
    countries: dict[str, _Country] = {}
    platforms: dict[str, _Entry] = {}


def read(path: Path) -> Chart:
    """Reads a file. Raises BadFile, or OSError when there is none."""
    try:
        raw = tomllib.loads(path.read_bytes().decode())
        return chart_of(raw)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadFile(f"{path}: {error}") from error
    except BadFile as error:
        raise BadFile(f"{path}: {error}") from error


def chart_of(raw: dict[str, Any]) -> Chart:
    """Builds the chart of a file that was parsed. Raises BadFile."""
    try:
        file = msgspec.convert(raw, _File)
    except msgspec.ValidationError as error:
        raise BadFile(str(error)) from error
    for code in file.countries:
        if not _COUNTRY.match(code) and code != "elsewhere":
            raise BadFile(f"countries.{code} is no country: two capital letters such as GB, or elsewhere")
    for where, entries in _platform_tables(file):
        for name in entries:
            if name not in _PLATFORMS:
                raise BadFile(f"{where}.{name} is no platform: one of {', '.join(_PLATFORMS)}")
    countries = {code: _door(entry, f"countries.{code}") for code, entry in file.countries.items()}
    platforms = {name: _door(entry, f"platforms.{name}") for name, entry in file.platforms.items()}
    return Chart(
        countries=countries,
        platforms=platforms,
        exceptions={
            (code, name): _door(entry, f"countries.{code}.platforms.{name}")
            for code, country in file.countries.items()
            for name, entry in country.platforms.items()
        },
        elsewhere=countries.pop("elsewhere", UNKNOWN if file.countries else OPEN),
        other=platforms.get("other", UNKNOWN if file.platforms else OPEN),
    )


def _platform_tables(file: _File) -> list[tuple[str, dict[str, _Entry]]]:
    inside = [(f"countries.{code}.platforms", entry.platforms) for code, entry in file.countries.items()]
    if "elsewhere" in file.countries and file.countries["elsewhere"].platforms:
        raise BadFile("countries.elsewhere.platforms: only a country can have platforms of its own")
    return [("platforms", file.platforms), *inside]


def _door(entry: _Entry, where: str) -> Door:
    if (entry.phase == "planned") is not isinstance(entry.from_, date) or (
        entry.from_ is not None and not isinstance(entry.from_, date)
    ):
        raise BadFile(f"{where}: planned needs `from`, a date, and no other phase has it")
    if entry.cohort and entry.phase != "beta":
        raise BadFile(f"{where}: only a beta has a cohort")
    for language in entry.text:
        if not re.fullmatch(r"[a-z]{2}", language):
            raise BadFile(f"{where}.text.{language} is no language: two letters such as en")
    from_ms = None if entry.from_ is None else _instant(entry.from_)
    return Door(entry.phase, from_ms, frozenset(entry.cohort), dict(entry.text))


def _instant(when: date | datetime) -> int:
    """A date begins at midnight UTC, as a time without a zone is UTC's."""
    moment = when if isinstance(when, datetime) else datetime.combine(when, time())
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
