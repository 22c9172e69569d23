"""An account as a whole: what is unplayed, what is stored with whom; and when it is deleted, nothing of it is left."""

from pathlib import Path

from restante.protocol.encoding import b64
from restante.server.db.tables import metadata
from tests.api.household import Household, TurnedClock, parcel_for
from tests.api.parcels import delete, inbox, make_upload, mark, send, sent, until
from tests.api.people import Person, assert_problem, has_ended, make_account, new_client, sign_up_form
from tests.databases import looking_into
from tests.serving import Server, serving


def unplayed(person: Person) -> int:
    return int(person.client.get("/api/v1/inbox/unplayed").json()["count"])


def storage(person: Person) -> dict:
    answer = person.client.get("/api/v1/account/storage")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_badge_counts_what_lives_and_was_not_played(server: Server) -> None:
    ann, bob = make_account(server.url), make_account(server.url)
    assert unplayed(bob) == 0
    first, second, third = (send(ann, bob) for _ in range(3))
    assert unplayed(bob) == 3
    mark(bob, first.id, "fetched")
    assert unplayed(bob) == 3
    mark(bob, first.id, "played")
    delete(bob, second.id, "me")
    assert unplayed(bob) == 1
    delete(ann, third.id, "everyone")
    assert (unplayed(bob), unplayed(ann)) == (0, 0)


def test_storage_is_counted_by_whom(server: Server) -> None:
    ann, bob, eve = (make_account(server.url) for _ in range(3))
    send(ann, bob, eve, upload=make_upload(ann, b"x" * 3000))
    send(bob, ann, upload=make_upload(bob, b"x" * 500))
    make_upload(ann, b"x" * 70)
    told = storage(ann)
    assert (told["received_bytes"], told["sent_bytes"], told["unsent_bytes"]) == (500, 3000, 70)
    assert [(one["name"], one["messages"], one["bytes"]) for one in told["received"]] == [(bob.name, 1, 500)]
    assert {(one["name"], one["bytes"]) for one in told["sent"]} == {(bob.name, 3000), (eve.name, 3000)}
    assert [one["bytes"] for one in storage(eve)["received"]] == [3000]
    for message in inbox(ann)["items"]:
        delete(ann, message["id"], "me")
    assert storage(ann)["received"] == []


def test_storage_does_not_tell_who_blocked(server: Server) -> None:
    ann, bob, eve = (make_account(server.url) for _ in range(3))
    answer = bob.client.put(f"/api/v1/account/acquaintances/{ann.name}", json={"state": "blocked"})
    assert answer.is_success
    send(ann, bob, eve, upload=make_upload(ann, b"x" * 3000))
    assert {(one["name"], one["bytes"]) for one in storage(ann)["sent"]} == {
        (bob.name, 3000),
        (eve.name, 3000),
    }
    assert storage(bob)["received"] == []


def test_a_deletion_asks_anew_who_one_is(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        ann = make_account(server.url)
        with looking_into(server.data) as database:
            database.execute("UPDATE sessions SET verified_at = 0")
        assert_problem(ann.client.delete("/api/v1/account"), 403, "verification-needed")
        assert ann.client.get("/api/v1/inbox").status_code == 200
        with new_client(server.url) as nobody:
            assert_problem(nobody.delete("/api/v1/account"), 401, "not-signed-in")


MARK = b"something of ann alone"


def everything(server: Server) -> bytes:
    names = "\n".join(str(path) for path in server.data.rglob("*") if path.is_file()).encode()
    return names + server.log_path.read_bytes() + server.stored()


def test_nothing_is_left_of_a_deleted_account(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        ann, bob = make_account(server.url, "ann-the-first"), make_account(server.url)
        upload = make_upload(ann, MARK + b"in a video" * 1000)
        shown = send(ann, bob, upload=upload)
        kept = send(bob, ann, upload=make_upload(bob, b"bob's own" * 1000))
        alone = send(bob, ann)
        delete(bob, alone.id, "me")
        unsent = make_upload(ann, MARK + b"not sent")
        ann.client.put(
            "/api/v1/account/state/contacts",
            content=b"age-encryption.org/v1\n" + MARK,
            headers={"content-type": "application/octet-stream", "if-none-match": "*"},
        )
        traces = [MARK, ann.name.encode(), ann.record, ann.keyring, b64(ann.key.public).encode()]
        before = everything(server)
        assert all(trace in before for trace in traces), "the control: all of it was there"
        with looking_into(server.data) as database:
            (number,) = database.execute("SELECT id FROM accounts WHERE name = ?", (ann.name,)).fetchone()
        assert ann.client.delete("/api/v1/account").status_code == 204
        has_ended(server, ann.client)
        assert_problem(ann.client.get("/api/v1/inbox"), 401, "not-signed-in")
        assert_problem(ann.sign_in(), 401, "sign-in-refused")
        until(lambda: rows_of(server, number) == {"log_entries": 1})
        until(lambda: not any(path.name in {upload, unsent} for path in server.data.rglob("*")))
        until(lambda: [trace for trace in traces if trace in everything(server)] == [], within_s=60)
        assert [item["id"] for item in inbox(bob)["items"]] == []
        assert_problem(bob.client.get(f"/api/v1/messages/{shown.id}"), 404, "not-found")
        assert [item["id"] for item in sent(bob)["items"]] == [kept.id]
        assert bob.client.get(f"/api/v1/messages/{kept.id}/video").status_code == 200
        with new_client(server.url) as nobody:
            assert_problem(nobody.get(f"/api/v1/accounts/{ann.name}/record"), 404, "no-such-account")
            again = nobody.post("/api/v1/accounts", json=sign_up_form(ann.name))
            assert_problem(again, 409, "name-taken")
            assert nobody.get(f"/api/v1/accounts/{ann.name}").json() == {"taken": True}
            assert_problem(
                nobody.post("/api/v1/accounts", json=sign_up_form("deleted-7")), 422, "invalid-name"
            )


def rows_of(server: Server, number: int) -> dict[str, int]:
    found = {}
    with looking_into(server.data) as database:
        for table in metadata.sorted_tables:
            if "account_id" in table.c:
                count = f"SELECT count(*) FROM {table.name} WHERE account_id = ?"
                found[table.name] = database.execute(count, (number,)).fetchone()[0]
        found["accounts"] = database.execute(
            "SELECT count(*) FROM accounts WHERE id = ?", (number,)
        ).fetchone()[0]
    return {name: count for name, count in found.items() if count}


def test_an_account_with_many_messages_is_removed_in_batches_and_may_be_interrupted(tmp_path: Path) -> None:
    home = Household(tmp_path, TurnedClock())
    ann, bob = home.account("ann"), home.account("bob")
    for _ in range(120):
        home.send(ann, parcel_for(["bob"]))
        home.send(bob, parcel_for(["ann"]))
    ids = [row.id for row in home.rows("messages") if row.account_id == ann.account_id]
    home.run(home.house.messages.delete_for_everyone(ann, ids[0]))
    for _ in range(2):
        home.run(home.house.mine.remove(ann.account_id))
    assert [row.name for row in home.rows("accounts")] == ["bob"]
    assert {row.account_id for row in home.rows("messages")} == {bob.account_id}
    assert {row.account_id for row in home.rows("envelopes")} == {bob.account_id}
    assert len(home.rows("messages")) == 120
    home.close()
