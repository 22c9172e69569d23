"""What travels about one's own account as a whole: what is unplayed, what is stored, and its end."""

from msgspec import Struct

from restante.protocol.wire_base import Instant, Name


class Unplayed(Struct, frozen=True):
    """Messages in the inbox that live and were not played: the number on a badge."""

    count: int


class StoredWith(Struct, frozen=True):
    """Living messages with one other account: how many, and the bytes of their videos."""

    name: Name
    messages: int
    bytes: int
    first_at: Instant
    last_at: Instant


class Storage(Struct, frozen=True):
    """What is stored for the account, in bytes; the largest first.

    ``received`` are videos that others left, stored with their senders' copies; ``sent`` are one's own, by each
    recipient, so that a message to three stands there three times; ``unsent_bytes`` are uploads that no message carries yet.
    """

    received_bytes: int
    sent_bytes: int
    unsent_bytes: int
    received: list[StoredWith]
    sent: list[StoredWith]
