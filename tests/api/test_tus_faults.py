"""A disk that fills or fails, and time that passes: seen from a client, in a server of the test's own."""

import asyncio
import errno

import httpx
import pytest

from restante.protocol.ids import Prefix, new_id
from restante.server.blobs.store import BlobsFull
from restante.server.errors import Refusal
from tests.api.inside import Inside, run
from tests.api.uploading import BODY, TUS, UPLOADS

HOUR_S = 3600.0


class Uploader:
    """An account inside, speaking tus."""

    def __init__(self, inside: Inside, headers: dict[str, str]) -> None:
        self.inside, self.headers = inside, headers | TUS

    @classmethod
    async def new(cls, inside: Inside, name: str = "ann") -> "Uploader":
        return cls(inside, await inside.sign_up(name))

    async def post(self, length: int) -> httpx.Response:
        return await self.inside.client.post(UPLOADS, headers=self.headers | {"upload-length": str(length)})

    async def create(self, length: int) -> str:
        answer = await self.post(length)
        assert answer.status_code == 201, answer.text
        return str(answer.headers["location"])

    async def patch(self, url: str, offset: int, data: bytes) -> httpx.Response:
        wanted = self.headers | BODY | {"upload-offset": str(offset)}
        return await self.inside.client.patch(url, headers=wanted, content=data)

    async def head(self, url: str) -> httpx.Response:
        return await self.inside.client.head(url, headers=self.headers)


def blob_id(url: str) -> str:
    return url.rpartition("/")[2]


@pytest.mark.parametrize("durability", ["power", "process"])
def test_full_disk_keeps_what_went_in_and_the_upload_resumes(tmp_path, durability):
    async def scenario(inside: Inside) -> None:
        ann = await Uploader.new(inside)
        url = await ann.create(1000)
        inside.blobs.room_bytes = 300
        answer = await ann.patch(url, 0, b"x" * 1000)
        assert (answer.status_code, answer.json()["code"]) == (507, "storage-full")
        assert answer.headers["retry-after"] == "60"
        assert (await ann.head(url)).headers["upload-offset"] == "300"
        assert (await ann.post(10)).status_code == 507, "no file can be made either"
        inside.blobs.room_bytes = 10_000
        assert (await ann.patch(url, 300, b"x" * 700)).status_code == 204
        assert (await ann.post(10)).status_code == 201, "the refused one holds no place"

    run(tmp_path, scenario, durability=durability)


@pytest.mark.parametrize(
    ("error", "status"), [(OSError(errno.EIO, "failed"), 503), (BlobsFull(errno.ENOSPC, "full"), 507)]
)
def test_failed_flush_is_never_acknowledged_and_goes_back_to_what_is_certain(tmp_path, error, status):
    """The kernel drops what it could not write and reports it once: asking again would lie."""

    async def scenario(inside: Inside) -> None:
        ann = await Uploader.new(inside)
        url = await ann.create(200)
        assert (await ann.patch(url, 0, b"x" * 100)).status_code == 204
        inside.blobs.flush_error = error
        assert (await ann.patch(url, 100, b"y" * 50)).status_code == status
        inside.blobs.flush_error = None
        head = await ann.head(url)
        assert (head.status_code, head.headers["upload-offset"]) == (200, "100")
        assert inside.blobs.stat(blob_id(url)).size == 100
        assert (await ann.patch(url, 100, b"z" * 100)).status_code == 204
        assert inside.blobs.open(blob_id(url)).read(0, 300) == b"x" * 100 + b"z" * 100

    run(tmp_path, scenario)


def test_failed_flush_at_the_finish_is_never_acknowledged(tmp_path):
    async def scenario(inside: Inside) -> None:
        ann = await Uploader.new(inside)
        url = await ann.create(100)
        inside.blobs.flush_error = OSError(errno.EIO, "failed")
        assert (await ann.patch(url, 0, b"x" * 100)).status_code == 503
        inside.blobs.flush_error = None
        assert (await ann.head(url)).headers["upload-offset"] == "0"
        assert (await ann.patch(url, 0, b"x" * 100)).status_code == 204

    run(tmp_path, scenario, durability="process")


