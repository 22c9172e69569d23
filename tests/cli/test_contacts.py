"""A lying server: other keys, older records, forked histories are refused before anything is sealed."""

import pytest

from restante.client.account import now_ms
from restante.crypto.accounts import new_keyring
from restante.crypto.age import X25519Identity
from restante.crypto.details import Kind
from restante.crypto.envelopes import Message, Sender, seal_for_account
from restante.protocol.ids import Prefix, new_id
from restante.server.transparency.service import append
from restante.signing import records, successions
from tests.databases import looking_into


@pytest.fixture
def pair(ann, person, server, clip):
    """Ann has written to this Bob before, so that she has pinned him."""
    bob = person()
    ann.send(bob.name, clip)
    return ann, bob, server


@pytest.fixture
def own_pair(person, server, clip):
    """As ``pair``, with an Ann whose records may be rewritten."""
    ann, bob = person(), person()
    ann.send(bob.name, clip)
    return ann, bob, server


def acct(person):
    return f"{person.name}@localhost"


def rewrite(server, name, history):
    """Replaces the records of an account on the server's disk, and logs the new ones: what was logged before stays."""
    with looking_into(server.data) as database:
        run = database.execute
        account = run("SELECT id FROM accounts WHERE name = ?", (name,)).scalar_one()
        run("DELETE FROM account_records WHERE account_id = ?", (account,))
        run("UPDATE log_entries SET account_id = -leaf - 1 WHERE account_id = ?", (account,))
        for rev, record in enumerate(history, start=1):
            run("INSERT INTO account_records VALUES (?, ?, ?, 0)", (account, rev, record))
            append(database.connection, account, acct=f"{name}@localhost", rev=rev, record=record)


def history_of(server, name):
    with looking_into(server.data) as database:
        rows = database.execute(
            "SELECT record FROM account_records JOIN accounts ON accounts.id = account_id"
            " WHERE name = ? ORDER BY rev",
            (name,),
        )
        return [record for (record,) in rows]


def nothing_was_sent(ann, bob, count=1):
    return sum(item["to"] == [bob.name] for item in ann.sent()) == count and ann.drafts == []


def test_a_substituted_key_is_refused_until_it_is_accepted(pair, clip):
    ann, bob, server = pair
    forged = new_keyring(acct(bob), now_ms=now_ms())
    rewrite(server, bob.name, [forged.record(now_ms=now_ms())])
    assert "safety number changed" in ann.run("send", bob.name, clip).failed().err
    assert nothing_was_sent(ann, bob)
    told = ann.run("accept", bob.name).failed(2).err
    assert "--compared" in told
    assert len([word for word in told.split() if len(word) == 5 and word.isdigit()]) == 12
    assert ann.run("send", bob.name, clip).code == 1
    ann.ok("accept", bob.name, "--compared")
    ann.send(bob.name, clip)


def test_a_key_slipped_in_as_a_new_revision_is_refused(pair, clip):
    ann, bob, server = pair
    (first,) = history_of(server, bob.name)
    forged = new_keyring(acct(bob), now_ms=now_ms())
    rewrite(server, bob.name, [first, forged.record(now_ms=now_ms(), previous=records.read(first))])
    assert "safety number changed" in ann.run("send", bob.name, clip).failed().err
    assert nothing_was_sent(ann, bob)


def test_a_rolled_back_record_is_refused(pair, clip):
    ann, bob, server = pair
    (first,) = history_of(server, bob.name)
    with bob.account as account:
        second = account.keyring.record(now_ms=now_ms(), previous=records.read(first))
    rewrite(server, bob.name, [first, second])
    ann.send(bob.name, clip)
    rewrite(server, bob.name, [first])
    assert "older than one already known" in ann.run("send", bob.name, clip).failed().err
    assert nothing_was_sent(ann, bob, count=2)


def test_another_accounts_record_is_refused(pair, clip):
    ann, bob, server = pair
    rewrite(server, bob.name, history_of(server, ann.name))
    assert "another account" in ann.run("send", bob.name, clip).failed().err


