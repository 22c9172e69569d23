"""What keeps a backup, a restore or a check from being done at all. What a check finds is a Finding."""

from dataclasses import dataclass
from typing import Literal


class Undone(Exception):
    """The text says why, ``hint`` what to do; ``code`` is what the command exits with."""

    code = 2

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.hint = hint


class Spoilt(Undone):
    """What was asked for is right, and what it is asked of is damaged."""

    code = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be. ``what`` is the id of a blob or message, or a place in the database."""

    kind: Literal["missing", "damaged", "stray", "database"]
    what: str
    detail: str = ""
