"""The PostgreSQL database that rows are moved to: looked at before anything is written, and marked as not served from."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect, make_url
from sqlalchemy.exc import DBAPIError

from restante.server.backup.faults import Spoilt, Undone
from restante.server.db import arrival, migrate
from restante.server.db.arrival import State
from restante.server.db.engine import UnsafeDatabase
from restante.server.db.postgres import alone, postgres_engines
from restante.server.moving.queries import SHAPES, quoted

if TYPE_CHECKING:
    from psycopg import Connection

_SAID = {
    "53100": ("there is no room left on PostgreSQL's disk", "Make room, and run it again: it goes on."),
    "42501": ("PostgreSQL does not let that role do it", "Make the role the owner of the database."),
    "22021": (
        "a text has a sign that PostgreSQL cannot store",
        "Tell the project: nothing here should have it.",
    ),
    "22003": (
        "a number is larger than PostgreSQL stores",
        "Tell the project: nothing here should be so large.",
    ),
    "55P03": ("somebody else holds the database's tables", "Let nobody else use it meanwhile."),
}
_SCHEMA_OF = "SELECT value FROM meta WHERE key = %s"
_SET = "INSERT INTO meta (key, value) VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


def place_of(url: str) -> str:
    """An address without what only its server should know."""
    address = make_url(url)
    return f"PostgreSQL at {address.host or 'the local socket'}:{address.port or 5432}, database {address.database}"


def look_at(url: str, *, move_id: str) -> None:
    """Checks that the database keeps the server's promises, and is empty or of this move. Raises Undone."""
    try:
        engines = postgres_engines(url, writers=1, readers=1)
    except UnsafeDatabase as error:
        raise Undone(str(error), "docs/guides/scale.md says what the database must be like.") from error
    try:
        if not inspect(engines[0]).has_table("meta"):
            return
        with opened(url) as connection:
            _check_is_ours(connection, url, move_id)
    finally:
        for engine in engines:
            engine.dispose()


def lay(url: str, *, move_id: str) -> None:
    """Makes the tables, and notes that not everything is in them yet. Raises Undone."""
    engines = postgres_engines(url, writers=1, readers=1)
    try:
        with alone(engines[0]):
            migrate.upgrade(engines[0])
    except (migrate.NewerDatabase, migrate.TablesInUse) as error:
        raise Undone(str(error), "Name an empty database.") from error
    finally:
        for engine in engines:
            engine.dispose()
    with opened(url) as connection:
        _check_is_ours(connection, url, move_id)
        note(connection, State.COPYING, move_id)


@contextmanager
def opened(url: str) -> Iterator["Connection[Any]"]:
    """A connection of the move's own; what PostgreSQL refuses is said as Undone or Spoilt."""
    psycopg = import_module("psycopg")  # of an extra
    try:
        with psycopg.connect(url, application_name="restante move", connect_timeout=5) as connection:
            yield connection
    except (psycopg.Error, DBAPIError) as error:
        state = getattr(getattr(error, "orig", error), "sqlstate", None) or ""
        text, hint = _SAID.get(
            state, (f"PostgreSQL: {str(error).strip().splitlines()[0]}", "Run it again: it goes on.")
        )
        raise Spoilt(text, hint) from error


def state_of(connection: "Connection[Any]") -> tuple[State, str] | None:
    """How far which move is."""
    found = connection.execute(_SCHEMA_OF, (arrival.KEY,)).fetchone()
    return arrival.understood(bytes(found[0])) if found is not None else None


def note(connection: "Connection[Any]", state: State, move_id: str) -> None:
    """Notes how far the move is, for good."""
    connection.execute(_SET, (arrival.KEY, arrival.written(state, move_id)))
    connection.commit()


def _check_is_ours(connection: "Connection[Any]", url: str, move_id: str) -> None:
    found = state_of(connection)
    if found is None and _is_used(connection):
        raise Undone(
            f"{place_of(url)} is not empty",
            "A move never overwrites: name a new database, or empty this one.",
        )
    if found is not None and found[1] != move_id:
        raise Undone(
            f"{place_of(url)} has what another move brought there",
            "Name a new database, or empty this one.",
        )
    if found is not None and found[0] is State.STARTED:
        raise Undone(
            f"{place_of(url)} is served from since an earlier move",
            "Serve from it; or name a new database.",
        )


def _is_used(connection: "Connection[Any]") -> bool:
    if connection.execute(_SCHEMA_OF, ("server_name",)).fetchone() is not None:
        return True
    there = {
        str(row[0])
        for row in connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        )
    }
    others = [quoted(shape.name) for shape in SHAPES if shape.name != "meta" and shape.name in there]
    return any(
        connection.execute(f"SELECT 1 FROM {name} LIMIT 1".encode()).fetchone() is not None  # noqa: S608 - the schema's own names
        for name in others
    )
