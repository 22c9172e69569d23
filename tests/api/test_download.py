"""The download of a video: whole, by range, conditional; bytes that no browser may take for anything else."""

import hashlib
import re
import threading
from pathlib import Path

import httpx
import pytest

from restante.protocol.ids import Prefix, new_id
from tests.api import parcels
from tests.api.people import Person, assert_problem, make_account, new_client
from tests.api.uploading import noise, wait_until, wire
from tests.serving import Server
from tests.stored import lose

SIZE = 1_000_003
DATA = noise(SIZE)


class Video:
    """A sent video, its sender and its recipient."""

    def __init__(self, server: Server, data: bytes) -> None:
        self.sender, self.recipient = make_account(server.url), make_account(server.url)
        self.id = parcels.send_video(self.sender, self.recipient, data=data).id
        self.url = f"/api/v1/messages/{self.id}/video"

    def get(self, person: Person | None = None, method: str = "GET", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return (person or self.recipient).client.request(method, self.url, headers=named)


@pytest.fixture(scope="module")
def video(server: Server) -> Video:
    return Video(server, DATA)


def test_sender_and_recipient_get_the_very_bytes(video):
    for person in (video.sender, video.recipient):
        answer = video.get(person)
        assert (answer.status_code, answer.headers["content-length"]) == (200, str(SIZE))
        assert answer.content == DATA


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [{}, {"range": "bytes=5-9"}])
def test_headers_keep_a_browser_from_using_the_bytes(video, method, headers):
    answer = video.get(method=method, **headers)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["accept-ranges"] == "bytes"
    assert "no-store" in answer.headers["cache-control"]
    assert re.fullmatch(r'"[^"]+"', answer.headers["etag"])
    assert len(answer.headers.get_list("content-security-policy")) == 1


def test_head_says_what_get_would_without_the_bytes(video):
    for headers, status, length in (({}, 200, SIZE), ({"range": "bytes=10-19"}, 206, 10)):
        answer = video.get(method="HEAD", **headers)
        assert (answer.status_code, answer.content) == (status, b"")
        assert answer.headers["content-length"] == str(length)


SPANS = {
    "bytes=0-": (0, SIZE),
    "bytes=0-0": (0, 1),
    "bytes=5-9": (5, 10),
    f"bytes=0-{SIZE - 1}": (0, SIZE),
    f"bytes={SIZE - 1}-": (SIZE - 1, SIZE),
    "bytes=-1": (SIZE - 1, SIZE),
    f"bytes=-{SIZE}": (0, SIZE),
    f"bytes=-{SIZE + 5}": (0, SIZE),
    "bytes=100-99999999999": (100, SIZE),
    "bytes=262143-262145": (262143, 262146),
    "bytes=100000-900000": (100000, 900001),
}


@pytest.mark.parametrize("value", SPANS)
def test_one_range_is_served_exactly(video, value):
    start, end = SPANS[value]
    answer = video.get(range=value)
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(end - start)
    assert answer.content == DATA[start:end]


@pytest.mark.parametrize(
    "value",
    ["bytes=5-2", "bytes=-0", f"bytes={SIZE}-", f"bytes={SIZE + 1}-{SIZE + 5}", "bytes=-", "bytes=", "bytes=a-b",
     "bytes=1_0-20", "bytes=+1-2", "bytes= 1-2", "bytes=1-2-3", "bytes=0x1-", "bytes=" + "9" * 30 + "-", "bytes=--1"],
)  # fmt: skip
def test_ranges_that_cannot_be_are_416_and_tell_the_size(video, value):
    answer = video.get(range=value)
    assert_problem(answer, 416, "range-unsatisfiable")
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


def test_digits_that_are_not_ascii_are_no_range(video):
    answer = video.recipient.client.get(video.url, headers=[(b"range", "bytes=\u0661-\u0662".encode())])
    assert answer.status_code == 416


@pytest.mark.parametrize(
    "value",
    [
        "bytes=0-1,5-9",
        "bytes=0-," + "0-," * 999 + "0-",
        "bytes=0-9, 0-9",
        "items=0-5",
        "Bytes=0-5",
        "nonsense",
        "",
    ],
)
def test_several_ranges_and_other_units_mean_the_whole_file(video, value):
    answer = video.get(range=value)
    assert (answer.status_code, len(answer.content)) == (200, SIZE)
    assert "content-range" not in answer.headers


