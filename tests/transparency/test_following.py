"""Checkpoints and what a client believes of them: continuation yes; fork, rollback, omission and strangers no."""

from collections.abc import Callable

import pytest

from restante.signing.keys import SigningKey
from restante.transparency.checkpoints import Checkpoint, origin_of
from restante.transparency.entries import entry_of, is_of
from restante.transparency.errors import LogError
from restante.transparency.notes import Algorithm, NoteKey, SignedNote, cosign, sign_note
from restante.transparency.tiles import Tile, read_bundle, read_path, write_bundle
from restante.transparency.watching import Seen, check_included, follow, read_entries, recall
from tests.transparency.growing import GrowingLog, numbered

ORIGIN = origin_of("post.example")
KEY = SigningKey(bytes(range(32)))
STRANGER = SigningKey(bytes(32))
WITNESS = SigningKey(bytes([7]) * 32)
VKEY = NoteKey(ORIGIN, KEY.public)
GO_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
GO_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


def note_of(
    log: GrowingLog, size: int | None = None, *, key: SigningKey = KEY, origin: str = ORIGIN
) -> bytes:
    size = len(log.entries) if size is None else size
    return sign_note(Checkpoint(origin, size, log.root(size)).text, origin, key)


def seen_at(log: GrowingLog, size: int | None = None) -> Seen:
    return follow(None, VKEY, note_of(log, size), origin=ORIGIN, fetch=log.fetch)


def refused(run: Callable[[], object]) -> str:
    with pytest.raises(LogError) as error:
        run()
    assert error.value.hint
    return error.value.code


@pytest.mark.parametrize(
    ("old", "new"), [(0, 0), (0, 5), (1, 1), (1, 2), (3, 300), (256, 257), (255, 600), (600, 600)]
)
def test_what_continues_is_believed(old: int, new: int):
    log = GrowingLog(numbered(new))
    seen = seen_at(log, old)
    assert follow(seen, VKEY, note_of(log), origin=ORIGIN, fetch=log.fetch).checkpoint.size == new


@pytest.mark.parametrize(("old", "new"), [(1, 1), (3, 7), (256, 300), (300, 300), (8, 9)])
def test_a_fork_is_told(old: int, new: int):
    honest, forked = GrowingLog(numbered(old)), GrowingLog([b"slipped in", *numbered(new)[1:]])
    seen = seen_at(honest)
    note = note_of(forked)
    assert refused(lambda: follow(seen, VKEY, note, origin=ORIGIN, fetch=forked.fetch)) == "log-forked"


def test_a_rollback_is_told():
    log = GrowingLog(numbered(9))
    note = note_of(log, 8)
    assert refused(lambda: follow(seen_at(log), VKEY, note, origin=ORIGIN, fetch=log.fetch)) == "log-rollback"


def test_an_omission_is_told():
    log = GrowingLog(numbered(300))
    seen = seen_at(log).checkpoint
    check_included(seen, [(at, log.entries[at]) for at in (0, 1, 255, 256, 299)], fetch=log.fetch)
    for claim in [(0, b"another"), (300, b"300"), (299, b"298"), (-1, b"299"), (2**60, b"1")]:
        assert refused(lambda claim=claim: check_included(seen, [claim], fetch=log.fetch)) == "log-omission"


def test_tiles_that_do_not_fit_prove_nothing():
    log, other = GrowingLog(numbered(300)), GrowingLog([b"x", *numbered(300)[1:]])
    seen = seen_at(log).checkpoint
    claim = [(0, b"x")]
    assert refused(lambda: check_included(seen, claim, fetch=other.fetch)) == "log-omission"
    assert refused(lambda: check_included(seen, claim, fetch=lambda tile: b"short")) == "log-malformed"
    assert refused(lambda: read_entries(seen, fetch=other.fetch)) == "log-forked"
    assert refused(lambda: read_entries(seen, fetch=lambda tile: b"\x00")) == "log-malformed"
    assert refused(lambda: read_entries(seen, fetch=lambda tile: b"")) == "log-malformed"
    assert read_entries(seen, fetch=log.fetch) == log.entries


def test_a_stranger_signs_no_checkpoint():
    log = GrowingLog(numbered(3))
    seen = seen_at(log)

    def follow_as(key: NoteKey, note: bytes, before: Seen | None = seen) -> object:
        return follow(before, key, note, origin=ORIGIN, fetch=log.fetch)

    foreign = NoteKey(ORIGIN, STRANGER.public)
    assert refused(lambda: follow_as(foreign, note_of(log, key=STRANGER))) == "log-key-changed"
    assert refused(lambda: follow_as(VKEY, note_of(log, key=STRANGER))) == "log-signature"
    broken = note_of(log).replace(b"\n3\n", b"\n4\n")
    assert refused(lambda: follow_as(VKEY, broken)) == "log-signature"
    elsewhere = origin_of("other.example")
    key, note = NoteKey(elsewhere, KEY.public), note_of(log, origin=elsewhere)
    assert refused(lambda: follow_as(key, note, None)) == "log-malformed"


