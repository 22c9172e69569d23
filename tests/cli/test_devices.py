"""Two devices of one account at the same time, and messages that come twice."""

import pytest

from restante.client.account import now_ms
from restante.client.shards import change_shard, load_shard
from restante.crypto.age import X25519Identity
from restante.crypto.contacts import Blocked, Contact
from restante.crypto.details import Kind
from restante.crypto.envelopes import Message, Sender, seal_for_account
from restante.crypto.state import CONTACTS, Contacts
from restante.protocol import ijson, wire
from restante.protocol.encoding import unb64
from restante.protocol.ids import Prefix, new_id
from restante.signing import records
from tests.databases import looking_into


@pytest.fixture
def devices(person):
    first = person()
    second = first.other_device("second")
    second.ok("sign-in", first.name, "--server", first.url, RESTANTE_PASSPHRASE=first.passphrase)
    with first.account as one, second.account as two:
        yield one, two


def test_two_devices_that_write_at_once_lose_nothing(devices):
    one, two = devices
    contact = Contact(blocked=Blocked(value=True, at=1))
    tries = []

    def change(shard):
        tries.append(shard.rev)
        if len(tries) == 1:
            change_shard(
                two, CONTACTS, Contacts, lambda theirs: theirs.with_contact("bob@localhost", contact)
            )
        return shard.with_contact("cid@localhost", contact)

    change_shard(one, CONTACTS, Contacts, change)
    assert len(tries) == 2
    for device in devices:
        found = load_shard(device, CONTACTS, Contacts)
        assert set(found.contacts) == {"bob@localhost", "cid@localhost"}
        assert device.notices == []


def test_each_device_stands_in_the_keyring(devices):
    one, two = devices
    assert {device.did for device in two.keyring.devices} == {one.identity.device_id, two.identity.device_id}


def test_another_message_under_a_known_id_is_refused(person, server, clip):
    """Even its own sender cannot change what was received."""
    ann, bob = person(), person()
    message_id = ann.send(bob.name, clip)
    assert bob.inbox()[0]["state"] == "stored"
    with ann.account as account, looking_into(server.data) as database:
        record = account.session.call("GET", f"/api/v1/accounts/{bob.name}/record").body
        other = Message(
            id=message_id,
            kind=Kind.VIDEO,
            created_ms=now_ms(),
            key=X25519Identity.generate(),
            details_sha256=bytes(32),
            upload=new_id(Prefix.UPLOAD),
        )
        sender = Sender(account.acct, ann.name, account.keyring.signing_key)
        envelope = seal_for_account(other, sender, records.read(unb64(record_of(record))))
        database.execute(
            "UPDATE envelopes SET envelope = ? WHERE message_id = ? AND box = 'inbox'", (envelope, message_id)
        )
    (item,) = bob.inbox()
    assert (item["state"], item["error"]["code"]) == ("damaged", "message-id-reused")


def record_of(body):
    return ijson.decode(body, wire.Record).record
