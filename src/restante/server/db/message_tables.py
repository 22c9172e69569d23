"""The part of the schema in which an account keeps, in its own shard, what it would otherwise have to ask others for."""

from typing import Any

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Text, text

from restante.server.db.shapes import Big, a_column, a_table, an_account


def facts() -> list[Column[Any]]:
    """What a list shows of the message, kept with each copy: nobody looks into the sender's shard for it."""
    kinds = {
        "sender_id": Big,
        "kind": Text,
        "upload_id": Text,
        "video_bytes": Big,
        "details_sha256": LargeBinary,
        "expires_at": Big,
        "until_played": Integer,
        "may_forward": Integer,
        "by_caller": Integer,
        "quarantined_at": Big,
        "quarantine_reason": Text,
    }
    return [a_column(name, kind, "as in the message", nullable=True) for name, kind in kinds.items()]


deliveries = a_table(
    "deliveries",
    a_column(
        "message_id",
        Text,
        "which of the account's messages",
        ForeignKey("messages.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    an_account(primary_key=True),
    a_column(
        "recipient_id",
        Big,
        "who has or had a copy of it",
        ForeignKey("accounts.id", ondelete="CASCADE"),
        primary_key=True,
        index=True,
    ),
    a_column("is_hidden", Integer, "1: the recipient had blocked who left it, and sees nothing of it"),
    a_column("fetched_at", Big, "as in the recipient's copy; so are the next five", nullable=True),
    a_column("played_at", Big, "first play", nullable=True),
    a_column("deleted_at", Big, "tombstone", nullable=True),
    a_column("quiet", Integer, "1: the sender is not shown the two times before", server_default=text("0")),
    a_column("delivery_receipt", LargeBinary, "signed by the recipient, for the sender", nullable=True),
    a_column("play_receipt", LargeBinary, "likewise", nullable=True),
    a_column("forwarded_by", Big, "account that passed the message on to this one", nullable=True),
)

event_ends = a_table(
    "event_ends",
    an_account(primary_key=True),
    a_column("forgotten_id", Big, "newest of its events that the sweep has removed"),
)
