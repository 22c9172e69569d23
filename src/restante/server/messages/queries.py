"""SQL of messages and envelopes; nothing here decides or commits.

The column ``box`` of an envelope is ``inbox``, ``sent``, or ``past``: a received copy whose tombstone has run out, kept
while the message lives, because it still tells the sender how the delivery ended.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    delete,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    tuple_,
    update,
)

from restante.server.db.tables import accounts, envelopes, idempotency_keys, messages
from restante.server.messages.rules import Box, Parcel, Position, Row, claim_of

BATCH = 100
"""Rows that one sweep transaction touches at most."""

VIEW = (
    messages.c.id,
    messages.c.kind,
    messages.c.account_id.label("sender_id"),
    accounts.c.name.label("sender"),
    messages.c.upload_id,
    messages.c.video_bytes,
    messages.c.details_sha256,
    messages.c.expires_at,
    envelopes.c.box,
    envelopes.c.received_at,
    envelopes.c.change,
    envelopes.c.fetched_at,
    envelopes.c.played_at,
    envelopes.c.deleted_at,
)
_SOURCE = envelopes.join(messages, messages.c.id == envelopes.c.message_id).join(
    accounts, accounts.c.id == messages.c.account_id
)


# Idempotency keys


def find_key(connection: Connection, session_id: str, key: str) -> Row | None:
    """The request hash and the answer kept under a key of a session."""
    return connection.execute(
        select(idempotency_keys.c.request_sha256, idempotency_keys.c.answer).where(
            idempotency_keys.c.session_id == session_id, idempotency_keys.c.key == key
        )
    ).first()


def keep_key(
    connection: Connection, session_id: str, key: str, *, digest: bytes, answer: bytes, now_ms: int
) -> None:
    """Keeps the answer to a request under its key."""
    connection.execute(
        insert(idempotency_keys).values(
            session_id=session_id, key=key, request_sha256=digest, answer=answer, created_at=now_ms
        )
    )


def forget_keys(connection: Connection, *, before_ms: int) -> int:
    """Removes old keys; returns how many."""
    return connection.execute(
        delete(idempotency_keys).where(idempotency_keys.c.created_at < before_ms)
    ).rowcount


# Sending


def find_message(connection: Connection, message_id: str) -> Row | None:
    """The message itself, whoever asks: for decisions inside a transaction only."""
    return connection.execute(
        select(
            messages.c.id,
            messages.c.account_id,
            messages.c.upload_id,
            messages.c.request_sha256,
            messages.c.received_at,
            messages.c.deleted_at,
        ).where(messages.c.id == message_id)
    ).first()


def account_ids(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """The accounts that have these names."""
    rows = connection.execute(select(accounts.c.name, accounts.c.id).where(accounts.c.name.in_(names)))
    return {row.name: row.id for row in rows}


def insert_message(
    connection: Connection,
    parcel: Parcel,
    *,
    account_id: int,
    video_bytes: int,
    claim_hmac: bytes,
    received_at: int,
) -> None:
    """Stores a message without its envelopes."""
    message = parcel.message
    connection.execute(
        insert(messages).values(
            id=message.id,
            account_id=account_id,
            kind=message.kind,
            upload_id=message.upload,
            video_bytes=video_bytes,
            details=parcel.details,
            details_sha256=claim_of(message),
            claim_hmac=claim_hmac,
            request_sha256=parcel.digest,
            received_at=received_at,
            expires_at=message.expires_at,
        )
    )


def insert_envelopes(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Stores envelopes, one for each dictionary of columns."""
    connection.execute(insert(envelopes), rows)


# Reading


def own_copies(connection: Connection, account_id: int, message_id: str) -> Sequence[Row]:
    """The account's copies of a message, with their envelopes: at most one in each box."""
    return connection.execute(
        select(*VIEW, envelopes.c.envelope)
        .select_from(_SOURCE)
        .where(
            envelopes.c.message_id == message_id,
            envelopes.c.account_id == account_id,
            envelopes.c.box.in_(("inbox", "sent")),
        )
    ).all()


def details_of(connection: Connection, message_id: str) -> bytes:
    """The bytes of details.age of a message that lives."""
    value: bytes = connection.execute(
        select(messages.c.details).where(messages.c.id == message_id)
    ).scalar_one()
    return value


def newest(
    connection: Connection,
    account_id: int,
    box: Box,
    *,
    before: Position | None,
    with_envelopes: bool,
    most: int,
    now_ms: int,
) -> Sequence[Row]:
    """Lists what lives in a box, newest first."""
    query = _box(account_id, box, with_envelopes=with_envelopes).where(
        envelopes.c.deleted_at.is_(None),
        or_(messages.c.expires_at.is_(None), messages.c.expires_at > now_ms),
    )
    order = tuple_(envelopes.c.received_at, envelopes.c.message_id)
    if before is not None:
        query = query.where(order < (before.at, before.id))
    query = query.order_by(envelopes.c.received_at.desc(), envelopes.c.message_id.desc())
    return connection.execute(query.limit(most)).all()


