"""PATCH: bytes appended in order, once, within the length; everything else changes nothing."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from restante.server.uploads.opened import STALLED_S
from tests.api.people import assert_problem, make_account
from tests.api.test_tus_post import NUMBERS
from tests.api.uploading import (
    BODY,
    TUS,
    create,
    delete,
    finished,
    head,
    noise,
    offset,
    patch,
    patch_head,
    post,
    wait_until,
    wire,
)
from tests.serving import Server, serving
from tests.stored import stored


@pytest.fixture
def person(server: Server):
    return make_account(server.url)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory):
    """A server that takes little and waits for nobody."""
    limits = {"RESTANTE_UPLOAD_BYTES": "100k", "RESTANTE_BODY_TIMEOUT_S": "1"}
    with serving(tmp_path_factory.mktemp("narrow") / "data", **limits) as running:
        yield running


def test_append_moves_the_offset_by_what_was_sent(server, person):
    data = noise(700_000)
    url = create(person, len(data))
    for start, end in ((0, 1), (1, 300_000), (300_000, 300_000), (300_000, 700_000)):
        answer = patch(person, url, start, data[start:end])
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(end))
        assert answer.headers["tus-resumable"] == "1.0.0"
        assert "upload-expires" in answer.headers
    assert stored(server, url) == data


@pytest.mark.parametrize("wrong", [0, 4, 6, 1000, 10**17])
def test_append_rejects_another_offset_and_changes_nothing(server, person, wrong):
    url = create(person, 1000)
    patch(person, url, 0, b"12345")
    assert_problem(patch(person, url, wrong, b"x"), 409, "offset-mismatch")
    assert offset(person, url) == 5
    assert stored(server, url) == b"12345"


@pytest.mark.parametrize("number", NUMBERS)
def test_append_takes_offsets_in_plain_digits_only(server, person, number):
    url = create(person, 10)
    with wire(server.port) as connection:
        connection.start("PATCH", url, *patch_head(person, 0, 1)[:3], "Content-Length: 1",
                         f"Upload-Offset: {number}".encode().decode("latin-1")).send("x")  # fmt: skip
        assert connection.status() == 400
    assert offset(person, url) == 0


def test_append_needs_an_offset_once(person):
    url = create(person, 10)
    assert_problem(person.client.patch(url, headers=TUS | BODY, content=b"x"), 400, "bad-length")
    twice = [*TUS.items(), *BODY.items(), ("upload-offset", "0"), ("upload-offset", "0")]
    assert_problem(person.client.patch(url, headers=twice, content=b"x"), 400, "bad-length")


@pytest.mark.parametrize(
    "content_type", [None, "", "application/octet-stream", "application/offset+octet-stream; a=b"]
)
def test_append_rejects_another_content_type(person, content_type):
    url = create(person, 10)
    headers = TUS | {"upload-offset": "0"}
    if content_type is not None:
        headers |= {"content-type": content_type}
    assert_problem(person.client.patch(url, headers=headers, content=b"x"), 415, "wrong-content-type")
    assert offset(person, url) == 0


def test_append_beyond_the_length_stores_nothing_and_stays_resumable(server, person):
    url = create(person, 10)
    patch(person, url, 0, b"12345")
    problem = assert_problem(patch(person, url, 5, b"x" * 6), 413, "too-large")
    assert problem["limit"] == 10
    assert offset(person, url) == 5
    assert patch(person, url, 5, b"67890").status_code == 204
    assert stored(server, url) == b"1234567890"


def test_append_without_announced_end_is_stored_up_to_what_fits(server, person):
    url = create(person, 10)
    with wire(server.port) as connection:
        connection.start("PATCH", url, *patch_head(person, 0, "chunked"))
        connection.send("4\r\n1234\r\n").send("9\r\n567890XXX\r\n0\r\n\r\n")
        assert connection.status() == 413
    at = offset(person, url)
    assert at in {0, 4}, "never beyond the length, whichever way the pieces arrived"
    assert patch(person, url, at, b"1234567890"[at:]).status_code == 204
    assert stored(server, url) == b"1234567890"


def test_append_of_a_chunked_body_is_the_same_bytes(server, person):
    data = noise(300_000)
    url = create(person, len(data))

    def pieces():
        for start in range(0, len(data), 70_001):
            yield data[start : start + 70_001]

    answer = person.client.patch(url, headers=TUS | BODY | {"upload-offset": "0"}, content=pieces())
    assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(len(data)))
    assert stored(server, url) == data


def test_finished_upload_is_immutable(server, person):
    """Replays, immediate or late, are refused and change nothing."""
    data = noise(1000)
    url = finished(person, data)
    for start, piece in ((0, data), (0, b"x"), (999, b"x"), (1000, b"x"), (1001, b"x"), (500, b"")):
        assert patch(person, url, start, piece).status_code == 409
    assert stored(server, url) == data
    assert offset(person, url) == 1000


def test_each_patch_replayed_five_times_stores_its_bytes_once(server, person):
    data = noise(100_000)
    url = create(person, len(data))
    for start in range(0, len(data), 20_000):
        piece = data[start : start + 20_000]
        codes = [patch(person, url, start, piece).status_code for _ in range(5)]
        assert codes == [204, 409, 409, 409, 409]
    assert stored(server, url) == data


def test_patches_racing_for_one_offset_never_mix(server, person):
    """Exactly one wins; the others hear 409 or 423, and the bytes are the winner's alone."""
    url = create(person, 3 * 50_000)
    for start in (0, 50_000, 100_000):
        bodies = [bytes([65 + number]) * 50_000 for number in range(8)]

        # Who is refused is hung up on, amid the body: so each by a connection of its own.
        def race(body: bytes, at: int = start) -> int:
            return patch(person, url, at, body, connection="close").status_code

        with ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(race, bodies))
        assert codes.count(204) == 1, codes
        assert set(codes) <= {204, 409, 423}
        assert stored(server, url)[start:] == bodies[codes.index(204)]


