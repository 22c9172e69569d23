"""SQL of guest links and their views. See [Note: Statements made once].

A link lives as long as its owner's own copy of the message: whoever deletes that ends their links with it.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from restante.protocol.wire_links import NewLink
from restante.server.db.tables import accounts, bans, envelopes, link_views, links, messages
from restante.server.links.rules import Row, bearer_sha256

_MINE = links.c.account_id == bindparam("account")
_THIS = links.c.id == bindparam("link")
_OF_MESSAGE = links.c.message_id == bindparam("message")
_NOW = bindparam("now", type_=links.c.created_at.type)
_OWN_COPY = exists().where(
    envelopes.c.message_id == links.c.message_id,
    envelopes.c.account_id == links.c.account_id,
    envelopes.c.box == "sent",
    envelopes.c.deleted_at.is_(None),
)
_BANNED = exists().where(bans.c.account_id == links.c.account_id)
VIEW = (
    links,
    messages.c.kind,
    messages.c.upload_id,
    messages.c.video_bytes,
    messages.c.details_sha256,
    messages.c.expires_at.label("message_expires_at"),
    and_(messages.c.deleted_at.is_(None), messages.c.quarantined_at.is_(None), _OWN_COPY, ~_BANNED).label(
        "message_lives"
    ),
    accounts.c.name.label("owner"),
)
_VIEW = select(*VIEW).select_from(
    links.join(
        messages,
        and_(messages.c.id == links.c.message_id, messages.c.account_id == links.c.account_id),
    ).join(accounts, accounts.c.id == links.c.account_id)
)
_FIND = _VIEW.where(_THIS)
_ALL = _VIEW.where(_MINE).order_by(links.c.created_at.desc(), links.c.id)
_OF = _VIEW.where(_MINE, _OF_MESSAGE).order_by(links.c.created_at, links.c.id)
_BY_BEARER = _VIEW.where(links.c.bearer_sha256 == bindparam("bearer")).order_by(links.c.created_at.desc())
_BY_VIEW = (
    _VIEW.add_columns(link_views.c.created_at.label("opened_at"), link_views.c.token_sha256)
    .join(link_views, link_views.c.link_id == links.c.id)
    .where(link_views.c.token_sha256 == bindparam("token"), link_views.c.expires_at > _NOW)
)
_OWNS = select(messages.c.id).where(
    messages.c.id == bindparam("message"),
    messages.c.account_id == bindparam("account"),
    messages.c.deleted_at.is_(None),
    exists().where(
        envelopes.c.message_id == messages.c.id,
        envelopes.c.account_id == messages.c.account_id,
        envelopes.c.box == "sent",
        envelopes.c.deleted_at.is_(None),
    ),
)
_DETAILS = select(messages.c.details).where(
    messages.c.id == bindparam("message"), messages.c.account_id == bindparam("account")
)
_ADD = insert(links)
_ADD_VIEW = insert(link_views)
_COUNT = (
    update(links)
    .where(_THIS, or_(links.c.most_opens.is_(None), links.c.opens < links.c.most_opens))
    .values(opens=links.c.opens + 1, last_opened_at=_NOW)
)
_REVOKE = (
    update(links).where(_THIS, _MINE, links.c.revoked_at.is_(None)).values(revoked_at=_NOW, envelope=None)
)
_FORGET_VIEWS_OF = delete(link_views).where(link_views.c.link_id == bindparam("link"))
_EMPTY_OF = update(links).where(_OF_MESSAGE, _MINE).values(envelope=None)
_VIEWS_OF_MESSAGE = delete(link_views).where(
    link_views.c.account_id == bindparam("account"),
    link_views.c.link_id.in_(select(links.c.id).where(_OF_MESSAGE, _MINE)),
)
_FORGET_VIEWS = delete(link_views).where(link_views.c.expires_at <= _NOW)
_FORGET = delete(links).where(
    func.coalesce(links.c.revoked_at, links.c.expires_at) < bindparam("before", type_=links.c.created_at.type)
)
_COUNT_OF = select(func.count()).where(_MINE, _OF_MESSAGE).select_from(links)


def owns(connection: Connection, account_id: int, message_id: str) -> bool:
    """Tells whether the account sent this message and still has its own copy."""
    return connection.execute(_OWNS, {"account": account_id, "message": message_id}).first() is not None


def add(
    connection: Connection,
    link_id: str,
    link: NewLink,
    envelope: bytes,
    *,
    account_id: int,
    message_id: str,
    now_ms: int,
) -> None:
    """Stores a link."""
    row: dict[str, Any] = {
        "id": link_id,
        "account_id": account_id,
        "message_id": message_id,
        "bearer_sha256": bearer_sha256(link),
        "envelope": envelope,
        "may_save": int(link.may_save),
        "may_answer": int(link.may_answer),
        "created_at": now_ms,
        "expires_at": link.expires_at,
        "most_opens": link.most_opens,
        "opens": 0,
    }
    connection.execute(_ADD, row)


def find(connection: Connection, link_id: str) -> Row | None:
    """One link, whosever it is: for those who show its bearer."""
    return connection.execute(_FIND, {"link": link_id}).first()


def all_of(connection: Connection, account_id: int) -> Sequence[Row]:
    """The account's links, the newest first."""
    return connection.execute(_ALL, {"account": account_id}).all()


