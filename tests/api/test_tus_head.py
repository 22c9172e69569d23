"""HEAD: how far an upload is; nothing told here is ever taken back."""

import email.utils
import time

import pytest

from tests.api.people import make_account
from tests.api.uploading import create, delete, head, noise, offset, patch, patch_head, wait_until, wire
from tests.serving import Server
from tests.stored import stored

RELEASED_WITHIN_S = 20.0


@pytest.fixture
def person(server: Server):
    return make_account(server.url)


def test_head_tells_offset_length_and_expiry_and_is_never_stored(person):
    url = create(person, 10)
    assert patch(person, url, 0, b"1234").status_code == 204
    answer = head(person, url)
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["upload-offset"] == "4"
    assert answer.headers["upload-length"] == "10"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert "upload-defer-length" not in answer.headers
    expires = email.utils.parsedate_to_datetime(answer.headers["upload-expires"]).timestamp()
    assert abs(expires - time.time() - 24 * 3600) < 60


def test_head_of_a_deferred_length_says_so_until_it_is_known(person):
    url = create(person, None)
    answer = head(person, url)
    assert answer.headers["upload-defer-length"] == "1"
    assert "upload-length" not in answer.headers
    assert patch(person, url, 0, b"abc", upload_length="9").status_code == 204
    answer = head(person, url)
    assert answer.headers["upload-length"] == "9"
    assert "upload-defer-length" not in answer.headers


@pytest.mark.files
def test_head_frees_a_patch_whose_client_vanished_without_a_word(server, person):
    """The connection stays open and silent, as when a phone leaves the network: no FIN, no RST."""
    url = create(person, 1000)
    with wire(server.port) as vanished:
        vanished.start("PATCH", url, *patch_head(person, 0, 1000)).send(b"x" * 300)
        wait_until(lambda: len(stored(server, url)) == 300)
        began = time.monotonic()
        assert offset(person, url) == 300
        assert patch(person, url, 300, b"y" * 700).status_code == 204
        assert time.monotonic() - began < RELEASED_WITHIN_S
        assert vanished.status() == 423
    assert offset(person, url) == 1000


@pytest.mark.files
def test_head_takes_the_pen_from_a_patch_that_still_sends(server, person):
    """What the old connection delivers afterwards changes nothing, so the offset told stays true."""
    url = create(person, 1000)
    with wire(server.port) as old:
        old.start("PATCH", url, *patch_head(person, 0, 1000)).send(b"o" * 100)
        wait_until(lambda: len(stored(server, url)) == 100)
        told = offset(person, url)
        assert told == 100
        old.send(b"o" * 500)
        assert old.status() == 423
        assert offset(person, url) == told
    assert patch(person, url, told, b"n" * 900).status_code == 204
    assert stored(server, url) == b"o" * 100 + b"n" * 900


def test_many_heads_at_once_agree(server, person):
    url = create(person, 1000)
    patch(person, url, 0, noise(500))
    assert {offset(person, url) for _ in range(20)} == {500}


def test_head_after_delete_is_gone(person):
    url = create(person)
    delete(person, url)
    answer = head(person, url)
    assert (answer.status_code, answer.content) == (410, b"")
    assert answer.headers["tus-resumable"] == "1.0.0"


def test_head_is_the_same_after_a_restart(new_server):
    server = new_server()
    person = make_account(server.url)
    url, deferred = create(person, 1000), create(person, None)
    patch(person, url, 0, noise(700))
    patch(person, deferred, 0, noise(50))
    gone = create(person)
    assert delete(person, gone).status_code == 204
    before = [head(person, each).headers for each in (url, deferred)]
    server.kill()
    server.start()
    for each, old in zip((url, deferred), before, strict=True):
        new = head(person, each).headers
        names = ("upload-offset", "upload-length", "upload-defer-length")
        assert [new.get(name) for name in names] == [old.get(name) for name in names]
        skew = _expiry(new) - _expiry(old)
        assert abs(skew) <= 2, "the file's own time dates the last byte"
    assert head(person, gone).status_code == 410


def _expiry(headers) -> float:
    return email.utils.parsedate_to_datetime(headers["upload-expires"]).timestamp()
