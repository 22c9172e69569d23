"""The Merkle tree of RFC 6962: hashes, roots and proofs, out of the hashes of complete subtrees.

``Nodes`` gives the hash of the complete subtree over the leaves ``index·2^level`` to ``(index + 1)·2^level``.

>>> nodes = nodes_of([b"one", b"two", b"three"])
>>> proof = inclusion_proof(2, 3, nodes)
>>> verify_inclusion(leaf_hash(b"three"), 2, 3, proof, root(3, nodes))
True
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

Nodes = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """Hashes an entry as a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hashes two neighbours to their parent."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def nodes_of(entries: Sequence[bytes]) -> Nodes:
    """Computes nodes from all entries, for trees that are at hand as a whole."""

    def node(level: int, index: int) -> bytes:
        if level == 0:
            return leaf_hash(entries[index])
        return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    return node


def new_nodes(leaf: bytes, index: int, nodes: Nodes) -> list[bytes]:
    """Returns the hashes that are complete once the leaf stands at its index, from level 0 up."""
    made = [leaf]
    while index & 1:
        made.append(node_hash(nodes(len(made) - 1, index - 1), made[-1]))
        index >>= 1
    return made


def root(size: int, nodes: Nodes) -> bytes:
    """Returns the root of the tree of the first ``size`` leaves."""
    return _range_hash(0, size, nodes) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """Makes the audit path of a leaf (RFC 6962 section 2.1.1), from the leaf up."""
    if not 0 <= index < size:
        raise ValueError("the leaf is outside the tree")
    return _path(index, 0, size, nodes)


def consistency_proof(old: int, new: int, nodes: Nodes) -> list[bytes]:
    """Makes the proof that the tree of ``old`` leaves is the beginning of that of ``new`` (section 2.1.2)."""
    if not 0 < old <= new:
        raise ValueError("there is nothing to prove")
    return _subproof(old, 0, new, nodes, whole=True)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], tree: bytes) -> bool:
    """Tells whether the audit path leads from the leaf to the root (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(step, found)
            at, last = _past_missing(at, last)
        else:
            found = node_hash(found, step)
        at, last = at >> 1, last >> 1
    return last == 0 and found == tree


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_tree: bytes, new_tree: bytes) -> bool:
    """Tells whether the proof connects the two roots (RFC 9162 section 2.1.4.2); everything follows an empty tree."""
    if old in (0, new):
        return not proof and 0 <= old <= new and old_tree == (EMPTY_ROOT if old == 0 else new_tree)
    if not 0 < old < new or not proof:
        return False
    steps = iter([old_tree, *proof] if old & (old - 1) == 0 else proof)
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = next(steps)
    return _climb(steps, at, last, before, after) == (old_tree, new_tree)


def _climb(
    steps: Iterator[bytes], at: int, last: int, before: bytes, after: bytes
) -> tuple[bytes, bytes] | None:
    for step in steps:
        if last == 0:
            return None
        if at & 1 or at == last:
            before, after = node_hash(step, before), node_hash(step, after)
            at, last = _past_missing(at, last)
        else:
            after = node_hash(after, step)
        at, last = at >> 1, last >> 1
    return (before, after) if last == 0 else None


def _past_missing(at: int, last: int) -> tuple[int, int]:
    """Skips the levels at which the rightmost node has no neighbour."""
    while at and not at & 1:
        at, last = at >> 1, last >> 1
    return at, last


def _split(count: int) -> int:
    """The largest power of two below the count."""
    return 1 << (count - 1).bit_length() - 1


def _range_hash(start: int, end: int, nodes: Nodes) -> bytes:
    """Hashes the leaves of a range as RFC 6962's MTH; the range begins where a subtree of its size may begin."""
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return nodes(level, start >> level)
    middle = start + _split(count)
    return node_hash(_range_hash(start, middle, nodes), _range_hash(middle, end, nodes))


def _path(index: int, start: int, end: int, nodes: Nodes) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(index, start, middle, nodes), _range_hash(middle, end, nodes)]
    return [*_path(index, middle, end, nodes), _range_hash(start, middle, nodes)]


def _subproof(old: int, start: int, end: int, nodes: Nodes, *, whole: bool) -> list[bytes]:
    """``old`` is absolute: the old tree ends there."""
    if old == end:
        return [] if whole else [_range_hash(start, end, nodes)]
    middle = start + _split(end - start)
    if old <= middle:
        return [*_subproof(old, start, middle, nodes, whole=whole), _range_hash(middle, end, nodes)]
    return [*_subproof(old, middle, end, nodes, whole=False), _range_hash(start, middle, nodes)]
