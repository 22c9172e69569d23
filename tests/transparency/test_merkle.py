"""Roots and proofs: the vectors of Certificate Transparency, the text of RFC 6962, and that nothing else is proved."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from restante.transparency.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    nodes_of,
    root,
    verify_consistency,
    verify_inclusion,
)
from restante.transparency.tiles import TileNodes
from tests.transparency import rfc6962
from tests.transparency.growing import GrowingLog, numbered

CT_ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""The leaves of the test data that the implementations of Certificate Transparency share."""
CT_ROOTS = """
6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77
d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4
76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef
ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c
5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328
""".split()


def test_the_vectors_of_certificate_transparency():
    nodes = nodes_of(CT_ENTRIES)
    assert root(0, nodes) == EMPTY_ROOT == rfc6962.tree([])
    for size, text in enumerate(CT_ROOTS, start=1):
        assert root(size, nodes).hex() == text
    assert [one.hex()[:8] for one in inclusion_proof(0, 8, nodes)] == ["96a296d2", "5f083f0a", "6b47aaf2"]
    assert [one.hex()[:8] for one in consistency_proof(6, 8, nodes)] == ["0ebc5d34", "ca854ea1", "d37ee418"]


def test_proofs_of_all_trees_up_to_300():
    """In trees to 70 each leaf and each earlier tree, in those to 300 the edges and some by chance; over tiles as served."""
    log, chance = GrowingLog(numbered(300)), random.Random(1)
    for size in range(1, 301):
        nodes, tree = TileNodes(size, log.fetch), log.root(size)
        some = {0, size // 2, size - 1, *(chance.randrange(size) for _ in range(5))}
        for index in range(size) if size <= 70 else some:
            proof = inclusion_proof(index, size, nodes)
            assert verify_inclusion(leaf_hash(log.entries[index]), index, size, proof, tree)
            proof = consistency_proof(index + 1, size, nodes)
            assert verify_consistency(index + 1, size, proof, log.root(index + 1), tree)


def test_proofs_are_those_of_the_rfc():
    entries = numbered(40)
    nodes = nodes_of(entries)
    for size in range(1, 41):
        assert root(size, nodes) == rfc6962.tree(entries[:size])
        for at in range(size):
            assert inclusion_proof(at, size, nodes) == rfc6962.path(at, entries[:size])
            assert consistency_proof(at + 1, size, nodes) == rfc6962.proof(at + 1, entries[:size])


@settings(max_examples=50)
@given(st.integers(301, 3000), st.data())
def test_larger_trees(size: int, data: st.DataObject):
    nodes = TileNodes(size, LARGE.fetch)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    proof = inclusion_proof(index, size, nodes)
    assert verify_inclusion(leaf_hash(LARGE.entries[index]), index, size, proof, LARGE.root(size))
    proof = consistency_proof(old, size, nodes)
    assert verify_consistency(old, size, proof, LARGE.root(old), LARGE.root(size))


LARGE = GrowingLog(numbered(3000))


@settings(max_examples=50)
@given(st.integers(1, 300), st.data())
def test_what_is_changed_is_not_proved(size: int, data: st.DataObject):
    nodes, tree = LARGE.node, LARGE.root(size)
    index = data.draw(st.integers(0, size - 1))
    leaf, proof = leaf_hash(LARGE.entries[index]), inclusion_proof(index, size, nodes)
    chance = random.Random(data.draw(st.integers(0, 2**32)))
    assert not verify_inclusion(leaf_hash(b"another"), index, size, proof, tree)
    assert not verify_inclusion(leaf, index, size, proof, LARGE.root(size + 1))
    assert not verify_inclusion(leaf, index, size, [*proof, bytes(32)], tree)
    assert not verify_inclusion(leaf, size, size, proof, tree)
    assert not verify_inclusion(leaf, -1, size, proof, tree)
    if proof:
        assert not verify_inclusion(leaf, index, size, proof[:-1], tree)
        assert not verify_inclusion(leaf, index, size, _flipped(proof, chance), tree)
        other = (index + 1 + chance.randrange(size - 1)) % size
        assert not verify_inclusion(leaf, other, size, proof, tree)


@settings(max_examples=50)
@given(st.integers(2, 300), st.data())
def test_what_is_no_continuation_is_not_proved(size: int, data: st.DataObject):
    old = data.draw(st.integers(1, size - 1))
    proof, trees = consistency_proof(old, size, LARGE.node), (LARGE.root(old), LARGE.root(size))
    chance = random.Random(data.draw(st.integers(0, 2**32)))
    assert verify_consistency(old, size, proof, *trees)
    assert not verify_consistency(old, size, proof, bytes(32), trees[1])
    assert not verify_consistency(old, size, proof, trees[0], bytes(32))
    assert not verify_consistency(old, size, _flipped(proof, chance), *trees)
    assert not verify_consistency(old, size, proof[:-1], *trees)
    assert not verify_consistency(old, size, [*proof, bytes(32)], *trees)
    assert not verify_consistency(size, old, proof, *trees)
    assert not verify_consistency(old, old, [], *trees)
    assert not verify_consistency(-1, size, proof, *trees)


def test_everything_continues_the_empty_tree_and_every_tree_itself():
    assert verify_consistency(0, 5, [], EMPTY_ROOT, LARGE.root(5))
    assert verify_consistency(5, 5, [], LARGE.root(5), LARGE.root(5))
    assert not verify_consistency(0, 5, [], LARGE.root(1), LARGE.root(5))
    assert not verify_consistency(0, 5, [bytes(32)], EMPTY_ROOT, LARGE.root(5))


def _flipped(proof: list[bytes], chance: random.Random) -> list[bytes]:
    at = chance.randrange(len(proof))
    bit = chance.randrange(256)
    changed = bytearray(proof[at])
    changed[bit // 8] ^= 1 << bit % 8
    return [*proof[:at], bytes(changed), *proof[at + 1 :]]
