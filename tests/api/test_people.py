"""Accepting and blocking on the server: who is blocked cannot tell, who blocked hears nothing."""

import threading

import pytest

from tests.api.household import Household, TurnedClock, parcel_for
from tests.api.listening import Listener
from tests.api.parcels import delete, get, inbox, make_parcel, mark, post, send, send_video, sent, until
from tests.api.people import Person, assert_problem, make_account
from tests.serving import Server


def decide(owner: Person, about: Person | str, state: str):
    name = about if isinstance(about, str) else about.name
    return owner.client.put(f"/api/v1/account/acquaintances/{name}", json={"state": state})


@pytest.fixture
def pair(server: Server) -> tuple[Person, Person]:
    return make_account(server.url), make_account(server.url)


def told(person: Person, message_id: str) -> dict:
    """What the sender is told of a message, without what no two messages share."""
    item = get(person, message_id).json()
    return {
        key: value
        for key, value in item.items()
        if key not in ("id", "received_at", "change", "envelope", "deliveries", "deleted_at")
    } | {
        "deliveries": [
            {**each, "recipient": "", "deleted_at": each["deleted_at"] is not None}
            for each in item["deliveries"]
        ],
        "deleted": item["deleted_at"] is not None,
    }


def test_nothing_of_a_blocked_sender_arrives(pair):
    bob, eve = pair
    before = send(eve, bob)
    assert decide(bob, eve, "blocked").status_code == 204
    after = send_video(eve, bob)
    assert [item["id"] for item in inbox(bob)["items"]] == [before.id]
    assert [item["id"] for item in inbox(bob, since=0)["items"]] == [before.id]
    for path in ("", "/details", "/video"):
        assert_problem(bob.client.get(f"/api/v1/messages/{after.id}{path}"), 404, "not-found")
    assert_problem(mark(bob, after.id, "played"), 404, "not-found")
    assert_problem(delete(bob, after.id, "me"), 404, "not-found")
    assert decide(bob, eve, "unknown").status_code == 204
    again = send(eve, bob)
    assert [item["id"] for item in inbox(bob)["items"]] == [again.id, before.id]


def test_who_is_blocked_cannot_tell(server, pair):
    """To the sender, one who blocked them is one who never looks: step by step the answers are the same."""
    (bob, eve), carl = pair, make_account(server.url)
    decide(bob, eve, "blocked")
    to_bob, to_carl = make_parcel(bob), make_parcel(carl)
    answers = [post(eve, parcel) for parcel in (to_bob, to_carl)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert set(answers[0].headers) == set(answers[1].headers)
    assert answers[0].json().keys() == answers[1].json().keys()
    assert told(eve, to_bob.id) == told(eve, to_carl.id)
    assert told(eve, to_bob.id)["state"] == "stored"
    for parcel in (to_bob, to_carl):
        assert delete(eve, parcel.id, "everyone").status_code == 204
    both = {item["id"]: item for item in sent(eve, since=0)["items"]}
    assert both[to_bob.id]["state"] == both[to_carl.id]["state"] == "deleted"
    assert [bool(both[parcel.id]["deliveries"][0]["deleted_at"]) for parcel in (to_bob, to_carl)] == [
        True,
        True,
    ]
    mark_control = send(eve, carl)
    mark(carl, mark_control.id, "played")
    assert told(eve, mark_control.id)["state"] == "played"  # it would show


def test_the_others_get_what_one_of_them_blocked(server, pair):
    (bob, eve), carl = pair, make_account(server.url)
    decide(bob, eve, "blocked")
    parcel = send_video(eve, bob, carl)
    assert [item["id"] for item in inbox(carl)["items"]] == [parcel.id]
    assert inbox(bob)["items"] == []
    assert get(eve, parcel.id).json()["state"] == "stored"


def test_who_blocked_hears_nothing(pair):
    bob, eve = pair
    decide(bob, eve, "blocked")
    with Listener(bob) as channel:
        unheard = send(eve, bob)
        delete(eve, unheard.id, "everyone")
        heard = send(bob, bob)
        assert channel.next().data == {"kind": "message", "id": heard.id}


def test_blocking_while_sending(pair):
    """Whatever was on its way before the block was answered may arrive; nothing that was begun after it does."""
    bob, eve = pair
    begun: list[None] = []
    sent_ids: list[str] = []
    stop = threading.Event()

    def keep_sending() -> None:
        while not stop.is_set():
            begun.append(None)
            sent_ids.append(send(eve, bob).id)

    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        until(lambda: len(sent_ids) >= 3)
        assert decide(bob, eve, "blocked").status_code == 204
        in_time = len(begun)
        until(lambda: len(sent_ids) >= in_time + 2)
    finally:
        stop.set()
        sender.join()
    arrived = {item["id"] for item in inbox(bob)["items"]}
    assert 3 <= len(arrived) <= in_time
    assert arrived == set(sent_ids[: len(arrived)])


def test_deciding_needs_somebody_else(pair):
    bob, _ = pair
    assert_problem(decide(bob, "nobody-has-this", "blocked"), 404, "no-such-account")
    assert_problem(decide(bob, bob, "blocked"), 422, "invalid")
    assert_problem(decide(bob, "x", "blocked"), 404, "no-such-account")
    assert bob.client.put("/api/v1/account/acquaintances/abc", json={"state": "adored"}).status_code == 422


def test_only_the_accepted_may_notify_and_no_name_is_kept(tmp_path):
    home = Household(tmp_path, TurnedClock())
    ann, eve = home.account("ann"), home.account("eve")
    acquaintances = home.house.acquaintances

    def may() -> bool:
        return home.run(
            home.house.database.read(lambda c: acquaintances.may_notify(c, ann.account_id, eve.account_id))
        )

    assert not may()
    home.run(acquaintances.decide(ann, "eve", "accepted"))
    assert may()
    home.run(acquaintances.decide(ann, "eve", "blocked"))
    assert not may()
    (row,) = home.rows("acquaintances")
    assert len(row.who) == 32
    assert b"eve" not in bytes(row.who)
    home.send(eve, parcel_for(["ann"]))
    hidden = [row for row in home.rows("envelopes") if row.box == "hidden"]
    assert [row.envelope for row in hidden] == [None]
    home.close()
