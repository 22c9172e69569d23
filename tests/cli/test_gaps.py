"""A message names the one before it, so that one that never came is missed; and what the server says that it knows."""

import itertools

import pytest

from restante.client.incoming import Mailbox
from restante.protocol import wire
from tests.databases import looking_into


def prevs(person) -> dict[str, str | None]:
    with person.account as account:
        return {item.id: item.require().opened.fields.prev for item in Mailbox(account).inbox()}


def gaps(person) -> dict[str, bool]:
    return {item["id"]: item["gap"] for item in person.inbox()}


@pytest.fixture
def pair(person, server):
    ann, bob = person(), person()
    return ann, bob, server


def vanish(server, message_id: str) -> None:
    """As if the server had never been told of it."""
    with looking_into(server.data) as database:
        database.execute("DELETE FROM messages WHERE id = ?", (message_id,))


def test_each_names_the_one_before_it_to_the_same_account(pair, clip):
    ann, bob, _ = pair
    first = ann.send(bob.name, clip)
    ann.send(ann.name, clip)
    second = ann.send(bob.name, clip)
    phone = ann.other_device("phone")  # another device knows it from the list of sent messages
    phone.ok("sign-in", ann.name, "--server", ann.url, RESTANTE_PASSPHRASE=ann.passphrase)
    third = phone.send(bob.name, clip)
    assert prevs(bob) == {first: None, second: first, third: second}
    assert not any(gaps(bob).values())


def test_one_that_never_came_is_missed(pair, clip):
    ann, bob, server = pair
    first, held, last = (ann.send(bob.name, clip) for _ in range(3))
    vanish(server, held)
    assert gaps(bob) == {first: False, last: True}
    told = bob.ok("inbox").err
    assert "A video may be missing before this one" in told
    assert "message-missing" in told


def test_the_senders_own_memory_outlives_a_server_that_forgets(pair, clip):
    """Hidden from the list of sent messages too, it is named all the same."""
    ann, bob, server = pair
    held = ann.send(bob.name, clip)
    vanish(server, held)
    assert ann.sent() == []
    last = ann.send(bob.name, clip)
    assert prevs(bob) == {last: held}
    assert gaps(bob) == {last: True}
    memory = (ann.profile.folder / "previous.json").read_text()
    assert last in memory
    assert bob.name not in memory


@pytest.mark.parametrize("opened", [True, False], ids=["seen before", "never seen"])
def test_what_was_deleted_is_not_missed(pair, clip, opened):
    ann, bob, _ = pair
    first, second = (ann.send(bob.name, clip) for _ in range(2))
    if opened:
        bob.inbox()
    bob.ok("delete", first)
    assert gaps(bob) == {second: False}


def test_what_was_taken_back_is_not_named(pair, clip):
    ann, bob, _ = pair
    first, second = (ann.send(bob.name, clip) for _ in range(2))
    ann.ok("delete", second, "--for-everyone")
    third = ann.send(bob.name, clip)
    assert prevs(bob)[third] == first


def test_what_came_is_remembered_when_the_server_no_longer_lists_it(pair, clip):
    ann, bob, server = pair
    first, second = (ann.send(bob.name, clip) for _ in range(2))
    bob.inbox()
    vanish(server, first)
    assert gaps(bob) == {second: False}


def test_the_server_tells_what_it_knows(pair, clip):
    ann, bob, _ = pair
    for _ in range(2):
        ann.send(bob.name, clip)
    told = ann.ok("known", "--json").json
    (peer,) = told["peers"]
    assert (told["name"], peer["name"], peer["sent"], peer["received"]) == (ann.name, bob.name, 2, 0)
    rows = {table["table"]: table["rows"] for table in told["tables"]}
    assert rows["messages"] == 2
    shown = ann.ok("known")
    assert all(word in shown.out for word in (bob.name, "messages", "sessions"))
    assert "Not in it" in shown.err
    assert set(wire.Known.__struct_fields__) == set(told)
    assert list(itertools.islice(rows, 1)) == ["accounts"]
