"""Blobs in a bucket ([Note: The ledger decides]): whatever the store or another process does, no acknowledged byte is lost."""

import asyncio
import os
import random
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from restante.protocol.ids import Prefix, new_id
from restante.server.blobs.objects import Bucket
from restante.server.blobs.remote import SEGMENT_BYTES, Overtaken, RemoteBlobs, UnusableBlobs
from restante.server.blobs.store import BlobMissing
from restante.server.config import BadSettings, Settings, from_environment
from restante.server.storage import embedded
from restante.server.uploads.ledger import BlobLedger
from tests.api import inside
from tests.api.inside import Inside
from tests.api.remote import Gate, Node, SickObjects
from tests.api.told import until
from tests.api.uploading import BODY, TUS, UPLOADS
from tests.ledgers import ledger_in

GRACE_S = 3600.0


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[BlobLedger]:
    with ledger_in(tmp_path) as found:
        yield found


def fresh() -> str:
    return new_id(Prefix.UPLOAD)


# One blob and those who write to it


def test_each_flush_is_one_object_and_reading_goes_across_them(ledger):
    objects = SickObjects()
    blobs = RemoteBlobs(objects, ledger)
    file = blobs.create(fresh())
    whole = os.urandom(3000)
    for at in range(0, 3000, 1000):
        file.write(at, whole[at : at + 400])
        file.write(at + 400, whole[at + 400 : at + 1000])
        file.flush()
    assert sorted(objects.stored.values()) == [1000, 1000, 1000]
    again = blobs.open(file._id)
    for start, length in [(0, 3000), (0, 1), (999, 2), (1000, 1000), (1500, 1000), (2999, 50), (3000, 1)]:
        assert again.read(start, length) == whole[start : start + length]


def test_who_lost_the_pen_changes_nothing(ledger):
    """Both write at the same offset; the one whose pen was taken hears it, and its bytes are nowhere."""
    objects = SickObjects()
    blobs = RemoteBlobs(objects, ledger)
    first = blobs.create(fresh())
    first.take()
    first.write(0, b"a" * 100)
    second = blobs.open(first._id)
    second.take()
    second.write(0, b"b" * 100)
    second.flush()
    with pytest.raises(Overtaken):
        first.flush()
    assert first.size() == 100
    assert blobs.open(first._id).read(0, 1000) == b"b" * 100
    first.write(100, b"c")
    second.take()
    with pytest.raises(Overtaken):
        first.flush()


def test_without_the_epoch_both_would_have_written(ledger):
    """The control: whoever has the pen and the end right is let in."""
    blobs = RemoteBlobs(SickObjects(), ledger)
    file = blobs.create(fresh())
    for letter in (b"a", b"b"):
        file.take()
        file.write(file.size(), letter * 10)
        file.flush()
    assert blobs.open(file._id).read(0, 100) == b"a" * 10 + b"b" * 10


def test_the_pen_may_be_taken_while_an_object_is_on_its_way(ledger):
    """Stopped after the object was stored, before it was entered; meanwhile another process goes on."""
    objects, gate = SickObjects(), Gate()
    blobs = RemoteBlobs(objects, ledger)
    slow = blobs.create(fresh())
    slow.write(0, b"a" * 10)
    objects.before_answer = gate
    raised: list[BaseException] = []

    def flush() -> None:
        try:
            slow.flush()
        except Overtaken as error:
            raised.append(error)

    thread = threading.Thread(target=flush)
    thread.start()
    assert gate.reached.wait(10)
    objects.before_answer = lambda: None
    quick = blobs.open(slow._id)
    quick.take()
    quick.write(0, b"b" * 20)
    quick.flush()
    gate.opened.set()
    thread.join(10)
    assert [type(each) for each in raised] == [Overtaken]
    assert blobs.open(slow._id).read(0, 100) == b"b" * 20


