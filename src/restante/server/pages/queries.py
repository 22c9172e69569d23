"""SQL of answering pages, of the calls that they let in, and of proofs that were used. See [Note: Statements made once]."""

from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, insert, select, update

from restante.server.db.tables import accounts, bans, calls, pages, spent_challenges
from restante.server.pages.rules import Row

_MINE = pages.c.account_id == bindparam("account")
_FIND = select(pages).where(_MINE)
_BY_NAME = (
    select(pages, accounts.c.name)
    .select_from(pages.join(accounts, accounts.c.id == pages.c.account_id))
    .where(
        accounts.c.name == bindparam("named"),
        pages.c.is_on == 1,
        ~exists().where(bans.c.account_id == pages.c.account_id),
    )
)
_ADD = insert(pages)
_CALL = (
    select(calls, accounts.c.name)
    .select_from(calls.join(accounts, accounts.c.id == calls.c.account_id))
    .where(calls.c.token_sha256 == bindparam("token"))
)
_OF_VIEW = select(calls).where(calls.c.view_sha256 == bindparam("seen"))
_ADD_CALL = insert(calls)
_RENEW = update(calls).where(calls.c.view_sha256 == bindparam("seen")).values(token_sha256=bindparam("fresh"))
_NOTE = update(calls).where(calls.c.token_sha256 == bindparam("token")).values(message_id=bindparam("left"))
_SPENT = select(spent_challenges.c.nonce).where(spent_challenges.c.nonce == bindparam("once"))
_SPEND = insert(spent_challenges)
_FORGET_CALLS = delete(calls).where(calls.c.expires_at <= bindparam("now"))
_FORGET_SPENT = delete(spent_challenges).where(spent_challenges.c.expires_at <= bindparam("now"))


def find(connection: Connection, account_id: int) -> Row | None:
    """The account's own page, on or off."""
    return connection.execute(_FIND, {"account": account_id}).first()


def by_name(connection: Connection, name: str) -> Row | None:
    """The page of a name, if it is on."""
    return connection.execute(_BY_NAME, {"named": name}).first()


def put(connection: Connection, account_id: int, row: dict[str, Any], *, now_ms: int) -> None:
    """Stores a page in place of an earlier one."""
    if find(connection, account_id) is None:
        connection.execute(_ADD, {"account_id": account_id, **row, "updated_at": now_ms})
    else:
        connection.execute(
            update(pages).where(_MINE).values(**row, updated_at=now_ms), {"account": account_id}
        )


def call(connection: Connection, digest: bytes) -> Row | None:
    """A call by its capability, with the name of who it is for."""
    return connection.execute(_CALL, {"token": digest}).first()


def call_of_view(connection: Connection, view: bytes) -> Row | None:
    """The call that came from a view of a guest link."""
    return connection.execute(_OF_VIEW, {"seen": view}).first()


def add_call(
    connection: Connection,
    digest: bytes,
    account_id: int,
    *,
    view: bytes | None,
    now_ms: int,
    expires_at: int,
) -> None:
    """Lets a caller in."""
    row = {
        "token_sha256": digest,
        "account_id": account_id,
        "view_sha256": view,
        "created_at": now_ms,
        "expires_at": expires_at,
    }
    connection.execute(_ADD_CALL, row)


def renew_call(connection: Connection, view: bytes, digest: bytes) -> None:
    """Gives the call of a view another capability: the answer with the first was lost."""
    connection.execute(_RENEW, {"seen": view, "fresh": digest})


def note_left(connection: Connection, digest: bytes, message_id: str) -> None:
    """Notes which message a call left."""
    connection.execute(_NOTE, {"token": digest, "left": message_id})


def spend(connection: Connection, nonce: str, *, expires_at: int) -> bool:
    """Takes a proof; False when it was taken before."""
    if connection.execute(_SPENT, {"once": nonce}).first() is not None:
        return False
    connection.execute(_SPEND, {"nonce": nonce, "expires_at": expires_at})
    return True


def forget(connection: Connection, *, now_ms: int) -> int:
    """Removes calls and proofs whose time is over; returns how many."""
    gone = connection.execute(_FORGET_CALLS, {"now": now_ms}).rowcount
    return gone + connection.execute(_FORGET_SPENT, {"now": now_ms}).rowcount
