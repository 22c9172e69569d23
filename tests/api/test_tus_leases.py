"""One writer at a time: who lost the pen changes nothing, whatever still reaches it ([Note: One writer])."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from restante.server.sessions.actor import Actor
from restante.server.uploads.opened import OpenUpload
from tests.api.inside import Inside, run
from tests.api.uploading import BODY, TUS, UPLOADS

Receive = Callable[[], Awaitable[dict[str, Any]]]


async def patch(inside: Inside, headers: dict[str, str], url: str, size: int, receive: Receive) -> int:
    """Calls the application with a body that the test hands over piece by piece; returns the status."""
    wanted = headers | TUS | BODY | {"upload-offset": "0", "content-length": str(size), "host": "inside"}
    scope = {
        "type": "http",
        "method": "PATCH",
        "path": url,
        "raw_path": url.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in wanted.items()],
        "client": ("127.0.0.1", 1),
    }
    statuses: list[int] = []

    async def send(message: dict[str, Any]) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    await inside.app(scope, receive, send)
    return statuses[0]


async def new_upload(inside: Inside, size: int | None) -> tuple[dict[str, str], str, OpenUpload]:
    headers = await inside.sign_up("ann")
    announced = {"upload-defer-length": "1"} if size is None else {"upload-length": str(size)}
    answer = await inside.client.post(UPLOADS, headers=headers | TUS | announced)
    url = answer.headers["location"]
    upload = inside.house.uploads._shelf.find(url.rpartition("/")[2])
    assert upload is not None
    return headers, url, upload


def test_bytes_that_arrive_in_the_moment_of_the_fence_are_not_written(tmp_path):
    """The piece was received already; the pen is taken before it is written: too late to be woken, not to write."""

    async def scenario(inside: Inside) -> None:
        headers, url, upload = await new_upload(inside, 200)
        pieces = iter([b"a" * 50, b"b" * 50])

        async def receive() -> dict[str, Any]:
            piece = next(pieces)
            if piece.startswith(b"b"):
                upload.fence()
            return {"type": "http.request", "body": piece, "more_body": True}

        assert await patch(inside, headers, url, 200, receive) == 423
        assert upload.size == upload.file.size() == 50
        assert upload.file.read(0, 200) == b"a" * 50

    run(tmp_path, scenario)


def test_a_fence_wakes_who_waits_for_its_client(tmp_path):
    async def scenario(inside: Inside) -> None:
        headers, url, upload = await new_upload(inside, 200)
        waiting = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if upload.size:
                waiting.set()
                await asyncio.Event().wait()
            return {"type": "http.request", "body": b"a" * 50, "more_body": True}

        patching = asyncio.ensure_future(patch(inside, headers, url, 200, receive))
        await waiting.wait()
        upload.fence()
        assert await asyncio.wait_for(patching, 5) == 423
        assert upload.size == 50
        assert upload.lease is None

    run(tmp_path, scenario)


def test_an_upload_in_use_is_never_closed_under_the_one_who_uses_it(tmp_path):
    """It is terminated while a piece is on its way: the writer hears 410, then the file closes."""

    async def scenario(inside: Inside) -> None:
        headers, url, upload = await new_upload(inside, 200)

        async def receive() -> dict[str, Any]:
            if upload.size:
                inside.house.uploads._shelf.drop(upload.id)
                assert upload.file.size() == 50
            return {"type": "http.request", "body": b"a" * 50, "more_body": True}

        assert await patch(inside, headers, url, 200, receive) == 410
        assert upload.file._descriptor == -1

    run(tmp_path, scenario)


def test_an_upload_that_was_closed_while_its_owner_was_looked_up_is_opened_again(tmp_path):
    """Others may need the room in between: what comes next must not write to a closed file."""

    async def scenario(inside: Inside) -> None:
        headers, _, upload = await new_upload(inside, 200)
        uploads, sessions = inside.house.uploads, inside.house.sessions

        async def who(token: str) -> Actor:
            uploads._shelf.close()
            return await sessions.actor(token)

        token = headers["authorization"].removeprefix("Bearer ")
        async with uploads.access_upload(upload.id, token, who) as found:
            assert found.file.write(0, b"a") == found.file.size() == 1

    run(tmp_path, scenario)


def test_a_second_patch_waits_for_one_that_is_alive_and_gives_up_with_423(tmp_path):
    """The first is slow but sends: nobody throws it out, and its bytes alone are stored."""

    async def scenario(inside: Inside) -> None:
        headers, url, upload = await new_upload(inside, 1000)
        first_waits, go, over = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def slowly() -> dict[str, Any]:
            first_waits.set()
            await go.wait()
            await asyncio.sleep(0.05)
            rest = 1000 - upload.size if over.is_set() else 1
            return {"type": "http.request", "body": b"a" * rest, "more_body": upload.size + rest < 1000}

        async def at_once() -> dict[str, Any]:
            return {"type": "http.request", "body": b"b" * 1000, "more_body": False}

        first = asyncio.ensure_future(patch(inside, headers, url, 1000, slowly))
        await first_waits.wait()
        second = asyncio.ensure_future(patch(inside, headers, url, 1000, at_once))
        while upload.lease is None or not upload.lease.ended._waiters:  # noqa: ASYNC110 - nothing tells that somebody waits
            await asyncio.sleep(0.01)
        go.set()
        assert await second == 423
        over.set()
        assert await first == 204
        assert inside.blobs.path(upload.id).read_bytes() == b"a" * 1000
        assert upload.file._descriptor == -1, "what is finished needs no open file"

    run(tmp_path, scenario)


def test_finishing_requests_that_meet_hear_the_same_answer(tmp_path):
    """The later ones wait for the first one's flush and commit."""

    async def scenario(inside: Inside) -> None:
        headers, url, upload = await new_upload(inside, None)
        body = headers | TUS | BODY
        first = await inside.client.patch(url, headers=body | {"upload-offset": "0"}, content=b"a" * 100)
        assert (first.status_code, upload.finished_at) == (204, None)
        at_end = body | {"upload-offset": "100", "upload-length": "100"}
        answers = await asyncio.gather(*(inside.client.patch(url, headers=at_end) for _ in range(5)))
        assert {(each.status_code, each.headers["upload-offset"]) for each in answers} == {(204, "100")}
        assert upload.finished_at is not None

    run(tmp_path, scenario)
