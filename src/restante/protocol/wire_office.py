"""What the desk says of who may come in, and of the work that runs beside: switches, who waits, invites, the outbox."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from restante.protocol.wire_availability import Country, Phase, Platform
from restante.protocol.wire_base import Instant, Name

What = Literal["country", "platform"]
DoorName = Annotated[
    str,
    Meta(
        pattern=r"^([A-Z]{2}|elsewhere|macos|windows|linux|ios|android|windows-phone|other)$", max_length=13
    ),
]
"""A country by its two letters, all others as ``elsewhere``, or a platform."""


class DeskSwitch(msgspec.Struct, frozen=True, kw_only=True):
    """A phase that counts in the place of what `availability.toml` says; ``opens_at`` with ``planned`` only."""

    what: What
    name: DoorName
    phase: Phase
    opens_at: Instant | None = None


class DeskSwitches(msgspec.Struct, frozen=True):
    """All switches that are to count; those that are not named any more fall back to the file."""

    items: Annotated[list[DeskSwitch], Meta(max_length=300)]


class DeskDoor(msgspec.Struct, frozen=True, kw_only=True):
    """One country or platform, as it is now."""

    what: What
    name: str
    phase: Phase
    opens_at: Instant | None
    open: bool
    """For somebody whom no beta lets in."""
    text: dict[str, str]
    cohort: int
    """How many names are let into a beta."""
    switched: bool
    written: Phase
    """What counts without a switch."""


class DeskDoors(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `availability.toml` and the switches name, and all platforms."""

    items: list[DeskDoor]
    by_file: bool
    """Whether there is an `availability.toml`; without it everything is open that is not switched."""
    exceptions: int
    """Platforms that the file has otherwise in one country; no switch changes them."""


class DeskSight(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody sees there."""

    allowed: bool
    phase: Phase
    blocked_by: What | None
    opens_at: Instant | None
    text: dict[str, str]


class DeskCase(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in a country on a platform, now and with other switches; they have no invite."""

    country: Country | None
    """None: one that nothing names."""
    platform: Platform
    before: DeskSight
    after: DeskSight


class DeskPreview(msgspec.Struct, frozen=True):
    items: list[DeskCase]


class DeskPlace(msgspec.Struct, frozen=True, kw_only=True):
    """How many wait in one place."""

    country: Country | None
    platform: Platform
    people: int


class DeskWaiter(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who asked to be told when it opens."""

    id: int
    name: Name | None
    """None: somebody without an account."""
    mail: str | None
    """First letter and domain of the address of somebody without an account."""
    country: Country | None
    platform: Platform
    created_at: Instant
    opens: bool
    """Whether an invite opens it to them: where they are it is in a beta."""


class DeskWaiting(msgspec.Struct, frozen=True, kw_only=True):
    places: list[DeskPlace]
    items: list[DeskWaiter]
    more: bool


class DeskInvite(msgspec.Struct, frozen=True, kw_only=True):
    """An invite; its code was shown when it was made, and is stored nowhere."""

    id: str
    state: Literal["open", "used", "expired", "revoked"]
    note: str
    uses: int
    most_uses: int
    created_at: Instant
    expires_at: Instant | None


class DeskInvites(msgspec.Struct, frozen=True):
    items: list[DeskInvite]


class DeskInviteForm(msgspec.Struct, frozen=True, kw_only=True):
    """An invite to be made: for how many, and for how long."""

    note: Annotated[str, Meta(max_length=200)] = ""
    uses: Annotated[int, Meta(ge=1, le=10_000)] = 1
    days: Annotated[int, Meta(ge=1, le=3_650)] | None = None


class DeskInviteMade(msgspec.Struct, frozen=True, kw_only=True):
    """The code, this once."""

    id: str
    code: str
    expires_at: Instant | None


class DeskTasks(msgspec.Struct, frozen=True, kw_only=True):
    """Work of one kind that is to be done."""

    kind: str
    count: int
    oldest_due_at: Instant
    failing: int
    """How many of them were tried in vain."""
    attempts: int
    """How often the unluckiest was."""


class DeskWork(msgspec.Struct, frozen=True):
    items: list[DeskTasks]


class DeskRetry(msgspec.Struct, frozen=True):
    """A kind of work whose failures are tried again now."""

    kind: Annotated[str, Meta(min_length=1, max_length=40)]
