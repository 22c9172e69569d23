"""A node that starts while another serves takes nothing away from it."""

import asyncio
from pathlib import Path

import pytest

from restante.server.uploads import service
from tests.api.remote import Node, SickObjects
from tests.api.test_remote_blobs import Uploader


def begin_amid_a_creation(folder: Path) -> int:
    """Has a second node start between the row of an upload and its blob; tells what became of the first piece."""

    async def story() -> int:
        objects, reached, go_on = SickObjects(), asyncio.Event(), asyncio.Event()
        one, other = Node(folder, objects), Node(folder, objects)
        await one.house.open()
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
        url = await creating
        answer = await ann.patch(url, 0, b"a" * 100)
        for node in (one, other):
            await node.close()
        return answer.status_code

    return asyncio.run(asyncio.wait_for(story(), 60))


def test_an_upload_that_one_node_is_creating_outlives_the_start_of_another(tmp_path):
    assert begin_amid_a_creation(tmp_path) == 204


def test_without_waiting_for_it_the_upload_would_be_gone(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(service, "CREATED_WITHIN_S", -1)
    assert begin_amid_a_creation(tmp_path) == 410
