"""The live channel: everything is told, in order, within a second, and what was missed after that."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median

import pytest

from tests.api.listening import Listener
from tests.api.parcels import delete, inbox, mark, send, until
from tests.api.people import Person, assert_problem, make_account, new_client
from tests.serving import Server

CHANNELS = 16


@pytest.fixture
def ann(server: Server) -> Person:
    return make_account(server.url)


@pytest.fixture
def bob(server: Server) -> Person:
    return make_account(server.url)


def test_a_new_message_is_told_within_a_second(ann: Person, bob: Person):
    """Nearly always: the machine may be busy for a moment. Without the bell it would take a second or two each time."""
    send(ann, bob)
    delays_s = []
    with Listener(bob) as listener:
        for _ in range(10):
            started_s = time.monotonic()
            parcel = send(ann, bob)
            heard = listener.next()
            delays_s.append(heard.at_s - started_s)
            assert (heard.event, heard.data) == ("message", {"kind": "message", "id": parcel.id})
            assert inbox(bob)["items"][0]["change"] == int(heard.id)
    assert median(delays_s) < 1


def test_what_happened_before_is_not_told(ann: Person, bob: Person):
    send(ann, bob)
    with Listener(bob) as listener:
        assert listener.silent(0.3)


def test_the_stream_says_that_it_is_one(bob: Person):
    with Listener(bob) as listener:
        assert listener.response is not None
        headers = listener.response.headers
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"


def test_both_sides_hear_marks_and_deletions(ann: Person, bob: Person):
    with Listener(ann) as of_ann, Listener(bob) as of_bob:
        parcel = send(ann, bob)
        mark(bob, parcel.id, "played")
        mark(bob, parcel.id, "played")
        delete(ann, parcel.id, "everyone")
        for listener in (of_ann, of_bob):
            assert [listener.next().data for _ in range(3)] == [
                {"kind": kind, "id": parcel.id} for kind in ("message", "mark", "deleted")
            ]
            assert listener.silent(0.2)


def test_a_sender_hears_that_a_recipient_deleted(ann: Person, bob: Person):
    parcel = send(ann, bob)
    with Listener(ann) as of_ann, Listener(bob) as of_bob:
        delete(bob, parcel.id, "me")
        assert of_ann.next().event == "mark"
        assert of_bob.next().event == "deleted"


def test_nobody_hears_of_anothers_messages(ann: Person, bob: Person, server: Server):
    eve = make_account(server.url)
    with Listener(eve) as listener:
        send(ann, bob)
        assert listener.silent(0.3)


def test_several_devices_hear_the_same(ann: Person, bob: Person):
    with Listener(bob) as one, Listener(bob) as two:
        parcel = send(ann, bob)
        assert one.next().data["id"] == two.next().data["id"] == parcel.id


def test_what_was_missed_is_told_after_last_event_id(ann: Person, bob: Person):
    with Listener(bob) as listener:
        send(ann, bob)
        listener.next()
        last_id = listener.last_id
    missed = [send(ann, bob).id for _ in range(3)]
    with Listener(bob, last_event_id=last_id) as listener:
        assert [listener.next().data["id"] for _ in range(3)] == missed
        assert listener.silent(0.2)


def test_a_channel_cut_before_its_first_event_misses_nothing(ann: Person, bob: Person):
    with Listener(bob) as listener:
        last_id = listener.last_id
    parcel = send(ann, bob)
    with Listener(bob, last_event_id=last_id) as listener:
        assert listener.next().data["id"] == parcel.id


def test_more_than_one_batch_is_replayed_in_order(ann: Person, bob: Person):
    with Listener(bob) as listener:
        last_id = listener.last_id
    missed = [send(ann, bob).id for _ in range(130)]
    with Listener(bob, last_event_id=last_id) as listener:
        assert [listener.next().data["id"] for _ in range(130)] == missed


def test_last_event_id_survives_a_restart(new_server: Callable[..., Server]):
    server = new_server()
    ann, bob = make_account(server.url), make_account(server.url)
    with Listener(bob) as listener:
        send(ann, bob)
        listener.next()
        last_id = listener.last_id
        server.kill()
        assert listener.ended.wait(5)
    server.start()
    parcel = send(ann, bob)
    with Listener(bob, last_event_id=last_id) as listener:
        assert listener.next().data == {"kind": "message", "id": parcel.id}


@pytest.mark.parametrize("unknown", ["999999999999", "-1", "x", "1e3", "9" * 19, "' OR 1=1", "\u0661"])
def test_an_unknown_position_asks_to_read_anew(ann: Person, bob: Person, unknown: str):
    send(ann, bob)
    with Listener(bob, last_event_id=unknown.encode()) as listener:  # type: ignore[arg-type]
        heard = listener.next()
        assert (heard.event, heard.data) == ("resync", {"kind": "resync", "id": ""})
        parcel = send(ann, bob)
        assert listener.next().data["id"] == parcel.id


def test_a_revoked_session_hears_nothing_after_five_seconds(server: Server):
    people = [make_account(server.url) for _ in range(3)]
    token = people[2].sign_in().json()["token"]
    with ExitStack() as stack:
        listeners = [stack.enter_context(Listener(person)) for person in people]
        elsewhere = stack.enter_context(new_client(server.url, token))
        for client, path in (
            (people[0].client, "/api/v1/sessions/current"),
            (people[1].client, "/api/v1/sessions"),
            (elsewhere, f"/api/v1/sessions/{people[2].session_id}"),
        ):
            assert client.delete(path).status_code == 204
        started_s = time.monotonic()
        for listener in listeners:
            assert listener.ended.wait(5 - (time.monotonic() - started_s))


def test_a_revoked_session_is_not_told_what_comes_next(ann: Person, bob: Person):
    with Listener(bob) as listener:
        bob.client.delete("/api/v1/sessions")
        send(ann, bob)
        assert listener.ended.wait(30)
        assert listener.silent(0)


def test_an_account_has_so_many_channels_and_hanging_up_frees_them(ann: Person, bob: Person):
    def answered() -> int:
        with Listener(bob) as again:
            return 0 if again.response is None else again.response.status_code

    listeners = [Listener(bob).__enter__() for _ in range(CHANNELS)]
    try:
        until(lambda: answered() == 429)  # another node hears of the last ones a moment later
        refused = bob.client.get("/api/v1/events")
        assert_problem(refused, 429, "rate-limited")
        assert int(refused.headers["retry-after"]) >= 1
        with Listener(ann) as other:
            assert other.silent(0.1)
    finally:
        for listener in listeners:
            listener.__exit__()

    until(lambda: answered() == 200)


def test_a_stop_ends_the_channels_at_once(new_server: Callable[..., Server]):
    server = new_server()
    bob = make_account(server.url)
    with Listener(bob) as listener:
        started_s = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started_s < 5
        assert listener.ended.wait(10)


def test_a_channel_needs_a_session(server: Server):
    with new_client(server.url) as nobody:
        assert_problem(nobody.get("/api/v1/events"), 401, "not-signed-in")
