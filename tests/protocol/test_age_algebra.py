"""Laws of sealing: opening undoes it, cuts do not matter, a range read is a slice."""

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from restante.crypto.age import HybridIdentity, Reader, Sealer, Unsealer, X25519Identity, seal, unseal

CHUNK = 65_536
X25519 = X25519Identity.from_bytes(bytes(range(32)))
HYBRID = HybridIdentity.generate()

sizes = st.one_of(
    st.integers(0, 300),
    st.builds(lambda chunks, near: max(0, chunks * CHUNK + near), st.integers(0, 3), st.integers(-17, 17)),
    st.integers(0, 4 * CHUNK),
)
cuts = st.lists(st.integers(0, 5 * CHUNK), max_size=12)


def text(size):
    return random.Random(size).randbytes(size)


def pieces(data, at):
    borders = [0, *sorted(cut for cut in at if cut < len(data)), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(borders)]


def seeded():
    """The same bytes in the same order: only so can two sealings be compared."""
    return random.Random(7).randbytes


@settings(deadline=None, max_examples=60)
@given(sizes, st.sampled_from([X25519, HYBRID]))
def test_unseal_undoes_seal(size, identity):
    plaintext = text(size)
    assert unseal(seal(plaintext, identity.recipient()), identity, stanzas=1) == plaintext


@settings(deadline=None, max_examples=60)
@given(sizes, cuts)
def test_cuts_do_not_matter_when_sealing(size, at):
    plaintext = text(size)
    sealer = Sealer(X25519.recipient(), random=seeded())
    sealed = b"".join([*(sealer.update(piece) for piece in pieces(plaintext, at)), sealer.finish()])
    assert sealed == seal(plaintext, X25519.recipient(), random=seeded())


@settings(deadline=None, max_examples=60)
@given(sizes, cuts)
def test_cuts_do_not_matter_when_opening(size, at):
    plaintext = text(size)
    unsealer = Unsealer(X25519)
    sealed = seal(plaintext, X25519.recipient())
    assert b"".join([*map(unsealer.update, pieces(sealed, at)), unsealer.finish()]) == plaintext


@settings(deadline=None, max_examples=60)
@given(sizes, st.integers(0, 5 * CHUNK), st.integers(0, 3 * CHUNK), st.integers(0, 5 * CHUNK))
def test_read_is_a_slice_and_stream_a_suffix(size, offset, length, begin):
    plaintext = text(size)
    sealed = seal(plaintext, X25519.recipient())
    reader = Reader(lambda at, count: sealed[at : at + count], len(sealed), X25519)
    assert reader.plaintext_size == size
    assert reader.read(offset, length) == plaintext[offset : offset + length]
    assert b"".join(reader.stream(begin)) == plaintext[begin:]
    assert reader.read(offset, length) == plaintext[offset : offset + length]


def test_two_sealings_of_one_text_have_nothing_in_common():
    one, two = (seal(bytes(100), X25519.recipient()) for _ in range(2))
    assert one.splitlines()[1] != two.splitlines()[1]
    assert one[-116:] != two[-116:]
