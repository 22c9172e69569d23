"""Laws of sealing: opening undoes it, cuts do not matter, a range read is a slice."""

import doctest
import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from restante.crypto import age
from restante.crypto.age import (
    AgeError,
    HybridIdentity,
    Reader,
    Sealer,
    Unsealer,
    X25519Identity,
    seal,
    unseal,
)

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


def outcome(parts):
    """What is released, and the kind of refusal."""
    unsealer, released = Unsealer(X25519), []
    try:
        released.extend(map(unsealer.update, parts))
        released.append(unsealer.finish())
    except AgeError as error:
        return b"".join(released), type(error)
    return b"".join(released), None


@settings(deadline=None, max_examples=150)
@given(sizes, cuts, st.integers(0, 5 * CHUNK), st.integers(0, 300), st.binary(max_size=40))
def test_spoiled_file_is_refused_alike_however_it_is_cut(size, at, start, length, put):
    plaintext = text(size)
    sealed = seal(plaintext, X25519.recipient())
    start %= len(sealed) + 1
    spoiled = sealed[:start] + put + sealed[start + length :]
    released, refusal = outcome([spoiled])
    assert outcome(pieces(spoiled, at)) == (released, refusal)
    assert outcome(pieces(spoiled, range(min(len(spoiled), 400)))) == (released, refusal)
    assert plaintext.startswith(released)
    assert (refusal is None) == (spoiled == sealed)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.sampled_from(
            [b"age-encryption.org/v1\n", b"-> X25519", b"---", b"AAAA", b"=\r", b" ", b"\n", b"-> x\n"]
        )
    ),
    st.binary(max_size=20),
    cuts,
)
def test_anything_else_is_refused_by_an_age_error(words, noise, at):
    for data in (b" ".join(words) + noise, b"age-encryption.org/v1\n" + b"".join(words) + noise):
        released, refusal = outcome(pieces(data, at))
        assert released == b""
        assert issubclass(refusal, AgeError)


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


def test_example_in_the_package_says_the_truth():
    failed, tried = doctest.testmod(age)
    assert (failed, tried) == (0, 2)
