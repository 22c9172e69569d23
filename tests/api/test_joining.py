"""One object made of many ([Note: Joined beside]): readers before, during and after it get the same bytes, whatever happens."""

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from restante.protocol.ids import Prefix, new_id
from restante.server.blobs.objects import Bucket
from restante.server.blobs.remote import RemoteBlobs, RemoteFile
from restante.server.blobs.s3 import MULTIPART_BYTES, S3Objects, open_bucket
from restante.server.config import BadSettings, from_environment
from restante.server.uploads.ledger import BlobLedger
from tests import seaweed
from tests.api import parcels
from tests.api.people import make_account
from tests.api.remote import Gate, Node, SickObjects
from tests.api.test_remote_blobs import GRACE_S, Uploader, run, stored
from tests.api.uploading import create, patch
from tests.ledgers import ledger_in
from tests.serving import Server

DATA = os.urandom(5000)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[BlobLedger]:
    with ledger_in(tmp_path) as found:
        yield found


def in_pieces(blobs: RemoteBlobs, data: bytes = DATA, *, size: int = 700) -> RemoteFile:
    file = blobs.create(new_id(Prefix.UPLOAD))
    for at in range(0, len(data), size):
        file.write(at, data[at : at + size])
        file.flush()
    return file


def assert_reads(file: RemoteFile) -> None:
    for start, length in [(0, 5000), (0, 1), (699, 2), (1000, 3000), (4999, 50), (5000, 1)]:
        assert file.read(start, length) == DATA[start : start + length]


def test_many_objects_become_one_and_nobody_who_reads_notices(ledger):
    objects = SickObjects()
    blobs = RemoteBlobs(objects, ledger)
    file = in_pieces(blobs)
    early = blobs.open(file._id)
    assert_reads(early)
    assert blobs.join(file._id) == hashlib.sha256(DATA).digest()
    (whole,) = ledger.parts(file._id)
    assert (whole.offset, whole.size) == (0, len(DATA))
    for reader in (early, blobs.open(file._id)):
        assert_reads(reader)


def test_the_library_may_be_asked_for_the_pieces_while_it_stores_the_whole(ledger):
    """Once it ended with a panic: what it called for the next piece asked it for one."""
    blobs = RemoteBlobs(S3Objects(MemoryStore()), ledger)
    data = os.urandom(MULTIPART_BYTES + 1_000_000)
    file = in_pieces(blobs, data, size=3_000_000)
    assert blobs.join(file._id) == hashlib.sha256(data).digest()
    assert len(ledger.parts(file._id)) == 1
    assert blobs.open(file._id).read(0, len(data)) == data


def test_what_was_told_before_stays_for_an_hour_and_then_goes(ledger):
    objects = SickObjects()
    blobs = RemoteBlobs(objects, ledger)
    file = in_pieces(blobs)
    reader = blobs.open(file._id)
    assert_reads(reader)
    pieces = objects.all()
    blobs.join(file._id)
    (whole,) = objects.all() - pieces
    assert [blobs.sweep_strays(now_s=at, grace_s=GRACE_S) for at in (0.0, 3000.0)] == [0, 0]
    assert objects.all() == pieces | {whole}
    assert blobs.sweep_strays(now_s=9000.0, grace_s=GRACE_S) == len(pieces)
    assert objects.all() == {whole}
    assert_reads(reader)


def test_readers_are_served_while_it_is_joined(ledger):
    objects, gate = SickObjects(), Gate()
    blobs = RemoteBlobs(objects, ledger)
    file = in_pieces(blobs)
    objects.before_answer = gate
    thread = threading.Thread(target=blobs.join, args=(file._id,))
    thread.start()
    assert gate.reached.wait(10)
    assert_reads(blobs.open(file._id))
    assert len(ledger.parts(file._id)) == 8
    gate.opened.set()
    thread.join(10)
    assert len(ledger.parts(file._id)) == 1


