"""Containers, records, chains, pins, keyrings and shards against protocol/vectors/."""

import msgspec
import pytest

from restante.crypto import keyring, pins, profile, state
from restante.crypto.age import X25519Identity
from restante.crypto.groups import Groups
from restante.crypto.kdf import greeting_access
from restante.protocol.encoding import b64, unb64
from restante.signing import container, records, successions
from tests.protocol import vector_files

_SHAPES = {"contacts": state.Contacts, "groups": Groups, "settings": state.Settings}


class Anything(msgspec.Struct):
    """Any JSON object."""


def refusal(run):
    return vector_files.outcome(run)[1]


def vectors(name):
    return pytest.mark.parametrize("vector", vector_files.family(name), ids=lambda vector: vector.name)


@vectors("container")
def test_container(vector):
    def run():
        box = container.read(vector.body, container.Type.ENVELOPE, limit=65_536)
        box.decode(Anything)
        assert (b64(box.signer) if box.signer else "-") == vector.text("signer")
        assert box.raw == vector.body

    assert refusal(run) == vector.refusal()


@vectors("record")
def test_record(vector):
    def run():
        record = records.read(vector.body)
        assert (record.acct, str(record.rev)) == (vector.text("acct"), vector.text("rev"))
        assert record.sha256 == vector.text("sha256")

    assert refusal(run) == vector.refusal()


@vectors("chain")
def test_chain(vector):
    previous = unb64(vector.text("previous"))
    assert refusal(lambda: records.check_successor(previous, vector.body)) == vector.refusal()


@vectors("succession")
def test_succession(vector):
    old, new = unb64(vector.text("old")), unb64(vector.text("new"))
    check = lambda: successions.check(vector.body, acct=vector.text("acct"), old=old, new=new)  # noqa: E731
    assert refusal(check) == vector.refusal()


@vectors("alias")
def test_alias(vector):
    alias = records.read(vector.body).alias
    assert (alias and (alias.old, alias.new)) == (
        (vector.text("old"), vector.text("new")) if vector.texts("old") else None
    )


@vectors("pin")
def test_pin(vector):
    pin = msgspec.convert(vector.json("pin"), pins.Pin)

    def run():
        moved = pins.follow(pin, vector.text("acct"), [unb64(text) for text in vector.texts("record")])
        assert moved == msgspec.convert(vector.json("moved"), pins.Pin)

    assert refusal(run) == vector.refusal()


@vectors("keyring")
def test_keyring(vector):
    known = vector.text("known")

    def run():
        opened = keyring.open_keyring(
            vector.body,
            X25519Identity.parse(vector.text("identity")),
            acct=vector.text("acct"),
            known=unb64(known) if known else None,
        )
        keyring.check_not_rolled_back(opened, highest_rev=vector.number("highest-rev"))
        assert opened.rev == vector.number("rev")

    assert refusal(run) == vector.refusal()


@vectors("state")
def test_state(vector):
    assert refusal(lambda: open_state(vector)) == vector.refusal()


@vectors("groups")
def test_groups(vector):
    assert refusal(lambda: open_state(vector)) == vector.refusal()


def open_state(vector):
    name = vector.text("shard")
    shard = state.open_shard(
        vector.body,
        _SHAPES.get(name, state.Seen),
        name=name,
        state=X25519Identity.parse(vector.text("state")),
        signers=[unb64(vector.text("signer"))],
        highest_rev=vector.number("highest-rev"),
    )
    assert shard.shard == name


@vectors("profile")
def test_profile(vector):
    def run():
        return profile.open_profile(
            vector.body,
            greeting_access(unb64(vector.text("secret"))).identity,
            acct=vector.text("acct"),
            keys={unb64(key) for key in vector.texts("sign")},
        )

    opened, code = vector_files.outcome(run)
    assert code == vector.refusal()
    if opened:
        assert (opened.greeting, opened.note) == (vector.text("greeting"), vector.text("note"))
