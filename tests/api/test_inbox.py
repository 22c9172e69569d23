"""The boxes: what is listed, in which order, and how a client that was away catches up."""

import os
from typing import Any

import pytest

from restante.protocol.encoding import b64, unb64
from tests.api.parcels import delete, get, inbox, mark, send, send_video, sent
from tests.api.people import Person, assert_problem, make_account, new_client, now_ms
from tests.serving import Server


@pytest.fixture
def ann(server: Server) -> Person:
    return make_account(server.url)


@pytest.fixture
def bob(server: Server) -> Person:
    return make_account(server.url)


@pytest.fixture(scope="module")
def somebody(server: Server) -> Person:
    """For requests that change nothing."""
    return make_account(server.url)


def ids(page: dict[str, Any]) -> list[str]:
    return [item["id"] for item in page["items"]]


def pages(read: Any, person: Person, **params: Any) -> list[dict[str, Any]]:
    found = [read(person, **params)]
    while found[-1]["cursor"] is not None:
        found.append(read(person, **params, cursor=found[-1]["cursor"]))
    return found


def test_lists_begin_empty(ann: Person):
    assert inbox(ann) == sent(ann) == {"items": [], "cursor": None}


@pytest.mark.parametrize("limit", [1, 3, 7, 8, 100])
def test_pages_of_any_size_make_the_same_list_newest_first(ann: Person, bob: Person, limit: int):
    newest_first = [send(ann, bob).id for _ in range(7)][::-1]
    for read, person in ((inbox, bob), (sent, ann)):
        found = pages(read, person, limit=limit)
        assert [one for page in found for one in ids(page)] == newest_first
        assert [len(page["items"]) for page in found[:-1]] == [limit] * (len(found) - 1)


def test_what_arrives_meanwhile_does_not_disturb_paging(ann: Person, bob: Person):
    old = [send(ann, bob).id for _ in range(4)][::-1]
    first = inbox(bob, limit=2)
    send(ann, bob)
    second = inbox(bob, limit=2, cursor=first["cursor"])
    assert ids(first) + ids(second) == old


def test_a_page_has_fifty_items_unless_asked(ann: Person, bob: Person):
    for _ in range(51):
        send(ann, bob)
    assert len(inbox(bob)["items"]) == 50
    assert inbox(bob)["cursor"] is not None


def test_envelopes_come_inline_or_not_at_all(ann: Person, bob: Person):
    parcel = send(ann, bob)
    assert unb64(inbox(bob)["items"][0]["envelope"]) == parcel.envelopes[bob.name]
    assert unb64(sent(ann, envelopes="inline")["items"][0]["envelope"]) == parcel.sent
    assert inbox(bob, envelopes="none")["items"][0]["envelope"] is None


def test_nobody_sees_anothers_boxes(ann: Person, bob: Person, server: Server):
    send(ann, bob)
    eve = make_account(server.url)
    assert inbox(eve)["items"] == sent(eve)["items"] == inbox(ann)["items"] == sent(bob)["items"] == []


BAD = [
    {"limit": "0"},
    {"limit": "-1"},
    {"limit": "101"},
    {"limit": "1e9"},
    {"limit": "abc"},
    {"limit": "9" * 50},
    {"since": "-1"},
    {"since": str(2**53)},
    {"since": "' OR 1=1 --"},
    {"envelopes": "all"},
    {"cursor": ""},
    {"cursor": "x"},
    {"cursor": "!"},
    {"cursor": "A" * 300},
    {"cursor": b64(b"\0" * 16 + b'["listed",0,""]')},
]


@pytest.mark.parametrize("params", BAD, ids=str)
@pytest.mark.parametrize("box", ["inbox", "sent"])
def test_a_bad_place_or_size_is_refused(somebody: Person, params: dict[str, str], box: str):
    assert_problem(somebody.client.get(f"/api/v1/{box}", params=params), 422, "invalid")


def test_a_cursor_is_good_for_its_list_only(ann: Person, bob: Person):
    for _ in range(3):
        send(ann, bob)
        send(bob, ann)
    cursor = inbox(bob, limit=1)["cursor"]
    assert_problem(bob.client.get("/api/v1/sent", params={"cursor": cursor}), 422, "invalid")
    assert_problem(ann.client.get("/api/v1/inbox", params={"cursor": cursor}), 422, "invalid")
    assert len(inbox(bob, cursor=cursor)["items"]) == 2