@pytest.mark.parametrize("losing", [False, True])
def test_what_was_not_acknowledged_is_not_there_and_what_was_stays(ledger, losing):
    objects = SickObjects()
    blobs = RemoteBlobs(objects, ledger)
    file = blobs.create(fresh())
    file.write(0, b"kept")
    file.flush()
    objects.losing, objects.down = losing, not losing
    file.write(4, b"lost")
    with pytest.raises(OSError, match=r"down|answer"):
        file.flush()
    file.truncate(4)
    assert file.size() == blobs.open(file._id).size() == 4
    objects.losing = objects.down = False
    file.write(4, b"again")
    file.flush()
    assert blobs.open(file._id).read(0, 100) == b"keptagain"


def test_an_answer_that_is_too_short_is_an_error(ledger):
    objects = SickObjects()
    file = RemoteBlobs(objects, ledger).create(fresh())
    file.write(0, b"kept")
    file.flush()
    objects.short = True
    with pytest.raises(OSError, match="another length"):
        file.read(0, 4)


def test_delete_takes_all_objects_and_a_late_writer_enters_nothing(ledger):
    objects = SickObjects()
    blobs = RemoteBlobs(objects, ledger)
    file = blobs.create(fresh())
    file.write(0, b"one")
    file.flush()
    file.write(3, b"two")
    file.flush()
    neighbour = blobs.create(fresh())
    neighbour.write(0, b"x")
    neighbour.flush()
    late = blobs.open(file._id)
    late.write(6, b"late")
    blobs.delete(file._id)
    assert {name.partition("/")[0] for name in objects.all()} == {neighbour._id}
    with pytest.raises(BlobMissing):
        late.flush()
    with pytest.raises(BlobMissing):
        blobs.open(file._id)


def test_strays_go_after_two_looks_an_hour_apart_and_nothing_else_does(ledger):
    objects = SickObjects()
    blobs = RemoteBlobs(objects, ledger)
    file = blobs.create(fresh())
    file.write(0, b"kept")
    file.flush()
    objects.losing = True
    file.write(4, b"stray")
    with pytest.raises(OSError, match="answer"):
        file.flush()
    objects.inner.put("of-somebody-else.txt", b"not ours")
    assert len(objects.all()) == 3
    looks = [blobs.sweep_strays(now_s=at, grace_s=GRACE_S) for at in (0.0, 3000.0, 3001.0, 9000.0, 20000.0)]
    assert looks == [0, 0, 0, 1, 0]
    assert objects.all() == {ledger.parts(file._id)[0].name, "of-somebody-else.txt"}
    assert blobs.open(file._id).read(0, 10) == b"kept"


def test_who_slept_through_the_sweep_of_its_object_does_not_enter_it(ledger):
    objects, gate = SickObjects(), Gate()
    blobs = RemoteBlobs(objects, ledger)
    file = blobs.create(fresh())
    file.write(0, b"slept")
    objects.before_answer = gate
    raised: list[BaseException] = []

    def flush() -> None:
        try:
            file.flush()
        except OSError as error:
            raised.append(error)

    thread = threading.Thread(target=flush)
    thread.start()
    assert gate.reached.wait(10)
    assert [blobs.sweep_strays(now_s=at, grace_s=GRACE_S) for at in (0.0, 9000.0)] == [0, 1]
    gate.opened.set()
    thread.join(10)
    assert [type(each) for each in raised] == [Overtaken]
    assert blobs.open(file._id).size() == 0


# Through the front door


class Uploader:
    """A careful client: asks where the upload stands whenever it is not sure."""

    def __init__(self, node: Node, headers: dict[str, str]) -> None:
        self.node, self.headers = node, headers | TUS
        self.acknowledged = 0

    async def create(self, length: int) -> str:
        answer = await self.node.client.post(UPLOADS, headers=self.headers | {"upload-length": str(length)})
        assert answer.status_code == 201, answer.text
        return str(answer.headers["location"])

    async def patch(self, url: str, offset: int, data: bytes, node: Node | None = None) -> httpx.Response:
        wanted = self.headers | BODY | {"upload-offset": str(offset)}
        return await (node or self.node).client.patch(url, headers=wanted, content=data)

    async def offset(self, url: str, node: Node | None = None) -> int:
        answer = await (node or self.node).client.head(url, headers=self.headers)
        assert answer.status_code == 200, answer
        return int(answer.headers["upload-offset"])


