"""Laws of video.age: cuts do not matter, every damage is noticed before it is opened, sizes tell little."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restante.crypto import errors, padding
from restante.crypto.age import CHUNK_BYTES, X25519Identity, unseal
from restante.crypto.padding import Padding
from restante.crypto.video import PartHasher, VideoManifest, VideoOpener, VideoSealer
from restante.crypto.video_reader import VideoReader
from restante.protocol.limits import PART_BYTES, UPLOAD_BYTES
from tests.protocol.people import drawn, sealed_video, sent

SEALED_CHUNK = CHUNK_BYTES + 16
HEADER = 168 + 16


def cut(data, sizes):
    start = 0
    for size in sizes:
        yield data[start : start + size]
        start += size
    yield data[start:]


def opened(data, manifest, *, key=None):
    opener = VideoOpener(key or sent().key, manifest)
    return opener.update(data) + opener.finish()


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(0, 200_000), max_size=12), kind=st.sampled_from(Padding))
def test_sealing_does_not_depend_on_cuts(sizes, kind):
    mp4 = sent().mp4
    sealer = VideoSealer(sent().key, padding=kind, random=drawn("video"))
    sealed = b"".join(sealer.update(piece) for piece in cut(mp4, sizes))
    tail, manifest = sealer.finish()
    assert (sealed + tail, manifest) == sealed_video(sent().key, mp4, padding=kind)
    assert sealer.sealed_bytes == manifest.size == len(sealed + tail)


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(0, 300_000), max_size=12))
def test_opening_does_not_depend_on_cuts(sizes):
    opener = VideoOpener(sent().key, sent().manifest)
    plaintext = b"".join(opener.update(piece) for piece in cut(sent().video, sizes)) + opener.finish()
    assert plaintext == unseal(sent().video, sent().key)


@pytest.mark.parametrize("size", [1, 7, 65_535, 65_536, 65_537, 261_000, 262_144, 600_000])
@pytest.mark.parametrize("kind", Padding)
def test_padding_is_one_free_box_behind_the_mp4(size, kind):
    mp4 = drawn(size)(size)
    video, manifest = sealed_video(sent().key, mp4, padding=kind)
    plaintext = opened(video, manifest)
    rest = plaintext[size:]
    assert plaintext[:size] == mp4
    assert rest == b"" or (int.from_bytes(rest[:4], "big"), rest[4:8], set(rest[8:]) | {0}) == (
        len(rest),
        b"free",
        {0},
    )
    assert len(video) == padding.video_size(len(plaintext))
    if kind is Padding.LIVE:
        assert len(plaintext) % 65_536 == 0


@given(size=st.integers(1000, padding.MAX_PLAINTEXT_BYTES))
def test_padding_costs_at_most_twelve_percent_and_hides_the_size_among_others(size):
    padded = size + padding.padding_bytes(size, Padding.FILE)
    assert size <= padded <= min(size * 1.12 + 8, padding.MAX_PLAINTEXT_BYTES)
    near_limit = padding.padme(size) > padding.MAX_PLAINTEXT_BYTES - 8
    assert near_limit or padded == padding.padme(padded)


def test_video_beyond_64_mib_is_refused_before_it_is_sealed():
    sealer = VideoSealer(sent().key, padding=Padding.FILE)
    for _ in range(7):
        sealer.update(bytes(8 * 2**20))
    with pytest.raises(errors.VideoTooLarge):
        sealer.update(bytes(8 * 2**20))
    sealer.update(bytes(padding.MAX_PLAINTEXT_BYTES - 7 * 8 * 2**20))
    _, manifest = sealer.finish()
    assert (manifest.size, len(manifest.sha256)) == (UPLOAD_BYTES, 256)


def test_sealer_cannot_be_stored_and_resumed():
    sealer = VideoSealer(sent().key, padding=Padding.LIVE)
    sealer.update(b"x" * 100)
    with pytest.raises(TypeError):
        pickle.dumps(sealer)
    sealer.finish()
    with pytest.raises(RuntimeError):
        sealer.update(b"y")


def edges():
    """Every boundary of an age chunk and of a part, and one byte to each side."""
    size = len(sent().video)
    chunks = range(HEADER, size, SEALED_CHUNK)
    parts = range(0, size, PART_BYTES)
    return sorted(
        {edge + by for edge in (*chunks, *parts, size) for by in (-1, 0, 1) if 0 <= edge + by < size}
    )


def test_cut_at_every_boundary_is_seen_as_cut_off_after_authentic_bytes():
    whole = unseal(sent().video, sent().key)
    for size in edges():
        opener = VideoOpener(sent().key, sent().manifest)
        released = opener.update(sent().video[:size])
        with pytest.raises(errors.VideoCutOff):
            opener.finish()
        assert whole.startswith(released)
        assert len(released) <= size


def test_cut_with_matching_hashes_is_still_cut_off():
    """A sender who signs a file without its end: only age's final chunk tells."""
    for chunks in (0, 1, 3, 4):
        part = sent().video[: HEADER + chunks * SEALED_CHUNK]
        hasher = PartHasher()
        hasher.update(part)
        with pytest.raises(errors.VideoCutOff):
            opened(part, hasher.manifest())


