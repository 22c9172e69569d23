"""SQL of messages and envelopes; nothing here decides or commits. See [Note: Statements made once].

The column ``box`` of an envelope is ``inbox``, ``sent``, ``hidden`` (its recipient had blocked the sender), or ``past``: a
received copy whose tombstone has run out, kept while the message lives, because its holder had it once.

[Note: Everybody's own] Each copy carries what a list shows of its message, and the sender's ``deliveries`` carry what the recipients
told. So each statement asks for one account; whoever changes one of the two changes the other in the same transaction. ``sender_id`` is whose row the message is.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    case,
    delete,
    insert,
    literal,
    null,
    or_,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError

from restante.server.db.functions import is_taken
from restante.server.db.message_tables import deliveries as told
from restante.server.db.tables import accounts, envelopes, events, idempotency_keys, messages
from restante.server.errors import Refusal
from restante.server.messages.rules import Box, Marks, Parcel, Position, Row, claim_of
from restante.server.sessions.actor import Actor

BATCH = 100
"""Rows that one sweep transaction touches at most."""

FACTS = (
    envelopes.c.sender_id,
    envelopes.c.kind,
    envelopes.c.upload_id,
    envelopes.c.video_bytes,
    envelopes.c.details_sha256,
    envelopes.c.expires_at,
    envelopes.c.until_played,
    envelopes.c.may_forward,
    envelopes.c.by_caller,
    envelopes.c.quarantined_at,
    envelopes.c.quarantine_reason,
)
"""What each copy knows of its message."""
_forwarder = accounts.alias("forwarder")
VIEW = (
    envelopes.c.message_id.label("id"),
    *FACTS,
    case(
        (envelopes.c.by_caller == 1, null()),
        (envelopes.c.forwarded_by.is_(None), accounts.c.name),
        else_=_forwarder.c.name,
    ).label("sender"),
    envelopes.c.forwarded_by,
    envelopes.c.box,
    envelopes.c.received_at,
    envelopes.c.change,
    envelopes.c.fetched_at,
    envelopes.c.played_at,
    envelopes.c.deleted_at,
)
_SOURCE = envelopes.join(accounts, accounts.c.id == envelopes.c.sender_id).outerjoin(
    _forwarder, _forwarder.c.id == envelopes.c.forwarded_by
)
_NOW = bindparam("now", type_=messages.c.received_at.type)
_MESSAGE = bindparam("message", type_=messages.c.id.type)
_SENDER = bindparam("sender", type_=messages.c.account_id.type)
_THIS = (messages.c.id == _MESSAGE, messages.c.account_id == _SENDER)
_TOLD_OF_THIS = (told.c.message_id == _MESSAGE, told.c.account_id == _SENDER)
_OF_THIS = envelopes.c.message_id == _MESSAGE
_OF_ACCOUNT = envelopes.c.account_id == bindparam("account")
_LIVES = envelopes.c.deleted_at.is_(None)


# Idempotency keys

_FIND_KEY = select(idempotency_keys.c.request_sha256, idempotency_keys.c.answer).where(
    idempotency_keys.c.account_id == bindparam("account"),
    idempotency_keys.c.session_id == bindparam("session"),
    idempotency_keys.c.key == bindparam("sent_key"),
)
_KEEP_KEY = insert(idempotency_keys)
_FORGET_KEYS = delete(idempotency_keys).where(idempotency_keys.c.created_at < bindparam("before"))


def find_key(connection: Connection, actor: Actor, key: str) -> Row | None:
    """The request hash and the answer kept under a key of a session."""
    asked = {"account": actor.account_id, "session": actor.session_id, "sent_key": key}
    return connection.execute(_FIND_KEY, asked).first()


def keep_key(
    connection: Connection, actor: Actor, key: str, *, digest: bytes, answer: bytes, now_ms: int
) -> None:
    """Keeps the answer to a request under its key."""
    row = {
        "session_id": actor.session_id,
        "account_id": actor.account_id,
        "key": key,
        "request_sha256": digest,
        "answer": answer,
        "created_at": now_ms,
    }
    connection.execute(_KEEP_KEY, row)


def forget_keys(connection: Connection, *, before_ms: int) -> int:
    """Removes old keys; returns how many."""
    return connection.execute(_FORGET_KEYS, {"before": before_ms}).rowcount


# Sending

_FIND_MESSAGE = select(
    messages.c.id,
    messages.c.account_id,
    messages.c.upload_id,
    messages.c.request_sha256,
    messages.c.received_at,
    messages.c.deleted_at,
).where(*_THIS)
_ACCOUNT_IDS = select(accounts.c.name, accounts.c.id).where(
    accounts.c.name.in_(bindparam("names", expanding=True))
)
_INSERT_MESSAGE = insert(messages)
_INSERT_ENVELOPES = insert(envelopes)
_INSERT_DELIVERIES = insert(told)
_WITHHOLD = delete(events).where(
    events.c.id >= bindparam("first"),
    events.c.message_id == _MESSAGE,
    events.c.account_id.in_(bindparam("blockers", expanding=True)),
)


def find_message(connection: Connection, sender_id: int, message_id: str) -> Row | None:
    """The message itself, if it is this account's: for decisions inside a transaction only."""
    return connection.execute(_FIND_MESSAGE, {"message": message_id, "sender": sender_id}).first()