def test_a_cursor_changed_in_any_character_is_refused(ann: Person, bob: Person):
    for _ in range(2):
        send(ann, bob)
    cursor = inbox(bob, limit=1)["cursor"]
    for at in range(len(cursor)):
        forged = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
        assert_problem(bob.client.get("/api/v1/inbox", params={"cursor": forged}), 422, "invalid")


# Catching up


def test_since_tells_each_change_once_oldest_first(ann: Person, bob: Person):
    first, second = send(ann, bob), send(ann, bob)
    seen = inbox(bob)
    since = max(item["change"] for item in seen["items"])
    assert inbox(bob, since=since)["items"] == []
    third = send(ann, bob)
    mark(bob, first.id, "played")
    delete(ann, second.id, "everyone")
    news = inbox(bob, since=since)
    assert ids(news) == [third.id, first.id, second.id]
    assert [item["change"] for item in news["items"]] == sorted(item["change"] for item in news["items"])
    assert news["items"][1]["played_at"] is not None
    assert (news["items"][2]["deleted_at"] is not None, news["items"][2]["envelope"]) == (True, None)
    assert inbox(bob, since=news["items"][-1]["change"])["items"] == []


def test_since_pages_through_by_cursor(ann: Person, bob: Person):
    oldest_first = [send(ann, bob).id for _ in range(5)]
    found = pages(inbox, bob, since=0, limit=2)
    assert [one for page in found for one in ids(page)] == oldest_first


def test_lists_leave_tombstones_out_and_since_tells_them(ann: Person, bob: Person):
    parcel = send(ann, bob)
    delete(bob, parcel.id, "me")
    assert inbox(bob)["items"] == []
    tombstone = inbox(bob, since=0)["items"][0]
    assert (tombstone["id"], tombstone["envelope"], tombstone["video_bytes"]) == (parcel.id, None, 0)
    assert ids(sent(ann)) == [parcel.id]


def test_what_expires_leaves_the_list_at_its_instant(ann: Person, bob: Person):
    send(ann, bob)
    at = now_ms() + 700
    parcel = send(ann, bob, expires_at=at)
    assert ids(inbox(bob))[0] == parcel.id
    while (answer := get(bob, parcel.id)).status_code == 200:
        assert answer.json()["expires_at"] == at
    assert_problem(answer, 410, "message-gone")
    assert parcel.id not in ids(inbox(bob))
    tombstone = inbox(bob, since=0)["items"][-1]
    assert (tombstone["id"], tombstone["envelope"]) == (parcel.id, None)
    assert tombstone["deleted_at"] >= at
    assert sent(ann, since=0)["items"][-1]["state"] == "deleted"


# How far it came


def test_the_sender_reads_back_stored_delivered_played(ann: Person, bob: Person):
    parcel = send_video(ann, bob)

    def state() -> str:
        item = sent(ann)["items"][0]
        assert item == get(ann, parcel.id).json()
        return str(item["state"])

    assert state() == "stored"
    mark(bob, parcel.id, "fetched")
    assert state() == "delivered"
    mark(bob, parcel.id, "played")
    assert state() == "played"
    delete(ann, parcel.id, "everyone")
    assert sent(ann, since=0)["items"][-1]["state"] == "deleted"


def test_a_message_is_as_far_as_its_last_recipient(ann: Person, bob: Person, server: Server):
    claire = make_account(server.url)
    parcel = send(ann, bob, claire)
    mark(bob, parcel.id, "played")
    assert sent(ann)["items"][0]["state"] == "stored"
    mark(claire, parcel.id, "fetched")
    assert sent(ann)["items"][0]["state"] == "delivered"
    delete(claire, parcel.id, "me")
    item = sent(ann)["items"][0]
    assert item["state"] == "played"
    assert [one["deleted_at"] is not None for one in item["deliveries"]] == [
        name == claire.name for name in sorted([bob.name, claire.name])
    ]


def test_boxes_need_a_session(server: Server):
    with new_client(server.url) as nobody:
        for box in ("inbox", "sent"):
            assert_problem(nobody.get(f"/api/v1/{box}"), 401, "not-signed-in")
            fake = {"authorization": f"Bearer {b64(os.urandom(32))}"}
            assert_problem(nobody.get(f"/api/v1/{box}", headers=fake), 401, "not-signed-in")
