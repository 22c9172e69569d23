"""The log of account records, as the command line follows it on a server that is honest, forks, rolls back or leaves out."""

import json
from collections.abc import Iterator

import pytest

from restante.client.account import now_ms
from restante.client.monitoring import watch_name
from restante.client.record_chain import fetch_chain
from restante.crypto.accounts import new_keyring
from restante.protocol import ijson, wire
from restante.protocol.encoding import b64, unb64
from restante.signing.keys import SigningKey
from restante.transparency.checkpoints import Checkpoint, origin_of
from restante.transparency.entries import entry_of
from restante.transparency.notes import Algorithm, NoteKey, SignedNote, cosign, sign_note
from restante.transparency.tiles import read_path
from tests.cli.middleman import Exchange, Middleman, middleman
from tests.cli.person import Person
from tests.transparency.growing import GrowingLog

KEY = SigningKey(bytes(range(32)))
ORIGIN = origin_of("localhost")


@pytest.fixture
def man(server) -> Iterator[Middleman]:
    with middleman(server.url) as man:
        yield man


class OtherLog:
    """A log of the test's own in the place of the server's, signed by a key of its own."""

    def __init__(self, key: SigningKey = KEY) -> None:
        self.key = key
        self.log = GrowingLog()

    def add(self, acct: str, record: bytes) -> int:
        self.log.add(entry_of(acct, record))
        return len(self.log.entries) - 1

    def answer(self, exchange: Exchange) -> Exchange:
        """Takes all records that pass for new ones, logs them, and shows this log instead of the server's."""
        if exchange.path.endswith("/records"):
            return exchange.answering(200, self._logged(exchange.body))
        what = exchange.path.removeprefix("/tlog/")
        if what == exchange.path:
            return exchange
        return exchange.answering(200, self._shown(what))

    def _logged(self, body: bytes) -> bytes:
        answer = json.loads(body)
        for item in answer["items"]:
            entry = entry_of(item["acct"], unb64(item["record"]))
            if entry not in self.log.entries:
                self.log.add(entry)
            item["leaf"] = self.log.entries.index(entry)
        return json.dumps(answer).encode()

    def _shown(self, what: str) -> bytes:
        if what == "key":
            return f"{NoteKey(ORIGIN, self.key.public)}\n".encode()
        if what == "checkpoint":
            size = len(self.log.entries)
            return sign_note(Checkpoint(ORIGIN, size, self.log.root()).text, ORIGIN, self.key)
        tile = read_path(what)
        assert tile is not None
        return self.log.fetch(tile)


def through(person: Person, man: Middleman, *words: object):
    return person.run(*words, "--server", man.url)


def kept(person: Person) -> str:
    return (person.profile.folder / "log.json").read_text()


def size_of(person: Person) -> int:
    note = json.loads(kept(person))["note"]
    return Checkpoint.read(SignedNote.read(note.encode()).text).size


def test_who_is_pinned_was_logged_and_the_log_is_remembered(person, clip):
    ann, bob = person(), person()
    ann.send(bob.name, clip)
    first = size_of(ann)
    carl = person()
    ann.send(carl.name, clip)
    assert size_of(ann) > first > 1


def test_a_pin_that_does_not_change_asks_nothing_of_the_log(person, man, clip):
    ann, bob = person(), person()
    assert through(ann, man, "send", bob.name, clip).code == 0
    assert [path for _, path in man.seen if path.startswith("/tlog/")][:2] == [
        "/tlog/key",
        "/tlog/checkpoint",
    ]
    man.seen.clear()
    assert through(ann, man, "send", bob.name, clip).code == 0
    assert [path for _, path in man.seen if path.startswith("/tlog/")] == []


def refused(person: Person, man: Middleman, words: str, *command: object) -> None:
    before = len(person.sent())
    answer = through(person, man, *command).failed()
    assert words in answer.err
    assert "hint: " in answer.err
    assert len(person.sent()) == before


def test_an_omission_is_refused(person, man, clip):
    ann, bob = person(), person()

    def elsewhere(exchange):
        if not exchange.path.endswith("/records"):
            return exchange
        answer = json.loads(exchange.body)
        for item in answer["items"]:
            item["leaf"] = item["leaf"] - 1 if item["leaf"] else 1
        return exchange.answering(200, json.dumps(answer).encode())

    man.change = elsewhere
    refused(ann, man, "is not in the server's log", "send", bob.name, clip)
    man.change = lambda exchange: exchange
    assert through(ann, man, "send", bob.name, clip).code == 0


@pytest.mark.parametrize("what", ["/tlog/key", "/tlog/checkpoint", "/tlog/tile/"])
def test_a_log_that_is_not_shown_is_refused(person, man, clip, what):
    ann, bob = person(), person()
    man.change = lambda exchange: exchange.answering(404) if exchange.path.startswith(what) else exchange
    refused(ann, man, "does not show its log", "send", bob.name, clip)


def test_a_fork_is_refused_and_its_proof_kept(person, man, clip):
    """The server has a second log for this person, signed with the same key."""
    ann, bob, carl = person(), person(), person()
    one, other = OtherLog(), OtherLog()
    man.change = one.answer
    assert through(ann, man, "send", bob.name, clip).code == 0
    other.log = GrowingLog([b"slipped in", b"and more"])
    man.change = other.answer
    refused(ann, man, "not a continuation", "send", carl.name, clip)
    evidence = (ann.profile.folder / "log-conflict.txt").read_bytes()
    proof = Checkpoint.read(SignedNote.read(evidence).text_signed_by(NoteKey(ORIGIN, KEY.public)))
    assert proof.root != one.log.root(1)
    man.change = one.answer
    assert through(ann, man, "send", carl.name, clip).code == 0, "the log that continues is still believed"


