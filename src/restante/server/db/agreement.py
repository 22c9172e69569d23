"""What is kept twice must say the same: a message's facts with each of its copies, what a recipient told with the sender's delivery.

Plain SQL that SQLite and PostgreSQL both read; each asks for the ids of messages of which it is not so.
"""
# ruff: noqa: S608 - they are made of the names below

_FACTS = (
    "kind",
    "upload_id",
    "details_sha256",
    "expires_at",
    "until_played",
    "may_forward",
    "by_caller",
    "quarantined_at",
    "quarantine_reason",
)
_TOLD = (
    "fetched_at",
    "played_at",
    "deleted_at",
    "quiet",
    "delivery_receipt",
    "play_receipt",
    "forwarded_by",
)


def _differ(one: str, other: str, columns: tuple[str, ...]) -> str:
    return " OR ".join(f"{one}.{column} IS DISTINCT FROM {other}.{column}" for column in columns)


DISAGREEMENTS = {
    "a copy says other than its message": (
        "SELECT e.message_id FROM envelopes e JOIN messages m ON m.id = e.message_id"
        " WHERE e.sender_id IS DISTINCT FROM m.account_id OR (e.deleted_at IS NULL"
        f" AND (e.video_bytes IS DISTINCT FROM m.video_bytes OR {_differ('e', 'm', _FACTS)}))"
    ),
    "a copy says other than its delivery": (
        "SELECT e.message_id FROM envelopes e LEFT JOIN deliveries d ON d.message_id = e.message_id"
        " AND d.account_id = e.sender_id AND d.recipient_id = e.account_id WHERE e.box <> 'sent' AND (d.message_id IS NULL"
        f" OR (d.is_hidden = 1) <> (e.box = 'hidden') OR {_differ('e', 'd', _TOLD)})"
    ),
    "a delivery is of no copy": (
        "SELECT d.message_id FROM deliveries d WHERE NOT EXISTS (SELECT 1 FROM envelopes e"
        " WHERE e.message_id = d.message_id AND e.account_id = d.recipient_id AND e.box <> 'sent')"
    ),
}
"""By what is wrong then."""
