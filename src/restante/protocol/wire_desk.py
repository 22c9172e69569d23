"""What the operator's desk says. Nothing here opens a message but a report's own disclosure."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from restante.protocol.wire_base import B64, Instant, MessageId, Name

State = Literal["good", "poor", "bad"]
"""good: as it should be; poor: works, and will not for ever or not for everybody; bad: does not work."""


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the doctor looked at, in plain words, and one cure."""

    name: str
    state: State
    text: str
    cure: str = ""
    value: int | None = None
    """Days, seconds, bytes or a count, as the name has it."""


class DeskHealth(msgspec.Struct, frozen=True):
    """Everything that the doctor looked at."""

    at: Instant
    items: list[Examined]


class DeskDay(msgspec.Struct, frozen=True, kw_only=True):
    """What happened on one day, of 24 hours before the moment that it was asked."""

    at: Instant
    """Its beginning."""
    messages: int
    bytes: int
    people: int
    """How many sent something."""


class DeskUsage(msgspec.Struct, frozen=True, kw_only=True):
    """How much there is, and how much there was each day."""

    accounts: int
    messages: int
    blob_bytes: int
    free_bytes: int
    uploads_active: int
    sessions: int
    days: list[DeskDay]


class DeskReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report of abuse, as the operator sees it."""

    id: str
    state: Literal["open", "quarantined", "banned", "dismissed"]
    reason: str
    note: str
    reporter: Name | None
    """None: the account is gone."""
    sender: str | None
    """None: a caller without account."""
    message: MessageId
    received_at: Instant
    created_at: Instant
    decision: str
    decided_at: Instant | None


class DeskReports(msgspec.Struct, frozen=True):
    items: list[DeskReport]


class DeskDecision(msgspec.Struct, frozen=True):
    """What becomes of a report; the people concerned are told the reason."""

    act: Literal["quarantine", "ban", "dismiss"]
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class DeskDisclosure(msgspec.Struct, frozen=True, kw_only=True):
    """The one message that a report discloses: the signed container, details.age and whether the video is still there."""

    container: B64
    details: B64
    video_bytes: int | None


class DeskAct(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the desk's own record."""

    seq: int
    at: Instant
    operator: str
    """Name of the account, or empty for the terminal."""
    act: str
    subject: str
    note: str


class DeskActs(msgspec.Struct, frozen=True):
    items: list[DeskAct]
    whole: bool
    """Whether no line of the record was changed, added or taken out by somebody without the server's key."""
    more: bool
    """Whether there are earlier ones."""


class DeskPerson(msgspec.Struct, frozen=True, kw_only=True):
    """An account, by what the server needs to know."""

    name: Name
    created_at: Instant
    seen_at: Instant | None
    messages: int
    bytes: int
    is_banned: bool
    is_operator: bool


class DeskPeople(msgspec.Struct, frozen=True):
    items: list[DeskPerson]
    more: bool