def test_failed_flush_ahead_of_the_finish_goes_back_as_well(tmp_path):
    """Where acknowledgements do not wait for the disk, its failure still must not be forgotten."""

    async def scenario(inside: Inside) -> None:
        ann = await Uploader.new(inside)
        half = 9 * 1024 * 1024
        url = await ann.create(2 * half)
        inside.blobs.flush_error = OSError(errno.EIO, "failed")
        assert (await ann.patch(url, 0, b"x" * half)).status_code == 204
        for _ in range(500):
            if not inside.blobs.stat(blob_id(url)).size:
                break
            await asyncio.sleep(0.01)
        inside.blobs.flush_error = None
        assert (await ann.patch(url, half, b"y" * half)).status_code == 409
        assert (await ann.head(url)).headers["upload-offset"] == "0"
        assert (await ann.patch(url, 0, b"x" * half)).status_code == 204
        assert (await ann.patch(url, half, b"y" * half)).status_code == 204
        assert inside.blobs.open(blob_id(url)).read(half - 1, 2) == b"xy"

    run(tmp_path, scenario, durability="process")


def test_failed_flush_with_nothing_certain_ends_the_upload(tmp_path):
    async def scenario(inside: Inside) -> None:
        ann = await Uploader.new(inside)
        url = await ann.create(100)
        assert (await ann.patch(url, 0, b"x" * 50)).status_code == 204
        inside.house.uploads._shelf.drop(blob_id(url))
        inside.blobs.flush_error = OSError(errno.EIO, "failed")
        assert (await ann.head(url)).status_code == 503
        inside.blobs.flush_error = None
        assert (await ann.head(url)).status_code == 410

    run(tmp_path, scenario)


def test_durability_process_flushes_at_the_finish_only(tmp_path):
    async def scenario(inside: Inside) -> None:
        ann = await Uploader.new(inside)
        url = await ann.create(200)
        inside.blobs.flush_error = OSError(errno.EIO, "failed")
        assert (await ann.patch(url, 0, b"x" * 100)).status_code == 204, "not flushed"
        inside.blobs.flush_error = None
        assert (await ann.patch(url, 100, b"x" * 100)).status_code == 204

    run(tmp_path, scenario, durability="process")


def test_unfinished_upload_expires_a_day_after_its_last_byte(tmp_path):
    async def scenario(inside: Inside) -> None:
        ann, uploads = await Uploader.new(inside), inside.house.uploads
        silent, empty, done = await ann.create(100), await ann.create(100), await ann.create(10)
        await ann.patch(silent, 0, b"x" * 50)
        await ann.patch(done, 0, b"x" * 10)
        inside.clock.ahead_s = 23.9 * HOUR_S
        assert await uploads.expire_unfinished(inside.clock.now_ms()) == 0
        inside.clock.ahead_s = 24.1 * HOUR_S
        assert await uploads.expire_unfinished(inside.clock.now_ms()) == 2
        assert await uploads.expire_unfinished(inside.clock.now_ms()) == 0, "twice is once"
        assert [(await ann.head(each)).status_code for each in (silent, empty, done)] == [410, 410, 200]
        await inside.house.jobs.dispatcher.run()
        assert [each.id for each in inside.blobs.list()] == [blob_id(done)]

    run(tmp_path, scenario)


def test_finished_upload_that_nobody_sends_expires_after_a_day(tmp_path):
    async def scenario(inside: Inside) -> None:
        ann, house = await Uploader.new(inside), inside.house
        claimed, left = await ann.create(10), await ann.create(10)
        for url in (claimed, left):
            await ann.patch(url, 0, b"x" * 10)
        message = new_id(Prefix.MESSAGE)
        size = await house.database.write(lambda c: house.uploads.claim(c, 1, blob_id(claimed), message))
        assert size == 10
        inside.clock.ahead_s = 23.9 * HOUR_S
        assert await house.uploads.expire_unclaimed(inside.clock.now_ms()) == 0
        inside.clock.ahead_s = 24.1 * HOUR_S
        assert await house.uploads.expire_unclaimed(inside.clock.now_ms()) == 1
        assert [(await ann.head(each)).status_code for each in (claimed, left)] == [200, 410]
        deleted = await inside.client.delete(claimed, headers=ann.headers)
        assert (deleted.status_code, deleted.json()["code"]) == (409, "upload-claimed")

    run(tmp_path, scenario)


