"""One message: who may see it, its details, and the marks of its recipient."""

import hashlib
from typing import Any

import pytest

from restante.protocol.ids import Prefix, new_id
from tests.api.parcels import delete, get, inbox, mark, send, send_video, sent
from tests.api.people import Person, assert_problem, make_account, new_client
from tests.serving import Server


@pytest.fixture(scope="module")
def ann(server: Server) -> Person:
    return make_account(server.url)


@pytest.fixture(scope="module")
def bob(server: Server) -> Person:
    return make_account(server.url)


@pytest.fixture(scope="module")
def eve(server: Server) -> Person:
    return make_account(server.url)


def everything(person: Person, message_id: str) -> list[Any]:
    """Every operation on one message."""
    path = f"/api/v1/messages/{message_id}"
    return [
        person.client.get(path),
        person.client.get(f"{path}/details"),
        person.client.get(f"{path}/video"),
        person.client.post(f"{path}/marks", json={"mark": "played"}),
        person.client.delete(path, params={"for": "me"}),
        person.client.delete(path, params={"for": "everyone"}),
    ]


def test_a_strangers_message_looks_absent_in_every_way(ann: Person, bob: Person, eve: Person):
    parcel = send_video(ann, bob)
    foreign, absent = everything(eve, parcel.id), everything(eve, new_id(Prefix.MESSAGE))
    for one, other in zip(foreign, absent, strict=True):
        assert_problem(one, 404, "not-found")
        assert {**one.json(), "instance": ""} == {**other.json(), "instance": ""}
    item = get(bob, parcel.id).json()
    assert (item["deleted_at"], item["played_at"]) == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "msg_",
        "msg_" + "a" * 26,
        "upl_" + "a" * 26,
        "..",
        "%2e%2e%2f",
        "' OR '1'='1",
        "%00",
        "x" * 300,
        "msg_é",
    ],
)
def test_what_is_no_id_looks_absent(eve: Person, text: str):
    for answer in everything(eve, text):
        assert answer.status_code in {404, 405} if text == ".." else answer.status_code == 404


def test_each_side_sees_its_own_side(ann: Person, bob: Person):
    parcel = send(ann, bob)
    assert "deliveries" in get(ann, parcel.id).json()
    assert get(bob, parcel.id).json()["sender"] == ann.name
    assert_problem(get(ann, parcel.id, box="inbox"), 404, "not-found")
    assert_problem(get(bob, parcel.id, box="sent"), 404, "not-found")
    assert_problem(get(bob, parcel.id, box="past"), 422, "invalid")


def test_details_come_as_bytes_that_no_browser_opens(ann: Person, bob: Person):
    parcel = send(ann, bob)
    for person in (ann, bob):
        answer = person.client.get(f"/api/v1/messages/{parcel.id}/details")
        assert answer.content == parcel.details
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["etag"] == f'"{hashlib.sha256(parcel.details).hexdigest()}"'


def test_a_message_without_video_has_none(ann: Person, bob: Person):
    parcel = send(ann, bob)
    assert_problem(bob.client.get(f"/api/v1/messages/{parcel.id}/video"), 404, "not-found")


def test_a_mark_keeps_its_first_time(ann: Person, bob: Person):
    parcel = send(ann, bob)
    assert mark(bob, parcel.id, "fetched").status_code == 204
    first = get(bob, parcel.id).json()
    assert first["fetched_at"] >= first["received_at"]
    assert first["played_at"] is None
    assert mark(bob, parcel.id, "fetched").status_code == 204
    assert get(bob, parcel.id).json() == first
    mark(bob, parcel.id, "played")
    played = get(bob, parcel.id).json()
    assert played["fetched_at"] == first["fetched_at"]
    assert played["played_at"] >= first["fetched_at"]
    mark(bob, parcel.id, "played")
    mark(bob, parcel.id, "fetched")
    assert get(bob, parcel.id).json() == played
    assert get(ann, parcel.id).json()["deliveries"][0]["played_at"] == played["played_at"]


def test_played_implies_fetched(ann: Person, bob: Person):
    parcel = send(ann, bob)
    mark(bob, parcel.id, "played")
    item = get(bob, parcel.id).json()
    assert item["fetched_at"] == item["played_at"] is not None


def test_reading_and_downloading_mark_nothing(ann: Person, bob: Person):
    parcel = send_video(ann, bob)
    inbox(bob)
    bob.client.get(f"/api/v1/messages/{parcel.id}/details")
    bob.client.get(f"/api/v1/messages/{parcel.id}/video")
    assert get(ann, parcel.id).json()["state"] == "stored"


def test_only_a_recipient_marks(ann: Person, bob: Person):
    parcel = send(ann, bob)
    assert_problem(mark(ann, parcel.id, "played"), 404, "not-found")
    delete(bob, parcel.id, "me")
    assert_problem(mark(bob, parcel.id, "played"), 410, "message-gone")
    assert get(ann, parcel.id).json()["deliveries"][0]["played_at"] is None


@pytest.mark.parametrize(
    "body", [{}, {"mark": "liked"}, {"mark": None}, {"mark": ["played"]}, [], "played", 1]
)
def test_a_bad_mark_is_refused(ann: Person, bob: Person, body: Any):
    parcel = send(ann, bob)
    answer = bob.client.post(f"/api/v1/messages/{parcel.id}/marks", json=body)
    assert_problem(answer, 422, "invalid")
    assert get(bob, parcel.id).json()["played_at"] is None


def test_other_methods_are_refused_with_those_allowed(ann: Person, bob: Person):
    path = f"/api/v1/messages/{send(ann, bob).id}"
    for method, where in [
        ("PUT", path),
        ("PATCH", path),
        ("DELETE", f"{path}/details"),
        ("PUT", "/api/v1/inbox"),
    ]:
        answer = ann.client.request(method, where)
        assert_problem(answer, 405, "method-not-allowed")
        assert "GET" in answer.headers["allow"]


def test_without_a_session_there_is_nothing(server: Server, ann: Person, bob: Person):
    parcel = send(ann, bob)
    with new_client(server.url) as nobody:
        for path in ("", "/details", "/video"):
            assert_problem(nobody.get(f"/api/v1/messages/{parcel.id}{path}"), 401, "not-signed-in")
        assert_problem(nobody.delete(f"/api/v1/messages/{parcel.id}?for=me"), 401, "not-signed-in")
    assert len(sent(ann, limit=100)["items"]) >= 1