def account_ids(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """The accounts that have these names."""
    rows = connection.execute(_ACCOUNT_IDS, {"names": names})
    return {row.name: row.id for row in rows}


def insert_message(
    connection: Connection,
    parcel: Parcel,
    *,
    account_id: int,
    video_bytes: int,
    claim_hmac: bytes,
    received_at: int,
    expires_at: int | None,
    by_caller: bool = False,
) -> dict[str, Any]:
    """Stores a message without its copies; returns what each of these is to know. Raises Refusal id-taken when somebody else's has this id."""
    message = parcel.message
    facts = {
        "kind": message.kind,
        "upload_id": message.upload,
        "video_bytes": video_bytes,
        "details_sha256": claim_of(message),
        "expires_at": expires_at,
        "until_played": int(message.until_played),
        "may_forward": int(message.may_forward),
        "by_caller": int(by_caller),
        "quarantined_at": None,
        "quarantine_reason": "",
    }
    row = {
        "id": message.id,
        "account_id": account_id,
        "details": parcel.details,
        "claim_hmac": claim_hmac,
        "request_sha256": parcel.digest,
        "received_at": received_at,
    }
    try:
        connection.execute(_INSERT_MESSAGE, row | facts)
    except IntegrityError as error:
        if is_taken(error):
            raise Refusal("id-taken") from error
        raise
    return {"sender_id": account_id, **facts}


def facts_of(row: Row) -> dict[str, Any]:
    """What a further copy of the same message is to know."""
    return {column.name: getattr(row, column.name) for column in FACTS}


def insert_copies(connection: Connection, copies: list[dict[str, Any]], facts: dict[str, Any]) -> None:
    """Stores copies, one for each dictionary of columns, and for the sender that those who receive one have it."""
    connection.execute(_INSERT_ENVELOPES, [copy | facts for copy in copies])
    received = [
        {
            "message_id": copy["message_id"],
            "account_id": facts["sender_id"],
            "recipient_id": copy["account_id"],
            "is_hidden": int(copy["box"] == "hidden"),
            "forwarded_by": copy["forwarded_by"],
        }
        for copy in copies
        if copy["box"] != "sent"
    ]
    if received:
        connection.execute(_INSERT_DELIVERIES, received)


def withhold_events(
    connection: Connection, message_id: str, blockers: Collection[int], changes: Mapping[int, int]
) -> None:
    """Takes back, of the events just written by account, those for who has it in the box ``hidden``.

    Where nobody has, it looks for one that is not there: the time must not tell.
    """
    first = min(changes.values()) if blockers else max(changes.values()) + 1
    wanted = {"message": message_id, "first": first, "blockers": sorted(blockers) or [min(changes)]}
    connection.execute(_WITHHOLD, wanted)


# Reading


def _box(envelope: ColumnElement[Any]) -> Select[Any]:
    in_box = envelopes.c.box == bindparam("of_box")
    return select(*VIEW, envelope).select_from(_SOURCE).where(_OF_ACCOUNT, in_box)


def _newest(box: Select[Any]) -> Select[Any]:
    unexpired = or_(envelopes.c.expires_at.is_(None), envelopes.c.expires_at > _NOW)
    order = envelopes.c.received_at.desc(), envelopes.c.message_id.desc()
    return (
        box.where(_LIVES, unexpired, envelopes.c.quarantined_at.is_(None))
        .order_by(*order)
        .limit(bindparam("most"))
    )


def _changed(box: Select[Any]) -> Select[Any]:
    changed = box.where(envelopes.c.change > bindparam("since"))
    return changed.order_by(envelopes.c.change).limit(bindparam("most"))


_BEFORE = tuple_(envelopes.c.received_at, envelopes.c.message_id) < tuple_(
    bindparam("at", type_=envelopes.c.received_at.type), _MESSAGE
)
_OWN_COPIES = (
    select(*VIEW, envelopes.c.envelope)
    .select_from(_SOURCE)
    .where(_OF_THIS, _OF_ACCOUNT, envelopes.c.box.in_(("inbox", "sent")))
)
_DETAILS = select(messages.c.details).where(*_THIS)
_BOXES = {True: _box(envelopes.c.envelope), False: _box(null().label("envelope"))}
"""By whether the envelopes come with the rows; so are the three after it."""
_NEWEST = {inline: _newest(box) for inline, box in _BOXES.items()}
_NEWEST_BEFORE = {inline: newest.where(_BEFORE) for inline, newest in _NEWEST.items()}
_CHANGED = {inline: _changed(box) for inline, box in _BOXES.items()}
_DELIVERIES = (
    select(
        told.c.message_id,
        accounts.c.name.label("recipient"),
        told.c.fetched_at,
        told.c.played_at,
        told.c.deleted_at,
        told.c.quiet,
        told.c.delivery_receipt,
        told.c.play_receipt,
    )
    .select_from(told.join(accounts, accounts.c.id == told.c.recipient_id))
    .where(
        told.c.message_id.in_(bindparam("ids", expanding=True)),
        told.c.account_id == _SENDER,
        told.c.forwarded_by.is_(None),
    )
    .order_by(told.c.message_id, accounts.c.name)
)


def own_copies(connection: Connection, account_id: int, message_id: str) -> Sequence[Row]:
    """The account's copies of a message, with their envelopes: at most one in each box."""
    return connection.execute(_OWN_COPIES, {"message": message_id, "account": account_id}).all()


def details_of(connection: Connection, sender_id: int, message_id: str) -> bytes:
    """The bytes of details.age of a message that lives."""
    value: bytes = connection.execute(_DETAILS, {"message": message_id, "sender": sender_id}).scalar_one()
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
    wanted: dict[str, int | str] = {"account": account_id, "of_box": box, "now": now_ms, "most": most}
    if before is None:
        return connection.execute(_NEWEST[with_envelopes], wanted).all()
    wanted |= {"at": before.at, "message": before.id}
    return connection.execute(_NEWEST_BEFORE[with_envelopes], wanted).all()


def changed(
    connection: Connection, account_id: int, box: Box, *, since: int, with_envelopes: bool, most: int
) -> Sequence[Row]:
    """Lists what changed in a box after ``since``, tombstones included, oldest change first."""
    wanted = {"account": account_id, "of_box": box, "since": since, "most": most}
    return connection.execute(_CHANGED[with_envelopes], wanted).all()


def deliveries(connection: Connection, sender_id: int, message_ids: Iterable[str]) -> dict[str, list[Row]]:
    """How far some of the sender's messages came with those whom they sent them, by message and in the order of the names."""
    found: dict[str, list[Row]] = {message_id: [] for message_id in message_ids}
    for row in connection.execute(_DELIVERIES, {"ids": list(found), "sender": sender_id}):
        found[row.message_id].append(row)
    return found


# Changing

_LIVE_COPIES = union_all(
    select(
        told.c.recipient_id.label("account_id"),
        case((told.c.is_hidden == 1, "hidden"), else_="inbox").label("box"),
    ).where(*_TOLD_OF_THIS, told.c.deleted_at.is_(None)),
    select(envelopes.c.account_id, envelopes.c.box).where(
        _OF_THIS, envelopes.c.account_id == _SENDER, envelopes.c.box == "sent", _LIVES
    ),
)
_HOLDERS = select(told.c.recipient_id).where(*_TOLD_OF_THIS)
_RECEIVED = _OF_THIS, _OF_ACCOUNT, envelopes.c.box == "inbox"
_MARKS = tuple(
    told.c[name] for name in ("fetched_at", "played_at", "quiet", "delivery_receipt", "play_receipt")
)
_NEW_MARKS = {column.name: bindparam(f"new_{column.name}", type_=column.type) for column in _MARKS}
_FIND_MARKS = select(*(envelopes.c[column.name] for column in _MARKS)).where(*_RECEIVED)
_SET_MARKS = update(envelopes).where(*_RECEIVED).values(_NEW_MARKS)
_TOLD_BY = told.c.recipient_id == bindparam("account")
_TELL_MARKS = update(told).where(*_TOLD_OF_THIS, _TOLD_BY).values(_NEW_MARKS)
_UNPLAYED = (
    select(told.c.recipient_id)
    .where(*_TOLD_OF_THIS, told.c.deleted_at.is_(None), told.c.played_at.is_(None))
    .limit(1)
)
_SET_EXPIRY = (
    update(messages)
    .where(*_THIS, or_(messages.c.expires_at.is_(None), messages.c.expires_at > bindparam("at")))
    .values(expires_at=bindparam("at"))
)
_COPY_EXPIRY = update(envelopes).where(_OF_THIS, _OF_ACCOUNT).values(expires_at=bindparam("at"))
_SET_CHANGE = update(envelopes).where(_OF_THIS, _OF_ACCOUNT).values(change=bindparam("event"))
_BURY_COPIES = (
    update(envelopes)
    .where(_OF_THIS, _OF_ACCOUNT, _LIVES)
    .values(envelope=None, video_bytes=0, change=bindparam("event"), deleted_at=_NOW)
)
_TELL_BURIED = (
    update(told).where(*_TOLD_OF_THIS, _TOLD_BY, told.c.deleted_at.is_(None)).values(deleted_at=_NOW)
)
_BURY_MESSAGE = update(messages).where(*_THIS).values(details=literal(b""), video_bytes=0, deleted_at=_NOW)


def live_copies(connection: Connection, sender_id: int, message_id: str) -> Sequence[Row]:
    """Who still holds a copy, and in which box."""
    return connection.execute(_LIVE_COPIES, {"message": message_id, "sender": sender_id}).all()


def holders(connection: Connection, sender_id: int, message_id: str) -> set[int]:
    """Who has or had a message as a recipient."""
    return set(connection.execute(_HOLDERS, {"message": message_id, "sender": sender_id}).scalars())


def find_marks(connection: Connection, account_id: int, message_id: str) -> Marks:
    """What a recipient told of the received copy, which is there."""
    row = connection.execute(_FIND_MARKS, {"message": message_id, "account": account_id}).one()
    return Marks(row.fetched_at, row.played_at, bool(row.quiet), row.delivery_receipt, row.play_receipt)


def set_marks(connection: Connection, account_id: int, sender_id: int, message_id: str, marks: Marks) -> None:
    """Stores what a recipient told."""
    values = {
        "new_fetched_at": marks.fetched_at,
        "new_played_at": marks.played_at,
        "new_quiet": int(marks.quiet),
        "new_delivery_receipt": marks.delivery_receipt,
        "new_play_receipt": marks.play_receipt,
    }
    connection.execute(_SET_MARKS, {"message": message_id, "account": account_id, **values})
    connection.execute(
        _TELL_MARKS, {"message": message_id, "account": account_id, "sender": sender_id, **values}
    )


def is_unplayed(connection: Connection, sender_id: int, message_id: str) -> bool:
    """Tells whether a recipient has a living copy that was not played."""
    return connection.execute(_UNPLAYED, {"message": message_id, "sender": sender_id}).first() is not None


def set_expiry(connection: Connection, sender_id: int, message_id: str, *, at_ms: int) -> bool:
    """Lets a message end at an instant, if it does not end before; tells whether that changed anything."""
    ends = {"message": message_id, "sender": sender_id, "at": at_ms}
    if connection.execute(_SET_EXPIRY, ends).rowcount == 0:
        return False
    everybody = sorted({sender_id, *holders(connection, sender_id, message_id)})
    connection.execute(
        _COPY_EXPIRY, [{"message": message_id, "account": who, "at": at_ms} for who in everybody]
    )
    return True


def set_changes(connection: Connection, message_id: str, changes: Mapping[int, int]) -> None:
    """Numbers the last change of the copies of a message, by account."""
    rows = [{"message": message_id, "account": who, "event": event} for who, event in changes.items()]
    if rows:
        connection.execute(_SET_CHANGE, rows)


def bury_copies(
    connection: Connection, sender_id: int, message_id: str, changes: Mapping[int, int], *, now_ms: int
) -> None:
    """Makes tombstones of the living copies of some accounts, and numbers that change by account."""
    rows = [
        {"message": message_id, "account": who, "event": event, "now": now_ms}
        for who, event in changes.items()
    ]
    if rows:
        connection.execute(_BURY_COPIES, rows)
        connection.execute(_TELL_BURIED, [_told(row, sender_id) for row in rows])


def _told(row: dict[str, Any], sender_id: int) -> dict[str, Any]:
    return {name: row[name] for name in ("message", "account", "now")} | {"sender": sender_id}


def bury_message(connection: Connection, sender_id: int, message_id: str, *, now_ms: int) -> None:
    """Empties a message that nobody holds any more."""
    connection.execute(_BURY_MESSAGE, {"message": message_id, "sender": sender_id, "now": now_ms})


# Sweeping

_EXPIRED = (
    select(messages.c.account_id, messages.c.id)
    .where(messages.c.expires_at <= _NOW, messages.c.deleted_at.is_(None))
    .order_by(messages.c.expires_at)
    .limit(BATCH)
)
_FORGET_MESSAGES = delete(messages).where(
    messages.c.id.in_(select(messages.c.id).where(messages.c.deleted_at < bindparam("before")).limit(BATCH))
)
_OLD = envelopes.c.deleted_at < bindparam("before")
_FORGET_SENT = delete(envelopes).where(_OLD, envelopes.c.box == "sent")
_FORGET_RECEIVED = update(envelopes).where(_OLD, envelopes.c.box == "inbox").values(box="past")


def expired(connection: Connection, *, now_ms: int) -> list[tuple[int, str]]:
    """Messages whose time has come, by account and id, oldest first, a batch of them."""
    return [(row[0], row[1]) for row in connection.execute(_EXPIRED, {"now": now_ms})]


def forget_messages(connection: Connection, *, before_ms: int) -> int:
    """Removes tombstones of messages with all their copies, a batch of them; returns how many."""
    return connection.execute(_FORGET_MESSAGES, {"before": before_ms}).rowcount


def forget_copies(connection: Connection, *, before_ms: int) -> int:
    """Takes old tombstones out of the boxes of messages that live on; returns how many."""
    sent = connection.execute(_FORGET_SENT, {"before": before_ms}).rowcount
    return sent + connection.execute(_FORGET_RECEIVED, {"before": before_ms}).rowcount
