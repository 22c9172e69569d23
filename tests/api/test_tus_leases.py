"""One writer at a time: who lost the pen changes nothing, whatever still reaches it ([Note: One writer])."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

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


async def new_upload(inside: Inside, size: int) -> tuple[dict[str, str], str, OpenUpload]:
    headers = await inside.sign_up("ann")
    answer = await inside.client.post(UPLOADS, headers=headers | TUS | {"upload-length": str(size)})
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