def of_message(connection: Connection, account_id: int, message_id: str) -> Sequence[Row]:
    """The account's links of one message, the oldest first."""
    return connection.execute(_OF, {"account": account_id, "message": message_id}).all()


def by_bearer(connection: Connection, digest: bytes) -> Sequence[Row]:
    """Links that a bearer opens, the newest first."""
    return connection.execute(_BY_BEARER, {"bearer": digest}).all()


def by_view(connection: Connection, digest: bytes, *, now_ms: int) -> Row | None:
    """The link of a view that is not over."""
    return connection.execute(_BY_VIEW, {"token": digest, "now": now_ms}).first()


def details_of(connection: Connection, account_id: int, message_id: str) -> bytes:
    """The bytes of details.age of a message that lives."""
    wanted = {"message": message_id, "account": account_id}
    value: bytes = connection.execute(_DETAILS, wanted).scalar_one()
    return value


def count_open(connection: Connection, link_id: str, *, now_ms: int) -> bool:
    """Counts one open; False when there was none left."""
    return connection.execute(_COUNT, {"link": link_id, "now": now_ms}).rowcount == 1


def add_view(
    connection: Connection, digest: bytes, link_id: str, *, account_id: int, now_ms: int, expires_at: int
) -> None:
    """Stores a view."""
    row = {
        "token_sha256": digest,
        "account_id": account_id,
        "link_id": link_id,
        "created_at": now_ms,
        "expires_at": expires_at,
    }
    connection.execute(_ADD_VIEW, row)


def revoke(connection: Connection, account_id: int, link_id: str, *, now_ms: int) -> None:
    """Takes a link back, with every view of it."""
    connection.execute(_REVOKE, {"link": link_id, "account": account_id, "now": now_ms})
    connection.execute(_FORGET_VIEWS_OF, {"link": link_id})


def empty(connection: Connection, account_id: int, message_id: str, *, with_views: bool) -> None:
    """Empties the envelopes of the links of an account's message, and may end the views of them."""
    wanted = {"message": message_id, "account": account_id}
    connection.execute(_EMPTY_OF, wanted)
    if with_views:
        connection.execute(_VIEWS_OF_MESSAGE, wanted)


def forget_views(connection: Connection, *, now_ms: int) -> int:
    """Removes views that are over; returns how many."""
    return connection.execute(_FORGET_VIEWS, {"now": now_ms}).rowcount


def forget(connection: Connection, *, before_ms: int) -> int:
    """Removes links that ended long ago; returns how many."""
    return connection.execute(_FORGET, {"before": before_ms}).rowcount


def count_of(connection: Connection, account_id: int, message_id: str) -> int:
    """How many links a message has."""
    return int(connection.execute(_COUNT_OF, {"account": account_id, "message": message_id}).scalar_one())
