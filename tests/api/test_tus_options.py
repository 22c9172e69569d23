"""OPTIONS: what is spoken here, told to anyone."""

import httpx
import pytest

from tests.api.people import assert_problem, make_account, new_client
from tests.api.uploading import TUS, UPLOADS, create


@pytest.fixture
def nobody(server):
    with new_client(server.url) as client:
        yield client


def test_options_names_version_extensions_and_largest_size_to_anyone(nobody):
    answer = nobody.options(UPLOADS)
    assert answer.status_code == 204
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-max-size"] == str(64 * 1024 * 1024)
    assert set(answer.headers["tus-extension"].split(",")) == {
        "creation",
        "creation-with-upload",
        "creation-defer-length",
        "termination",
        "expiration",
    }


def test_options_ignores_the_clients_version_and_answers_on_an_upload_too(server, nobody):
    url = create(make_account(server.url))
    for path in (UPLOADS, url):
        assert nobody.options(path, headers={"tus-resumable": "9.9"}).status_code == 204


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_collection_refuses_other_methods_and_says_which_exist(nobody, method):
    answer = nobody.request(method, UPLOADS, headers=TUS)
    assert_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "POST, OPTIONS"
    assert answer.headers["tus-resumable"] == "1.0.0"


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "TRACE"])
def test_upload_refuses_other_methods_and_says_which_exist(server, method):
    person = make_account(server.url)
    answer = person.client.request(method, create(person), headers=TUS)
    assert_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "HEAD, PATCH, DELETE, OPTIONS"


VERSIONS = [
    [],
    [("tus-resumable", "0.2.2")],
    [("tus-resumable", "2.0.0")],
    [("tus-resumable", "1.0.0"), ("tus-resumable", "1.0.0")],
    [("tus-resumable", "")],
]


@pytest.mark.parametrize("versions", VERSIONS)
@pytest.mark.parametrize("method", ["POST", "HEAD", "PATCH", "DELETE"])
def test_any_other_version_is_refused_and_nothing_happens(server, method, versions):
    person = make_account(server.url)
    url = create(person, 5)
    headers = httpx.Headers(
        [
            *versions,
            ("upload-length", "1"),
            ("upload-offset", "0"),
            ("content-type", "application/offset+octet-stream"),
        ]
    )
    answer = person.client.request(
        method,
        UPLOADS if method == "POST" else url,
        headers=headers,
        content=b"" if method == "POST" else b"x",
    )
    assert answer.status_code == 412
    assert answer.headers["tus-version"] == answer.headers["tus-resumable"] == "1.0.0"
    assert person.client.head(url, headers=TUS).headers["upload-offset"] == "0"
