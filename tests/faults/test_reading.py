"""A store that is away while somebody watches."""

from tests.api import planned
from tests.api.remote import Node, SickObjects
from tests.api.test_remote_blobs import run


def test_a_video_whose_store_is_away_is_to_be_asked_for_later(tmp_path):
    async def scenario(node: Node, objects: SickObjects) -> None:
        ann, bob = await node.sign_up("ann"), await node.sign_up("bob")
        video = f"/api/v1/messages/{(await planned.send_video(node, ann, 'bob')).id}/video"
        for headers in (bob, bob | {"range": "bytes=10-19"}):
            objects.down = True
            answer = await node.client.get(video, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (503, "busy")
            assert "retry-after" in answer.headers
            objects.down = False
            assert (await node.client.get(video, headers=headers)).is_success

    run(tmp_path, scenario)
