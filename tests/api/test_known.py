"""What the server says that it knows about an account is what its rows say, all of them."""

import pytest

from restante.server.db.tables import metadata
from restante.server.known import queries
from tests.api.parcels import make_upload, send
from tests.api.people import Person, assert_problem, make_account, new_client
from tests.databases import looking_into
from tests.serving import Server

NOBODYS = {
    "desk_acts",
    "invites",
    "operator_links",
    "meta",
    "rate_buckets",
    "leases",
    "outbox",
    "reserved_names",
    "spent_challenges",
}
"""Tables whose rows are nobody's: the server's own secrets, counts under a keyed hash, work that is left to do."""


def known(person: Person) -> dict:
    answer = person.client.get("/api/v1/account/known")
    assert answer.status_code == 200, answer.text
    return answer.json()


def rows_of(person: Person) -> dict[str, int]:
    return {table["table"]: table["rows"] for table in known(person)["tables"]}


def test_every_table_with_rows_of_accounts_is_counted() -> None:
    """A table that is added later has ``account_id``, or is nobody's, or is found by way of another."""
    assert set(metadata.tables) - NOBODYS <= queries.tables()


def test_the_counts_are_those_of_the_rows(server: Server) -> None:
    ann, bob = make_account(server.url), make_account(server.url)
    before = rows_of(ann)
    assert (before["accounts"], before["messages"], before["sessions"]) == (1, 0, 1)
    video = make_upload(ann, b"x" * 3000)
    send(ann, bob, upload=video)
    send(bob, ann)
    ann.client.put(
        "/api/v1/account/state/contacts",
        content=b"age-encryption.org/v1\n" + b"x" * 500,
        headers={"content-type": "application/octet-stream", "if-none-match": "*"},
    )
    told = {table["table"]: table for table in known(ann)["tables"]}
    with looking_into(server.data) as database:
        (number,) = database.execute("SELECT id FROM accounts WHERE name = ?", (ann.name,)).fetchone()
        for name in {table.name for table in metadata.sorted_tables if "account_id" in table.c}:
            (count,) = database.execute(
                f"SELECT count(*) FROM {name} WHERE account_id = ?",
                (number,),
            ).fetchone()
            assert told[name]["rows"] == count, name
    assert told["messages"]["rows"] == 1
    assert told["messages"]["bytes"] >= 3000
    assert told["state_shards"]["bytes"] == 522
    assert told["idempotency_keys"]["rows"] == 1
    assert told["messages"]["first_at"] == told["messages"]["last_at"]


def test_it_tells_who_wrote_to_whom(server: Server) -> None:
    ann, bob, carl = (make_account(server.url) for _ in range(3))
    for _ in range(2):
        send(ann, bob)
    send(bob, ann, carl)
    peers = {peer["name"]: (peer["sent"], peer["received"]) for peer in known(ann)["peers"]}
    assert peers == {bob.name: (2, 1)}
    assert {peer["name"] for peer in known(carl)["peers"]} == {bob.name}


def test_it_is_for_the_account_alone(server: Server) -> None:
    ann = make_account(server.url)
    assert known(ann)["name"] == ann.name
    with new_client(server.url) as nobody:
        assert_problem(nobody.get("/api/v1/account/known"), 401, "not-signed-in")


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_cannot_be_changed(server: Server, method: str) -> None:
    ann = make_account(server.url)
    assert_problem(getattr(ann.client, method)("/api/v1/account/known"), 405, "method-not-allowed")
