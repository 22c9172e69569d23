"""Whether a database that `restante move` filled has everything; nothing is served from one that has not."""

from enum import StrEnum

from sqlalchemy import Connection

from restante.server.db import meta

KEY = "move"


class State(StrEnum):
    """How far the move is."""

    COPYING = "copying"
    ARRIVED = "arrived"
    STARTED = "started"


class NotArrived(RuntimeError):
    """Not everything has been moved into the database yet."""


def written(state: State, move_id: str) -> bytes:
    """As it is kept under ``KEY``."""
    return f"{state}:{move_id}".encode()


def understood(value: bytes) -> tuple[State, str]:
    """The state, and which move it is of."""
    state, _, move_id = value.decode().partition(":")
    return State(state), move_id


def check_arrived(connection: Connection) -> None:
    """Raises NotArrived while a move into this database is under way, or was broken off."""
    value = meta.get(connection, KEY)
    if value is not None and understood(value)[0] is State.COPYING:
        raise NotArrived("not everything was moved into the database that the settings name")


def note_start(connection: Connection) -> None:
    """Notes that the database is served from: from now on it has what the old one has not. Raises NotArrived."""
    check_arrived(connection)
    value = meta.get(connection, KEY)
    if value is not None and understood(value)[0] is State.ARRIVED:
        meta.put(connection, KEY, written(State.STARTED, understood(value)[1]))
