"""SQL of what an account's owner decided about others. See [Note: Statements made once]."""

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, delete, insert, select

from restante.server.db.tables import accounts, acquaintances

_THIS = (acquaintances.c.account_id == bindparam("owner"), acquaintances.c.who == bindparam("hash"))
_FORGET = delete(acquaintances).where(*_THIS)
_ADD = insert(acquaintances)
_STATE = select(acquaintances.c.state).where(*_THIS)
_AMONG = select(acquaintances.c.account_id).where(
    acquaintances.c.account_id.in_(bindparam("owners", expanding=True)),
    acquaintances.c.who.in_(bindparam("hashes", expanding=True)),
    acquaintances.c.state == bindparam("decided"),
)
_ID = select(accounts.c.id).where(accounts.c.name == bindparam("known_as"))


def account_id(connection: Connection, name: str) -> int | None:
    """The account that has this name."""
    found: int | None = connection.execute(_ID, {"known_as": name}).scalar()
    return found


def put(connection: Connection, owner_id: int, who: bytes, state: str | None, *, now_ms: int) -> None:
    """Replaces what was decided; None leaves nothing."""
    connection.execute(_FORGET, {"owner": owner_id, "hash": who})
    if state is not None:
        row = {"account_id": owner_id, "who": who, "state": state, "created_at": now_ms}
        connection.execute(_ADD, row)


def state(connection: Connection, owner_id: int, who: bytes) -> str | None:
    """What the owner decided."""
    found: str | None = connection.execute(_STATE, {"owner": owner_id, "hash": who}).scalar()
    return found


def owners_among(
    connection: Connection, owner_ids: Collection[int], hashes: Collection[bytes], state: str
) -> set[int]:
    """Those of the owners who have one of these hashes in this state; without them, the whole table would be read."""
    wanted = {"owners": list(owner_ids), "hashes": list(hashes), "decided": state}
    rows = connection.execute(_AMONG, wanted)
    return set(rows.scalars())