def test_cut_file_is_noticed_by_range_wherever_reading_starts():
    for size in edges():
        data = sent().video[:size]

        def run(data=data):
            reader = VideoReader(
                lambda offset, length: data[offset : offset + length], sent().key, sent().manifest
            )
            reader.verify_end()

        with pytest.raises(errors.VideoCutOff):
            run()


@pytest.mark.parametrize("index", [0, 1, 2])
def test_wrong_part_is_refused_before_it_is_opened(index):
    damaged = bytearray(sent().video)
    damaged[index * PART_BYTES + 77] ^= 1
    opener = VideoOpener(sent().key, sent().manifest)
    released = b""
    if index:
        released = opener.update(bytes(damaged))
    with pytest.raises(errors.PartSwapped, match=f"part {index}"):
        opener.update(bytes(damaged) if not index else b"")
    assert len(released) <= index * PART_BYTES
    reader_sees(bytes(damaged), index)


def reader_sees(damaged, index):
    def run():
        reader = VideoReader(
            lambda offset, length: damaged[offset : offset + length], sent().key, sent().manifest
        )
        reader.read(index * PART_BYTES - 1000 if index else 0, 2000)

    with pytest.raises(errors.PartSwapped):
        run()


@settings(max_examples=40, deadline=None)
@given(offset=st.integers(0, 800_000), length=st.integers(0, 400_000))
def test_reading_by_range_equals_the_slice(offset, length):
    whole = unseal(sent().video, sent().key)
    asked = []

    def fetch(start, size):
        asked.append((start, size))
        return sent().video[start : start + size]

    reader = VideoReader(fetch, sent().key, sent().manifest)
    assert reader.plaintext_size == len(whole)
    assert reader.read(offset, length) == whole[offset : offset + length]
    assert b"".join(reader.stream(min(offset, len(whole)))) == whole[offset:]
    assert all(start % PART_BYTES == 0 for start, _ in asked)


def test_seeking_back_and_forth_fetches_each_part_once():
    asked = []

    def fetch(start, size):
        asked.append(start)
        return sent().video[start : start + size]

    reader = VideoReader(fetch, sent().key, sent().manifest)
    for offset in (0, 500_000, 10, 300_000, 599_000, 40):
        reader.read(offset, 100)
    assert sorted(asked) == sorted(set(asked))


def test_video_under_another_key_is_refused():
    video, manifest = sealed_video(X25519Identity.generate(), b"x" * 1000)
    with pytest.raises(errors.VideoDamaged):
        opened(video, manifest)


@given(pieces=st.lists(st.binary(max_size=3000), max_size=20))
def test_part_hasher_does_not_depend_on_cuts(pieces):
    one, other = PartHasher(), PartHasher()
    for piece in pieces:
        one.update(piece)
    other.update(b"".join(pieces))
    assert one.manifest() == other.manifest()


def test_manifest_of_whole_parts_has_no_empty_last_part():
    hasher = PartHasher()
    hasher.update(bytes(2 * PART_BYTES))
    manifest = hasher.manifest()
    assert (len(manifest.sha256), manifest.part_size(1)) == (2, PART_BYTES)
    assert PartHasher().manifest() == VideoManifest(0, ())
