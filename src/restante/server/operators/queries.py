"""SQL of operators and of the links that make them. See [Note: Statements made once]."""

from sqlalchemy import Connection, bindparam, delete, exists, insert, select

from restante.server.db.tables import accounts, operator_links, operators

_SINCE = select(operators.c.created_at).where(operators.c.account_id == bindparam("account"))
_ADD = insert(operators)
_REMOVE = delete(operators).where(operators.c.account_id == bindparam("account"))
_ALL = (
    select(accounts.c.name, operators.c.created_at)
    .join(operators, operators.c.account_id == accounts.c.id)
    .order_by(accounts.c.name)
)
_ID = select(accounts.c.id).where(accounts.c.name == bindparam("known_as"))
_ANYBODY = select(exists(select(accounts.c.id)))
_ADD_LINK = insert(operator_links)
_TAKE_LINK = delete(operator_links).where(
    operator_links.c.token_sha256 == bindparam("token"), operator_links.c.expires_at > bindparam("now")
)
_FORGET_LINKS = delete(operator_links).where(operator_links.c.expires_at <= bindparam("now"))


def since(connection: Connection, account_id: int) -> int | None:
    """When the account became an operator, if it is one."""
    found: int | None = connection.execute(_SINCE, {"account": account_id}).scalar()
    return found


def add(connection: Connection, account_id: int, *, now_ms: int) -> None:
    connection.execute(_ADD, {"account_id": account_id, "created_at": now_ms})


def remove(connection: Connection, account_id: int) -> bool:
    """Tells whether it was one."""
    return connection.execute(_REMOVE, {"account": account_id}).rowcount > 0


def listed(connection: Connection) -> list[tuple[str, int]]:
    """Names, and since when."""
    return [(row[0], row[1]) for row in connection.execute(_ALL)]


def account_id(connection: Connection, name: str) -> int | None:
    """The account that has this name."""
    found: int | None = connection.execute(_ID, {"known_as": name}).scalar()
    return found


def is_inhabited(connection: Connection) -> bool:
    """Tells whether there is an account."""
    return bool(connection.execute(_ANYBODY).scalar())


def add_link(connection: Connection, token_sha256: bytes, *, now_ms: int, expires_at: int) -> None:
    connection.execute(
        _ADD_LINK, {"token_sha256": token_sha256, "created_at": now_ms, "expires_at": expires_at}
    )


def take_link(connection: Connection, token_sha256: bytes, *, now_ms: int) -> bool:
    """Uses a link up; tells whether it was good."""
    return connection.execute(_TAKE_LINK, {"token": token_sha256, "now": now_ms}).rowcount > 0


def forget_links(connection: Connection, *, now_ms: int) -> int:
    """Removes those whose time is over; returns how many."""
    return connection.execute(_FORGET_LINKS, {"now": now_ms}).rowcount
