"""Videos read from the bucket itself (`RESTANTE_BLOB_READS=direct`): who is told where, for how long, and what the server still moves."""

import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from restante.client.downloads import ciphertext
from restante.client.http import Session
from restante.protocol.wire_messages import VIDEO_PIECES
from restante.server.blobs.objects import Bucket
from restante.server.blobs.s3 import open_bucket
from restante.server.config import BadSettings, from_environment
from restante.server.edge.policies import PAGE, SERVICE_WORKER, policy_of
from tests import seaweed
from tests.api import parcels
from tests.api.people import Person, assert_problem, make_account, over
from tests.api.test_links import Guest
from tests.api.uploading import create, patch
from tests.seaweed import Seaweed
from tests.serving import Server, free_port, serving

PIECE = 100_000
DATA = os.urandom(25 * PIECE)
ASKING = {"accept": f"{VIDEO_PIECES}, application/octet-stream"}


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with seaweed.running(tmp_path_factory.mktemp("weed")) as found:
        yield found


@pytest.fixture(scope="module")
def direct(weed: Seaweed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = weed.environment(prefix="/direct") | {"RESTANTE_BLOB_READS": "direct"}
    with serving(tmp_path_factory.mktemp("direct") / "data", **env) as server:
        yield server


class Letter:
    """A video that went up in pieces, as a recording does."""

    def __init__(self, server: Server) -> None:
        self.ann, self.bob = make_account(server.url), make_account(server.url)
        url = create(self.ann, len(DATA))
        for at in range(0, len(DATA), PIECE):
            assert patch(self.ann, url, at, DATA[at : at + PIECE]).status_code == 204
        self.id = parcels.send(self.ann, self.bob, upload=url.rpartition("/")[2]).id
        self.url = f"/api/v1/messages/{self.id}/video"

    def ask(self, person: Person | None = None, **headers: str) -> httpx.Response:
        return (person or self.bob).client.get(self.url, headers=ASKING | headers)

    def pieces(self) -> list[dict[str, Any]]:
        return list(self.ask().json()["pieces"])


@pytest.fixture(scope="module")
def letter(direct: Server) -> Letter:
    return Letter(direct)


class Counting(Session):
    """Counts what each side sends: ``moved`` by the server, ``elsewhere`` by the bucket."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(url, token=token)
        self.moved = self.asked = 0

        def counted(response: httpx.Response) -> None:
            self.asked += 1
            self.moved += int(response.headers.get("content-length", "0"))
            self.moved += sum(len(name) + len(value) + 4 for name, value in response.headers.raw)

        self._http.event_hooks = {"response": [counted]}


def test_who_may_see_a_video_is_told_where_its_pieces_are_and_anybody_reads_them_there(letter):
    for person in (letter.ann, letter.bob):
        answer = letter.ask(person)
        assert (answer.status_code, answer.headers["content-type"]) == (200, VIDEO_PIECES)
        assert "no-store" in answer.headers["cache-control"]
        assert answer.headers["vary"] == "accept"
        told = answer.json()
        assert told["for_s"] == 300
        assert [piece["offset"] for piece in told["pieces"]] == list(range(0, len(DATA), PIECE))
        read = [httpx.get(piece["url"], trust_env=False).content for piece in told["pieces"]]
        assert b"".join(read) == DATA
    part = httpx.get(told["pieces"][3]["url"], headers={"range": "bytes=10-19"}, trust_env=False)
    assert (part.status_code, part.content) == (206, DATA[3 * PIECE + 10 : 3 * PIECE + 20])


def test_an_address_reads_one_object_and_does_nothing_else(letter):
    first, second = letter.pieces()[:2]
    with httpx.Client(trust_env=False) as nobody:
        for method in ("PUT", "DELETE", "POST"):
            assert nobody.request(method, first["url"], content=b"x").status_code in {403, 405}
        elsewhere = second["url"].partition("?")[0] + "?" + first["url"].partition("?")[2]
        assert nobody.get(elsewhere).status_code == 403
        assert nobody.get(first["url"].partition("?")[0]).status_code == 403, "without a signature"
        assert nobody.get(first["url"]).content == DATA[:PIECE]
    assert seaweed.SECRET not in first["url"]


def test_a_range_is_told_as_the_pieces_that_have_it(letter):
    for wanted, first, last in [("bytes=0-0", 0, 0), ("bytes=150000-250000", 1, 2), ("bytes=-1", 24, 24)]:
        found = [piece["offset"] // PIECE for piece in letter.ask(range=wanted).json()["pieces"]]
        assert found == list(range(first, last + 1))
    assert_problem(letter.ask(range=f"bytes={len(DATA)}-"), 416, "range-unsatisfiable")


def test_who_does_not_ask_for_addresses_gets_the_bytes(letter):
    """The clients of before, and a HEAD."""
    answer = letter.bob.client.get(letter.url, headers={"range": "bytes=99990-100009"})
    assert (answer.status_code, answer.content) == (206, DATA[99990:100010])
    head = letter.bob.client.head(letter.url, headers=ASKING)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(DATA)))


def test_with_proxied_reads_nobody_is_told(weed, new_server):
    letter = Letter(new_server(**weed.environment(prefix="/proxied")))
    answer = letter.ask(range="bytes=5-9")
    assert (answer.status_code, answer.content) == (206, DATA[5:10])
    with Counting(letter.bob.url, letter.bob.token) as session:
        assert b"".join(ciphertext(session, letter.id, len(DATA))) == DATA
        assert session.moved > len(DATA)


def test_nine_tenths_of_the_bytes_are_no_longer_the_servers(letter):
    """Counted with the addresses and every header; the test before is the control."""
    with Counting(letter.bob.url, letter.bob.token) as session:
        assert b"".join(ciphertext(session, letter.id, len(DATA))) == DATA
        assert session.asked == 1
        assert session.moved < len(DATA) / 100


def test_a_guest_reads_from_the_bucket_as_long_as_the_view_lasts(letter):
    guest = Guest(letter.ann, letter.id, most_opens=1)
    token = guest.open().json()["token"]
    told = guest.get("video", token, **ASKING)
    assert httpx.get(told.json()["pieces"][0]["url"], trust_env=False).content == DATA[:PIECE]
    assert guest.get("video", "x" * 43, **ASKING).status_code in {401, 403, 404, 410}


def test_whom_it_does_not_concern_is_told_nothing(direct, letter):
    stranger = make_account(direct.url)
    assert_problem(letter.ask(stranger), 404, "not-found")
    answer = httpx.get(direct.url + letter.url, headers=ASKING, trust_env=False)
    assert_problem(answer, 401, "not-signed-in")


def test_a_deleted_message_ends_what_was_told(direct):
    letter = Letter(direct)
    (first, *_) = letter.pieces()
    assert parcels.delete(letter.ann, letter.id, "everyone").status_code == 204
    over(direct, letter.ask)
    assert_problem(letter.ask(), 410, "message-gone")
    parcels.until(lambda: httpx.get(first["url"], trust_env=False).status_code == 404)


def test_who_was_signed_out_is_told_no_more(letter):
    ended = letter.bob.sign_in().json()
    with httpx.Client(base_url=letter.bob.url, headers=ASKING, trust_env=False) as device:
        device.headers["authorization"] = f"Bearer {ended['token']}"
        assert device.get(letter.url).status_code == 200
        listed = letter.bob.client.get("/api/v1/sessions").json()
        (newest,) = [each["id"] for each in listed["items"] if each["id"] != letter.bob.session_id]
        assert letter.bob.client.delete(f"/api/v1/sessions/{newest}").status_code == 204
        assert_problem(device.get(letter.url), 401, "device-removed")


def test_an_address_ends_by_itself(weed):
    objects = open_bucket(Bucket.parse(weed.url(prefix="/ends")), key=seaweed.KEY, secret=seaweed.SECRET)
    objects.put("upl_a/0", b"abc")
    short, long = (objects.addresses(["upl_a/0"], for_s=for_s)[0] for for_s in (1, 300))
    parcels.until(lambda: httpx.get(short, trust_env=False).status_code == 403, within_s=10)
    assert httpx.get(long, trust_env=False).content == b"abc"


def test_where_the_bucket_cannot_be_reached_the_server_moves_the_bytes(weed, new_server):
    """A network that lets people to the server only: slower to begin, and nothing is missing."""
    env = weed.environment(prefix="/walled") | {"RESTANTE_BLOB_READS": "direct"}
    env["RESTANTE_BLOB_URL"] += f"&public=http://127.0.0.1:{free_port()}"
    letter = Letter(new_server(**env))
    with Counting(letter.bob.url, letter.bob.token) as session:
        assert b"".join(ciphertext(session, letter.id, len(DATA))) == DATA
        assert session.asked == 3, "twice told where, then given"


# The settings, and what pages may do


def test_direct_reads_need_a_bucket(tmp_path):
    with pytest.raises(BadSettings, match="RESTANTE_BLOB_READS=direct needs RESTANTE_BLOB_URL"):
        from_environment({"RESTANTE_BLOB_READS": "direct"}, data=tmp_path)


@pytest.mark.parametrize(
    ("url", "begins"),
    [
        ("s3://blobs", "https://s3.us-east-1.amazonaws.com/blobs/"),
        ("s3://blobs/a/b?region=eu-1&endpoint=https://s3.example", "https://s3.example/blobs/a/b/"),
        ("s3://blobs?endpoint=http://10.0.0.1:8333&public=https://videos.example", "https://videos.example/blobs/"),
    ],
)  # fmt: skip
def test_addresses_begin_as_the_policy_says(url, begins):
    bucket = Bucket.parse(url)
    assert bucket.readable_at == begins
    (address,) = open_bucket(bucket, key="k", secret="s").addresses(["upl_a/0"], for_s=300)
    assert address.startswith(f"{begins}upl_a/0?")


def test_only_pages_may_connect_to_the_bucket_and_only_below_its_prefix():
    begins = "https://s3.example/blobs/a/"
    page = policy_of("/guest.html", videos_at=begins) or b""
    assert page == PAGE.replace(b"connect-src 'self'", b"connect-src 'self' https://s3.example/blobs/a/")
    assert policy_of("/index.html") == PAGE
    assert policy_of("/sw.js", videos_at=begins) == SERVICE_WORKER
    assert b"s3.example" not in (policy_of("/workers/take-1.js", videos_at=begins) or b"")


def test_the_served_page_has_that_policy(direct, weed):
    page = httpx.get(direct.url, headers={"accept": "text/html"}, trust_env=False)
    if "x-request-id" in page.headers and b"no web app" not in page.content:
        assert (
            f"connect-src 'self' http://127.0.0.1:{weed.port}/blobs/direct/;"
            in page.headers["content-security-policy"]
        )
