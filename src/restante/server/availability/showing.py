"""What the desk and the operator's commands show of a chart and of switches over it. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import get_args

from restante.protocol.wire_availability import Platform
from restante.protocol.wire_office import DeskCase, DeskDoor, DeskDoors, DeskPreview, DeskSight, DeskSwitch
from restante.server.availability.rules import OPEN, Chart, Decision, Door, What, Who, decide
from restante.server.availability.switches import ELSEWHERE, Switches, door_of, laid_over

PLATFORMS: tuple[Platform, ...] = get_args(Platform)
_COUNTRY_LETTERS = 2
_END_MS = 4_102_444_800_000
"""The year 2100."""
Key = tuple[What, str]


class BadSwitch(ValueError):
    """Nothing can be switched so; the text says why."""


def doors(own: Chart | None, switches: Switches, *, now_ms: int) -> DeskDoors:
    """Everything that is named, and all platforms."""
    chart = laid_over(own, switches) or Chart({}, {})
    items = [
        _door(key, _found(chart, key), _found(own, key), is_switched=key in switches, now_ms=now_ms)
        for key in (*(("country", name) for name in (*_countries(chart), ELSEWHERE)), *_PLATFORM_KEYS)
    ]
    return DeskDoors(items=items, by_file=own is not None, exceptions=len(chart.exceptions))


def preview(own: Chart | None, before: Switches, after: Switches, *, now_ms: int) -> DeskPreview:
    """What somebody without an invite sees in each country that is named and in any other, on each platform."""
    now, then = laid_over(own, before), laid_over(own, after)
    named = sorted({*_countries(now), *_countries(then)})
    return DeskPreview(
        [
            DeskCase(
                country=country,
                platform=platform,
                before=_sight(decide(now, country, platform, Who(), now_ms=now_ms)),
                after=_sight(decide(then, country, platform, Who(), now_ms=now_ms)),
            )
            for country in (*named, None)
            for platform in PLATFORMS
        ]
    )


def switches_of(wanted: Iterable[DeskSwitch]) -> Switches:
    """Reads what was asked for. Raises BadSwitch."""
    found: dict[Key, Door] = {}
    for each in wanted:
        is_country = each.name == ELSEWHERE or (len(each.name) == _COUNTRY_LETTERS and each.name.isupper())
        if (each.what == "country") is not is_country:
            raise BadSwitch(f"{each.name} is no {each.what}")
        if (each.phase == "planned") is (each.opens_at is None):
            raise BadSwitch(f"{each.name}: planned needs a date, and no other phase has one")
        if each.opens_at is not None and each.opens_at >= _END_MS:
            raise BadSwitch(f"{each.name}: a date before the year 2100")
        if (each.what, each.name) in found:
            raise BadSwitch(f"{each.name} is switched twice")
        found[each.what, each.name] = Door(each.phase, each.opens_at)
    return found


def in_words(before: Switches, after: Switches) -> str:
    """What changes, as the desk's record says it."""
    changed = [key for key in sorted({*before, *after}) if before.get(key) != after.get(key)]
    return ", ".join(f"{key[1]}: {_phase(after.get(key))}" for key in changed)


_PLATFORM_KEYS: tuple[Key, ...] = tuple(("platform", name) for name in PLATFORMS)


def _countries(chart: Chart | None) -> list[str]:
    return [] if chart is None else sorted(chart.countries)


def _found(chart: Chart | None, key: Key) -> Door:
    """What counts for a key: its own entry, or what it falls to."""
    if chart is None:
        return OPEN
    return door_of(chart, *key) or (chart.elsewhere if key[0] == "country" else chart.other)


def _door(key: Key, door: Door, written: Door, *, is_switched: bool, now_ms: int) -> DeskDoor:
    return DeskDoor(
        what=key[0],
        name=key[1],
        phase=door.phase,
        opens_at=door.from_ms,
        open=door.is_open(Who(), now_ms),
        text=dict(door.text),
        cohort=len(door.cohort),
        switched=is_switched,
        written=written.phase,
    )


def _sight(decision: Decision) -> DeskSight:
    return DeskSight(
        allowed=decision.allowed,
        phase=decision.phase,
        blocked_by=decision.blocked_by,
        opens_at=decision.opens_at,
        text=dict(decision.text),
    )


def _phase(door: Door | None) -> str:
    if door is None:
        return "as the file says"
    if door.from_ms is None:
        return door.phase
    return f"{door.phase} for {datetime.fromtimestamp(door.from_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