def run(folder: Path, scenario: Callable[..., Awaitable[None]], *, nodes: int = 1, **settings: Any) -> None:
    """Runs the scenario with servers on one database and one bucket."""

    async def main() -> None:
        objects = SickObjects()
        servers = [Node(folder, objects, **settings) for _ in range(nodes)]
        for server in servers:
            await server.house.open()
        try:
            await asyncio.wait_for(scenario(*servers, objects), 60)
        finally:
            for server in servers:
                await server.close()

    asyncio.run(main())


async def stored(node: Node, url: str) -> bytes:
    """What a reader gets."""
    uploads = node.house.uploads
    file = await uploads.open_blob(url.rpartition("/")[2])
    return await uploads.read_blob(file, 0, 10**9)


def test_a_large_body_is_stored_while_it_comes(tmp_path):
    async def scenario(node: Node, objects: SickObjects) -> None:
        ann = Uploader(node, await node.sign_up("ann"))
        data = os.urandom(2 * SEGMENT_BYTES + 12345)

        async def pieces():
            for at in range(0, len(data), 65536):
                yield data[at : at + 65536]

        url = await ann.create(len(data))
        wanted = ann.headers | BODY | {"upload-offset": "0"}
        assert (await node.client.patch(url, headers=wanted, content=pieces())).status_code == 204
        assert max(objects.stored.values()) < SEGMENT_BYTES + 65536
        assert len([size for name, size in objects.stored.items() if name.startswith("upl_")]) == 3
        assert await stored(node, url) == data

    run(tmp_path, scenario)


@pytest.mark.parametrize("fault", ["down", "losing"])
def test_a_store_that_fails_is_told_as_503_and_the_upload_goes_on_afterwards(tmp_path, fault):
    async def scenario(node: Node, objects: SickObjects) -> None:
        ann = Uploader(node, await node.sign_up("ann"))
        url = await ann.create(300)
        assert (await ann.patch(url, 0, b"a" * 100)).status_code == 204
        setattr(objects, fault, True)
        answer = await ann.patch(url, 100, b"b" * 100)
        assert (answer.status_code, answer.json()["code"], "retry-after" in answer.headers) == (
            503,
            "busy",
            True,
        )
        assert await ann.offset(url) == 100
        setattr(objects, fault, False)
        assert (await ann.patch(url, 100, b"c" * 200)).status_code == 204
        assert await stored(node, url) == b"a" * 100 + b"c" * 200

    run(tmp_path, scenario)


def test_a_store_that_fails_in_the_middle_of_a_large_body_leaves_what_was_stored(tmp_path):
    async def scenario(node: Node, objects: SickObjects) -> None:
        ann = Uploader(node, await node.sign_up("ann"))
        data = os.urandom(3 * SEGMENT_BYTES)

        async def pieces():
            for at in range(0, len(data), 65536):
                objects.down = at > SEGMENT_BYTES + 65536
                yield data[at : at + 65536]

        url = await ann.create(len(data))
        wanted = ann.headers | BODY | {"upload-offset": "0"}
        answer = await node.client.patch(url, headers=wanted, content=pieces())
        assert (answer.status_code, answer.headers["connection"]) == (503, "close")
        objects.down = False
        at = await ann.offset(url)
        assert SEGMENT_BYTES <= at < 2 * SEGMENT_BYTES
        assert (await ann.patch(url, at, data[at:])).status_code == 204
        assert await stored(node, url) == data

    run(tmp_path, scenario)


