"""A log in memory, kept as the server keeps it: with each leaf the nodes that it completes."""

from restante.transparency.merkle import HASH_BYTES, leaf_hash, new_nodes, root
from restante.transparency.tiles import Tile, width_at, write_bundle


class GrowingLog:
    def __init__(self, entries: list[bytes] | None = None) -> None:
        self.entries: list[bytes] = []
        self._made: list[list[bytes]] = []
        for entry in entries or []:
            self.add(entry)

    def add(self, entry: bytes) -> None:
        self._made.append(new_nodes(leaf_hash(entry), len(self.entries), self.node))
        self.entries.append(entry)

    def node(self, level: int, index: int) -> bytes:
        return self._made[((index + 1) << level) - 1][level]

    def root(self, size: int | None = None) -> bytes:
        return root(len(self.entries) if size is None else size, self.node)

    def fetch(self, tile: Tile) -> bytes:
        """A tile as a server gives it: only where the log has come to."""
        if tile.level == "entries":
            return write_bundle(self.entries[tile.index * 256 :][: tile.width])
        assert 0 < tile.width <= width_at(tile.level, tile.index, len(self.entries))
        hashes = [self.node(tile.level * 8, tile.index * 256 + at) for at in range(tile.width)]
        assert all(len(one) == HASH_BYTES for one in hashes)
        return b"".join(hashes)


def numbered(count: int) -> list[bytes]:
    return [str(number).encode() for number in range(count)]
