"""What the server knows of itself: its name, chosen once, and its own secrets."""

import secrets

from sqlalchemy import Connection, insert, select

from restante.server.db.tables import meta


class NameIsFixed(RuntimeError):
    """The server name was chosen at the first run and is in every address: it never changes."""


def server_name(connection: Connection, wanted: str) -> str:
    """Returns the server name; the first run stores ``wanted`` (or `localhost`). Raises NameIsFixed."""
    stored = _get(connection, "server_name")
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
    stored = _get(connection, key)
    if stored is None:
        stored = secrets.token_bytes(32)
        connection.execute(insert(meta).values(key=key, value=stored))
    return stored


def _get(connection: Connection, key: str) -> bytes | None:
    value: bytes | None = connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()
    return value
