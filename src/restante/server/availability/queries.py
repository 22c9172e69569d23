"""SQL of accounts' countries and of those who wait. See [Note: Statements made once]."""

from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, or_, select, update

from restante.server.db.entry_tables import account_countries, waiting
from restante.server.db.tables import accounts

AnyRow = Row[*tuple[Any, ...]]

_ACCOUNT = bindparam("account", type_=account_countries.c.account_id.type)
_COUNTRY = select(account_countries.c.country, account_countries.c.source).where(
    account_countries.c.account_id == _ACCOUNT
)
_NO_COUNTRY = delete(account_countries).where(account_countries.c.account_id == _ACCOUNT)
_SET_COUNTRY = insert(account_countries)

_WAITS = select(waiting.c.id).where(waiting.c.account_id == _ACCOUNT, waiting.c.told_at.is_(None))
_SAME = or_(waiting.c.account_id == _ACCOUNT, waiting.c.mail == bindparam("address"))
_FORGET = delete(waiting).where(_SAME)
_FORGET_ONE = delete(waiting).where(waiting.c.id == bindparam("row"))
_ADD = insert(waiting)
_LISTED = (
    select(waiting, accounts.c.name)
    .select_from(waiting.outerjoin(accounts, accounts.c.id == waiting.c.account_id))
    .where(waiting.c.told_at.is_(None), waiting.c.id > bindparam("after"))
    .order_by(waiting.c.id)
    .limit(bindparam("most"))
)
_ONE = (
    select(waiting, accounts.c.name)
    .select_from(waiting.outerjoin(accounts, accounts.c.id == waiting.c.account_id))
    .where(waiting.c.told_at.is_(None), waiting.c.id == bindparam("row"))
)
_COUNTS = (
    select(waiting.c.country, waiting.c.platform, func.count().label("people"))
    .where(waiting.c.told_at.is_(None))
    .group_by(waiting.c.country, waiting.c.platform)
    .order_by(func.count().desc(), waiting.c.country, waiting.c.platform)
)
_TOLD = update(waiting).where(waiting.c.id == bindparam("row")).values(told_at=bindparam("now"))


def country(connection: Connection, account_id: int) -> AnyRow | None:
    """The account's country and who said so."""
    return connection.execute(_COUNTRY, {"account": account_id}).first()


def set_country(connection: Connection, account_id: int, code: str, source: str, *, now_ms: int) -> None:
    """Replaces the account's country."""
    connection.execute(_NO_COUNTRY, {"account": account_id})
    row = {"account_id": account_id, "country": code, "source": source, "created_at": now_ms}
    connection.execute(_SET_COUNTRY, row)


def waits(connection: Connection, account_id: int) -> bool:
    """Tells whether the account asked to be told."""
    return connection.execute(_WAITS, {"account": account_id}).first() is not None


def wait(connection: Connection, row: dict[str, Any]) -> None:
    """Adds somebody to those who wait, in the place of an earlier wish."""
    forget(connection, row["account_id"], row["mail"])
    connection.execute(_ADD, row)


def forget(connection: Connection, account_id: int | None, mail: str | None = None) -> None:
    """Removes the wish of an account or an address."""
    connection.execute(_FORGET, {"account": account_id, "address": mail})


def forget_one(connection: Connection, row_id: int) -> None:
    connection.execute(_FORGET_ONE, {"row": row_id})


def note_told(connection: Connection, row_id: int, *, now_ms: int) -> None:
    connection.execute(_TOLD, {"row": row_id, "now": now_ms})


def listed(connection: Connection, *, after: int = 0, most: int = 500) -> list[AnyRow]:
    """Who waits, the one who asked first at the top, with the account's name."""
    return list(connection.execute(_LISTED, {"after": after, "most": most}))


def one(connection: Connection, row_id: int) -> AnyRow | None:
    """Somebody who waits, with the account's name."""
    return connection.execute(_ONE, {"row": row_id}).first()


def counts(connection: Connection) -> list[AnyRow]:
    """How many wait, by country and platform."""
    return list(connection.execute(_COUNTS))
