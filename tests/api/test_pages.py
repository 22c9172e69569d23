"""Answering pages: off until switched on, who may call, proofs that count once, one message for each call."""

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import altcha
import httpx
import pytest

from restante.protocol.encoding import b64
from restante.protocol.ids import Prefix, new_id
from restante.protocol.wire_pages import Hours, Schedule
from restante.server.pages.rules import next_opening_ms
from tests.api.parcels import TUS, inbox, make_parcel, make_upload, new_key, post, send_video
from tests.api.people import Person, assert_problem, make_account, new_client, now_ms, sealed
from tests.api.test_links import Guest
from tests.api.tokens import Secret
from tests.serving import Server, serving

DATA = os.urandom(200_000)
OPEN_HANDED = {"RESTANTE_RATE_CALLS": "10000/1s", "RESTANTE_RATE_PAGE": "10000/1s"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = {"RESTANTE_ABUSE_CONTACT": "abuse@post.example", "RESTANTE_PROOF_COST": "5", **OPEN_HANDED}
    with serving(tmp_path_factory.mktemp("pages") / "data", **env) as running:
        yield running


@pytest.fixture
def ann(house: Server) -> Person:
    return make_account(house.url)


@pytest.fixture
def nobody(house: Server) -> Iterator[httpx.Client]:
    with new_client(house.url) as client:
        yield client


def put(owner: Person, **fields: Any) -> httpx.Response:
    return owner.client.put("/api/v1/account/page", json={"on": True, **fields})


def proof(client: httpx.Client, name: str) -> str:
    answer = client.get(f"/api/v1/pages/{name}/challenge")
    assert answer.status_code == 200, answer.text
    challenge = altcha.Challenge.from_dict(answer.json())
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    return altcha.Payload(challenge, solution).to_base64()


def begin(client: httpx.Client, name: str, **fields: Any) -> httpx.Response:
    return client.post(f"/api/v1/pages/{name}/calls", json={"proof": proof(client, name), **fields})


class Call:
    """A caller who was let in."""

    def __init__(self, client: httpx.Client, answer: httpx.Response) -> None:
        assert answer.status_code == 201, answer.text
        self.client, self.token = client, answer.json()["token"]
        self.headers = {"authorization": f"Bearer {self.token}"}

    def create(self, length: int) -> httpx.Response:
        named = {**TUS, **self.headers, "upload-length": str(length)}
        return self.client.post("/api/v1/uploads", headers=named)

    def upload(self, data: bytes) -> str:
        created = self.create(len(data))
        assert created.status_code == 201, created.text
        piece = {
            **TUS,
            "authorization": f"Bearer {created.headers['upload-capability']}",
            "upload-offset": "0",
            "content-type": "application/offset+octet-stream",
        }
        patched = self.client.patch(created.headers["location"], content=data, headers=piece)
        assert patched.status_code == 204, patched.text
        return str(created.headers["location"]).rpartition("/")[2]

    def parts(self, upload: str | None = None) -> list[Any]:
        details = sealed(300)
        message = {
            "id": new_id(Prefix.MESSAGE),
            "kind": "video" if upload else "text",
            "details_sha256": b64(hashlib.sha256(details).digest()),
            "upload": upload,
        }
        binary = "application/octet-stream"
        return [
            ("message", (None, json.dumps(message).encode(), "application/json")),
            ("details", (None, details, binary)),
            ("envelope:owner", (None, sealed(400), binary)),
        ]

    def leave(self, parts: list[Any]) -> httpx.Response:
        return self.client.post("/api/v1/calls/message", files=parts, headers=self.headers)


def test_a_stranger_leaves_a_video_and_only_its_owner_has_it(ann, nobody, house):
    put(ann)
    call = Call(nobody, begin(nobody, ann.name))
    parts = call.parts(call.upload(DATA))
    left = call.leave(parts)
    assert left.status_code == 201, left.text
    assert call.leave(parts).json() == left.json()
    (item,) = inbox(ann)["items"]
    assert (item["id"], item["sender"], item["kind"], item["video_bytes"]) == (
        left.json()["id"],
        None,
        "video",
        len(DATA),
    )
    assert ann.client.get(f"/api/v1/messages/{item['id']}/video").content == DATA
    assert ann.client.get("/api/v1/sent").json()["items"] == []
    other = make_account(house.url)
    assert_problem(other.client.get(f"/api/v1/messages/{item['id']}/video"), 404, "not-found")
    with new_client(house.url, call.token) as caller:
        assert_problem(caller.get("/api/v1/inbox"), 401, "not-signed-in")
        assert_problem(caller.get(f"/api/v1/messages/{item['id']}/video"), 401, "not-signed-in")
    assert ann.client.delete(f"/api/v1/messages/{item['id']}", params={"for": "me"}).status_code == 204
    assert_problem(ann.client.get(f"/api/v1/messages/{item['id']}/video"), 410, "message-gone")


def test_one_call_leaves_one_message(ann, nobody):
    put(ann)
    call = Call(nobody, begin(nobody, ann.name))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: call.leave(call.parts()), range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 410, 410, 410]
    assert len(inbox(ann)["items"]) == 1
    assert_problem(call.create(10), 410, "call-over")
    assert_problem(call.leave(call.parts()), 410, "call-over")


