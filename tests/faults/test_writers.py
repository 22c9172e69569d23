"""Two nodes and one upload: whoever else believes to have the pen, one of them writes, and what it acknowledged stays."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from restante.protocol.limits import MIB
from restante.server.db.blob_tables import remote_blobs
from tests.api import parcels
from tests.api.parcels import until
from tests.api.people import Person, make_account, new_client
from tests.api.uploading import BODY, TUS, UPLOADS, patch_head, wire
from tests.faults.site import Site, site
from tests.serving import Server

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
ROUNDS = 10


@pytest.fixture
def two(tmp_path, weed) -> Iterator[Site]:
    with site(tmp_path, count=2, seed=0, weed=weed) as place:
        yield place


def create(node: Server, person: Person, length: int) -> str:
    with new_client(node.url, person.token) as client:
        made = client.post(UPLOADS, headers=TUS | {"upload-length": str(length)})
    assert made.status_code == 201, made.text
    return str(made.headers["location"])


def patch(node: Server, person: Person, url: str, offset: int, data: bytes) -> int:
    with new_client(node.url, person.token) as client:
        wanted = TUS | BODY | {"upload-offset": str(offset)}
        return client.patch(url, headers=wanted, content=data).status_code


def offset(node: Server, person: Person, url: str) -> int:
    with new_client(node.url, person.token) as client:
        answer = client.head(url, headers=TUS)
    assert answer.status_code == 200, answer
    return int(answer.headers["upload-offset"])


def content(node: Server, ann: Person, bob: Person, url: str) -> bytes:
    """What is played of a finished upload."""
    message = parcels.send(ann, bob, upload=url.rpartition("/")[2])
    with new_client(node.url, bob.token) as client:
        return client.get(f"/api/v1/messages/{message.id}/video").content


def test_who_was_stopped_in_a_piece_writes_nothing_when_it_goes_on(two: Site):
    """The first half reached one node, which is stopped; the other node takes the upload over and brings it to its end."""
    stopped, other = two.nodes
    ann, bob = make_account(other.url), make_account(other.url)
    for _ in range(ROUNDS):
        lost, kept = os.urandom(400_000), os.urandom(400_000)
        url = create(other, ann, len(kept))
        with wire(stopped.port) as line:
            line.start("PATCH", url, *patch_head(ann, 0, len(lost))).send(lost[:200_000])
            until(lambda url=url: has_the_pen(two, url))
            two.signal(stopped, signal.SIGSTOP)
            try:
                line.send(lost[200_000:])
                assert offset(other, ann, url) == 0
                assert patch(other, ann, url, 0, kept[:300_000]) == 204
            finally:
                two.signal(stopped, signal.SIGCONT)
            assert line.status() in {409, 423}
        assert offset(stopped, ann, url) == offset(other, ann, url) == 300_000
        assert patch(stopped, ann, url, 300_000, kept[300_000:]) == 204
        assert content(other, ann, bob, url) == kept


def has_the_pen(place: Site, url: str) -> bool:
    """Whether somebody took an upload to write."""
    engine = place.postgres.engine(place.database.rpartition("/")[2])
    with engine.connect() as connection:
        wanted = select(remote_blobs.c.epoch).where(remote_blobs.c.id == url.rpartition("/")[2])
        return connection.execute(wanted).scalar_one() > 0


def test_of_two_who_write_the_same_place_at_once_one_is_let_in(two: Site):
    one, other = two.nodes
    ann, bob = make_account(one.url), make_account(one.url)
    with ThreadPoolExecutor(2) as threads:
        for _ in range(3 * ROUNDS):
            tried = [os.urandom(30_000), os.urandom(30_000)]
            url = create(one, ann, 30_000)
            asked = [
                threads.submit(patch, node, ann, url, 0, data)
                for node, data in zip((one, other), tried, strict=True)
            ]
            told = [each.result() for each in asked]
            assert min(told) == 204, told
            assert max(told) in {409, 423}, told
            assert content(one, ann, bob, url) == tried[told.index(204)]


def test_what_a_dead_node_acknowledged_is_there_at_once_at_the_other(two: Site):
    dead, other = two.nodes
    ann, bob = make_account(other.url), make_account(other.url)
    for _ in range(ROUNDS // 2):
        data = os.urandom(5 * MIB + 3 + 1000)
        url = create(other, ann, len(data))
        assert patch(dead, ann, url, 0, data[: 5 * MIB + 3]) == 204
        with wire(dead.port) as line:
            line.start("PATCH", url, *patch_head(ann, 5 * MIB + 3, 1000)).send(data[5 * MIB + 3 :][:500])
            dead.kill()
        began_s = time.monotonic()
        assert offset(other, ann, url) == 5 * MIB + 3
        assert time.monotonic() - began_s < 5
        assert patch(other, ann, url, 5 * MIB + 3, data[5 * MIB + 3 :]) == 204
        assert content(other, ann, bob, url) == data
        two.restart(dead)
