"""A lying server: other keys, older records, forked histories are refused before anything is sealed."""

import sqlite3

import pytest

from restante.client.account import now_ms
from restante.crypto.accounts import new_keyring
from restante.protocol.encoding import b64
from restante.signing import records, successions


@pytest.fixture
def pair(person, new_server, clip):
    """Ann has written to Bob before, so that she has pinned him."""
    server = new_server()
    ann, bob = person("ann", at=server), person("bob", at=server)
    ann.send("bob", clip)
    return ann, bob, server


def rewrite(server, name, history):
    """Replaces the records of an account on the server's disk."""
    with sqlite3.connect(server.data / "restante.sqlite3", timeout=10) as database:
        (account,) = database.execute("SELECT id FROM accounts WHERE name = ?", (name,)).fetchone()
        database.execute("DELETE FROM account_records WHERE account_id = ?", (account,))
        database.executemany(
            "INSERT INTO account_records (account_id, rev, record, created_at) VALUES (?, ?, ?, 0)",
            [(account, rev, record) for rev, record in enumerate(history, start=1)],
        )


def history_of(server, name):
    with sqlite3.connect(server.data / "restante.sqlite3", timeout=10) as database:
        rows = database.execute(
            "SELECT record FROM account_records JOIN accounts ON accounts.id = account_id"
            " WHERE name = ? ORDER BY rev",
            (name,),
        )
        return [record for (record,) in rows]


def nothing_was_sent(ann, count=1):
    return len(ann.sent()) == count and ann.drafts == []


def test_a_substituted_key_is_refused_until_it_is_accepted(pair, clip):
    ann, _, server = pair
    forged = new_keyring("bob@localhost", now_ms=now_ms())
    rewrite(server, "bob", [forged.record(now_ms=now_ms())])
    assert "safety number changed" in ann.run("send", "bob", clip).failed().err
    assert nothing_was_sent(ann)
    told = ann.run("accept", "bob").failed(2).err
    assert "--compared" in told
    assert len([word for word in told.split() if len(word) == 5 and word.isdigit()]) == 12
    assert ann.run("send", "bob", clip).code == 1
    ann.ok("accept", "bob", "--compared")
    ann.send("bob", clip)


def test_a_key_slipped_in_as_a_new_revision_is_refused(pair, clip):
    ann, _, server = pair
    (first,) = history_of(server, "bob")
    forged = new_keyring("bob@localhost", now_ms=now_ms())
    rewrite(server, "bob", [first, forged.record(now_ms=now_ms(), previous=records.read(first))])
    assert "safety number changed" in ann.run("send", "bob", clip).failed().err
    assert nothing_was_sent(ann)


def test_a_rolled_back_record_is_refused(pair, clip):
    ann, bob, server = pair
    (first,) = history_of(server, "bob")
    with bob.account as account:
        second = account.keyring.record(now_ms=now_ms(), previous=records.read(first))
    rewrite(server, "bob", [first, second])
    ann.send("bob", clip)
    rewrite(server, "bob", [first])
    assert "older than one already known" in ann.run("send", "bob", clip).failed().err
    assert nothing_was_sent(ann, count=2)


def test_another_accounts_record_is_refused(pair, clip):
    ann, _, server = pair
    rewrite(server, "bob", history_of(server, "ann"))
    assert "another account" in ann.run("send", "bob", clip).failed().err


def test_a_key_that_the_old_one_approved_is_accepted_quietly(pair, clip):
    ann, bob, server = pair
    (first,) = history_of(server, "bob")
    with bob.account as account:
        old = account.keyring
    new = new_keyring("bob@localhost", now_ms=now_ms())
    approval = successions.build(
        old.signing_key, "bob@localhost", new=new.signing_key.public, now_ms=now_ms()
    )
    following = new.record(now_ms=now_ms(), previous=records.read(first), succession=approval)
    rewrite(server, "bob", [first, following])
    ann.send("bob", clip)
    with ann.account as account:
        assert account.notices == []


def test_pins_follow_the_account_to_its_other_devices(pair, clip):
    ann, _, server = pair
    second = ann.other_device("second")
    second.ok("sign-in", "ann", "--server", server.url, RESTANTE_PASSPHRASE=ann.passphrase)
    forged = new_keyring("bob@localhost", now_ms=now_ms())
    rewrite(server, "bob", [forged.record(now_ms=now_ms())])
    assert "safety number changed" in second.run("send", "bob", clip).failed().err


def test_a_sender_whose_key_is_another_than_the_pinned_one_is_not_shown(pair, clip):
    """The server hands out another key for Ann, and a message signed with it, after Bob has met her."""
    ann, bob, server = pair
    assert bob.inbox()[0]["trust"] == "first"
    assert bob.inbox()[0]["trust"] == "pinned"
    impostor = new_keyring("ann@localhost", now_ms=now_ms())
    with ann.account as account:
        genuine = account.keyring
    rewrite(server, "ann", [impostor.record(now_ms=now_ms())])
    items = bob.inbox()
    assert [item["state"] for item in items] == ["stored"]
    assert b64(genuine.signing_key.public) != b64(impostor.signing_key.public)


def test_a_stranger_whose_record_names_another_key_is_not_shown(pair, clip, person):
    """At first contact the record must name the key that signed."""
    _, bob, server = pair
    impostor = new_keyring("ann@localhost", now_ms=now_ms())
    rewrite(server, "ann", [impostor.record(now_ms=now_ms())])
    (item,) = bob.inbox()
    assert (item["state"], item["error"]["code"], item["caption"]) == ("damaged", "wrong-signer", None)


def test_a_rolled_back_list_of_contacts_is_told_and_healed(pair, clip):
    ann, _, server = pair
    with sqlite3.connect(server.data / "restante.sqlite3", timeout=10) as database:
        database.execute("DELETE FROM state_shards WHERE shard = 'contacts'")
    forged = new_keyring("bob@localhost", now_ms=now_ms())
    genuine = history_of(server, "bob")
    rewrite(server, "bob", [forged.record(now_ms=now_ms())])
    answer = ann.run("send", "bob", clip).failed()
    assert "safety number changed" in answer.err
    assert "older state than this device has seen" in answer.err
    rewrite(server, "bob", genuine)
    ann.send("bob", clip)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["bob@elsewhere.example"], 2, "another server"),
        (["nobody-here"], 1, "Nobody has this name"),
        (["Bob"], 2, "not an account's name"),
    ],
)
def test_recipients_that_cannot_be_are_refused(pair, clip, words, code, says):
    ann, _, _ = pair
    assert says in ann.run("send", *words, clip).failed(code).err
    assert nothing_was_sent(ann)
