"""What bounds uploads: the rate of creation and the disk. What runs already is never turned away for passing trouble."""

import shutil

import pytest

from tests.api.people import assert_problem, make_account
from tests.api.uploading import create, delete, finished, head, noise, patch, post
from tests.stored import all_stored


def test_creations_beyond_the_rate_hear_429_and_appends_never_do(new_server):
    server = new_server(RESTANTE_RATE_UPLOADS="3/1s")
    person = make_account(server.url)
    urls = [create(person, 1000) for _ in range(3)]
    answer = post(person, 1)
    assert_problem(answer, 429, "rate-limited")
    assert int(answer.headers["retry-after"]) >= 1
    assert len(all_stored(server)) == 3, "what is refused leaves no blob"
    codes = [patch(person, urls[0], at, b"x").status_code for at in range(30)]
    assert codes == [204] * 30
    assert [head(person, urls[0]).status_code for _ in range(30)] == [200] * 30
    assert create(make_account(server.url), 1), "somebody else's rate is untouched"


@pytest.fixture
def nearly_full(new_server, tmp_path):
    """A server that wants to keep what is free now, but for 50 GiB."""
    free = shutil.disk_usage(tmp_path).free
    return new_server(
        RESTANTE_UPLOAD_BYTES="100g",
        RESTANTE_KEEP_FREE_BYTES=str(free - 50 * 1024**3),
        RESTANTE_RATE_UPLOADS="1000/1s",
    )


@pytest.mark.files
def test_creation_beyond_the_free_disk_hears_507_and_reserves_what_it_takes(nearly_full):
    """Announced bytes are reserved, a deferred length counts as the largest; what is removed is free again."""
    person = make_account(nearly_full.url)
    gib = 1024**3
    assert_problem(post(person, None), 507, "storage-full")
    answer = post(person, 60 * gib)
    assert_problem(answer, 507, "storage-full")
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert int(answer.headers["retry-after"]) >= 1
    first = create(person, 30 * gib)
    assert_problem(post(person, 30 * gib), 507, "storage-full")
    assert patch(person, first, 0, noise(1000)).status_code == 204, "what runs goes on"
    assert delete(person, first).status_code == 204
    create(person, 30 * gib)
    assert finished(person, noise(10))
