"""What travels about other people: who is accepted or blocked, and reports of abuse."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from restante.protocol.wire_base import B64, Instant, MessageId

AcquaintanceState = Literal["accepted", "blocked", "unknown"]
ReportReason = Literal["spam", "harassment", "violence", "sexual", "child-safety", "other"]
ReportId = Annotated[str, Meta(pattern=r"^rep_[a-z2-7]{25}[aeimquy4]$", max_length=30)]


class Acquaintance(msgspec.Struct, frozen=True):
    """What the owner decided about somebody; ``unknown`` takes it back."""

    state: AcquaintanceState


class NewReport(msgspec.Struct, frozen=True):
    """Tells the operator of one message, and opens this one to them.

    ``container`` is the plaintext of the reporter's envelope.age, which holds the message's key.
    """

    message: MessageId
    reason: ReportReason
    container: Annotated[B64, Meta(min_length=1, max_length=22_000)]
    note: Annotated[str, Meta(max_length=1000)] = ""


class Reported(msgspec.Struct, frozen=True):
    """A report that was taken; ``contact`` is the operator's address for what cannot wait, or empty."""

    id: ReportId
    created_at: Instant
    contact: str