def test_two_servers_take_turns_at_one_upload_without_knowing_of_each_other(tmp_path):
    """No sticky sessions: each piece goes to the other one."""

    async def scenario(one: Node, other: Node, objects: SickObjects) -> None:
        ann = Uploader(one, await one.sign_up("ann"))
        data = os.urandom(8000)
        url = await ann.create(len(data))
        for turn, at in enumerate(range(0, 8000, 1000)):
            node = (one, other)[turn % 2]
            assert await ann.offset(url, (other, one)[turn % 2]) == at
            answer = await ann.patch(url, at, data[at : at + 1000], node)
            assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(at + 1000))
        assert await stored(one, url) == await stored(other, url) == data
        repeated = await ann.patch(url, 0, data[:1000], one)
        assert (repeated.status_code, repeated.json()["code"]) == (409, "upload-finished")

    run(tmp_path, scenario, nodes=2)


def test_two_servers_that_get_the_same_piece_at_once_store_one_of_them(tmp_path):
    async def scenario(one: Node, other: Node, objects: SickObjects) -> None:
        ann = Uploader(one, await one.sign_up("ann"))
        for _ in range(15):
            url = await ann.create(2000)
            answers = await asyncio.gather(
                ann.patch(url, 0, b"a" * 1000, one), ann.patch(url, 0, b"b" * 1000, other)
            )
            statuses = sorted(each.status_code for each in answers)
            assert statuses[0] == 204
            assert statuses[1] in {409, 423}, statuses
            winner = b"a" if answers[0].status_code == 204 else b"b"
            assert await ann.offset(url) == 1000
            assert (await ann.patch(url, 1000, b"c" * 1000, other)).status_code == 204
            assert await stored(one, url) == winner * 1000 + b"c" * 1000

    run(tmp_path, scenario, nodes=2)


def test_an_upload_that_one_server_removed_is_gone_for_the_other(tmp_path):
    async def scenario(one: Node, other: Node, objects: SickObjects) -> None:
        ann = Uploader(one, await one.sign_up("ann"))
        url = await ann.create(2000)
        assert (await ann.patch(url, 0, b"a" * 1000, one)).status_code == 204
        assert (await other.client.delete(url, headers=ann.headers)).status_code == 204
        assert (await ann.patch(url, 1000, b"a" * 1000, one)).status_code == 410
        await (
            other.house.jobs.dispatcher.run()
        )  # unless the first has claimed the task, and is about to do it
        await until(one, lambda: not any(name.startswith("upl_") for name in objects.all()))

    run(tmp_path, scenario, nodes=2)


async def upload_through_anything(ann: Uploader, data: bytes, dice: random.Random, *nodes: Node) -> str:
    """Uploads in pieces; checks that no acknowledged byte is ever taken back."""
    url, at, sure = await ann.create(len(data)), 0, 0
    for _ in range(1000):
        node = dice.choice(nodes)
        size = min(dice.choice([1, 700, 4000]), len(data) - at)
        answer = await ann.patch(url, at, data[at : at + size], node)
        if answer.status_code == 204:
            sure = at = int(answer.headers["upload-offset"])
        else:
            assert answer.status_code in {409, 423, 503}, answer.text
            at = await until_told(ann, url, dice, *nodes)
        assert at >= sure, "acknowledged bytes are gone"
        sure = max(sure, at)
        if at == len(data) and answer.status_code == 204:
            return url
    raise AssertionError("it never came to an end")


async def until_told(ann: Uploader, url: str, dice: random.Random, *nodes: Node) -> int:
    for _ in range(200):
        answer = await dice.choice(nodes).client.head(url, headers=ann.headers)
        if answer.status_code == 200:
            return int(answer.headers["upload-offset"])
        assert answer.status_code == 503, answer
        await asyncio.sleep(0.01)  # another is at it
    raise AssertionError("the offset is never told")


