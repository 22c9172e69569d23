"""Guest links: who may make, open, see and end them; what counts as an open; the last open, raced for."""

import os
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from restante.protocol.encoding import b64, unb64
from tests.api.parcels import delete, inbox, make_parcel, make_upload, new_key, post, send_video
from tests.api.people import Person, assert_problem, make_account, new_client, now_ms, sealed
from tests.api.tokens import Secret
from tests.serving import Server

DATA = os.urandom(300_000)


@pytest.fixture(scope="module")
def ann(server: Server) -> Person:
    return make_account(server.url)


@pytest.fixture(scope="module")
def bob(server: Server) -> Person:
    return make_account(server.url)


@pytest.fixture(scope="module")
def video(ann: Person, bob: Person) -> str:
    return send_video(ann, bob, data=DATA).id


class Guest:
    """Somebody with no account who was given a link."""

    def __init__(self, owner: Person, message_id: str, **terms: Any) -> None:
        self.owner, self.secret, self.envelope = owner, Secret(), sealed(700)
        body = {"bearer_sha256": self.secret.sha256, "envelope": b64(self.envelope), **terms}
        answer = owner.client.post(f"/api/v1/messages/{message_id}/links", json=body)
        assert answer.status_code == 201, answer.text
        self.body, self.link = body, answer.json()
        self.client = new_client(owner.url)
        weakref.finalize(self, self.client.close)
        self.url = f"/api/v1/links/{self.link['id']}"

    def open(self, **headers: str) -> httpx.Response:
        return self.client.post(f"{self.url}/opens", headers={**self.secret.headers, **headers})

    def get(self, what: str, token: str, **headers: str) -> httpx.Response:
        named = {"authorization": f"Bearer {token}", **headers}
        return self.client.get(f"{self.url}/{what}", headers=named)

    @property
    def told(self) -> dict[str, Any]:
        """What the owner is told of it."""
        items = self.owner.client.get("/api/v1/links").json()["items"]
        (found,) = [item for item in items if item["id"] == self.link["id"]]
        return dict(found)


def test_a_guest_fetches_opens_and_plays(ann, video):
    guest = Guest(ann, video, most_opens=3)
    assert guest.get("envelope", guest.secret.bearer).content == guest.envelope
    assert guest.told["opens"] == 0
    view = guest.open()
    assert view.status_code == 201
    token = view.json()["token"]
    assert view.json() == {
        "token": token,
        "until": pytest.approx(now_ms() + 30 * 60_000, abs=20_000),
        "message": video,
        "kind": "video",
        "video_bytes": len(DATA),
        "may_save": True,
        "may_answer": False,
    }
    assert guest.get("video", token).content == DATA
    part = guest.get("video", token, range="bytes=1000-1999")
    assert (part.status_code, part.content) == (206, DATA[1000:2000])
    of_owner = ann.client.get(f"/api/v1/messages/{video}/details")
    details = guest.get("details", token)
    assert (details.content, details.headers["etag"]) == (of_owner.content, of_owner.headers["etag"])
    assert details.headers["cache-control"] == "private, no-store"
    assert guest.get("envelope", token).content == guest.envelope
    assert (guest.told["opens"], guest.told["state"]) == (1, "open")
    assert guest.told["last_opened_at"] == pytest.approx(now_ms(), abs=20_000)


def test_nothing_is_shown_without_the_secret_or_before_the_open(ann, bob, video):
    guest, other = Guest(ann, video), Guest(ann, video)
    wrong = Secret().bearer
    assert_problem(guest.get("envelope", wrong), 403, "view-over")
    assert_problem(guest.client.get(f"{guest.url}/envelope"), 404, "not-found")
    assert_problem(guest.client.post(f"{guest.url}/opens"), 404, "not-found")
    assert_problem(guest.client.post(f"{guest.url}/opens", headers=Secret().headers), 404, "not-found")
    for what in ("details", "video"):
        for token in (guest.secret.bearer, wrong, ann.token, bob.token):
            assert_problem(guest.get(what, token), 403, "view-over")
    token = other.open().json()["token"]
    assert_problem(guest.get("video", token), 403, "view-over")
    assert other.get("video", token).status_code == 200
    assert_problem(
        guest.client.get("/api/v1/inbox", headers={"authorization": f"Bearer {token}"}), 401, "not-signed-in"
    )
    assert guest.told["opens"] == 0


def test_programs_that_look_at_addresses_count_nothing(ann, video, server):
    guest = Guest(ann, video, most_opens=1)
    for method in ("GET", "HEAD", "PUT"):
        answer = guest.client.request(method, f"{guest.url}/opens", headers=guest.secret.headers)
        assert answer.status_code == 405
    for method in ("GET", "HEAD"):
        page = guest.client.request(method, f"/m/{guest.link['id']}", headers={"accept": "text/html"})
        assert page.status_code == 200
    for _ in range(3):
        assert guest.get("envelope", guest.secret.bearer).status_code == 200
    assert guest.told["opens"] == 0
    assert guest.open().status_code == 201


def test_of_many_who_race_for_the_last_open_one_gets_it(ann, video):
    guest = Guest(ann, video, most_opens=1)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: guest.open(), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [410] * 7
    (view,) = [answer.json()["token"] for answer in answers if answer.status_code == 201]
    assert (guest.told["opens"], guest.told["state"]) == (1, "used-up")
    assert_problem(guest.get("envelope", guest.secret.bearer), 410, "link-gone")
    assert guest.get("video", view).content == DATA


