"""Whom one knows, and how sure of them: links, safety numbers, new keys; at the command line."""

import json

import pytest

from restante.client import device_keyring
from restante.client.account import now_ms
from restante.client.accounts import open_account
from restante.client.errors import ServerProblem
from restante.client.invitations import read_invitation
from restante.client.people import People
from restante.client.rotation import _rotated, rotate
from restante.crypto.accounts import new_keyring
from restante.signing import records
from restante.signing.keys import fp
from tests.cli.person import Person
from tests.cli.test_contacts import acct, history_of, rewrite
from tests.databases import looking_into

YEAR_AND_MORE_MS = 370 * 24 * 3600 * 1000


@pytest.fixture
def pair(person, server, clip):
    """Ann and Bob, who have written to each other."""
    ann, bob = person(), person()
    ann.send(bob.name, clip)
    bob.send(ann.name, clip)
    for each in (ann, bob):
        each.inbox()
    return ann, bob, server


def contacts(person: Person) -> dict[str, dict]:
    return {each["acct"]: each for each in person.ok("contacts", "--json").json}


def number_of(person: Person, other: Person) -> list[str]:
    told = person.run("contacts", "--verify", other.name).failed(2).err
    return [word for word in told.split() if len(word) == 5 and word.isdigit()]


def with_passphrase(person: Person) -> dict[str, str]:
    return {"RESTANTE_PASSPHRASE": person.passphrase}


def key_of(person: Person) -> str:
    with person.account as account:
        return fp(account.keyring.signing_key.public)


# Links


def test_a_link_adds_somebody_whose_key_is_the_links(ann, bob):
    link = bob.ok("contacts", "--link").out.strip()
    assert link == f"{bob.url}/add/{acct(bob)}#fp.{key_of(bob)}"
    known = ann.ok("contacts", "add", link, "--json").json
    assert (known["acct"], known["key"], known["trust"]) == (acct(bob), key_of(bob), "none")
    assert acct(bob) in contacts(ann)


def test_a_link_of_another_key_adds_nobody(person, ann):
    eve = person()
    link = eve.ok("contacts", "--link").out.strip()
    forged = link.replace(key_of(eve), key_of(ann))
    refused = ann.run("contacts", "add", forged).failed()
    assert "another key for this account than the link names" in refused.err
    assert acct(eve) not in contacts(ann)
    with ann.account as account:
        assert People(account).pin(acct(eve)) is None
    ann.ok("contacts", "add", link)  # the control


@pytest.mark.parametrize(
    "link",
    ["https://post.example/add/bob@localhost", "https://post.example/add/bob@localhost#fp.short", "/add/x"],
)
def test_half_a_link_is_told(ann, link):
    assert "not a link to a person" in ann.run("contacts", "add", link).failed(2).err


@pytest.mark.long
def test_a_link_still_leads_to_somebody_with_a_new_key(person, ann):
    dan = person()
    link = dan.ok("contacts", "--link").out.strip()
    dan.ok("rotate", "--signing", **with_passphrase(dan))
    assert read_invitation(link).fp != key_of(dan)
    assert ann.ok("contacts", "add", link, "--json").json["key"] == key_of(dan)


# Safety numbers


def test_both_see_the_same_number_and_mark_each_other(pair):
    ann, bob, _ = pair
    number = number_of(ann, bob)
    assert len(number) == 12
    assert number_of(bob, ann) == number
    assert contacts(ann)[acct(bob)]["trust"] == "none"
    told = ann.ok("contacts", "--verify", bob.name, "--compared", "--json").json
    assert told["number"].split() == number
    verified = contacts(ann)[acct(bob)]
    assert verified["trust"] == "verified"
    assert abs(verified["verified_at"] - now_ms()) < 60_000
    assert contacts(bob)[acct(ann)]["trust"] == "none"
    assert ann.ok("contacts", "--unverify", bob.name, "--json").json["trust"] == "none"


@pytest.mark.long
def test_the_mark_is_there_on_ones_other_device(pair):
    ann, bob, server = pair
    ann.ok("contacts", "--verify", bob.name, "--compared")
    second = ann.other_device("second")
    second.ok("sign-in", ann.name, "--server", server.url, **with_passphrase(ann))
    assert contacts(second)[acct(bob)]["trust"] == "verified"


# New keys


def test_a_new_encryption_key_opens_what_came_before_and_after(pair, clip):
    ann, bob, server = pair
    bob.ok("rotate")
    latest = records.read(history_of(server, bob.name)[-1])
    assert latest.rev == 2
    with bob.account as account:
        retired = [entry.retired for entry in account.keyring.enc]
        assert (retired, latest.fields.enc[0].id) == ([True, False], account.keyring.enc[1].id)
    ann.send(bob.name, clip)
    assert [item["state"] for item in bob.inbox()] == ["stored", "stored"]
    assert contacts(ann)[acct(bob)]["trust"] == "none"


def test_a_new_signing_key_is_followed_by_contacts_and_by_ones_other_device(pair, clip):
    ann, bob, server = pair
    ann.ok("contacts", "--verify", bob.name, "--compared")
    second = bob.other_device("second")
    second.ok("sign-in", bob.name, "--server", server.url, **with_passphrase(bob))
    before = key_of(bob)
    number = number_of(ann, bob)
    told = bob.ok("rotate", "--signing", "--json", **with_passphrase(bob)).json
    assert told["key"] == key_of(bob) == key_of(second) != before
    bob.send(ann.name, clip)
    second.send(ann.name, clip)
    assert [item["trust"] for item in ann.inbox()] == ["pinned", "pinned", "former"]
    followed = contacts(ann)[acct(bob)]
    assert (followed["trust"], followed["key"]) == ("succeeded", told["key"])
    assert "signed with the old one" in ann.ok("contacts").out
    assert number_of(ann, bob) != number
    ann.send(bob.name, clip)
    assert [item["state"] for item in second.inbox()] == ["stored", "stored"]
    assert [item["trust"] for item in bob.sent()] == ["own", "own", "own"]