def changed(
    connection: Connection, account_id: int, box: Box, *, since: int, with_envelopes: bool, most: int
) -> Sequence[Row]:
    """Lists what changed in a box after ``since``, tombstones included, oldest change first."""
    query = _box(account_id, box, with_envelopes=with_envelopes).where(envelopes.c.change > since)
    return connection.execute(query.order_by(envelopes.c.change).limit(most)).all()


def deliveries(connection: Connection, message_ids: Iterable[str]) -> dict[str, list[Row]]:
    """The recipients' copies of some messages, by message and in the order of the names."""
    ids = list(message_ids)
    found: dict[str, list[Row]] = {message_id: [] for message_id in ids}
    query = (
        select(
            envelopes.c.message_id,
            accounts.c.name.label("recipient"),
            envelopes.c.fetched_at,
            envelopes.c.played_at,
            envelopes.c.deleted_at,
        )
        .select_from(envelopes.join(accounts, accounts.c.id == envelopes.c.account_id))
        .where(envelopes.c.message_id.in_(ids), envelopes.c.box != "sent")
        .order_by(envelopes.c.message_id, accounts.c.name)
    )
    for row in connection.execute(query):
        found[row.message_id].append(row)
    return found


def _box(account_id: int, box: Box, *, with_envelopes: bool) -> Select[Any]:
    envelope = envelopes.c.envelope if with_envelopes else null().label("envelope")
    return (
        select(*VIEW, envelope)
        .select_from(_SOURCE)
        .where(envelopes.c.account_id == account_id, envelopes.c.box == box)
    )


# Changing


def live_copies(connection: Connection, message_id: str) -> Sequence[Row]:
    """Who still holds a copy, and in which box."""
    return connection.execute(
        select(envelopes.c.account_id, envelopes.c.box).where(
            envelopes.c.message_id == message_id, envelopes.c.deleted_at.is_(None)
        )
    ).all()


def set_marks(connection: Connection, account_id: int, message_id: str, *, mark: str, now_ms: int) -> bool:
    """Sets a mark that was not set, and with played also fetched; tells whether anything changed."""
    values: dict[str, Any] = {"fetched_at": func.coalesce(envelopes.c.fetched_at, now_ms)}
    column = envelopes.c.fetched_at
    if mark == "played":
        values["played_at"], column = now_ms, envelopes.c.played_at
    result = connection.execute(
        update(envelopes)
        .where(*_copies(message_id, account_id), envelopes.c.box == "inbox", column.is_(None))
        .values(values)
    )
    return result.rowcount > 0


def set_change(connection: Connection, account_id: int, message_id: str, change: int) -> None:
    """Numbers the last change of an account's copies of a message."""
    connection.execute(update(envelopes).where(*_copies(message_id, account_id)).values(change=change))


def bury_copies(connection: Connection, message_id: str, *, account_ids: Iterable[int], now_ms: int) -> None:
    """Makes tombstones of the living copies of these accounts."""
    connection.execute(
        update(envelopes)
        .where(
            envelopes.c.message_id == message_id,
            envelopes.c.account_id.in_(list(account_ids)),
            envelopes.c.deleted_at.is_(None),
        )
        .values(envelope=None, deleted_at=now_ms)
    )


def bury_message(connection: Connection, message_id: str, *, now_ms: int) -> None:
    """Empties a message that nobody holds any more."""
    connection.execute(
        update(messages)
        .where(messages.c.id == message_id)
        .values(details=literal(b""), video_bytes=0, deleted_at=now_ms)
    )


def _copies(message_id: str, account_id: int) -> tuple[Any, Any]:
    return envelopes.c.message_id == message_id, envelopes.c.account_id == account_id


# Sweeping


def expired(connection: Connection, *, now_ms: int) -> list[str]:
    """Ids of messages whose time has come, oldest first, a batch of them."""
    rows = connection.execute(
        select(messages.c.id)
        .where(messages.c.expires_at <= now_ms, messages.c.deleted_at.is_(None))
        .order_by(messages.c.expires_at)
        .limit(BATCH)
    )
    return list(rows.scalars())


def forget_messages(connection: Connection, *, before_ms: int) -> int:
    """Removes tombstones of messages with all their copies, a batch of them; returns how many."""
    old = select(messages.c.id).where(messages.c.deleted_at < before_ms).limit(BATCH)
    return connection.execute(delete(messages).where(messages.c.id.in_(old))).rowcount


def forget_copies(connection: Connection, *, before_ms: int) -> int:
    """Takes old tombstones out of the boxes of messages that live on; returns how many."""
    old = envelopes.c.deleted_at < before_ms
    sent = connection.execute(delete(envelopes).where(old, envelopes.c.box == "sent")).rowcount
    received = connection.execute(
        update(envelopes).where(old, envelopes.c.box == "inbox").values(box="past")
    ).rowcount
    return sent + received