def test_a_revoked_link_shows_nothing_from_that_moment_also_while_it_is_opened(ann, bob, video):
    guest = Guest(ann, video)
    view = guest.open().json()["token"]
    revoke = f"/api/v1/links/{guest.link['id']}"
    assert_problem(bob.client.delete(revoke), 404, "not-found")
    with ThreadPoolExecutor(6) as pool:
        opening = [pool.submit(guest.open) for _ in range(10)]
        assert ann.client.delete(revoke).status_code == 204
        opened = [one.result() for one in opening]
    views = [view, *(answer.json()["token"] for answer in opened if answer.status_code == 201)]
    assert {answer.status_code for answer in opened} <= {201, 410}
    for token in views:
        assert guest.get("video", token).status_code in {403, 410}
    assert_problem(guest.open(), 410, "link-gone")
    assert_problem(guest.get("envelope", guest.secret.bearer), 410, "link-gone")
    assert ann.client.delete(revoke).status_code == 204
    assert guest.told["state"] == "revoked"


def test_a_link_expires_at_its_instant(ann, video):
    guest = Guest(ann, video, expires_at=now_ms() + 1500)
    token = guest.open().json()["token"]
    while now_ms() < guest.link["expires_at"]:
        time.sleep(0.05)
    assert_problem(guest.open(), 410, "link-gone")
    assert_problem(guest.get("video", token), 410, "link-gone")
    assert guest.told["state"] == "expired"


@pytest.mark.parametrize("whose", ["me", "everyone"])
def test_a_deleted_message_ends_its_links(ann, bob, whose):
    message = send_video(ann, bob, data=DATA)
    guest = Guest(ann, message.id)
    token = guest.open().json()["token"]
    assert delete(ann, message.id, whose).status_code == 204
    assert_problem(guest.open(), 410, "link-gone")
    assert_problem(guest.get("envelope", guest.secret.bearer), 410, "link-gone")
    assert guest.get("video", token).status_code in {403, 410}
    assert guest.get("details", token).status_code in {403, 410}
    assert guest.told["state"] == "gone"
    assert len(inbox(bob)["items"]) >= (1 if whose == "me" else 0)


def test_only_the_sender_makes_links(ann, bob, video):
    body = {"bearer_sha256": Secret().sha256, "envelope": b64(sealed(100))}
    assert_problem(bob.client.post(f"/api/v1/messages/{video}/links", json=body), 404, "not-found")
    assert_problem(ann.client.post("/api/v1/messages/msg_x/links", json=body), 404, "not-found")
    assert bob.client.get("/api/v1/links").json()["items"] == []


def test_the_same_link_twice_is_one(ann, video):
    guest = Guest(ann, video, most_opens=2)
    again = ann.client.post(f"/api/v1/messages/{video}/links", json=guest.body)
    assert again.json() == guest.link


SPOILS: dict[str, Callable[[], dict[str, Any]]] = {
    "a bearer's hash that is too short": lambda: {"bearer_sha256": b64(os.urandom(31))},
    "no age file": lambda: {"envelope": b64(b"hello")},
    "an end in the past": lambda: {"expires_at": now_ms() - 1},
    "no opens": lambda: {"most_opens": 0},
    "another alphabet": lambda: {"envelope": "AA=="},
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_link_that_could_not_be_opened_is_refused(ann, video, spoil):
    good = {"bearer_sha256": Secret().sha256, "envelope": b64(sealed(100))}
    assert_problem(
        ann.client.post(f"/api/v1/messages/{video}/links", json=good | SPOILS[spoil]()), 422, "invalid"
    )


def test_a_message_has_twenty_links_at_most(ann, bob):
    message = send_video(ann, bob, data=b"x" * 100)
    for _ in range(20):
        Guest(ann, message.id)
    body = {"bearer_sha256": Secret().sha256, "envelope": b64(sealed(100))}
    problem = assert_problem(
        ann.client.post(f"/api/v1/messages/{message.id}/links", json=body), 429, "too-many-links"
    )
    assert problem["limit"] == 20


def test_a_message_goes_to_links_alone_and_its_repetition_names_the_same_ones(ann, server):
    secrets, envelopes = [Secret() for _ in range(5)], [sealed(500 + place) for place in range(5)]
    links = [{"bearer_sha256": one.sha256, "most_opens": 1} for one in secrets]
    parcel = make_parcel(upload=make_upload(ann, DATA), links=links)
    parts = parcel.files() + [
        (f"link:{place}", (None, data, "application/octet-stream")) for place, data in enumerate(envelopes)
    ]
    key = new_key()

    def send(key: str) -> httpx.Response:
        return ann.client.post("/api/v1/messages", files=parts, headers={"idempotency-key": key})

    first = send(key)
    assert first.status_code == 201, first.text
    ids = first.json()["links"]
    assert len(set(ids)) == 5
    assert send(key).json() == send(new_key()).json() == first.json()
    with new_client(server.url) as guest:
        for link_id, secret, envelope in zip(ids, secrets, envelopes, strict=True):
            found = guest.get("/api/v1/answers", headers=secret.headers).json()
            assert found == {"id": link_id}
            got = guest.get(f"/api/v1/links/{link_id}/envelope", headers=secret.headers)
            assert got.content == envelope
        assert_problem(guest.get("/api/v1/answers", headers=Secret().headers), 404, "not-found")
    assert unb64(links[0]["bearer_sha256"], size=32)


def test_links_of_a_send_need_their_envelopes(ann):
    link = {"bearer_sha256": Secret().sha256}
    assert_problem(post(ann, make_parcel(links=[link])), 400, "bad-multipart")
    assert_problem(post(ann, make_parcel()), 422, "invalid")
