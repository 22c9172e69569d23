"""What carries hints to other nodes: one small contract, kept by NATS and by PostgreSQL's NOTIFY."""

from collections.abc import Callable
from typing import Protocol

Hear = Callable[[bytes], None]
"""Is given each word that anybody said, one's own included; it must not block."""


class Lost(Exception):
    """There is no line to the others, or none any more; the text says why, without what is secret."""


class Line(Protocol):
    """A line that is open. Who says something on it does not learn whether anybody heard it."""

    async def say(self, word: bytes) -> None:
        """Passes a word of at most ``WORD_BYTES`` to everybody on the wire. Raises Lost."""

    async def gone(self) -> None:
        """Returns when the line is lost."""

    async def close(self) -> None:
        """Lets go of it, lost or not."""


class Wire(Protocol):
    """Where lines are made; ``kind`` and ``place`` are what an operator calls it."""

    kind: str
    place: str

    async def join(self, hear: Hear) -> Line:
        """Opens a line; whatever is said from its return on is heard. Raises Lost."""


WORD_BYTES = 7500
"""NOTIFY takes less than 8,000."""
