"""SeaweedFS as the bucket, with a bad day between it and us: 0 acknowledged bytes lost."""

import asyncio
import os
import random
import resource
import time
from collections.abc import Iterator

import httpx
import pytest

from restante.server.blobs.objects import Bucket
from restante.server.blobs.remote import RemoteBlobs, UnusableBlobs
from restante.server.blobs.s3 import S3Objects, open_bucket
from tests import chaos, seaweed
from tests.api import parcels
from tests.api.people import make_account
from tests.api.remote import Node
from tests.api.test_remote_blobs import Uploader, stored, upload_through_anything
from tests.api.uploading import finished
from tests.chaos import Chaos
from tests.ledgers import ledger_in
from tests.seaweed import Seaweed
from tests.serving import Server, ServerDied

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with seaweed.running(tmp_path_factory.mktemp("weed")) as found:
        yield found


def bucket(
    weed: Seaweed, *, port: int | None = None, prefix: str = "", secret: str = seaweed.SECRET
) -> S3Objects:
    return open_bucket(Bucket.parse(weed.url(port=port, prefix=prefix)), key=seaweed.KEY, secret=secret)


def test_many_objects_are_listed_and_removed_by_their_prefix(weed):
    objects = bucket(weed, prefix="/listing")
    names = [f"upl_{letter}/{number:015d}-0" for letter in "ab" for number in range(30)]
    for name in names:
        objects.put(name, b"x")
    assert sorted(objects.names("")) == names
    assert sorted(objects.names("upl_a/")) == names[:30]
    objects.delete([*names[:30], "upl_a/missing"])
    assert sorted(objects.names("")) == names[30:]
    with pytest.raises(FileNotFoundError):
        objects.get(names[0], 0, 1)


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ("NoSuchBucket", "there is no such bucket"),
        ("RequestTimeTooSkewed", "this machine's clock"),
        ("AccessDenied", "RESTANTE_BLOB_KEY may not store objects"),
        ("InvalidAccessKeyId", "does not know RESTANTE_BLOB_KEY"),
    ],
)
def test_a_start_with_a_bucket_that_refuses_says_why(weed, tmp_path, refusal, said):
    with chaos.before(weed.port) as (bad_day, port), ledger_in(tmp_path) as ledger:
        bad_day.fault = refusal
        with pytest.raises(UnusableBlobs, match=said):
            RemoteBlobs(bucket(weed, port=port), ledger).check()


def test_a_start_without_anybody_there_says_so(weed, tmp_path):
    with ledger_in(tmp_path) as ledger, pytest.raises(UnusableBlobs, match="cannot be reached"):
        RemoteBlobs(bucket(weed, port=9), ledger).check()


def test_a_start_with_a_wrong_secret_says_so(weed, tmp_path):
    with ledger_in(tmp_path) as ledger, pytest.raises(UnusableBlobs, match="RESTANTE_BLOB_SECRET"):
        RemoteBlobs(bucket(weed, secret="wrong"), ledger).check()


@pytest.mark.parametrize("fault", ["slow", "reset", "busy", "error-200", "lost", "down"])
def test_each_fault_of_the_store_is_survived_or_told(weed, fault):
    """What is said to be stored is there; what fails, fails within the time that a client waits."""
    with chaos.before(weed.port) as (bad_day, port):
        objects, direct = bucket(weed, port=port, prefix=f"/{fault}"), bucket(weed, prefix=f"/{fault}")
        bad_day.fault = fault
        data, began_s = os.urandom(100_000), time.monotonic()
        try:
            objects.put("upl_a/0", data)
            told = True
        except OSError:
            told = False
        assert time.monotonic() - began_s < 30
        assert bad_day.did[fault] > 0
        assert told is (fault == "slow")
        if told:
            assert direct.get("upl_a/0", 0, len(data)) == data
        bad_day.fault = ""
        objects.put("upl_a/0", data)
        bad_day.fault = fault
        try:
            assert objects.get("upl_a/0", 100, 1000) == data[100:1100]
        except OSError:
            assert fault != "slow"


def test_one_fault_is_tried_again(weed):
    """The control: a single bad answer is nobody's business."""
    with chaos.before(weed.port) as (bad_day, port):
        objects = bucket(weed, port=port, prefix="/again")
        bad_day.fault = "busy"
        mend = asyncio.new_event_loop()

        async def put() -> None:
            putting = asyncio.create_task(asyncio.to_thread(objects.put, "upl_a/0", b"abc"))
            while not bad_day.did["busy"]:  # noqa: ASYNC110 - another thread counts
                await asyncio.sleep(0.01)
            bad_day.fault = ""
            await putting

        mend.run_until_complete(put())
        mend.close()
        assert objects.get("upl_a/0", 0, 3) == b"abc"


