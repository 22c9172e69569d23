"""SQL of accounts and their ways in."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from restante.server.accounts.rules import UnlockMethod
from restante.server.db.tables import accounts, unlock_methods

AnyRow = Row[*tuple[Any, ...]]


def is_taken(connection: Connection, name: str) -> bool:
    return connection.execute(select(accounts.c.id).where(accounts.c.name == name)).first() is not None


def add_account(connection: Connection, name: str, *, now_ms: int) -> int:
    """Adds an account and returns its id."""
    result = connection.execute(insert(accounts).values(name=name, created_at=now_ms))
    key: Any = result.inserted_primary_key
    return int(key[0])


def add_unlock_methods(
    connection: Connection, account_id: int, methods: Iterable[UnlockMethod], *, now_ms: int
) -> None:
    connection.execute(
        insert(unlock_methods),
        [
            {
                "account_id": account_id,
                "type": method.type,
                "bearer_sha256": method.bearer_sha256,
                "salt": method.salt,
                "created_at": now_ms,
            }
            for method in methods
        ],
    )


def unlock_method(connection: Connection, name: str, type_: str) -> AnyRow | None:
    """The account's id, bearer hash and salt of a way in; the same one query for names that nobody has."""
    return connection.execute(
        select(accounts.c.id, unlock_methods.c.bearer_sha256, unlock_methods.c.salt)
        .join(unlock_methods, unlock_methods.c.account_id == accounts.c.id)
        .where(accounts.c.name == name, unlock_methods.c.type == type_)
        .limit(1)
    ).first()
