"""DELETE: an upload ends for good, its bytes soon after."""

import pytest

from tests.api.people import assert_problem, make_account
from tests.api.uploading import create, delete, finished, head, noise, patch, post, wait_until
from tests.serving import Server
from tests.stored import is_stored


@pytest.fixture
def person(server: Server):
    return make_account(server.url)


def test_delete_removes_the_upload_and_its_bytes(server, person):
    urls = [create(person, length) for length in (1000, None, 0)]
    for url in urls[:2]:
        patch(person, url, 0, b"x" * 10)
    for url in urls:
        answer = delete(person, url)
        assert (answer.status_code, answer.headers["tus-resumable"]) == (204, "1.0.0")
        assert head(person, url).status_code == 410
    wait_until(lambda: not any(is_stored(server, url) for url in urls), within_s=30)


def test_delete_of_a_finished_unclaimed_upload_is_fine(person):
    url = finished(person, noise(100))
    assert delete(person, url).status_code == 204
    assert head(person, url).status_code == 410


def test_after_delete_every_verb_hears_that_it_is_gone(person):
    url = create(person)
    assert delete(person, url).status_code == 204
    assert_problem(delete(person, url), 410, "upload-gone")
    assert_problem(patch(person, url, 0, b"x"), 410, "upload-gone")
    assert head(person, url).status_code == 410


def test_the_capability_may_delete_too(server, person):
    answer = post(person, 5)
    bearer = {"authorization": f"Bearer {answer.headers['upload-capability']}"}
    assert delete(person, answer.headers["location"], **bearer).status_code == 204
