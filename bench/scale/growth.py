"""Servers with more and more messages of other people, side by side: what one person waits for must not grow with them."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.harness.http import Connection
from bench.peers.servers import data_folder
from bench.scale.ground import Ground
from tests.api.parcels import make_parcel, new_key
from tests.api.people import Person, make_account
from tests.serving import Server

OWN = 100
"""Messages of the one person who is measured."""
FLAT = 1.3
LISTS, SENDS = 60, 30
"""Requests of a round."""


@dataclass
class Place:
    """One server with its size, the two people who are measured there, and what they waited."""

    messages: int
    server: Server
    ground: Ground
    fill_s: float = 0.0
    bytes: int = 0
    """Of the database, filled."""
    sender: Person | None = None
    owner: Person | None = None
    told: Connection | None = None
    waited_ms: dict[str, list[list[float]]] = field(default_factory=dict)
    """By what, a list for each round."""

    def open(self) -> None:
        """Fills the database while nobody is there, and lets the two in."""
        self.fill_s, self.bytes = self.ground.fill(self.server, self.messages)
        self.server.start(**self.ground.env)
        self.sender, self.owner = make_account(self.server.url), make_account(self.server.url)
        for _ in range(OWN):
            self._send()
        self.told = Connection(self.server.port)
        self.told.open_stream("/api/v1/events", self.owner.headers)

    def round(self) -> None:
        """Lists, then sends of which the owner is told."""
        lists, pages, sends, hints = [], [], [], []
        assert self.owner is not None
        assert self.told is not None
        client = self.owner.client
        for _ in range(LISTS):
            begin = time.perf_counter()
            cursor = client.get("/api/v1/inbox", params={"limit": 50}).json()["cursor"]
            lists.append((time.perf_counter() - begin) * 1000)
            begin = time.perf_counter()
            assert client.get("/api/v1/inbox", params={"limit": 50, "cursor": cursor}).json()["items"]
            pages.append((time.perf_counter() - begin) * 1000)
        for _ in range(SENDS):
            begin = time.perf_counter()
            self._send()
            sends.append((time.perf_counter() - begin) * 1000)
            self.told.next_event()
            hints.append((time.perf_counter() - begin) * 1000)
        for name, taken in (
            ("inbox, first page of 50", lists),
            ("inbox, second page", pages),
            ("send, until acknowledged", sends),
            ("send, until the recipient is told", hints),
        ):
            self.waited_ms.setdefault(name, []).append(taken)

    def _send(self) -> None:
        assert self.sender is not None
        assert self.owner is not None
        parcel = make_parcel(self.owner)
        answer = self.sender.client.post(
            "/api/v1/messages", files=parcel.files(), headers={"idempotency-key": new_key()}
        )
        assert answer.status_code == 201, answer.text


def grow(grounds: Mapping[int, Ground], rounds: int, tell: Callable[[str], None]) -> list[Place]:
    """Measures them in turns; a first round warms up and is dropped."""
    with ExitStack() as stack:
        places = []
        for size, ground in grounds.items():
            folder = stack.enter_context(data_folder(f"scale-{size}"))
            place = Place(size, Server(ground.data(Path(folder))), ground)
            stack.callback(place.server.kill)
            place.open()
            tell(f"{size} messages stored in {place.fill_s:.0f} s")
            places.append(place)
        for number in range(rounds + 1):
            for place in places[:: 1 if number % 2 else -1]:
                place.round()
        for place in places:
            place.waited_ms = {name: several[1:] for name, several in place.waited_ms.items()}
            assert place.told is not None
            place.told.close()
        return places


def ratio(place: Place, smallest: Place, name: str) -> float:
    """How much longer in the median than at the smallest size: the median over the rounds' ratios."""
    pairs = zip(place.waited_ms[name], smallest.waited_ms[name], strict=True)
    return median(median(mine) / median(theirs) for mine, theirs in pairs)


def at(place: Place, name: str, share: float) -> float:
    ordered = sorted(one for taken in place.waited_ms[name] for one in taken)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
