"""Numbers that grow in the order of the commits, where several write at once.

[Note: Later means larger] A live channel that has told event 7 never looks for event 6 again. So 6 must not be committed after
7 was seen. Where one writer commits after the other that is so by itself; a sequence of PostgreSQL hands out numbers when
they are asked for. There, whoever is about to take numbers waits until the one before has committed. Writers that take
none do not wait, and a group of sends waits once.
"""

from sqlalchemy import Connection, func, select

_EVENTS_KEY = 0x6576656E
_TAKE = select(func.pg_advisory_xact_lock(_EVENTS_KEY))


def take_numbers(connection: Connection) -> None:
    """Waits for the turn to number events; it ends with the transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(_TAKE)