@pytest.mark.parametrize("seed", range(2))
def test_no_acknowledged_byte_is_lost_on_a_bad_day(weed, tmp_path, seed):
    """Two servers, a proxy that hurts every fourth request, and clients that ask where they stand."""

    async def main(bad_day: Chaos, port: int) -> None:
        objects = bucket(weed, port=port, prefix=f"/soak{seed}")
        one, other = Node(tmp_path, objects), Node(tmp_path, objects)
        for node in (one, other):
            await node.house.open()
        try:
            ann = Uploader(one, await one.sign_up("ann"))
            bad_day.share = 0.25
            work = [(os.urandom(60_000), random.Random(f"{seed} {each}")) for each in range(5)]
            urls = await asyncio.gather(
                *(upload_through_anything(ann, data, dice, one, other) for data, dice in work)
            )
            bad_day.share = 0.0
            assert [await stored(other, url) for url in urls] == [data for data, _ in work]
            assert sum(count for fault, count in bad_day.did.items() if fault) > 20
        finally:
            for node in (one, other):
                await node.close()

    with chaos.before(weed.port, seed=seed) as (bad_day, port):
        asyncio.run(asyncio.wait_for(main(bad_day, port), 300))


def test_the_main_job_through_a_real_server(weed, new_server):
    """Uploaded, killed, started again, downloaded by ranges: from the bucket alone."""
    server: Server = new_server(**weed.environment(prefix="/server"))
    ann = make_account(server.url)
    data = os.urandom(5_000_000)
    url = finished(ann, data)
    assert not (server.data / "blobs").exists()
    bob = make_account(server.url)
    message = parcels.send_video(ann, bob, data=data).id
    server.kill()
    server.start()
    head = ann.client.head(url, headers={"tus-resumable": "1.0.0"})
    assert (head.status_code, head.headers["upload-offset"]) == (200, str(len(data)))
    video = f"/api/v1/messages/{message}/video"
    assert bob.client.get(video).content == data
    for start, end in [(0, 0), (4_194_000, 4_195_000), (4_999_990, 4_999_999), (1_000_000, 4_500_000)]:
        answer = bob.client.get(video, headers={"range": f"bytes={start}-{end}"})
        assert (answer.status_code, answer.content) == (206, data[start : end + 1])


@pytest.mark.parametrize("failpoint", ["blob-before-object", "blob-object-stored", "blob-object-entered"])
def test_a_server_that_dies_anywhere_in_a_piece_goes_on_from_what_it_acknowledged(
    weed, new_server, failpoint
):
    server: Server = new_server(**weed.environment(prefix=f"/{failpoint}"))
    ann = make_account(server.url)
    made = ann.client.post("/api/v1/uploads", headers={"tus-resumable": "1.0.0", "upload-length": "3000"})
    url = made.headers["location"]
    body = {"tus-resumable": "1.0.0", "content-type": "application/offset+octet-stream"}
    data = os.urandom(3000)
    first = ann.client.patch(url, headers=body | {"upload-offset": "0"}, content=data[:1000])
    assert first.status_code == 204
    server.stop()
    server.start(RESTANTE_FAILPOINT=f"{failpoint}:1")
    with pytest.raises(httpx.HTTPError):
        ann.client.patch(url, headers=body | {"upload-offset": "1000"}, content=data[1000:2000])
    server.kill()
    server.start()
    at = int(ann.client.head(url, headers=body).headers["upload-offset"])
    assert at == (2000 if failpoint == "blob-object-entered" else 1000)
    rest = ann.client.patch(url, headers=body | {"upload-offset": str(at)}, content=data[at:])
    assert rest.status_code == 204


def test_a_server_that_may_not_use_its_bucket_says_so_and_does_not_start(weed, new_server):
    wrong = weed.environment(prefix="") | {"RESTANTE_BLOB_SECRET": "wrong"}
    with pytest.raises(ServerDied, match=r"error: .*RESTANTE_BLOB_SECRET.*\nhint: "):
        new_server(**wrong)


def test_memory_stays_flat_while_the_store_is_down(weed, tmp_path):
    """Bodies of 32 MiB each, at once, to a store that takes nothing: no more than a segment of each is held."""

    async def main(bad_day: Chaos, port: int) -> None:
        node = Node(tmp_path, bucket(weed, port=port, prefix="/flat"))
        await node.house.open()
        try:
            ann = Uploader(node, await node.sign_up("ann"))
            urls = [await ann.create(32 * 2**20) for _ in range(5)]
            bad_day.fault = "down"
            before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

            async def body():
                for _ in range(512):
                    yield bytes(65536)

            async def patch(url: str) -> int:
                wanted = ann.headers | {
                    "content-type": "application/offset+octet-stream",
                    "upload-offset": "0",
                }
                return (await node.client.patch(url, headers=wanted, content=body())).status_code

            began_s = time.monotonic()
            assert set(await asyncio.gather(*(patch(url) for url in urls))) == {503}
            assert time.monotonic() - began_s < 30
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 100 * 1024
        finally:
            await node.close()

    with chaos.before(weed.port) as (bad_day, port):
        asyncio.run(asyncio.wait_for(main(bad_day, port), 120))
