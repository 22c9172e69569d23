"""New keys that one device makes, and how the account's others come to them: state key, conflicts, followed inboxes."""

import pytest

from restante.client import device_keyring
from restante.client.account import now_ms
from restante.client.accounts import open_account
from restante.client.incoming import Mailbox
from restante.client.rotation import _rotated, rotate
from restante.client.shards import change_shard, load_shard
from restante.crypto.age import NoMatch, X25519Identity, unseal
from restante.crypto.contacts import Blocked, Contact
from restante.crypto.state import CONTACTS, Contacts
from restante.protocol import wire
from restante.protocol.limits import SHARD_BYTES
from tests.cli.middleman import middleman
from tests.cli.person import NO_KEYRING, Person

PATH = "/api/v1/account/state"


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch):
    """The library, too, keeps secrets in files here."""
    for key, value in NO_KEYRING.items():
        monkeypatch.setenv(key, value)


@pytest.fixture(scope="module")
def other(ann) -> Person:
    """Ann's other device; nobody stretches a passphrase for it."""
    second = ann.other_device("second")
    second.ok("sign-in", ann.name, "--server", ann.url, RESTANTE_RECOVERY_CODE=ann.recovery_code)
    return second


def blocked(account, acct):
    contact = Contact(blocked=Blocked(value=True, at=now_ms()))
    change_shard(account, CONTACTS, Contacts, lambda shard: shard.with_contact(acct, contact))


def known(account) -> set[str]:
    return set(load_shard(account, CONTACTS, Contacts).contacts)


def shards(account) -> dict[str, bytes]:
    items = account.session.get(PATH, wire.Shards).items
    return {
        item.shard: account.session.call("GET", f"{PATH}/{item.shard}", limit=SHARD_BYTES).body
        for item in items
    }


def opens(key: X25519Identity, sealed: bytes) -> bool:
    try:
        unseal(sealed, key)
    except NoMatch:
        return False
    return True


def rotate_all(person: Person) -> None:
    person.ok("rotate", "--signing", RESTANTE_RECOVERY_CODE=person.recovery_code)


def test_who_has_the_old_keyring_opens_no_notes_of_the_account_any_more(ann, other):
    with ann.account as account:
        blocked(account, "one@localhost")
        stolen = account.keyring
        assert all(opens(stolen.state_identity, sealed) for sealed in shards(account).values())
    rotate_all(ann)
    with other.account as account:
        assert account.keyring.state != stolen.state
        assert not account.keyring.former_states
        found = shards(account)
        assert CONTACTS in found
        for sealed in found.values():
            assert not opens(stolen.state_identity, sealed)
            assert opens(account.keyring.state_identity, sealed)
        assert "one@localhost" in known(account)
        assert account.notices == []


def test_a_new_state_key_that_was_interrupted_is_finished_by_whichever_device_is_next(ann, other):
    with ann.account as account:
        blocked(account, "two@localhost")
        before = account.keyring.state
        device_keyring.change(account, lambda keyring: _rotated(keyring, signing=True))
        assert account.keyring.former_states == (before,)
        assert "two@localhost" in known(account), "the old key opens what is not sealed anew yet"
    with other.account as account:
        assert not account.keyring.former_states
        assert not opens(X25519Identity.parse(before), shards(account)[CONTACTS])
        assert "two@localhost" in known(account)


def test_a_device_that_was_open_meanwhile_writes_with_the_new_key_and_over_nothing(ann, other):
    with other.account as behind:
        with ann.account as account:
            blocked(account, "two@localhost")
            before = account.keyring.state_identity
            rotate(account, signing=True)
            blocked(account, "three@localhost")
        blocked(behind, "four@localhost")
        assert behind.notices == []
        assert not opens(before, shards(behind)[CONTACTS])
    with ann.account as account:
        assert {"two@localhost", "three@localhost", "four@localhost"} <= known(account)


def test_of_two_new_signing_keys_at_once_the_first_holds_and_the_second_is_told(ann, other):
    meanwhile = [other]

    def meddle(request):
        if request.method == "PUT" and request.path == device_keyring.PATH and meanwhile:
            rotate_all(meanwhile.pop())
        return request

    with middleman(ann.url) as man:
        man.ask = meddle
        secret = {"RESTANTE_RECOVERY_CODE": ann.recovery_code}
        told = ann.run("rotate", "--signing", "--server", man.url, **secret).failed()
    assert told.err == (
        "error: Another device made new keys for this account at the same moment.\n"
        "hint: Its keys are in use, and nothing of yours was changed. Do it again only if you still want other keys than those.\n"
    )
    with ann.account as one, other.account as two:
        assert one.keyring.sign == two.keyring.sign
        assert known(one) == known(two)
    rotate_all(ann)


def test_a_followed_inbox_opens_what_is_sealed_to_a_key_that_another_device_made(ann, other, bob, clip):
    with open_account(ann.profile) as account:
        mailbox = Mailbox(account)
        since = mailbox.changes(0).since
        other.ok("rotate")
        sent = bob.send(ann.name, clip)
        (item,) = mailbox.changes(since).items
        assert (item.id, item.trouble) == (sent, None)