def test_a_key_that_the_old_one_approved_is_accepted_quietly(pair, clip):
    ann, bob, server = pair
    (first,) = history_of(server, bob.name)
    with bob.account as account:
        old = account.keyring
    new = new_keyring(acct(bob), now_ms=now_ms())
    approval = successions.build(old.signing_key, acct(bob), new=new.signing_key.public, now_ms=now_ms())
    following = new.record(now_ms=now_ms(), previous=records.read(first), succession=approval)
    rewrite(server, bob.name, [first, following])
    ann.send(bob.name, clip)
    with ann.account as account:
        assert account.notices == []


def test_pins_follow_the_account_to_its_other_devices(pair, clip):
    ann, bob, server = pair
    second = ann.other_device("second")
    second.ok("sign-in", ann.name, "--server", server.url, RESTANTE_PASSPHRASE=ann.passphrase)
    forged = new_keyring(acct(bob), now_ms=now_ms())
    rewrite(server, bob.name, [forged.record(now_ms=now_ms())])
    assert "safety number changed" in second.run("send", bob.name, clip).failed().err


def forge(server, impostor, message_id, *, ann, bob):
    """Puts an envelope for Bob into the place of a real one: well made, but signed by somebody else as Ann."""
    message = Message(
        id=message_id,
        kind=Kind.VIDEO,
        created_ms=now_ms(),
        key=X25519Identity.generate(),
        details_sha256=bytes(32),
        upload=new_id(Prefix.UPLOAD),
    )
    sender = Sender(acct(ann), ann.name, impostor.signing_key)
    envelope = seal_for_account(message, sender, records.read(history_of(server, bob.name)[-1]))
    with looking_into(server.data) as database:
        changed = database.execute(
            "UPDATE envelopes SET envelope = ? WHERE message_id = ? AND box = 'inbox'", (envelope, message_id)
        )
        assert changed.rowcount == 1


def test_a_message_forged_from_a_known_sender_is_not_shown(own_pair):
    """Even when the server hands out the forger's key as Ann's new one."""
    ann, bob, server = own_pair
    (item,) = bob.inbox()
    assert item["trust"] == "first"
    assert bob.inbox()[0]["trust"] == "pinned"
    impostor = new_keyring(acct(ann), now_ms=now_ms())
    forge(server, impostor, item["id"], ann=ann, bob=bob)
    (forged,) = bob.inbox()
    assert (forged["state"], forged["error"]["code"]) == ("damaged", "wrong-signer")
    rewrite(server, ann.name, [impostor.record(now_ms=now_ms())])
    (forged,) = bob.inbox()
    assert (forged["state"], forged["error"]["code"]) == ("damaged", "safety-number-changed")


def test_a_stranger_whose_record_names_another_key_is_not_shown(own_pair):
    """At first contact the record must name the key that signed."""
    ann, bob, server = own_pair
    impostor = new_keyring(acct(ann), now_ms=now_ms())
    rewrite(server, ann.name, [impostor.record(now_ms=now_ms())])
    (item,) = bob.inbox()
    assert (item["state"], item["error"]["code"], item["caption"]) == ("damaged", "wrong-signer", None)


def test_a_rolled_back_list_of_contacts_is_told_and_healed(pair, clip):
    ann, bob, server = pair
    with looking_into(server.data) as database:
        database.execute(
            "DELETE FROM state_shards WHERE shard = 'contacts'"
            " AND account_id = (SELECT id FROM accounts WHERE name = ?)",
            (ann.name,),
        )
    forged = new_keyring(acct(bob), now_ms=now_ms())
    genuine = history_of(server, bob.name)
    rewrite(server, bob.name, [forged.record(now_ms=now_ms())])
    answer = ann.run("send", bob.name, clip).failed()
    assert "safety number changed" in answer.err
    assert "older state than this device has seen" in answer.err
    rewrite(server, bob.name, genuine)
    ann.send(bob.name, clip)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["bob@elsewhere.example"], 2, "another server"),
        (["nobody-here"], 1, "Nobody has this name"),
        (["Not-A-Name"], 2, "not an account's name"),
    ],
)
def test_recipients_that_cannot_be_are_refused(pair, clip, words, code, says):
    ann, bob, _ = pair
    assert says in ann.run("send", *words, clip).failed(code).err
    assert nothing_was_sent(ann, bob)
