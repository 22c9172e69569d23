"""Finishing is O(1) and idempotent, and whoever is told the whole length is told of a finished upload."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.people import make_account
from tests.api.uploading import create, delete, noise, offset, patch, patch_head, wire
from tests.serving import Server

QUICKLY_S = 10.0
"""Far beyond what is meant: the machine may be busy."""


@pytest.fixture
def person(server: Server):
    return make_account(server.url)


def test_finish_lost_five_times_and_asked_by_twenty_at_once_is_one_finish(server, person):
    """64 MiB; each answer is the same, each comes quickly."""
    size = 64 * 1024 * 1024
    url = create(person, None)
    megabytes = noise(4 * 1024 * 1024)
    for start in range(0, size, len(megabytes)):
        assert patch(person, url, start, megabytes).status_code == 204
    for _ in range(5):
        with wire(server.port) as lost:
            lost.start("PATCH", url, *patch_head(person, size, 0, f"Upload-Length: {size}"))

    def finish(_: int):
        began = time.monotonic()
        answer = patch(person, url, size, b"", upload_length=str(size))
        return answer.status_code, answer.headers["upload-offset"], time.monotonic() - began

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(finish, range(20)))
    assert {answer[:2] for answer in answers} == {(204, str(size))}
    assert max(answer[2] for answer in answers) < QUICKLY_S
    assert offset(person, url) == size
    delete(person, url)


def test_killed_between_the_bytes_and_the_finish_the_next_head_finishes(new_server):
    """A client that sees offset = length believes that it is done, so it must be true by then."""
    server = new_server(RESTANTE_FAILPOINT="upload-before-finish:1")
    person = make_account(server.url)
    url = create(person, 1000)
    with wire(server.port) as lost:
        lost.start("PATCH", url, *patch_head(person, 0, 1000)).send(noise(1000))
        assert lost.status() == 0, "killed before the answer"
    server.kill()
    server.start(RESTANTE_FAILPOINT="")
    assert offset(person, url) == 1000
    assert patch(person, url, 1000, b"x").json()["code"] == "upload-finished"