def test_claim_takes_a_finished_upload_of_ones_own_once(tmp_path):
    async def scenario(inside: Inside) -> None:
        ann, house = await Uploader.new(inside), inside.house
        await Uploader.new(inside, "bob")
        done, running, gone = await ann.create(10), await ann.create(10), await ann.create(10)
        await ann.patch(done, 0, b"x" * 10)
        await inside.client.delete(gone, headers=ann.headers)
        first, second = new_id(Prefix.MESSAGE), new_id(Prefix.MESSAGE)

        async def claim(account_id: int, upload_id: str, message_id: str) -> int | str:
            try:
                return await house.database.write(
                    lambda c: house.uploads.claim(c, account_id, upload_id, message_id)
                )
            except Refusal as refusal:
                return refusal.entry.code

        assert await claim(1, blob_id(running), first) == "upload-unfinished"
        assert await claim(1, blob_id(gone), first) == "upload-gone"
        assert await claim(2, blob_id(done), first) == "not-found"
        assert await claim(1, new_id(Prefix.UPLOAD), first) == "not-found"
        assert await claim(1, "../x", first) == "not-found"
        assert await claim(1, blob_id(done), first) == 10
        assert await claim(1, blob_id(done), first) == 10
        assert await claim(1, blob_id(done), second) == "upload-claimed"

    run(tmp_path, scenario)


def test_orphan_goes_after_two_passes_an_hour_apart_and_nothing_else_does(tmp_path):
    async def scenario(inside: Inside) -> None:
        ann, uploads = await Uploader.new(inside), inside.house.uploads
        kept = {blob_id(await ann.create(100)), blob_id(await ann.create(0))}
        stray, late = new_id(Prefix.UPLOAD), new_id(Prefix.UPLOAD)
        inside.blobs.create(stray).close()
        assert await uploads.sweep_orphans() == 0
        inside.clock.ahead_s = HOUR_S - 60
        inside.blobs.create(late).close()
        assert await uploads.sweep_orphans() == 0
        inside.clock.ahead_s = HOUR_S + 60
        assert await uploads.sweep_orphans() == 1
        assert {each.id for each in inside.blobs.list()} == kept | {late}
        inside.clock.ahead_s = 2 * HOUR_S + 60
        assert await uploads.sweep_orphans() == 1
        assert {each.id for each in inside.blobs.list()} == kept

    run(tmp_path, scenario)


def test_capability_ends_after_seven_days_and_the_session_still_opens(tmp_path):
    async def scenario(inside: Inside) -> None:
        ann = await Uploader.new(inside)
        answer = await ann.post(10)
        bearer = TUS | {"authorization": f"Bearer {answer.headers['upload-capability']}"}
        url = answer.headers["location"]
        inside.clock.ahead_s = 7 * 24 * HOUR_S - 60
        assert (await inside.client.head(url, headers=bearer)).status_code == 200
        inside.clock.ahead_s = 7 * 24 * HOUR_S + 60
        assert (await inside.client.head(url, headers=bearer)).status_code == 401
        assert (await ann.head(url)).status_code == 200

    run(tmp_path, scenario)


def test_tombstones_are_forgotten_after_ninety_days(tmp_path):
    async def scenario(inside: Inside) -> None:
        ann, uploads = await Uploader.new(inside), inside.house.uploads
        url = await ann.create(10)
        await inside.client.delete(url, headers=ann.headers)
        day_ms = 24 * 3600 * 1000
        assert await uploads.forget_gone(inside.clock.now_ms() + 89 * day_ms) == 0
        assert (await ann.head(url)).status_code == 410
        assert await uploads.forget_gone(inside.clock.now_ms() + 91 * day_ms) == 1
        assert (await ann.head(url)).status_code == 404

    run(tmp_path, scenario)


def test_open_files_stay_bounded_however_many_uploads_there_are(tmp_path):
    """Idle ones close; each can be continued all the same."""

    async def scenario(inside: Inside) -> None:
        shelf = inside.house.uploads._shelf
        shelf._idle_files = 3
        people = [await Uploader.new(inside, f"ann-{number}") for number in range(4)]
        urls = [(ann, await ann.create(100)) for ann in people for _ in range(4)]
        for at in range(3):
            for ann, url in urls:
                assert (await ann.patch(url, at, b"x")).status_code == 204
                assert len(shelf._open) <= 3
        assert {(await ann.head(url)).headers["upload-offset"] for ann, url in urls} == {"3"}

    run(tmp_path, scenario)


def test_readiness_tells_a_disk_without_room(tmp_path):
    async def scenario(inside: Inside) -> None:
        answer = await inside.client.get("/readyz")
        assert (answer.status_code, answer.json()["disk"]) == (503, False)

    run(tmp_path, scenario, keep_free_bytes=2**60)