@pytest.mark.long
def test_a_signing_key_after_a_signing_key(pair, clip):
    ann, bob, _ = pair
    for _ in range(2):
        bob.ok("rotate", "--signing", **with_passphrase(bob))
    ann.send(bob.name, clip)
    assert len(bob.inbox()) == 2
    bob.send(ann.name, clip)
    assert ann.inbox()[0]["trust"] == "pinned"


def test_a_rotation_that_was_broken_off_is_published_by_the_next_command(pair, clip):
    ann, bob, server = pair
    with open_account(bob.profile) as account:
        account.profile.note_record(0)
        device_keyring.change(account, lambda keyring: _rotated(keyring, signing=True))
        key = account.keyring.signing_key.public
    assert records.read(history_of(server, bob.name)[-1]).sign != key
    bob.ok("inbox")
    assert records.read(history_of(server, bob.name)[-1]).sign == key
    ann.send(bob.name, clip)
    assert len(bob.inbox()) == 2


@pytest.mark.long
def test_another_device_publishes_what_one_left_unpublished(pair):
    _, bob, server = pair
    second = bob.other_device("second")
    second.ok("sign-in", bob.name, "--server", server.url, **with_passphrase(bob))
    with open_account(bob.profile) as account:
        device_keyring.change(account, lambda keyring: _rotated(keyring, signing=True))
        key = account.keyring.signing_key.public
    second.ok("inbox")
    assert records.read(history_of(server, bob.name)[-1]).sign == key


@pytest.mark.long
def test_the_encryption_key_is_renewed_once_a_year(person, server, monkeypatch):
    with monkeypatch.context() as past:
        past.setattr("restante.client.accounts.now_ms", lambda: now_ms() - YEAR_AND_MORE_MS)
        old = person()
    old.ok("inbox")
    (first, second) = (records.read(data) for data in history_of(server, old.name))
    assert [key.id for key in first.fields.enc] != [key.id for key in second.fields.enc]
    old.ok("inbox")
    assert len(history_of(server, old.name)) == 2


def forget_verification(server):
    """As if everybody had shown who they are some days ago."""
    with looking_into(server.data) as database:
        database.execute("UPDATE sessions SET verified_at = 0")


def test_a_new_signing_key_needs_a_word_from_its_person_and_a_renewal_does_not(person, server):
    eve = person()
    forget_verification(server)
    eve.ok("rotate")
    with open_account(eve.profile) as account, pytest.raises(ServerProblem) as refused:
        rotate(account, signing=True)
    assert refused.value.code == "verification-needed"
    key = records.read(history_of(server, eve.name)[-1]).sign
    with open_account(eve.profile) as account:
        assert account.keyring.signing_key.public != key
    told = eve.run("inbox")
    assert (told.code, "not published yet" in told.err) == (0, True)
    assert "your passphrase" in eve.run("rotate").failed(2).err
    eve.ok("rotate", **with_passphrase(eve))
    published = records.read(history_of(server, eve.name)[-1])
    assert fp(published.sign) == key_of(eve)
    assert "not published" not in eve.ok("inbox").err


# A key that nobody vouches for


def lose_everything(server, name):
    """What an operator does for somebody who has lost all ways in: the account goes, its name is free, the log stays."""
    with looking_into(server.data) as database:
        database.execute("DELETE FROM accounts WHERE name = ?", (name,))


@pytest.mark.long
def test_a_name_is_taken_as_long_as_its_account_is_there(pair, tmp_path):
    _, bob, server = pair
    again = Person(bob.name, tmp_path / "again", server.url)
    assert "name is taken" in again.run("sign-up", bob.name, "--server", server.url).failed().err


def test_whoever_begins_anew_under_a_name_is_a_new_identity_to_contacts(person, clip, tmp_path, server):
    ann, bob = person(), person()
    ann.send(bob.name, clip)
    ann.ok("contacts", "--verify", bob.name, "--compared")
    lose_everything(server, bob.name)
    (tmp_path / "again").mkdir()
    again = Person(bob.name, tmp_path / "again", server.url).sign_up()
    again.send(ann.name, clip)
    (item,) = [item for item in ann.inbox() if item["error"]]
    assert item["error"]["code"] in {"safety-number-changed", "wrong-signer"}
    assert "safety number changed" in ann.run("send", bob.name, clip).failed().err
    assert "safety number changed" in ann.run("contacts", "--verify", bob.name, "--compared").failed().err
    ann.ok("accept", bob.name, "--compared")
    assert contacts(ann)[acct(bob)]["trust"] == "verified"
    ann.send(bob.name, clip)
    assert ann.inbox()[0]["error"] is None


@pytest.mark.long
def test_the_mark_falls_with_a_key_that_was_changed(pair):
    ann, bob, server = pair
    ann.ok("contacts", "--verify", bob.name, "--compared")
    genuine = history_of(server, bob.name)
    rewrite(server, bob.name, [new_keyring(acct(bob), now_ms=now_ms()).record(now_ms=now_ms())])
    assert "safety number changed" in ann.run("contacts", "--verify", bob.name).failed().err
    assert json.loads(ann.ok("contacts", "--json").out)[0]["trust"] == "verified"  # the pinned one's, still
    rewrite(server, bob.name, genuine)
