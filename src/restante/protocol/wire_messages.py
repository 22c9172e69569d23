"""What travels as JSON of messages besides what wire.py has: passing on, and the account's chain of deletions."""

from typing import Annotated

import msgspec
from msgspec import Meta

from restante.protocol.wire_base import B64, Name


class Forward(msgspec.Struct, frozen=True):
    """Passes a message on: for each name an envelope.age, signed by who passes it on."""

    envelopes: Annotated[dict[Name, B64], Meta(min_length=1, max_length=5)]


class AuditLine(msgspec.Struct, frozen=True):
    """One line of the chain: the exact text that is hashed, strict JSON (docs/protocol/audit.md)."""

    line: Annotated[str, Meta(max_length=1024)]


class AuditLines(msgspec.Struct, frozen=True):
    """Lines in the order of the chain; ``more`` tells that others follow."""

    items: list[AuditLine]
    more: bool
