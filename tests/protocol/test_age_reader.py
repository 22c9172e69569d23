"""Reading by range: what is fetched, and that a cut or damaged file never gives a short answer."""

import pytest

from restante.crypto.age import (
    AgeError,
    HeaderError,
    HybridIdentity,
    PayloadError,
    Reader,
    Truncated,
    X25519Identity,
    seal,
)

CHUNK = 65_536
SEALED = CHUNK + 16
IDENTITY = X25519Identity.generate()
PLAINTEXT = b"".join(number.to_bytes(4, "big") for number in range(5 * CHUNK // 4 + 10))
DATA = seal(PLAINTEXT, IDENTITY.recipient())
START = DATA.index(b"\n--- ") + 49 + 16


class Store:
    """A file that notes what is asked of it."""

    def __init__(self, data):
        self.data = data
        self.asked = []

    def fetch(self, offset, length):
        self.asked.append((offset, length))
        return bytes(self.data[offset : offset + length])

    def reader(self, *identities, size=None, stanzas=None):
        return Reader(self.fetch, len(self.data) if size is None else size, *identities, stanzas=stanzas)


def test_read_fetches_the_chunks_it_needs_and_no_more():
    store = Store(DATA)
    reader = store.reader(IDENTITY, stanzas=1)
    assert sum(length for _, length in store.asked) <= 4096 + 16
    store.asked.clear()
    assert reader.read(CHUNK + 5, 10) == PLAINTEXT[CHUNK + 5 : CHUNK + 15]
    assert store.asked == [(START + SEALED, SEALED)]
    assert reader.read(CHUNK + 15, 10) == PLAINTEXT[CHUNK + 15 : CHUNK + 25]
    assert len(store.asked) == 1, "the same chunk is not fetched again"
    assert reader.read(2 * CHUNK - 1, CHUNK + 2) == PLAINTEXT[2 * CHUNK - 1 : 3 * CHUNK + 1]
    assert store.asked[1:] == [(START + 2 * SEALED, 2 * SEALED)]


def test_stream_holds_a_few_chunks_at_a_time():
    store = Store(DATA)
    reader = store.reader(IDENTITY)
    assert b"".join(reader.stream(3)) == PLAINTEXT[3:]
    assert max(length for _, length in store.asked) <= 4 * SEALED


def test_last_chunk_is_opened_before_the_end_is_believed():
    store = Store(DATA)
    reader = store.reader(IDENTITY)
    store.asked.clear()
    reader.verify_end()
    reader.verify_end()
    assert store.asked == [(START + 5 * SEALED, len(DATA) - START - 5 * SEALED)]
    lying = Store(DATA[: START + 3 * SEALED]).reader(IDENTITY)
    for call in (lying.verify_end, lambda: lying.read(3 * CHUNK, 1), lambda: lying.read(10 * CHUNK, 0)):
        with pytest.raises(Truncated):
            call()
    with pytest.raises(Truncated):
        list(lying.stream(9 * CHUNK))


@pytest.mark.parametrize("near", [-1, 0, 1])
@pytest.mark.parametrize("number", range(6))
def test_cut_at_a_chunk_border_and_beside_it_is_refused(number, near):
    cut = Store(DATA[: START + number * SEALED + near])
    error = HeaderError if (number, near) == (0, -1) else Truncated
    with pytest.raises(error):
        cut.reader(IDENTITY).verify_end()
    released = []
    with pytest.raises(error):
        released.extend(cut.reader(IDENTITY).stream())
    assert PLAINTEXT.startswith(b"".join(released))


def test_size_that_no_file_has_is_refused_at_once():
    for size in (START, START + 15, *(START + SEALED + more for more in (1, 15, 16)), START + 3 * SEALED + 1):
        with pytest.raises(Truncated):
            Store(DATA).reader(IDENTITY, size=size)


@pytest.mark.parametrize("near", [-1, 0, 1])
@pytest.mark.parametrize("number", range(1, 6))
def test_file_cut_after_its_size_was_told_is_refused(number, near):
    cut = Store(DATA[: START + number * SEALED + near])
    with pytest.raises(Truncated):
        cut.reader(IDENTITY, size=len(DATA)).verify_end()
    with pytest.raises(Truncated):
        list(cut.reader(IDENTITY, size=len(DATA)).stream())


def test_file_with_bytes_after_its_end_is_refused():
    for more in (1, 16, 17, SEALED):
        with pytest.raises(PayloadError):
            list(Store(DATA + bytes(more)).reader(IDENTITY).stream())


def test_damage_is_met_where_it_is_and_nowhere_else():
    store = Store(bytearray(DATA))
    store.data[START + 2 * SEALED + 100] ^= 1
    reader = store.reader(IDENTITY)
    assert reader.read(CHUNK, CHUNK) == PLAINTEXT[CHUNK : 2 * CHUNK]
    with pytest.raises(PayloadError) as caught:
        reader.read(2 * CHUNK, 1)
    assert caught.type is PayloadError
    assert reader.read(3 * CHUNK, 10) == PLAINTEXT[3 * CHUNK : 3 * CHUNK + 10]


def test_damage_and_cut_are_told_apart_where_the_last_chunk_is_whole():
    whole = Store(bytearray(DATA[: START + 5 * SEALED]))
    with pytest.raises(Truncated):
        whole.reader(IDENTITY).verify_end()
    whole.data[-1] ^= 1
    with pytest.raises(PayloadError) as caught:
        whole.reader(IDENTITY).verify_end()
    assert caught.type is PayloadError


def test_header_longer_than_one_fetch_is_read():
    identities = [HybridIdentity.generate() for _ in range(4)]
    store = Store(seal(b"text", *(identity.recipient() for identity in identities)))
    reader = store.reader(identities[3])
    assert (reader.stanza_count, reader.read(0, 10)) == (4, b"text")
    with pytest.raises(HeaderError):
        store.reader(identities[3], stanzas=1)
    for size in (0, 100, 4096, 5000):
        with pytest.raises(AgeError):
            store.reader(identities[3], size=size)


def test_offsets_below_zero_are_misuse():
    reader = Store(DATA).reader(IDENTITY)
    for offset, length in ((-1, 1), (0, -1)):
        with pytest.raises(IndexError):
            reader.read(offset, length)
    with pytest.raises(IndexError):
        list(reader.stream(-1))
