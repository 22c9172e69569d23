"""The contract of restante.server.blobs.store, for every implementation there is."""

import asyncio
import contextlib
import errno
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restante.protocol.ids import Prefix, new_id
from restante.server.blobs.flusher import Flusher
from restante.server.blobs.local import LocalBlobs
from restante.server.blobs.objects import Bucket
from restante.server.blobs.remote import RemoteBlobs
from restante.server.blobs.s3 import open_bucket
from restante.server.blobs.store import BlobMissing, BlobsFull, BlobStore
from tests import seaweed
from tests.api.remote import SickObjects
from tests.ledgers import ledger_in


@contextlib.contextmanager
def local(folder: Path) -> Iterator[BlobStore]:
    yield LocalBlobs(folder / "blobs")


@contextlib.contextmanager
def in_memory(folder: Path) -> Iterator[BlobStore]:
    with ledger_in(folder) as ledger:
        yield RemoteBlobs(SickObjects(), ledger)


@contextlib.contextmanager
def in_seaweed(folder: Path, weed: seaweed.Seaweed) -> Iterator[BlobStore]:
    url = weed.url(prefix=f"/{folder.name.replace('[', '-').replace(']', '')}")
    with ledger_in(folder) as ledger:
        yield RemoteBlobs(open_bucket(Bucket.parse(url), key=seaweed.KEY, secret=seaweed.SECRET), ledger)


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[seaweed.Seaweed]:
    with seaweed.running(tmp_path_factory.mktemp("weed")) as found:
        yield found


@pytest.fixture(params=[local, in_memory, pytest.param(in_seaweed, marks=pytest.mark.long)])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BlobStore]:
    real = (request.getfixturevalue("weed"),) if request.param is in_seaweed else ()
    with request.param(tmp_path, *real) as store:
        yield store


def fresh() -> str:
    return new_id(Prefix.UPLOAD)


def test_create_makes_an_empty_blob_that_can_be_opened_again(blobs):
    blob_id = fresh()
    file = blobs.create(blob_id)
    assert file.size() == 0
    assert file.write(0, b"one") == 3
    file.flush()
    file.close()
    again = blobs.open(blob_id)
    assert (again.size(), again.read(0, 100)) == (3, b"one")
    assert again.write(3, b"two") == 3
    assert again.read(0, 100) == b"onetwo"
    again.close()


def test_create_refuses_an_id_that_exists_and_leaves_it_alone(blobs):
    blob_id = fresh()
    with_bytes = blobs.create(blob_id)
    with_bytes.write(0, b"kept")
    with pytest.raises(FileExistsError):
        blobs.create(blob_id)
    assert with_bytes.read(0, 4) == b"kept"
    with_bytes.close()


def test_open_stat_and_read_of_a_missing_blob_say_so(blobs):
    with pytest.raises(BlobMissing):
        blobs.open(fresh())
    with pytest.raises(BlobMissing):
        blobs.stat(fresh())


def test_delete_removes_for_good_and_twice_is_fine(blobs):
    blob_id = fresh()
    file = blobs.create(blob_id)
    file.write(0, b"x" * 1000)
    file.flush()
    blobs.delete(blob_id)
    blobs.delete(blob_id)
    if isinstance(blobs, RemoteBlobs):
        with pytest.raises(BlobMissing):
            file.read(0, 1)
    else:
        assert file.read(0, 1) == b"x", "who reads just now may finish reading"
    file.close()
    with pytest.raises(BlobMissing):
        blobs.open(blob_id)
    assert list(blobs.list()) == []


def test_list_names_every_blob_with_its_size_and_time(blobs):
    before_ms = time.time_ns() // 1_000_000 - 2000
    made = {fresh(): size for size in (0, 1, 70_000)}
    for blob_id, size in made.items():
        file = blobs.create(blob_id)
        file.write(0, bytes(size))
        file.flush()
        file.close()
    listed = list(blobs.list())
    assert {each.id: each.size for each in listed} == made
    assert all(before_ms < each.modified_ms < before_ms + 60_000 for each in listed)
    assert {each.id: each for each in listed} == {each: blobs.stat(each) for each in made}


def test_read_stops_at_the_end(blobs):
    file = blobs.create(fresh())
    file.write(0, bytes(range(100)))
    assert file.read(90, 100) == bytes(range(90, 100))
    assert file.read(100, 10) == b""
    assert file.read(0, 0) == b""
    file.close()


def test_flush_and_close_may_be_repeated(blobs):
    file = blobs.create(fresh())
    file.write(0, b"x")
    file.flush()
    file.flush()
    file.close()
    file.close()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "upl_..", "", "upl_" + "a" * 300, "upl_" + "A" * 26, "x\0y"]
)
def test_what_is_no_id_of_ours_never_becomes_a_path(blobs, name):
    with pytest.raises(BlobMissing):
        blobs.open(name)
    with pytest.raises(BlobMissing):
        blobs.create(name)
    with pytest.raises(BlobMissing):
        blobs.stat(name)
    blobs.delete(name)


def test_free_bytes_is_a_number_before_and_after_the_first_blob(blobs):
    assert blobs.free_bytes() > 0
    blobs.create(fresh()).close()
    assert blobs.free_bytes() > 0


@settings(max_examples=30, deadline=None)
@given(pieces=st.lists(st.binary(max_size=2000), max_size=20))
def test_pieces_written_one_after_the_other_are_one_blob(pieces, tmp_path_factory):
    store = LocalBlobs(tmp_path_factory.mktemp("pieces") / "blobs")
    file = store.create(fresh())
    for piece in pieces:
        assert file.write(file.size(), piece) == len(piece)
    assert file.read(0, 10**6) == b"".join(pieces)
    file.close()


