"""What a server acknowledged while it was being hurt, written down by whoever was told."""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from tests.api.people import AGE

Deletion = Literal["no", "asked", "acknowledged"]


@dataclass(frozen=True)
class Someone:
    """An account, as far as its client needs it."""

    name: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}


@dataclass
class Video:
    """An upload; its content is told by its seed, so that a long book stays small."""

    seed: str
    size: int
    owner: Someone
    url: str = ""
    acknowledged: int = 0
    finished: bool = False

    @property
    def id(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def content(self) -> bytes:
        return random.Random(self.seed).randbytes(self.size)


@dataclass
class Letter:
    """A message; ``acknowledged`` once its send was answered with success."""

    id: str
    seed: str
    sender: Someone
    recipient: Someone
    video: Video
    acknowledged: bool = False
    marked: bool = False
    deleted: Deletion = "no"

    @property
    def details(self) -> bytes:
        return AGE + random.Random(f"details {self.seed}").randbytes(400)


@dataclass
class Book:
    """Everything that was promised, and what was seen to be broken while it went on."""

    videos: list[Video] = field(default_factory=list)
    letters: dict[str, Letter] = field(default_factory=dict)
    people: list[Someone] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    last_success_s: float = 0.0
    longest_gap_s: float = 0.0

    @property
    def acknowledged(self) -> list[Letter]:
        return [each for each in self.letters.values() if each.acknowledged]

    def told(self) -> str:
        """One line for whoever watches."""
        sent = sum(each.video.size for each in self.acknowledged)
        return (
            f"{len(self.acknowledged)} messages acknowledged with {sent / 1e6:.1f} MB, {len(self.videos)} uploads,"
            f" slowest answer {self.slowest_s:.1f} s, longest without a success {self.longest_gap_s:.1f} s,"
            f" answers {dict(sorted(self.answers.items()))}"
        )