@pytest.mark.files
def test_newer_patch_takes_over_from_a_silent_one(server, person):
    url = create(person, 100)
    with wire(server.port) as silent:
        silent.start("PATCH", url, *patch_head(person, 0, 100)).send(b"s" * 10)
        wait_until(lambda: len(stored(server, url)) == 10)
        began = time.monotonic()
        assert patch(person, url, 10, b"n" * 90).status_code == 204
        assert time.monotonic() - began < 20  # not the minute that a body may stall
        assert silent.send(b"s").status() == 423
    assert stored(server, url) == b"s" * 10 + b"n" * 90


@pytest.mark.files
def test_a_stale_patch_takes_the_pen_from_nobody(server, person):
    """A resent request with an old offset is refused at once, and the one that writes, however slowly, goes on."""
    url = create(person, 100)
    with wire(server.port) as slow:
        slow.start("PATCH", url, *patch_head(person, 0, 100)).send(b"s" * 10)
        wait_until(lambda: len(stored(server, url)) == 10)
        time.sleep(STALLED_S + 0.2)
        assert_problem(patch(person, url, 0, b"n" * 100), 409, "offset-mismatch")
        assert slow.send(b"s" * 90).status() == 204
    assert stored(server, url) == b"s" * 100


# Deferred length


def test_deferred_length_is_set_once_and_by_an_empty_patch_too(server, person):
    url = create(person, None)
    assert patch(person, url, 0, b"12345").status_code == 204
    answer = patch(person, url, 5, b"", upload_length="5")
    assert (answer.status_code, answer.headers["upload-offset"]) == (204, "5")
    assert_problem(patch(person, url, 5, b"x"), 409, "upload-finished")
    assert head(person, url).headers["upload-length"] == "5"


def test_deferred_length_may_come_before_the_last_bytes(person):
    url = create(person, None)
    assert patch(person, url, 0, b"123", upload_length="5").status_code == 204
    assert_problem(patch(person, url, 3, b"456"), 413, "too-large")
    assert patch(person, url, 3, b"45", upload_length="5").status_code == 204


@pytest.mark.parametrize(
    ("length", "status", "code"),
    [
        ("4", 400, "bad-length"),
        ("6", 413, "too-large"),
        (str(64 * 1024 * 1024 + 1), 413, "too-large"),
        ("-1", 400, "bad-length"),
    ],
)
def test_deferred_length_that_cannot_be_is_refused(person, length, status, code):
    url = create(person, None)
    patch(person, url, 0, b"12345")
    assert_problem(patch(person, url, 5, b"678", upload_length=length), status, code)
    assert offset(person, url) == 5
    assert "upload-defer-length" in head(person, url).headers


def test_length_does_not_change(person):
    known, deferred = create(person, 10), create(person, None)
    patch(person, deferred, 0, b"x", upload_length="10")
    assert_problem(patch(person, known, 0, b"x", upload_length="11"), 400, "bad-length")
    assert_problem(patch(person, deferred, 1, b"x", upload_length="9"), 400, "bad-length")
    assert patch(person, known, 0, b"x", upload_length="10").status_code == 204


def test_deferred_upload_ends_at_the_largest_size(narrow):
    person = make_account(narrow.url)
    url = create(person, None)
    assert patch(person, url, 0, bytes(102_400)).status_code == 204
    assert_problem(patch(person, url, 102_400, b"x"), 413, "too-large")
    assert patch(person, url, 102_400, b"", upload_length="102400").status_code == 204
    assert_problem(post(person, 102_401), 413, "too-large")


# Cut bodies


@pytest.mark.parametrize("how", ["close", "reset", "half-close"])
@pytest.mark.files
def test_cut_body_keeps_what_arrived(server, person, how):
    url = create(person, 1000)
    with wire(server.port) as cut:
        cut.start("PATCH", url, *patch_head(person, 0, 1000)).send(b"k" * 400)
        wait_until(lambda: len(stored(server, url)) == 400)
        if how == "close":
            cut.socket.close()
        elif how == "reset":
            cut.reset()
        else:
            cut.end()
            assert cut.status() in {0, 400}
    assert offset(person, url) == 400
    assert patch(person, url, 400, b"l" * 600).status_code == 204
    assert stored(server, url) == b"k" * 400 + b"l" * 600


def test_body_that_stalls_keeps_what_arrived_and_hears_503(narrow):
    """408 would make clients give the upload up; after 503 they come back."""
    person = make_account(narrow.url)
    url = create(person, 1000)
    with wire(narrow.port) as slow:
        slow.start("PATCH", url, *patch_head(person, 0, 1000)).send(b"k" * 400)
        text = slow.answer()
        assert text.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1\r\n" in text.lower()
        assert b"connection: close\r\n" in text.lower()
    assert offset(person, url) == 400


@pytest.mark.files
def test_delete_ends_a_patch_in_progress(server, person):
    url = create(person, 1000)
    with wire(server.port) as writing:
        writing.start("PATCH", url, *patch_head(person, 0, 1000)).send(b"k" * 400)
        wait_until(lambda: len(stored(server, url)) == 400)
        assert delete(person, url).status_code == 204
        assert writing.send(b"k").status() == 410
    assert head(person, url).status_code == 410
