"""Tiles: the tree in files of up to 256 hashes (https://c2sp.org/tlog-tiles), and nodes read from them.

>>> Tile(0, 1234067, 256).path, Tile(1, 0, 5).path, Tile("entries", 3, 17).path
('tile/0/x001/x234/067', 'tile/1/000.p/5', 'tile/entries/003.p/17')
>>> read_path("tile/1/000.p/5")
Tile(level=1, index=0, width=5)
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from restante.transparency.errors import LogMalformed
from restante.transparency.merkle import HASH_BYTES, node_hash

WIDTH = 256
_HEIGHT = 8
_LEVELS = 8
"""More than trees of 2^63 leaves have."""
_PATH = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?\Z", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Tile:
    """``width`` hashes of level 8·``level`` from ``index``·256 on; of level ``entries``: the entries themselves."""

    level: int | Literal["entries"]
    index: int
    width: int

    @property
    def path(self) -> str:
        """Where it is served, below the log."""
        last, rest = f"{self.index % 1000:03}", self.index // 1000
        while rest:
            last, rest = f"x{rest % 1000:03}/{last}", rest // 1000
        return f"tile/{self.level}/{last}" + (f".p/{self.width}" if self.width < WIDTH else "")


def read_path(path: str) -> Tile | None:
    """Reads a path; None for one that no tile has."""
    found = _PATH.match(path)
    if found is None:
        return None
    level, index, width = found.groups()
    tile = Tile(
        "entries" if level == "entries" else int(level), int(re.sub("[x/]", "", index)), int(width or WIDTH)
    )
    is_known = tile.level == "entries" or tile.level < _LEVELS
    return tile if is_known and tile.width <= WIDTH and tile.path == path else None


def width_at(level: int, index: int, size: int) -> int:
    """How wide this tile is in a tree of a size; 0 or less when there is none."""
    return min(WIDTH, (size >> (_HEIGHT * level)) - index * WIDTH)


class TileNodes:
    """Gives the nodes of a tree of ``size`` leaves from tiles that ``fetch`` brings, each fetched once.

    What it gives is as true as its tiles: proofs made of it are checked against a signed root.
    """

    def __init__(self, size: int, fetch: Callable[[Tile], bytes]) -> None:
        self._size = size
        self._fetch = fetch
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._inner: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """Returns a node. Raises LogMalformed."""
        tile_level, inside = divmod(level, _HEIGHT)
        if inside == 0:
            begin = index % WIDTH * HASH_BYTES
            return self._tile(tile_level, index // WIDTH)[begin : begin + HASH_BYTES]
        if (level, index) not in self._inner:
            self._inner[level, index] = node_hash(self(level - 1, 2 * index), self(level - 1, 2 * index + 1))
        return self._inner[level, index]

    def _tile(self, level: int, index: int) -> bytes:
        key = (level, index)
        if key not in self._tiles:
            width = width_at(level, index, self._size)
            data = self._fetch(Tile(level, index, width))
            if len(data) != width * HASH_BYTES:
                raise LogMalformed("a tile")
            self._tiles[key] = data
        return self._tiles[key]


def write_bundle(entries: list[bytes]) -> bytes:
    """Writes entries one after the other, each after its length."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def read_bundle(data: bytes) -> list[bytes]:
    """Reads a bundle. Raises LogMalformed."""
    entries, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        entry = data[at + 2 : at + 2 + length]
        if len(data) - at < 2 or len(entry) != length:
            raise LogMalformed("a bundle of entries")
        entries.append(entry)
        at += 2 + length
    return entries