@pytest.mark.parametrize("seed", range(3))
def test_no_acknowledged_byte_is_lost_by_a_store_that_fails_half_the_time(tmp_path, seed):
    async def scenario(one: Node, other: Node, objects: SickObjects) -> None:
        ann = Uploader(one, await one.sign_up("ann"))
        objects.dice = random.Random(seed)
        uploads = [(os.urandom(20_000), random.Random(f"{seed} {each}")) for each in range(5)]
        urls = await asyncio.gather(
            *(upload_through_anything(ann, data, dice, one, other) for data, dice in uploads)
        )
        objects.dice = None
        assert [await stored(other, url) for url in urls] == [data for data, _ in uploads]

    run(tmp_path, scenario, nodes=2)


# The start


@pytest.mark.parametrize(
    ("url", "bucket"),
    [
        ("s3://blobs", Bucket("blobs", "", "", "us-east-1")),
        (
            "s3://my.blobs/a/b/?endpoint=http://127.0.0.1:8333&region=eu-1",
            Bucket("my.blobs", "a/b", "http://127.0.0.1:8333", "eu-1"),
        ),
    ],
)
def test_the_address_of_a_bucket(url, bucket):
    assert Bucket.parse(url) == bucket


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://blobs", "is no address such as"),
        ("s3://", "is no address such as"),
        ("s3://B", "is no address such as"),
        ("s3://blobs/../etc", "is no address such as"),
        ("s3://key:secret@blobs", "is no address such as"),
        ("s3://blobs?endpont=x", "has endpont"),
        ("s3://blobs?region=a&region=b", "twice"),
        ("s3://blobs?endpoint=ftp://x", "endpoint that is no address"),
        ("s3://blobs?endpoint=https://x/path", "endpoint that is no address"),
        ("s3://blobs?region=A B", "region that is no name"),
    ],
)
def test_an_address_that_is_none_is_explained(url, said):
    with pytest.raises(ValueError, match=said):
        Bucket.parse(url)


def test_a_bucket_needs_its_key(tmp_path):
    wanted = {"RESTANTE_BLOB_URL": "s3://blobs", "RESTANTE_BLOB_KEY": "key"}
    with pytest.raises(BadSettings, match="RESTANTE_BLOB_SECRET"):
        from_environment(wanted)
    settings = from_environment(wanted | {"RESTANTE_BLOB_SECRET": "secret"}, data=tmp_path)
    with pytest.raises(BadSettings, match="RESTANTE_BLOB_URL is no address"):
        embedded(Settings(data=tmp_path, blob_url="s3://B", blob_key="key", blob_secret="secret"))
    assert embedded(settings).objects is not None


def test_a_bucket_that_cannot_be_used_ends_the_start(tmp_path):
    objects = SickObjects()
    objects.down = True
    with pytest.raises(UnusableBlobs, match="cannot be used: down"):
        Node(tmp_path, objects)
    objects.down, objects.short = False, True
    with pytest.raises(UnusableBlobs, match="does not give back"):
        Node(tmp_path, objects)


def test_videos_are_not_looked_for_where_they_are_not(tmp_path):
    """Whoever sets or forgets the bucket of a running installation would seem to have lost every video."""

    async def scenario(node: Node, _: SickObjects) -> None:
        ann = Uploader(node, await node.sign_up("ann"))
        url = await ann.create(3)
        assert (await ann.patch(url, 0, b"abc")).status_code == 204

    run(tmp_path, scenario)
    with pytest.raises(UnusableBlobs, match="videos are in a bucket"):
        Inside(tmp_path)

    async def in_files(house: Inside) -> None:
        ann = await house.sign_up("ann")
        made = await house.client.post(UPLOADS, headers=ann | TUS | {"upload-length": "0"})
        assert made.status_code == 201

    inside.run(tmp_path / "files", in_files)
    with pytest.raises(UnusableBlobs, match="videos are local files"):
        Node(tmp_path / "files", SickObjects())