def test_one_object_is_not_stored_again(ledger):
    objects = SickObjects()
    blobs = RemoteBlobs(objects, ledger)
    file = in_pieces(blobs, size=5000)
    before = objects.all()
    assert blobs.join(file._id) == hashlib.sha256(DATA).digest()
    assert objects.all() == before
    assert blobs.join(new_id(Prefix.UPLOAD)) is None


@pytest.mark.parametrize("fault", ["down", "losing", "short", "spoilt"])
def test_what_cannot_be_stored_whole_stays_in_pieces(ledger, fault):
    objects = SickObjects()
    blobs = RemoteBlobs(objects, ledger)
    file = in_pieces(blobs)
    before = ledger.parts(file._id)

    def spoil() -> None:
        name = next(name for name, size in objects.stored.items() if size == len(DATA))
        objects.inner.put(name, DATA[:-1] + bytes([DATA[-1] ^ 1]))

    if fault == "spoilt":
        objects.before_answer = spoil
    else:
        setattr(objects, fault, True)
    with pytest.raises(OSError, match=r"down|answer|length|give back"):
        blobs.join(file._id)
    objects.down = objects.losing = objects.short = False
    objects.before_answer = lambda: None
    assert ledger.parts(file._id) == before
    assert_reads(blobs.open(file._id))
    for at in (0.0, 9000.0):
        blobs.sweep_strays(now_s=at, grace_s=GRACE_S)
    assert objects.all() == {part.name for part in before}
    assert blobs.join(file._id) is not None
    assert_reads(blobs.open(file._id))


@pytest.mark.parametrize("what", ["written", "deleted", "joined"])
def test_who_comes_between_wins(ledger, what):
    objects, gate = SickObjects(), Gate()
    blobs = RemoteBlobs(objects, ledger)
    file = in_pieces(blobs)
    objects.before_answer = gate
    outcome: list[bytes | None] = []
    thread = threading.Thread(target=lambda: outcome.append(blobs.join(file._id)))
    thread.start()
    assert gate.reached.wait(10)
    objects.before_answer = lambda: None
    other = blobs.open(file._id)
    if what == "written":
        other.take()
        other.write(5000, b"more")
        other.flush()
    elif what == "deleted":
        blobs.delete(file._id)
    else:
        assert blobs.join(file._id) == hashlib.sha256(DATA).digest()
    gate.opened.set()
    thread.join(10)
    assert outcome == [None]
    if what == "deleted":
        assert ledger.parts(file._id) == []
    else:
        assert blobs.open(file._id).read(0, 5004) == DATA + (b"more" if what == "written" else b"")
    for at in (0.0, 9000.0):
        blobs.sweep_strays(now_s=at, grace_s=GRACE_S)
    assert objects.all() == {part.name for part in ledger.parts(file._id)}


def test_a_server_that_stops_does_not_wait_for_the_end_of_it(ledger):
    objects = SickObjects()
    blobs = RemoteBlobs(objects, ledger)
    file = in_pieces(blobs)
    objects.before_answer = blobs.interrupt
    assert blobs.join(file._id) is None
    assert len(ledger.parts(file._id)) == 8
    assert_reads(RemoteBlobs(objects, ledger).open(file._id))


@pytest.mark.parametrize("wish", ["on", "off"])
def test_the_sweep_joins_each_finished_upload_once_and_only_where_it_is_wished(tmp_path, wish):
    async def scenario(node: Node, objects: SickObjects) -> None:
        ann = Uploader(node, await node.sign_up("ann"))
        urls = [await ann.create(len(DATA)) for _ in range(3)]
        for url in urls:
            for at in range(0, len(DATA), 1000):
                assert (await ann.patch(url, at, DATA[at : at + 1000])).status_code == 204
        unfinished = await ann.create(2000)
        for at in (0, 500):
            assert (await ann.patch(unfinished, at, DATA[at : at + 500])).status_code == 204
        counts = [await node.house.uploads.sum_up() for _ in range(2)]
        assert counts == ([3, 0] if wish == "on" else [0, 0])
        assert list(objects.stored.values()).count(len(DATA)) == (3 if wish == "on" else 0)
        assert [await stored(node, url) for url in urls] == [DATA] * 3
        assert (await ann.patch(unfinished, 1000, DATA[1000:2000])).status_code == 204
        assert await stored(node, unfinished) == DATA[:2000]

    run(tmp_path, scenario, blob_join=wish)


