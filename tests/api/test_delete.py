"""Deleting: unreadable at once, bytes gone within seconds, and only as far as one's own hand reaches."""

import os
from collections.abc import Callable

import httpx
import pytest

from restante.server.messages.service import VIDEO_FRESH_FOR_S
from tests.api.parcels import (
    Parcel,
    delete,
    get,
    inbox,
    make_parcel,
    new_key,
    post,
    send,
    send_video,
    sent,
    until,
)
from tests.api.people import Person, assert_problem, make_account, new_client, now_ms, over
from tests.serving import Server
from tests.stored import is_stored

BYTES_GONE_S = 10.0
"""The promise is a minute; what is woken takes no time at all, what is polled two seconds."""


@pytest.fixture
def ann(server: Server) -> Person:
    return make_account(server.url)


@pytest.fixture
def bob(server: Server) -> Person:
    return make_account(server.url)


def unreadable(person: Person, parcel: Parcel) -> bool:
    path = f"/api/v1/messages/{parcel.id}"
    answers = [person.client.get(f"{path}{part}") for part in ("", "/details", "/video")]
    for answer in answers:
        assert_problem(answer, 410, "message-gone")
    return True


def test_the_sender_deletes_for_everyone(server: Server, ann: Person, bob: Person):
    parcel = send_video(ann, bob)
    assert is_stored(server, parcel.message["upload"])
    assert delete(ann, parcel.id, "everyone").status_code == 204
    assert unreadable(ann, parcel)
    assert unreadable(bob, parcel)
    until(lambda: not is_stored(server, parcel.message["upload"]), BYTES_GONE_S)
    assert inbox(bob)["items"] == sent(ann)["items"] == []
    assert sent(ann, since=0)["items"][0]["deleted_at"] is not None


def test_a_recipient_deletes_for_herself_only(server: Server, ann: Person, bob: Person):
    claire = make_account(server.url)
    parcel = send_video(ann, bob, claire, data=b"still here")
    assert delete(bob, parcel.id, "me").status_code == 204
    assert unreadable(bob, parcel)
    for person in (ann, claire):
        assert person.client.get(f"/api/v1/messages/{parcel.id}/video").content == b"still here"
    assert is_stored(server, parcel.message["upload"])
    by_name = {
        one["recipient"]: one["deleted_at"] is not None for one in get(ann, parcel.id).json()["deliveries"]
    }
    assert by_name == {bob.name: True, claire.name: False}


def test_a_recipient_cannot_delete_for_everyone(ann: Person, bob: Person):
    parcel = send(ann, bob)
    assert_problem(delete(bob, parcel.id, "everyone"), 404, "not-found")
    assert get(bob, parcel.id).status_code == 200


def test_the_sender_may_drop_the_own_copy_and_still_delete_for_everyone(ann: Person, bob: Person):
    parcel = send_video(ann, bob)
    assert delete(ann, parcel.id, "me").status_code == 204
    assert unreadable(ann, parcel)
    assert get(bob, parcel.id).status_code == 200
    assert delete(ann, parcel.id, "everyone").status_code == 204
    assert unreadable(bob, parcel)


@pytest.mark.parametrize("last", ["sender", "recipient"])
def test_the_last_holder_takes_the_bytes_along(server: Server, ann: Person, bob: Person, last: str):
    parcel = send_video(ann, bob)
    first, second = (bob, ann) if last == "sender" else (ann, bob)
    delete(first, parcel.id, "me")
    assert second.client.get(f"/api/v1/messages/{parcel.id}/video").status_code == 200
    assert is_stored(server, parcel.message["upload"])
    delete(second, parcel.id, "me")
    until(lambda: not is_stored(server, parcel.message["upload"]), BYTES_GONE_S)
    over(server, lambda: second.client.get(f"/api/v1/messages/{parcel.id}/video"))
    assert unreadable(ann, parcel)
    assert unreadable(bob, parcel)


def test_deleting_twice_is_deleting_once(ann: Person, bob: Person):
    parcel = send(ann, bob)
    for person, whose in ((bob, "me"), (ann, "everyone"), (ann, "me")):
        assert delete(person, parcel.id, whose).status_code == 204
        before = inbox(bob, since=0), sent(ann, since=0)
        assert delete(person, parcel.id, whose).status_code == 204
        assert (inbox(bob, since=0), sent(ann, since=0)) == before


