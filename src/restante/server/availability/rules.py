"""Pure decisions: whether sign-up and sending are open in a country, on a platform, to somebody, at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from restante.protocol.wire_availability import Phase
from restante.server.availability.sighting import Sighting, Source

What = Literal["country", "platform"]

_ORDER: dict[Phase, int] = {"open": 0, "planned": 1, "beta": 2, "later": 3, "unknown": 4}
"""Of two things that are shut, the one that is shut longer is told."""


@dataclass(frozen=True, slots=True)
class Door:
    """One entry of the file: a country, or a platform."""

    phase: Phase
    from_ms: int | None = None
    """When a planned one opens."""
    cohort: frozenset[str] = frozenset()
    """Names of accounts that take part in a beta, beside those who have an invite."""
    text: Mapping[str, str] = field(default_factory=dict)

    def is_open(self, who: "Who", now_ms: int) -> bool:
        """Tells whether somebody gets through at a time."""
        if self.phase == "planned":
            return self.from_ms is not None and self.from_ms <= now_ms
        if self.phase == "beta":
            return who.is_invited or who.name in self.cohort
        return self.phase == "open"


OPEN, UNKNOWN = Door("open"), Door("unknown")


@dataclass(frozen=True, slots=True)
class Who:
    """Whom a beta may let in."""

    name: str = ""
    is_invited: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole file: a country and a platform must both be open. What it does not name falls to ``elsewhere`` and ``other``."""

    countries: Mapping[str, Door]
    platforms: Mapping[str, Door]
    exceptions: Mapping[tuple[str, str], Door] = field(default_factory=dict)
    """Platforms that are otherwise in one country than everywhere."""
    elsewhere: Door = OPEN
    other: Door = OPEN

    @property
    def by_country(self) -> bool:
        """Whether it matters where somebody is."""
        return bool(self.countries or self.exceptions) or self.elsewhere != OPEN

    def doors(self, country: str | None, platform: str) -> tuple[tuple[What, Door], ...]:
        """What somebody must get through."""
        there = self.countries.get(country or "", self.elsewhere)
        everywhere = self.platforms.get(platform, self.other)
        return ("country", there), (
            "platform",
            self.exceptions.get((country or "", platform), everywhere),
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it is open; if not, what keeps it shut longest, and when all of it opens, if that is known."""

    allowed: bool
    phase: Phase = "open"
    blocked_by: What | None = None
    opens_at: int | None = None
    text: Mapping[str, str] = field(default_factory=dict)


EVERYTHING_OPEN = Decision(allowed=True)


def decide(chart: Chart | None, country: str | None, platform: str, who: Who, *, now_ms: int) -> Decision:
    """Decides for one place and person. Without a chart everything is open."""
    if chart is None:
        return EVERYTHING_OPEN
    shut = [(what, door) for what, door in chart.doors(country, platform) if not door.is_open(who, now_ms)]
    if not shut:
        return EVERYTHING_OPEN
    what, door = max(shut, key=lambda each: (_ORDER[each[1].phase], each[1].from_ms or 0))
    dates = [each.from_ms for _, each in shut if each.phase == "planned" and each.from_ms is not None]
    opens_at = max(dates) if len(dates) == len(shut) else None
    return Decision(allowed=False, phase=door.phase, blocked_by=what, opens_at=opens_at, text=door.text)


def home(
    declared: str | None, kept: tuple[str, Source] | None, seen: Sighting
) -> tuple[str | None, Source | None]:
    """Which country counts: what is declared now, what the account has, what the request shows."""
    if declared is not None:
        return declared, "declared"
    if kept is not None:
        return kept
    return seen.country, seen.source
