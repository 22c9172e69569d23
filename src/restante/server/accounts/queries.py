"""SQL of accounts and their ways in. See [Note: Statements made once]."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, insert, literal, select, update

from restante.server.accounts.rules import UnlockMethod
from restante.server.db.tables import accounts, unlock_methods

AnyRow = Row[*tuple[Any, ...]]

_NAMED = accounts.c.name == bindparam("known_as")
_ADD_ACCOUNT = insert(accounts)
_ADD_UNLOCK_METHODS = insert(unlock_methods)
_anybody = accounts.alias()
_nobody = select(literal(1).label("row")).subquery()
_whose = func.coalesce(accounts.c.id, select(func.max(_anybody.c.id)).scalar_subquery())
_UNLOCK_METHOD = (
    select(accounts.c.id, unlock_methods.c.bearer_sha256, unlock_methods.c.salt)
    .select_from(_nobody)
    .outerjoin(accounts, _NAMED)
    .outerjoin(
        unlock_methods,
        and_(unlock_methods.c.account_id == _whose, unlock_methods.c.type == bindparam("way")),
    )
)
_OF_ACCOUNT = unlock_methods.c.account_id == bindparam("account")
_THIS = (_OF_ACCOUNT, unlock_methods.c.type == bindparam("way"))
_HELD = (
    select(
        unlock_methods.c.type,
        unlock_methods.c.bearer_sha256,
        unlock_methods.c.created_at,
        unlock_methods.c.last_used_at,
    )
    .where(_OF_ACCOUNT)
    .order_by(unlock_methods.c.type)
)
_NOTE_USE = update(unlock_methods).where(*_THIS).values(last_used_at=bindparam("now"))
_REMOVE = delete(unlock_methods).where(*_THIS)


def add_account(connection: Connection, name: str, *, now_ms: int) -> int:
    """Adds an account and returns its id."""
    key: Any = connection.execute(_ADD_ACCOUNT, {"name": name, "created_at": now_ms}).inserted_primary_key
    return int(key[0])


def add_unlock_methods(
    connection: Connection, account_id: int, methods: Iterable[UnlockMethod], *, now_ms: int
) -> None:
    connection.execute(
        _ADD_UNLOCK_METHODS,
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
    """The account's id, bearer hash and salt of a way in.

    [Note: As long for nobody] For a name that nobody has, the query reads somebody else's way in, which is thrown away here: so it
    finds one row by the same two indexes, and how long it takes does not tell (`tests/api/test_timing.py`).
    """
    row = connection.execute(_UNLOCK_METHOD, {"known_as": name, "way": type_}).one()
    return None if row.id is None or row.bearer_sha256 is None else row


def held(connection: Connection, account_id: int) -> list[AnyRow]:
    """Type, bearer hash and times of the account's ways in by a bearer."""
    return list(connection.execute(_HELD, {"account": account_id}))


def remove(connection: Connection, account_id: int, type_: str) -> bool:
    """Removes a way in; tells whether there was one."""
    return connection.execute(_REMOVE, {"account": account_id, "way": type_}).rowcount > 0


def note_use(connection: Connection, account_id: int, type_: str, *, now_ms: int) -> None:
    connection.execute(_NOTE_USE, {"account": account_id, "way": type_, "now": now_ms})
