"""Searches for secrets wherever they could have come to lie, in every spelling in which they could have got there.

[Note: One pass] A needle of 15 bytes or more covers, wherever it begins, one whole aligned word of 8 bytes. So a place is
read as words, each looked up in the set of all words that a needle could put there; only what is in the set is searched
for. Thousands of needles cost one pass.
"""

import base64
import contextlib
import json
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote_from_bytes

from tests.anomaly import processes
from tests.cli.middleman import Exchange, Middleman, Request

WORD = 8
SHORTEST = 2 * WORD - 1


@dataclass(frozen=True)
class Canary:
    """A secret, or a piece of one; what the server is ``told`` it may know for a moment, and keep nowhere.

    ``home`` is where the server's own secrets lie, by the beginnings of places' names.
    """

    kind: str
    value: bytes
    told: bool = False
    home: tuple[str, ...] = ()

    def may_be_in(self, place: "Place") -> bool:
        """Tells whether finding it there is no leak."""
        return (self.told and place.passing) or place.name.startswith(self.home)


@dataclass(frozen=True, order=True)
class Hit:
    """A secret that was found; never shows the secret."""

    kind: str
    place: str
    spelling: str


@dataclass(frozen=True)
class Place:
    """Something that can be searched; in what is ``passing`` the server may hold what it is told."""

    name: str
    content: bytes
    passing: bool = False


def spellings(value: bytes) -> dict[str, bytes]:
    """Writes the same bytes in every way in which programs store and print bytes."""
    written = {
        "raw": value,
        "reversed": value[::-1],
        "hex": value.hex().encode(),
        "HEX": value.hex().upper().encode(),
        "URL": quote_from_bytes(value, safe="").encode(),
        "URL, all": "".join(f"%{byte:02X}" for byte in value).encode(),
        "URL, all, lower": "".join(f"%{byte:02x}" for byte in value).encode(),
        "repr": repr(value)[2:-1].encode(),
        "JSON": json.dumps(_text(value))[1:-1].encode(),
        "UTF-8": _text(value).encode(),
        "UTF-16-LE": _text(value).encode("utf-16-le"),
        "UTF-16-BE": _text(value).encode("utf-16-be"),
        "UTF-32": _text(value).encode("utf-32-le"),
    }
    for shift in range(3):
        text = _base64_inside(value, shift)
        written[f"base64+{shift}"] = text
        written[f"base64url+{shift}"] = text.translate(bytes.maketrans(b"+/", b"-_"))
    return written


class Search:
    """All spellings of many canaries, ready to be looked for."""

    def __init__(self, canaries: Iterable[Canary]) -> None:
        self._needles: dict[bytes, tuple[Canary, str]] = {}
        for canary in canaries:
            assert len(canary.value) >= SHORTEST, canary.kind
            for spelling, needle in spellings(canary.value).items():
                self._needles.setdefault(needle, (canary, spelling))
        self._words: dict[int, list[bytes]] = {}
        for needle in self._needles:
            for start in range(WORD):
                word = int.from_bytes(needle[start : start + WORD], sys.byteorder)
                self._words.setdefault(word, []).append(needle)
        self._known = frozenset(self._words)

    def hits(self, places: Iterable[Place]) -> list[Hit]:
        """Searches place after place."""
        return sorted({hit for place in places for hit in self._hits(place)})

    def _hits(self, place: Place) -> Iterator[Hit]:
        whole_words = memoryview(place.content)[: len(place.content) // WORD * WORD].cast("Q")
        suspects = {needle for word in self._known.intersection(whole_words) for needle in self._words[word]}
        for needle in suspects:
            canary, spelling = self._needles[needle]
            if not canary.may_be_in(place) and needle in place.content:
                yield Hit(canary.kind, place.name, spelling)


def on_disk(folder: Path) -> Iterator[Place]:
    """Every file of a folder, and their names."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    yield Place("names", "\n".join(str(path.relative_to(folder)) for path in paths).encode())
    for path in paths:
        yield Place(str(path.relative_to(folder)), path.read_bytes())


@dataclass
class Wire:
    """Collects what passes a middleman, piece by piece: what a client asks and what it is answered."""

    passed: dict[str, list[bytes]] = field(default_factory=dict)

    def listen(self, man: Middleman) -> None:
        man.ask, man.change = self._asked, self._answered

    def places(self) -> Iterator[Place]:
        """URLs stand in logs of whatever lies between, so nothing at all is to be in them."""
        for name, pieces in self.passed.items():
            yield Place(name, b"\n".join(pieces), passing=name != "URLs")

    def _asked(self, request: Request) -> Request:
        self._note("URLs", request.path.encode())
        self._note("headers of requests", repr(request.headers).encode())
        self._note("bodies of requests", request.body)
        return request

    def _answered(self, exchange: Exchange) -> Exchange:
        self._note("headers of answers", repr(exchange.headers).encode())
        if isinstance(exchange.body, bytes):
            self._note("bodies of answers", exchange.body)
        return exchange

    def _note(self, name: str, piece: bytes) -> None:
        self.passed.setdefault(name, []).append(piece)


def around(leader: int) -> Iterator[Place]:
    """What the system shows of every process of a group: how it was called, and its environment."""
    for pid in processes.group(leader):
        for name in ("cmdline", "environ"):
            yield Place(f"{name} of {pid}", (processes.PROC / str(pid) / name).read_bytes())


def in_dump(database: Path) -> Iterator[Place]:
    """The database as text, and what its file has beyond its rows: pages that were given back."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        yield Place("dump of the database", "\n".join(connection.iterdump()).encode())


def in_memory(leader: int) -> Iterator[Place]:
    """Every region of every process of a group."""
    for pid in processes.group(leader):
        for region, content in processes.memory(pid):
            yield Place(f"memory of {pid}: {region}", content, passing=True)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _base64_inside(value: bytes, shift: int) -> bytes:
    """The part of the base64 that is the same whatever stands before (``shift`` bytes modulo 3) and after."""
    encoded = base64.b64encode(bytes(shift) + value)
    return encoded[-(-shift * 8 // 6) : (shift + len(value)) * 8 // 6]
