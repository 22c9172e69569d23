"""An upload and its blob begin at once, on whatever node, and a node that starts takes nothing away from another."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from restante.protocol.limits import UNFINISHED_UPLOADS
from restante.server.errors import RetryLater
from restante.server.uploads import queries
from tests.api.remote import Node, SickObjects
from tests.api.test_remote_blobs import Uploader
from tests.api.uploading import TUS, UPLOADS


def run(folder: Path, story: Callable[[Node, Node], Awaitable[None]]) -> None:
    """Runs the story with two nodes, of which the second has not started yet."""

    async def whole() -> None:
        objects = SickObjects()
        one, other = Node(folder, objects), Node(folder, objects)
        await one.house.open()
        try:
            await asyncio.wait_for(story(one, other), 60)
        finally:
            await one.close()

    asyncio.run(whole())


def test_an_upload_that_one_node_is_creating_outlives_the_start_of_another(tmp_path):
    async def story(one: Node, other: Node) -> None:
        reached, go_on = asyncio.Event(), asyncio.Event()
        uploads = one.house.uploads
        create_blob = uploads._create_blob

        async def slow(upload_id: str):
            reached.set()
            await go_on.wait()
            return await create_blob(upload_id)

        uploads._create_blob = slow  # type: ignore[method-assign]
        ann = Uploader(one, await one.sign_up("ann"))
        creating = asyncio.ensure_future(ann.create(100))
        await asyncio.wait_for(reached.wait(), 10)
        await other.house.open()
        go_on.set()
        assert (await ann.patch(await creating, 0, b"a" * 100, other)).status_code == 204
        await other.close()

    run(tmp_path, story)


def test_an_upload_that_could_not_be_created_does_not_count(tmp_path, monkeypatch: pytest.MonkeyPatch):
    async def story(one: Node, _: Node) -> None:
        ann = Uploader(one, await one.sign_up("ann"))

        def away(*_: object, **__: object) -> bool:
            raise RetryLater("busy", seconds=1)

        with monkeypatch.context() as patch:
            patch.setattr(queries, "add_blob", away)
            for _ in range(UNFINISHED_UPLOADS + 1):
                answer = await one.client.post(UPLOADS, headers=ann.headers | TUS | {"upload-length": "1"})
                assert answer.status_code == 503
        await ann.create(1)

    run(tmp_path, story)
