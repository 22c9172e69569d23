"""What the server knows of itself: its name, chosen once, and its own secrets."""

import secrets

from sqlalchemy import Connection, Engine, delete, insert, inspect, select

from restante.server.db.tables import meta


class NameIsFixed(RuntimeError):
    """The server name was chosen at the first run and is in every address: it never changes."""


def is_there(engine: Engine) -> bool:
    """Tells whether the database has any table of ours yet."""
    return inspect(engine).has_table(meta.name)


def server_name(connection: Connection, wanted: str) -> str:
    """Returns the server name; the first run stores ``wanted`` (or `localhost`). Raises NameIsFixed."""
    stored = get(connection, "server_name")
    if stored is None:
        name = wanted or "localhost"
        connection.execute(insert(meta).values(key="server_name", value=name.encode()))
        return name
    name = stored.decode()
    if wanted and wanted != name:
        raise NameIsFixed(f"this server is called {name}, not {wanted}")
    return name


def secret(connection: Connection, purpose: str) -> bytes:
    """Returns the 32-byte secret of a purpose, made when first asked for."""
    key = f"secret:{purpose}"
    stored = get(connection, key)
    if stored is None:
        stored = secrets.token_bytes(32)
        connection.execute(insert(meta).values(key=key, value=stored))
    return stored


def get(connection: Connection, key: str) -> bytes | None:
    """Returns what is kept under a key."""
    value: bytes | None = connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()
    return value


def put(connection: Connection, key: str, value: bytes) -> None:
    """Keeps a value under a key, in place of another."""
    connection.execute(delete(meta).where(meta.c.key == key))
    connection.execute(insert(meta).values(key=key, value=value))