def test_a_page_is_off_until_its_owner_switches_it_on(ann, nobody):
    assert ann.client.get("/api/v1/account/page").json()["on"] is False
    assert_problem(nobody.get(f"/api/v1/pages/{ann.name}"), 404, "no-such-page")
    assert_problem(nobody.get("/api/v1/pages/nobody-here"), 404, "no-such-page")
    assert_problem(nobody.get(f"/api/v1/pages/{ann.name}/challenge"), 404, "no-such-page")
    put(ann)
    assert nobody.get(f"/api/v1/pages/{ann.name}").json() == {
        "name": ann.name,
        "access": "anyone",
        "takes_calls": True,
        "opens_at": None,
        "profile": None,
        "greeting": None,
    }
    earlier = proof(nobody, ann.name)
    put(ann, on=False)
    body = {"proof": earlier}
    assert_problem(nobody.post(f"/api/v1/pages/{ann.name}/calls", json=body), 404, "no-such-page")


def test_a_server_without_an_abuse_contact_has_no_pages(server):
    assert_problem(put(make_account(server.url)), 403, "pages-unavailable")


def test_a_proof_counts_once_for_one_page_and_not_without_work(ann, nobody, house):
    put(ann)
    bob = make_account(house.url)
    put(bob)
    good = proof(nobody, ann.name)
    url = f"/api/v1/pages/{ann.name}/calls"
    assert_problem(nobody.post(f"/api/v1/pages/{bob.name}/calls", json={"proof": good}), 403, "proof-refused")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: nobody.post(url, json={"proof": good}), range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 403, 403, 403]
    challenge = altcha.Challenge.from_dict(nobody.get(f"/api/v1/pages/{ann.name}/challenge").json())
    lazy = altcha.Payload(challenge, altcha.Solution(counter=1, derived_key="00" * 32)).to_base64()
    own = altcha.create_challenge("SHA-256", 1, counter=1, hmac_secret="mine", data={"page": ann.name})
    forged = altcha.Payload(own, altcha.solve_challenge(own)).to_base64()
    for bad in (lazy, forged, "", "AAAA", "e30="):
        assert_problem(nobody.post(url, json={"proof": bad}), 403, "proof-refused")


def test_a_page_by_link_alone_asks_for_its_present_link(ann, nobody):
    first, second = Secret(), Secret()
    put(ann, access="link", bearer_sha256=first.sha256)
    assert_problem(begin(nobody, ann.name), 403, "page-needs-link")
    assert_problem(begin(nobody, ann.name, bearer=second.bearer), 403, "page-needs-link")
    assert begin(nobody, ann.name, bearer=first.bearer).status_code == 201
    put(ann, access="link", bearer_sha256=second.sha256)
    assert_problem(begin(nobody, ann.name, bearer=first.bearer), 403, "page-needs-link")
    assert begin(nobody, ann.name, bearer=second.bearer).status_code == 201
    put(ann, access="signed-in")
    assert_problem(begin(nobody, ann.name), 403, "page-needs-account")


def test_greeting_and_profile_are_for_those_who_have_the_link(ann, nobody, house):
    bob = make_account(house.url)
    message = send_video(ann, bob, data=DATA)
    guest = Guest(ann, message.id)
    profile = b64(sealed(300))
    page = {"bearer_sha256": guest.secret.sha256, "profile": profile, "greeting": guest.link["id"]}
    assert put(ann, **page).status_code == 200
    assert_problem(put(bob, **page), 404, "not-found")
    url = f"/api/v1/pages/{ann.name}"
    assert nobody.get(url).json()["greeting"] is None
    assert nobody.get(url, headers=Secret().headers).json()["profile"] is None
    shown = nobody.get(url, headers=guest.secret.headers).json()
    assert (shown["greeting"], shown["profile"]) == (guest.link["id"], profile)
    assert guest.get("video", guest.open().json()["token"]).content == DATA


def test_a_callers_upload_is_nobody_elses(ann, nobody, house):
    put(ann)
    one, two = Call(nobody, begin(nobody, ann.name)), Call(nobody, begin(nobody, ann.name))
    upload = one.upload(DATA)
    assert_problem(two.leave(two.parts(upload)), 404, "not-found")
    bob = make_account(house.url)
    assert_problem(post(ann, make_parcel(bob, upload=upload), new_key()), 404, "not-found")
    assert ann.client.head(f"/api/v1/uploads/{upload}", headers=TUS).status_code == 404
    own = make_upload(ann, DATA)
    assert_problem(one.leave(one.parts(own)), 404, "not-found")
    assert one.leave(one.parts(upload)).status_code == 201


