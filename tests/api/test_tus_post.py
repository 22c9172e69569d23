"""POST: creating an upload, and every way to ask for one wrongly."""

import email.utils
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from restante.protocol.ids import Prefix, is_id
from tests.api.people import assert_problem, make_account, new_client
from tests.api.uploading import BODY, TUS, UPLOADS, create, delete, head, noise, offset, patch, post, wire
from tests.serving import Server

MAX = 64 * 1024 * 1024
NUMBERS = ["-1", "1e9", "0x10", "1_0", "１０", " 1 0", "+5", "1" * 20, "9" * 5000, str(2**63), "", "1.0", "٣"]  # noqa: RUF001 - digits that are not ASCII are the point


@pytest.fixture
def person(server: Server):
    return make_account(server.url)


def test_creation_answers_with_a_relative_address_a_capability_and_an_expiry(person):
    answer = post(person, 1000)
    assert answer.status_code == 201
    assert answer.headers["tus-resumable"] == "1.0.0"
    location = answer.headers["location"]
    assert location.startswith(f"{UPLOADS}/upl_")
    assert is_id(location.rpartition("/")[2], Prefix.UPLOAD)
    assert len(answer.headers["upload-capability"]) >= 43, "at least 128 random bits"
    expires = email.utils.parsedate_to_datetime(answer.headers["upload-expires"]).timestamp()
    assert abs(expires - time.time() - 24 * 3600) < 60
    assert head(person, location).headers["upload-length"] == "1000"


@pytest.mark.parametrize(
    "name", ["host", "x-forwarded-host", "x-forwarded-proto", "forwarded", "x-original-url"]
)
def test_location_stays_relative_whatever_the_request_says_of_its_host(person, name):
    answer = post(person, 10, **{name: "evil.example"})
    assert answer.status_code == 201
    assert answer.headers["location"].startswith("/api/v1/uploads/upl_")
    assert "evil" not in str(answer.headers)


def test_creation_of_nothing_is_finished_at_once(person):
    answer = post(person, 0)
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "0")
    state = head(person, answer.headers["location"])
    assert (state.headers["upload-offset"], state.headers["upload-length"]) == ("0", "0")
    assert_problem(patch(person, answer.headers["location"], 0, b"x"), 409, "upload-finished")


def test_creation_with_upload_stores_the_first_bytes(person):
    data = noise(3000)
    answer = post(person, 5000, data, **BODY)
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "3000")
    assert patch(person, answer.headers["location"], 3000, noise(2000)).status_code == 204


def test_creation_with_upload_of_everything_finishes(person):
    answer = post(person, 3000, noise(3000), **BODY)
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "3000")
    assert_problem(patch(person, answer.headers["location"], 3000, b"x"), 409, "upload-finished")


def test_creation_with_upload_larger_than_announced_creates_nothing(person):
    assert_problem(post(person, 10, b"x" * 11, **BODY), 413, "too-large")
    for _ in range(5):
        create(person)


@pytest.mark.parametrize("content_type", ["", "application/octet-stream", "text/plain"])
def test_creation_with_a_body_of_another_type_is_refused(person, content_type):
    assert_problem(post(person, 10, b"x", content_type=content_type), 415, "wrong-content-type")


@pytest.mark.parametrize("number", NUMBERS)
def test_creation_takes_lengths_in_plain_digits_only(server, person, number):
    with wire(server.port) as connection:
        connection.start(
            "POST",
            UPLOADS,
            f"Authorization: Bearer {person.token}",
            "Tus-Resumable: 1.0.0",
            f"Upload-Length: {number}".encode().decode("latin-1"),
            "Content-Length: 0",
        )
        assert connection.status() == 400


def test_creation_refuses_two_lengths(server, person):
    for second in ("11", "10"):
        headers = [*TUS.items(), ("upload-length", "10"), ("upload-length", second)]
        assert_problem(person.client.post(UPLOADS, headers=headers), 400, "bad-length")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"upload-length": "5", "upload-defer-length": "1"},
        {"upload-defer-length": "0"},
        {"upload-defer-length": "true"},
        {"upload-defer-length": ""},
        {"upload-length": "5", "upload-defer-length": "0"},
    ],
)
def test_creation_wants_a_length_or_its_deferral_never_both_or_neither(person, headers):
    assert_problem(person.client.post(UPLOADS, headers=TUS | headers), 400, "bad-length")


def test_creation_refuses_more_than_the_largest_size_and_says_what_that_is(person):
    problem = assert_problem(post(person, MAX + 1), 413, "too-large")
    assert problem["limit"] == MAX
    assert_problem(post(person, 10**18 - 1), 413, "too-large")
    assert post(person, MAX).status_code == 201