def test_joining_needs_a_bucket(tmp_path):
    with pytest.raises(BadSettings, match="RESTANTE_BLOB_JOIN=on needs RESTANTE_BLOB_URL"):
        from_environment({"RESTANTE_BLOB_JOIN": "on"}, data=tmp_path)


# With a real object store


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[seaweed.Seaweed]:
    with seaweed.running(tmp_path_factory.mktemp("weed")) as found:
        yield found


@pytest.mark.long
@pytest.mark.parametrize("size", [MULTIPART_BYTES, MULTIPART_BYTES + 1, 3 * MULTIPART_BYTES + 5])
def test_a_large_one_is_stored_in_parts_that_s3_takes(weed, ledger, size):
    """No part but the last is below 5 MiB, which S3 answers with EntityTooSmall."""
    objects = open_bucket(
        Bucket.parse(weed.url(prefix=f"/large{size}")), key=seaweed.KEY, secret=seaweed.SECRET
    )
    blobs = RemoteBlobs(objects, ledger)
    data = os.urandom(size)
    file = in_pieces(blobs, data, size=1_000_000)
    assert blobs.join(file._id) == hashlib.sha256(data).digest()
    assert blobs.open(file._id).read(size - 10, 10) == data[-10:]
    assert len(ledger.parts(file._id)) == 1


@pytest.mark.long
def test_pieces_that_cannot_be_read_end_the_storing(weed, ledger):
    objects = open_bucket(Bucket.parse(weed.url(prefix="/broken")), key=seaweed.KEY, secret=seaweed.SECRET)

    def pieces() -> Iterator[bytes]:
        yield bytes(MULTIPART_BYTES)
        raise OSError(5, "it cannot be read")

    with pytest.raises(OSError):
        objects.put_all("upl_a/0", pieces(), size=2 * MULTIPART_BYTES)
    assert list(objects.names("")) == []


@pytest.mark.long
@pytest.mark.parametrize("failpoint", ["blob-joined", "blob-joined-entered"])
def test_a_server_that_dies_while_it_joins_loses_nothing(weed, new_server, failpoint):
    env = weed.environment(prefix=f"/{failpoint}") | {"RESTANTE_SWEEP_EVERY_S": "0.2"}
    server: Server = new_server(**env)
    ann, bob = make_account(server.url), make_account(server.url)
    data = os.urandom(300_000)
    url = create(ann, len(data))
    for at in range(0, len(data), 50_000):
        assert patch(ann, url, at, data[at : at + 50_000]).status_code == 204
    video = f"/api/v1/messages/{parcels.send(ann, bob, upload=url.rpartition('/')[2]).id}/video"
    server.stop()
    joining = {"RESTANTE_BLOB_JOIN": "on", "RESTANTE_FAILPOINT": f"{failpoint}:1"}
    server.start(**joining)
    parcels.until(server.died)
    server.kill()
    objects = open_bucket(Bucket.parse(env["RESTANTE_BLOB_URL"]), key=seaweed.KEY, secret=seaweed.SECRET)
    assert len(list(objects.names("upl_"))) == 7, "six pieces, and the whole"
    server.start()
    assert bob.client.get(video).content == data
    server.stop()
    server.start(RESTANTE_BLOB_JOIN="on")
    parcels.until(lambda: "sums" in server.log())
    assert bob.client.get(video, headers={"range": "bytes=49990-250009"}).content == data[49990:250010]