def test_a_message_to_oneself_goes_from_both_boxes(server: Server, ann: Person):
    parcel = send_video(ann, ann)
    delete(ann, parcel.id, "me")
    assert inbox(ann)["items"] == sent(ann)["items"] == []
    until(lambda: not is_stored(server, parcel.message["upload"]), BYTES_GONE_S)


@pytest.mark.parametrize("params", [{}, {"for": "all"}, {"for": ""}, {"for": "ME"}])
def test_whose_copy_must_be_said(ann: Person, bob: Person, params: dict[str, str]):
    parcel = send(ann, bob)
    assert_problem(ann.client.delete(f"/api/v1/messages/{parcel.id}", params=params), 422, "invalid")
    assert get(ann, parcel.id).status_code == 200


def test_a_deleted_message_cannot_be_sent_again(ann: Person, bob: Person):
    parcel, key = make_parcel(bob), new_key()
    first = post(ann, parcel, key)
    delete(ann, parcel.id, "everyone")
    assert post(ann, parcel, key).content == post(ann, parcel).content == first.content
    assert inbox(bob)["items"] == []
    assert_problem(post(ann, make_parcel(bob).but(id=parcel.id)), 409, "id-taken")


@pytest.mark.files
def test_a_running_download_ends_well_and_a_new_one_is_refused(server: Server, ann: Person, bob: Person):
    data = os.urandom(24 * 1024 * 1024)
    parcel = send_video(ann, bob, data=data)
    with bob.client.stream("GET", f"/api/v1/messages/{parcel.id}/video") as download:
        pieces = download.iter_raw(65_536)
        received = [next(pieces)]
        assert delete(ann, parcel.id, "everyone").status_code == 204
        assert_problem(_elsewhere(bob, parcel), 410, "message-gone")
        until(lambda: not is_stored(server, parcel.message["upload"]), BYTES_GONE_S)
        received += pieces
    assert b"".join(received) == data


@pytest.mark.parametrize("ask", ["me", "everyone"])
def test_what_was_just_being_watched_is_unreadable_at_once(
    server: Server, ann: Person, bob: Person, ask: str
):
    parcel = send_video(ann, bob)
    who, video = bob if ask == "me" else ann, f"/api/v1/messages/{parcel.id}/video"
    ranges = [bob.client.get(video, headers={"range": f"bytes={at}-{at}"}) for at in (0, 1)]
    assert [answer.status_code for answer in ranges] == [206, 206]
    assert delete(who, parcel.id, ask).status_code == 204
    over(server, lambda: bob.client.get(video, headers={"range": "bytes=2-2"}))
    assert_problem(bob.client.get(video, headers={"range": "bytes=2-2"}), 410, "message-gone")


def test_what_was_just_being_watched_expires_on_time(ann: Person, bob: Person):
    parcel = send_video(ann, bob, expires_at=now_ms() + 1500)
    video = f"/api/v1/messages/{parcel.id}/video"
    assert bob.client.get(video).status_code == 200
    until(lambda: bob.client.get(video).status_code == 410, VIDEO_FRESH_FOR_S - 1)


def test_an_expired_message_loses_its_bytes_too(new_server: Callable[..., Server]):
    server = new_server(RESTANTE_SWEEP_EVERY_S="0.2")
    ann, bob = make_account(server.url), make_account(server.url)
    parcel = send_video(ann, bob, expires_at=now_ms() + 1000)
    assert is_stored(server, parcel.message["upload"])
    until(lambda: not is_stored(server, parcel.message["upload"]), BYTES_GONE_S)
    assert unreadable(ann, parcel)
    assert unreadable(bob, parcel)


def test_a_deletion_killed_before_its_bytes_are_gone_is_finished_after_the_restart(
    new_server: Callable[..., Server],
):
    server = new_server(RESTANTE_FAILPOINT="delete-before-answer:1")
    ann, bob = make_account(server.url), make_account(server.url)
    parcel = send_video(ann, bob)
    with pytest.raises(httpx.TransportError):
        delete(ann, parcel.id, "everyone")
    server.kill()
    server.start(RESTANTE_FAILPOINT="")
    until(lambda: not is_stored(server, parcel.message["upload"]), BYTES_GONE_S)
    assert unreadable(bob, parcel)
    assert delete(ann, parcel.id, "everyone").status_code == 204


def _elsewhere(person: Person, parcel: Parcel) -> httpx.Response:
    """Asks for the video over another connection."""
    with new_client(person.url, person.token) as client:
        return client.get(f"/api/v1/messages/{parcel.id}/video")