@pytest.mark.parametrize(
    "metadata",
    [
        "filename not-base64!",
        "filename ZmlsZQ",
        "a QQ==, , b QQ==",
        "a ZmlsZQ==,,b ZmlsZQ==",
        "a ZmlsZQ==,a ZmlsZQ==",
        "a ZmlsZQ== ZmlsZQ==",
        "é ZmlsZQ==",
        ",",
        "a " + "QUFB" * 2049,
        ",".join(f"k{n} QQ==" for n in range(10_000))[:15_000] + "==",
    ],
)
def test_creation_refuses_metadata_that_is_malformed_or_long(person, metadata):
    answer = person.client.post(
        UPLOADS,
        headers=[
            (name.encode(), value.encode())
            for name, value in (TUS | {"upload-length": "5", "upload-metadata": metadata}).items()
        ],
    )
    assert_problem(answer, 400, "bad-metadata")


def test_creation_refuses_sixty_four_kib_of_metadata_at_the_door(person):
    answer = post(person, 5, upload_metadata="a " + "QUFB" * 16384)
    assert_problem(answer, 431, "headers-too-large")


@pytest.mark.parametrize(
    "metadata", ["", "filename d29ybGQ=", "is_confidential", "filename d29ybGQ=,type dmlkZW8=, x QQ=="]
)
def test_creation_takes_well_formed_metadata_and_tells_it_to_nobody(person, metadata):
    answer = post(person, 5, upload_metadata=metadata)
    assert answer.status_code == 201
    assert "upload-metadata" not in head(person, answer.headers["location"]).headers


@pytest.mark.parametrize("concat", ["partial", "final;/a /b"])
def test_creation_does_not_concatenate(person, concat):
    assert_problem(post(person, 5, upload_concat=concat), 400, "bad-request")


def test_creation_needs_a_session(server, person):
    wanted = TUS | {"upload-length": "5"}
    with new_client(server.url) as nobody:
        assert_problem(nobody.post(UPLOADS, headers=wanted), 401, "not-signed-in")
        for token in ("nonsense", "a b", "é", "x" * 5000):
            answer = nobody.post(UPLOADS, headers=wanted | {"authorization": f"Bearer {token}".encode()})
            assert_problem(answer, 401, "not-signed-in")


def test_a_capability_is_no_session(server, person):
    capability = post(person, 5).headers["upload-capability"]
    with new_client(server.url, capability) as bearer:
        assert_problem(bearer.post(UPLOADS, headers=TUS | {"upload-length": "5"}), 401, "not-signed-in")


def test_a_sixth_unfinished_upload_is_refused_until_one_is_finished_or_gone(person):
    urls = [create(person, 1) for _ in range(5)]
    problem = assert_problem(post(person, 1), 429, "too-many-uploads")
    assert problem["limit"] == 5
    assert patch(person, urls[0], 0, b"x").status_code == 204
    urls.append(create(person, 1))
    assert_problem(post(person, 1), 429, "too-many-uploads")
    assert delete(person, urls[1]).status_code == 204
    create(person, 1)


def test_many_at_once_never_make_a_sixth(person):
    """The count and the insertion are one transaction."""
    with ThreadPoolExecutor(20) as pool:
        codes = sorted(pool.map(lambda _: post(person, 1).status_code, range(20)))
    assert codes == [201] * 5 + [429] * 15


@pytest.mark.parametrize("override", ["PATCH", "DELETE"])
def test_method_override_counts_on_an_upload_only(person, override):
    answer = post(person, 5, x_http_method_override=override)
    assert answer.status_code == 201, "ignored on the collection"


def test_method_override_patches_and_deletes(person):
    url = create(person, 6)
    wanted = TUS | BODY | {"upload-offset": "0", "x-http-method-override": "PATCH"}
    assert person.client.post(url, headers=wanted, content=b"abc").status_code == 204
    assert offset(person, url) == 3
    for ignored in ("HEAD", "patch", "GET"):
        answer = person.client.post(url, headers=wanted | {"x-http-method-override": ignored})
        assert_problem(answer, 405, "method-not-allowed")
    headers = TUS | {"x-http-method-override": "DELETE"}
    assert person.client.post(url, headers=headers).status_code == 204
    assert head(person, url).status_code == 410


def test_method_override_on_other_methods_is_ignored(person):
    url = create(person, 6)
    assert head(person, url, x_http_method_override="DELETE").status_code == 200
    assert head(person, url).status_code == 200
