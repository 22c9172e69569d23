"""Checkpoints: how long the log is and what its root is, as a text to be signed (https://c2sp.org/tlog-checkpoint).

>>> text = Checkpoint("post.example/tlog", 0, EMPTY_ROOT).text
>>> Checkpoint.read(text).size
0
"""

import base64
import re
from dataclasses import dataclass
from typing import Self

from restante.protocol.limits import JSON_INT
from restante.transparency.errors import LogMalformed
from restante.transparency.merkle import EMPTY_ROOT, HASH_BYTES

_SIZE = re.compile(r"(?:0|[1-9][0-9]{0,15})\Z", re.ASCII)


def origin_of(server_name: str) -> str:
    """What a server's log is called, and its key."""
    return f"{server_name}/tlog"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def read(cls, text: str) -> Self:
        """Reads a checkpoint; lines after the third say nothing to us. Raises LogMalformed."""
        origin, size, root, *_ = [*text.split("\n"), "", "", ""]
        if not origin or not _SIZE.match(size):
            raise LogMalformed("a checkpoint")
        found = cls(origin, int(size), _hash(root))
        if not text.startswith(found.text) or found.size > JSON_INT:
            raise LogMalformed("a checkpoint")
        if found.size == 0 and found.root != EMPTY_ROOT:
            raise LogMalformed("a checkpoint")
        return found


def _hash(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise LogMalformed("a checkpoint") from error
    if len(data) != HASH_BYTES:
        raise LogMalformed("a checkpoint")
    return data