def test_callers_do_not_use_up_their_owners_uploads(ann, nobody):
    put(ann)
    for _ in range(3):
        call = Call(nobody, begin(nobody, ann.name))
        assert [call.create(1000).status_code for _ in range(2)] == [201, 201]
    for _ in range(5):
        created = ann.client.post("/api/v1/uploads", headers={**TUS, "upload-length": "10"})
        assert created.status_code == 201
    call = Call(nobody, begin(nobody, ann.name))
    for _ in range(5):
        assert call.create(10).status_code == 201
    assert_problem(call.create(10), 429, "too-many-uploads")


@pytest.mark.parametrize("token", ["call.", "call.AAAA", "call." + "A" * 43])
def test_a_made_up_capability_is_none(nobody, token):
    named = {"authorization": f"Bearer {token}"}
    answer = nobody.post("/api/v1/uploads", headers={**TUS, **named, "upload-length": "10"})
    assert_problem(answer, 410, "call-over")


def test_guests_answer_where_the_owner_allowed_it(ann, nobody, house):
    bob = make_account(house.url)
    message = send_video(ann, bob, data=DATA)
    silent, open_one = Guest(ann, message.id), Guest(ann, message.id, may_answer=True)
    view = silent.open().json()["token"]
    refused = nobody.post(f"{silent.url}/calls", headers={"authorization": f"Bearer {view}"})
    assert_problem(refused, 403, "may-not-answer")
    assert_problem(nobody.post(f"{open_one.url}/calls", headers=open_one.secret.headers), 403, "view-over")
    named = {"authorization": f"Bearer {open_one.open().json()['token']}"}
    lost = nobody.post(f"{open_one.url}/calls", headers=named)
    call = Call(nobody, nobody.post(f"{open_one.url}/calls", headers=named))
    assert_problem(Call(nobody, lost).create(10), 410, "call-over")
    assert call.leave(call.parts(call.upload(DATA))).status_code == 201
    assert_problem(nobody.post(f"{open_one.url}/calls", headers=named), 410, "call-over")
    assert [item["sender"] for item in inbox(ann)["items"]] == [None]


def test_calls_are_limited_by_page(tmp_path):
    env = {
        "RESTANTE_ABUSE_CONTACT": "abuse@post.example",
        "RESTANTE_PROOF_COST": "1",
        "RESTANTE_RATE_PAGE": "2/600s",
    }
    with serving(tmp_path / "data", **env) as running, new_client(running.url) as nobody:
        ann = make_account(running.url)
        put(ann)
        assert [begin(nobody, ann.name).status_code for _ in range(2)] == [201, 201]
        assert_problem(begin(nobody, ann.name), 429, "rate-limited")


BAD_PAGES: dict[str, dict[str, Any]] = {
    "by link without one": {"access": "link"},
    "a profile without a link": {"profile": b64(sealed(100))},
    "a profile that is no age file": {"bearer_sha256": Secret().sha256, "profile": b64(b"hello")},
    "hours that end first": {"schedule": {"timezone": "UTC", "hours": [{"day": 0, "start": 60, "end": 60}]}},
    "an unknown place": {"schedule": {"timezone": "Mars/Base", "hours": [{"day": 0, "start": 0, "end": 60}]}},
    "a place outside": {
        "schedule": {"timezone": "/etc/passwd", "hours": [{"day": 0, "start": 0, "end": 60}]}
    },
    "somebody": {"access": "somebody"},
}


@pytest.mark.parametrize("bad", BAD_PAGES)
def test_a_page_that_contradicts_itself_is_refused(house, bad):
    assert_problem(put(make_account(house.url), **BAD_PAGES[bad]), 422, "invalid")


def test_a_page_is_closed_outside_its_hours(ann, nobody):
    weekday = (now_ms() // 86_400_000 + 3) % 7  # 1970 began on a Thursday
    hours = [{"day": (weekday + 3) % 7, "start": 600, "end": 660}]
    assert put(ann, schedule={"timezone": "UTC", "hours": hours}).status_code == 200
    shown = nobody.get(f"/api/v1/pages/{ann.name}").json()
    assert shown["takes_calls"] is False
    assert 2 * 86_400_000 < shown["opens_at"] - now_ms() < 4 * 86_400_000
    assert_problem(begin(nobody, ann.name), 403, "page-closed")


def at(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp() * 1000)


def test_nine_is_nine_on_both_sides_of_summer_time():
    schedule = Schedule("Europe/Paris", [Hours(day, 540, 1020) for day in range(7)])
    assert next_opening_ms(schedule, now_ms=at(2026, 3, 28, 7, 59)) == at(2026, 3, 28, 8)  # +1
    assert next_opening_ms(schedule, now_ms=at(2026, 3, 29, 6, 59)) == at(2026, 3, 29, 7)  # +2
    assert next_opening_ms(schedule, now_ms=at(2026, 3, 29, 7)) == at(2026, 3, 29, 7)
    assert next_opening_ms(schedule, now_ms=at(2026, 3, 28, 16)) == at(2026, 3, 29, 7)
    assert next_opening_ms(None, now_ms=5) == 5


def test_numbers_do_not_pass_for_yes_and_no(ann):
    assert_problem(put(ann, on=1), 422, "invalid")