# What only files have


def test_local_files_are_readable_by_their_owner_only(tmp_path):
    store = LocalBlobs(tmp_path / "blobs")
    blob_id = fresh()
    store.create(blob_id).close()
    path = store.path(blob_id)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)} == {0o700}


def test_local_list_passes_over_what_is_no_blob(tmp_path):
    store = LocalBlobs(tmp_path / "blobs")
    blob_id = fresh()
    store.create(blob_id).close()
    (store.path(blob_id).parent / "notes.txt").write_text("not ours")
    (tmp_path / "blobs" / "stray").write_text("not ours")
    assert [each.id for each in store.list()] == [blob_id]


TRACED = """
import sys
from pathlib import Path
from restante.server.blobs.local import LocalBlobs
store = LocalBlobs(Path(sys.argv[1]) / "blobs")
file = store.create(sys.argv[2])
file.write(0, b"bytes")
file.flush()
file.close()
store.delete(sys.argv[2])
"""


def test_local_flushes_folders_at_creation_and_removal_and_bytes_at_flush(tmp_path):
    """Names survive power loss by fsync of their folder only: seen in the system calls, in this order."""
    if not any(os.access(Path(folder) / "strace", os.X_OK) for folder in os.get_exec_path()):
        pytest.fail("this test needs strace (Debian: apt-get install strace)")
    trace = tmp_path / "trace"
    wanted = "trace=openat,fsync,fdatasync,unlink,mkdir,pwrite64"
    blob_id = fresh()
    subprocess.run(
        ["strace", "-f", "-y", "-e", wanted, "-o", trace, sys.executable, "-c", TRACED, tmp_path, blob_id],
        check=True,
        timeout=60,
    )
    calls = [line for line in trace.read_text().splitlines() if str(tmp_path) in line]
    shard = blob_id[4:5]

    def first(*texts: str) -> int:
        return next(at for at, line in enumerate(calls) if all(text in line for text in texts))

    order = [
        first("mkdir(", '/blobs"'),
        first("fsync(", f"<{tmp_path}>"),
        first("mkdir(", f'/blobs/{shard}"'),
        first("fsync(", "/blobs>"),
        first("openat(", "O_CREAT", blob_id),
        first("fsync(", f"/blobs/{shard}>"),
        first("pwrite64(", blob_id),
        first("fdatasync(", blob_id),
        first("unlink(", blob_id),
    ]
    assert order == sorted(order)
    assert any("fsync(" in line and f"/blobs/{shard}>" in line for line in calls[order[-1] :])


def test_local_full_disk_is_blobs_full_and_what_was_stored_stays(tmp_path):
    """RLIMIT_FSIZE gives EFBIG where a full disk gives ENOSPC; both mean: no more bytes."""
    script = """
import resource, signal, sys
from pathlib import Path
from restante.server.blobs.local import LocalBlobs
from restante.server.blobs.store import BlobsFull
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
file = LocalBlobs(Path(sys.argv[1]) / "blobs").create(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
file.write(0, b"a" * 1000)
try:
    file.write(1000, b"b" * 1000)
except BlobsFull:
    print(file.size(), file.read(0, 2000).count(b"a"), file.read(0, 2000).count(b"b"))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path, fresh()],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["1500", "1000", "500"]


# The grouped flush


class CountedFile:
    """A blob that counts its flushes and lets a test hold one up."""

    def __init__(self, error: OSError | None = None) -> None:
        self.flushes = 0
        self.error = error

    def flush(self) -> None:
        self.flushes += 1
        if self.error is not None:
            raise self.error


def flushing(scenario) -> None:
    """Runs the scenario with a flusher that is stopped at the end."""

    async def run() -> None:
        flusher = Flusher()
        flusher.start()
        try:
            await asyncio.wait_for(scenario(flusher), 20)
        finally:
            await asyncio.to_thread(flusher.stop)

    asyncio.run(run())


def test_flusher_serves_many_who_wait_for_one_file_in_few_rounds():
    file = CountedFile()

    async def scenario(flusher: Flusher) -> None:
        await asyncio.gather(*(flusher.flush(file) for _ in range(200)))

    flushing(scenario)
    assert 1 <= file.flushes < 20


def test_flusher_tells_a_failure_to_those_who_wait_for_that_file_only():
    bad, good = CountedFile(OSError(errno.EIO, "broken")), CountedFile()

    async def scenario(flusher: Flusher) -> None:
        results = await asyncio.gather(
            flusher.flush(bad), flusher.flush(good), flusher.flush(bad), return_exceptions=True
        )
        assert [type(each) for each in results] == [OSError, type(None), OSError]
        await flusher.flush(good)

    flushing(scenario)


def test_flusher_flushes_again_what_was_written_during_a_round():
    """A flush that began before a write says nothing about it."""
    file = CountedFile()

    async def scenario(flusher: Flusher) -> None:
        for expected in (1, 2, 3):
            await flusher.flush(file)
            assert file.flushes == expected

    flushing(scenario)


def test_flusher_serves_who_still_waits_when_it_is_stopped():
    file = CountedFile()

    async def scenario() -> None:
        flusher = Flusher()
        waiting = [asyncio.ensure_future(flusher.flush(file)) for _ in range(3)]
        await asyncio.sleep(0)
        flusher.start()
        await asyncio.to_thread(flusher.stop)
        await asyncio.wait_for(asyncio.gather(*waiting), 5)
        with pytest.raises(RuntimeError):
            await flusher.flush(file)

    asyncio.run(scenario())


def test_blobs_full_is_an_oserror_that_carries_its_number():
    assert BlobsFull(errno.ENOSPC, "full").errno == errno.ENOSPC