def test_what_was_kept_is_known_again():
    seen = seen_at(GrowingLog(numbered(3)))
    assert recall(str(seen.key), seen.note) == seen
    assert refused(lambda: recall(str(NoteKey(ORIGIN, STRANGER.public)), seen.note)) == "log-signature"


def test_a_configured_witness_must_have_signed():
    log = GrowingLog(numbered(3))
    witness = NoteKey("witness.example", WITNESS.public, Algorithm.COSIGNATURE)
    plain = note_of(log)
    signed = cosign(plain, witness.name, WITNESS, time_s=1_800_000_000)

    def followed(note: bytes) -> Seen:
        return follow(None, VKEY, note, origin=ORIGIN, fetch=log.fetch, witnesses=[witness])

    assert followed(signed).checkpoint.size == 3
    assert refused(lambda: followed(plain)) == "log-unwitnessed"
    assert refused(lambda: followed(cosign(plain, witness.name, STRANGER, time_s=1))) == "log-unwitnessed"
    other_text = cosign(note_of(log, 2), witness.name, WITNESS, time_s=1).splitlines(keepends=True)[-1]
    assert refused(lambda: followed(plain + other_text)) == "log-unwitnessed"


def test_the_example_of_the_specification():
    key = NoteKey.parse(GO_VKEY)
    assert SignedNote.read(GO_NOTE.encode()).text_signed_by(key) == "This is an example message.\n"
    assert str(key) == GO_VKEY


@pytest.mark.parametrize(
    "key",
    [
        "",
        "a",
        "a+b",
        GO_VKEY[:-1],
        GO_VKEY.replace("530d", "530e"),
        "a b" + GO_VKEY,
        GO_VKEY.replace("Ae", "Be"),
    ],
)
def test_a_malformed_key_is_refused(key: str):
    assert refused(lambda: NoteKey.parse(key)) == "log-malformed"


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"text\n\nno dash\n",
        GO_NOTE[:-1].encode(),
        GO_NOTE.replace("U", "\x01", 1).encode(),
        GO_NOTE.encode("utf-16"),
        GO_NOTE.replace("M=", "M").encode(),
        b"x" * 70_000,
        GO_NOTE.replace("— ", "- ").encode(),
    ],
)
def test_a_malformed_note_is_refused(note: bytes):
    assert refused(lambda: SignedNote.read(note)) == "log-malformed"


EMPTY = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n",
        "a\n0\n",
        f"a\n1\n{EMPTY[:-2]}\n",
        f"\n0\n{EMPTY}\n",
        f"a\n01\n{EMPTY}\n",
        f"a\n-1\n{EMPTY}\n",
        f"a\n0\n{EMPTY}",
        f"a\n9007199254740993\n{EMPTY}\n",
        f"a\n٣\n{EMPTY}\n",
        f"a\n0\n{EMPTY.replace('4', '5', 1)}\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str):
    assert refused(lambda: Checkpoint.read(text)) == "log-malformed"


def test_extension_lines_are_passed_over():
    assert Checkpoint.read(f"a\n0\n{EMPTY}\nmore\n").size == 0


PATHS = {
    Tile(0, 0, 256): "tile/0/000",
    Tile(0, 0, 1): "tile/0/000.p/1",
    Tile(2, 999, 255): "tile/2/999.p/255",
    Tile(1, 1000, 256): "tile/1/x001/000",
    Tile(0, 1234067, 256): "tile/0/x001/x234/067",
    Tile("entries", 70_000, 112): "tile/entries/x070/000.p/112",
}


@pytest.mark.parametrize(("tile", "path"), PATHS.items(), ids=PATHS.values())
def test_paths_are_those_of_the_specification(tile: Tile, path: str):
    assert tile.path == path
    assert read_path(path) == tile


@pytest.mark.parametrize(
    "path",
    """
    tile tile/ tile/0 tile/0/ tile/0/00 tile/0/0000 tile/00/000 tile/64/000 tile/0/000.p tile/0/000.p/ tile/0/000.p/0
    tile/0/000.p/01 tile/0/000.p/256 tile/0/x000/001 tile/0/001/000 tile/0/x1/000 tile/-1/000 tile/0/000/ /tile/0/000
    tile/0/../000 tile/0/٣٣٣ tile/Entries/000 tile/0/x001/x002/x003/x004/x005/x006/x007/000
    """.split(),
)
def test_other_paths_are_no_tiles(path: str):
    assert read_path(path) is None


def test_entries_name_nobody():
    entry = entry_of("ann@post.example", b"record")
    assert len(entry) == 64
    assert b"ann" not in entry
    assert is_of(entry, "ann@post.example")
    assert not is_of(entry, "ann@post.example.org")
    assert read_bundle(write_bundle([entry, b"", b"x" * 65_535])) == [entry, b"", b"x" * 65_535]