def test_a_rollback_is_refused_until_the_person_starts_anew(person, man, clip):
    ann, bob, carl = person(), person(), person()
    log = OtherLog()
    log.log = GrowingLog([b"1", b"2", b"3"])
    man.change = log.answer
    assert through(ann, man, "send", bob.name, clip).code == 0
    log.log = GrowingLog([b"1", b"2"])
    refused(ann, man, "shorter than it was", "send", carl.name, clip)
    assert through(ann, man, "monitor", "--start-anew", "--json").code == 0
    assert through(ann, man, "send", carl.name, clip).code == 0


def test_another_key_is_refused(person, man, clip):
    ann, bob, carl = person(), person(), person()
    log = OtherLog()
    man.change = log.answer
    assert through(ann, man, "send", bob.name, clip).code == 0
    log.key = SigningKey(bytes(32))
    refused(ann, man, "another key than before", "send", carl.name, clip)


def test_a_sender_who_is_not_logged_is_not_pinned(person, man, clip):
    ann, bob = person(), person()
    bob.send(ann.name, clip)
    man.change = lambda exchange: exchange.answering(404) if exchange.path == "/tlog/checkpoint" else exchange
    answer = through(ann, man, "inbox", "--json")
    assert [item["error"]["code"] for item in answer.json] == ["log-missing"]
    man.change = lambda exchange: exchange
    assert [item["error"] for item in through(ann, man, "inbox", "--json").json] == [None]


def test_a_configured_witness_must_have_signed(person, man, clip):
    ann, bob, witness = person(), person(), SigningKey(bytes([7]) * 32)
    key = NoteKey("witness.example", witness.public, Algorithm.COSIGNATURE)
    unwitnessed = ann.run("monitor", "--witness", key).failed()
    assert "--drop-witness" in unwitnessed.err
    refused(ann, man, "signature of a witness", "send", bob.name, clip)

    def cosigned(exchange):
        if exchange.path != "/tlog/checkpoint":
            return exchange
        return exchange.answering(200, cosign(exchange.body, key.name, witness, time_s=1_800_000_000))

    man.change = cosigned
    assert through(ann, man, "send", bob.name, clip).code == 0
    man.change = lambda exchange: exchange
    through(ann, man, "monitor").failed()
    assert through(ann, man, "monitor", "--drop-witness", key.name).code == 0
    assert "NAME+ID+KEY" in ann.run("monitor", "--witness", "witness.example").failed(2).err


def test_one_s_own_records_are_told(person):
    ann = person()
    ((entry,), rows) = ann.ok("monitor", "--json").json, ann.ok("monitor").out
    assert (entry["rev"], entry["state"]) == (1, "known")
    assert str(entry["entry"]) in rows
    with ann.account as account:
        last = fetch_chain(account.session, ann.name, account.acct)[-1]
        record = account.keyring.record(now_ms=now_ms(), previous=last)
        body = ijson.encode(wire.PutRecord(b64(record)))
        account.session.call(
            "PUT", "/api/v1/account/record", content=body, headers={"content-type": "application/json"}
        )
    assert [one["rev"] for one in ann.ok("monitor", "--json").json] == [1, 2]


def test_somebody_else_may_be_watched_too(person):
    ann, bob = person(), person()
    assert [one["state"] for one in ann.ok("monitor", bob.name, "--json").json] == ["known"]
    assert "Nobody has this name" in ann.run("monitor", "nobody-at-all").failed().err


def test_a_record_that_is_not_ours_is_told(person, man):
    """The server made a record for this name, logged it to satisfy those whom it shows it to, and hides it from its owner."""
    ann = person()
    log, acct = OtherLog(), f"{ann.name}@localhost"
    false = new_keyring(acct, now_ms=now_ms()).record(now_ms=now_ms())
    leaf = log.add(acct, false)
    man.change = log.answer
    answer = through(ann, man, "monitor", "--json")
    assert answer.code == 1
    assert f"entry {leaf}" in answer.err
    assert {one["entry"]: one["state"] for one in answer.json} == {leaf: "unknown", leaf + 1: "known"}


def test_a_record_of_a_key_that_is_not_ours_is_told(person, man):
    """The server shows the false record to its owner, too."""
    ann = person()
    log, acct = OtherLog(), f"{ann.name}@localhost"
    false = new_keyring(acct, now_ms=now_ms()).record(now_ms=now_ms())

    def lie(exchange):
        if exchange.path.endswith("/records"):
            items = [{"acct": acct, "rev": 1, "record": b64(false), "leaf": 0}]
            exchange = exchange.answering(200, json.dumps({"items": items}).encode())
        return log.answer(exchange)

    man.change = lie
    answer = through(ann, man, "monitor", "--json")
    assert answer.code == 1
    assert [one["state"] for one in answer.json] == ["unknown"]


def test_the_library_reads_the_whole_log(person):
    ann = person()
    with ann.account as account:
        (seen,) = watch_name(account, account.acct)
    assert seen.record is not None
    assert seen.record.acct == f"{ann.name}@localhost"


def test_a_damaged_memory_is_told(person, clip):
    ann, bob = person(), person()
    (ann.profile.folder / "log.json").write_text("{")
    assert "cannot be read" in ann.run("send", bob.name, clip).failed().err


def test_what_is_kept_is_private(person, clip):
    ann, bob = person(), person()
    ann.send(bob.name, clip)
    path = ann.profile.folder / "log.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "ann" not in path.read_text()
