"""A server that is stopped or killed in the middle of an upload keeps what it acknowledged, and its lock dies with it."""

import time

import pytest

from tests.api.people import make_account
from tests.api.uploading import create, finished, noise, offset, patch, patch_head, post, wait_until, wire
from tests.stored import stored

READY_WITHIN_S = 5.0
STOPPED_WITHIN_S = 10.0


@pytest.fixture
def writing(new_server):
    """A server, a person, and an upload of which 1,000 bytes are acknowledged and 500 more are on the way."""
    server = new_server()
    person = make_account(server.url)
    data = noise(3000)
    url = create(person, len(data))
    assert patch(person, url, 0, data[:1000]).status_code == 204
    with wire(server.port) as open_patch:
        open_patch.start("PATCH", url, *patch_head(person, 1000, 2000)).send(data[1000:1500])
        wait_until(lambda: len(stored(server, url)) == 1500)
        yield server, person, data, url, open_patch


@pytest.mark.files
def test_stop_ends_an_open_patch_with_what_it_has(writing):
    """SIGTERM: answered 503, exit 0, in time."""
    server, person, data, url, open_patch = writing
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < STOPPED_WITHIN_S
    assert open_patch.status() == 503
    server.start()
    assert offset(person, url) == 1500
    assert patch(person, url, 1500, data[1500:]).status_code == 204
    assert stored(server, url) == data


@pytest.mark.files
def test_kill_frees_the_upload_within_five_seconds_of_the_restart(writing):
    """SIGKILL in mid-PATCH leaves no lock behind, and no file but the blob and the database."""
    server, person, data, url, _ = writing
    done = finished(person, noise(10))
    server.kill()
    server.start()
    began = time.monotonic()
    at = offset(person, url)
    assert time.monotonic() - began < READY_WITHIN_S
    assert 1000 <= at <= 1500
    assert patch(person, url, at, data[at:]).status_code == 204
    assert stored(server, url) == data
    names = {path.name for path in server.data.rglob("*") if path.is_file()}
    ours = {each.rpartition("/")[2] for each in (url, done)}
    assert names - ours <= {"log.key", "restante.sqlite3", "restante.sqlite3-wal", "restante.sqlite3-shm"}


@pytest.mark.files
def test_killed_while_creating_holds_no_place_among_the_unfinished(new_server):
    """The row was committed, the file was not made, the client heard nothing: it never was."""
    server = new_server(RESTANTE_FAILPOINT="upload-row-committed:5")
    person = make_account(server.url)
    for _ in range(4):
        create(person)
    with wire(server.port) as lost:
        lost.start("POST", "/api/v1/uploads", f"Authorization: Bearer {person.token}", "Tus-Resumable: 1.0.0",
                   "Upload-Length: 5", "Content-Length: 0")  # fmt: skip
        assert lost.status() == 0
    server.kill()
    server.start(RESTANTE_FAILPOINT="")
    create(person)
    assert post(person).status_code == 429