def test_a_range_header_of_sixty_four_kib_is_refused_at_the_door(video):
    assert_problem(video.get(range="bytes=" + "0-," * 21_000), 431, "headers-too-large")


def test_resuming_by_if_range_works_while_the_etag_is_the_same(video):
    etag = video.get(method="HEAD").headers["etag"]
    assert video.get(range="bytes=10-19", if_range=etag).content == DATA[10:20]
    for other in ('"another"', f"W/{etag}", "Sun, 22 Nov 2026 09:00:00 GMT", etag.strip('"')):
        answer = video.get(range="bytes=10-19", if_range=other)
        assert (answer.status_code, len(answer.content)) == (200, SIZE)


def test_what_one_has_already_is_not_sent_again(video):
    etag = video.get(method="HEAD").headers["etag"]
    for value in (etag, f'"x", {etag}', f"W/{etag}", "*"):
        answer = video.get(if_none_match=value)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
    assert video.get(if_none_match='"other"').status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_do_not_exist(video, method):
    answer = video.get(method=method)
    assert_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD"


def test_to_others_there_is_no_such_video(server, video):
    stranger = make_account(server.url)
    foreign = video.get(stranger)
    unknown = stranger.client.get(f"/api/v1/messages/{new_id(Prefix.MESSAGE)}/video")
    odd = stranger.client.get("/api/v1/messages/..%2f..%2fetc/video")
    problems = [assert_problem(answer, 404, "not-found") for answer in (foreign, unknown, odd)]
    for problem in problems:
        del problem["instance"]
    assert problems[0] == problems[1] == problems[2]
    with new_client(server.url) as nobody:
        assert_problem(nobody.get(video.url), 401, "not-signed-in")


def test_a_message_without_video_has_none(server, video):
    message = parcels.send(video.sender, video.recipient)
    assert_problem(video.recipient.client.get(f"/api/v1/messages/{message.id}/video"), 404, "not-found")


def test_a_blob_that_is_lost_on_the_disk_is_not_found_and_not_a_fault(server):
    lost = Video(server, noise(1000))
    upload = lost.get(method="HEAD").headers["etag"].strip('"')
    lose(server, upload)
    for headers in ({}, {"range": "bytes=0-9"}):
        assert_problem(lost.get(**headers), 404, "not-found")


def test_many_ranges_in_parallel_add_up_to_the_file(video):
    step = 100_000
    parts: dict[int, bytes] = {}

    def fetch(start: int) -> None:
        parts[start] = video.get(range=f"bytes={start}-{start + step - 1}").content

    threads = [threading.Thread(target=fetch, args=(start,)) for start in range(0, SIZE, step)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    joined = b"".join(parts[start] for start in sorted(parts))
    assert hashlib.sha256(joined).digest() == hashlib.sha256(DATA).digest()


def test_readers_that_go_away_leave_no_file_open(server):
    big = Video(server, noise(20 * 1024 * 1024))
    upload = big.get(method="HEAD").headers["etag"].strip('"')
    assert big.get(range="bytes=0-0").status_code == 206
    for ranged in ("", f"Range: bytes=0-{20 * 1024 * 1024 - 2}\r\n") * 3:
        with wire(server.port) as gone:
            gone.send(
                f"GET {big.url} HTTP/1.1\r\nHost: x\r\n{ranged}Authorization: Bearer {big.recipient.token}\r\n\r\n"
            )
            assert gone.socket.recv(1000).startswith(b"HTTP/1.1 20")
            gone.reset()
    kept = 1  # the upload itself stays on the shelf for a while
    wait_until(lambda: open_files(server, upload) <= kept, within_s=10)


def open_files(server: Server, name: str) -> int:
    """How often the server's processes have the file open."""
    count = 0
    for process in children(server.process.pid):
        for link in process.glob("fd/*"):
            try:
                count += link.readlink().name == name
            except FileNotFoundError:
                continue
    return count


def children(pid: int):
    found = [Path(f"/proc/{pid}")]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += children(int(child))
    return found
