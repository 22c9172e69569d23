"""Backup, restore and check: nothing that was acknowledged is missing, and nothing that is wrong stays unnamed."""

import hashlib
import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from restante.protocol.ids import Prefix, new_id
from restante.server.backup import taking
from restante.server.backup.checking import EVERYTHING, NOTHING, Share, check_backup, check_data
from restante.server.backup.manifest import NAME, load
from restante.server.backup.restoring import restore
from restante.server.backup.taking import take
from restante.server.commands import keeping
from restante.server.db.hold import LONGEST_MS
from restante.server.desk import record
from restante.server.sessions.actor import Actor
from tests.api.household import Household, TurnedClock, parcel_for
from tests.api.parcels import delete, inbox, make_upload, send, send_video
from tests.api.people import Person, make_account
from tests.serving import Server

pytestmark = [pytest.mark.sqlite, pytest.mark.files]
TABLES = "accounts messages envelopes deliveries uploads audit outbox state_shards log_entries".split()


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock(wall_ms=taking.now_ms())


@pytest.fixture
def home(tmp_path: Path, clock: TurnedClock) -> Iterator[Household]:
    household = Household(tmp_path / "data", clock)
    yield household
    household.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return tmp_path / "backup"


def furnished(home: Household, *, videos: int = 3) -> list[str]:
    """A household with videos, words, an upload under way and one that was taken back; returns the videos' ids."""
    ann = home.account("ann")
    home.account("bob")
    uploads = [home.upload(ann, os.urandom(3000 + number)) for number in range(videos)]
    for upload in uploads:
        home.send(ann, parcel_for(["bob"], upload=upload))
    home.send(ann, parcel_for(["bob"]))
    home.upload(ann, b"half of it", length=100)
    gone = parcel_for(["bob"], upload=home.upload(ann, b"taken back"))
    home.send(ann, gone)
    home.run(home.house.messages.delete_for_everyone(ann, gone.message.id))
    for act in ("look", "dismiss"):
        line = {"operator": "ann", "act": act, "subject": "rep_a", "key": record.key_of(home.house.log_key)}
        home.run(home.house.database.write(partial(record.note, **line, now_ms=1)))
    home.sweep()
    return uploads


def blob_of(folder: Path, upload_id: str) -> Path:
    return next(folder.rglob(upload_id))


def flip(path: Path, at: int = 7) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


# Backup and restore


def test_what_is_restored_is_what_was_there(home: Household, data: Path, backup: Path, tmp_path: Path):
    furnished(home)
    (data / "tls").mkdir()
    (data / "tls" / "key.pem").write_text("a key that somebody put there")
    taken = take(data, backup)
    assert (taken.findings, taken.copied_count) == ([], 4)
    restore(backup, tmp_path / "new")
    again = Household(tmp_path / "new", home.clock)
    try:
        assert {name: again.rows(name) for name in TABLES} == {name: home.rows(name) for name in TABLES}
        assert again.blobs() == home.blobs()
        assert (tmp_path / "new" / "log.key").read_bytes() == (data / "log.key").read_bytes()
        assert (tmp_path / "new" / "tls" / "key.pem").read_text() == "a key that somebody put there"
        assert sum(again.sweep().values()) == 0
    finally:
        again.close()
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "new").rglob("*")} == {0}
    assert check_data(tmp_path / "new", read=EVERYTHING).findings == []


def test_what_clients_remember_of_the_lost_hours_is_never_given_out_again(
    home: Household, data: Path, backup: Path, tmp_path: Path
):
    furnished(home)
    take(data, backup)
    home.account("carl")
    lost = max(row.id for row in home.rows("accounts"))
    newest = max(row.id for row in home.rows("events"))
    restore(backup, tmp_path / "new")
    again = Household(tmp_path / "new", home.clock)
    try:
        dora = again.account("dora")
        again.send(dora, parcel_for(["bob"]))
        assert dora.account_id > lost
        assert max(row.id for row in again.rows("events")) > newest + 1000
    finally:
        again.close()


def test_a_second_backup_copies_what_is_new_and_forgets_what_was_deleted(
    home: Household, data: Path, backup: Path
):
    first, *_ = furnished(home)
    take(data, backup)
    before = {path: path.stat().st_mtime_ns for path in (backup / "blobs").rglob("upl_*")}
    sender = next(row for row in home.rows("messages") if row.upload_id == first)
    ann = home.run(_actor_of(home, sender.account_id))
    home.run(home.house.messages.delete_for_everyone(ann, sender.id))
    home.sweep()
    new = home.upload(ann, b"new")
    taken = take(data, backup)
    assert taken.copied_count == 2  # the new one, and the one that is still under way
    kept = {each.name for each in (backup / "blobs").rglob("upl_*")}
    assert new in kept
    assert first not in kept
    assert all(
        path.stat().st_mtime_ns == at for path, at in before.items() if path.exists() and "." not in path.name
    )
    assert len(list(backup.glob("database-*"))) == 1
    assert check_backup(backup, read=EVERYTHING).findings == []


async def _actor_of(home: Household, account_id: int) -> Any:
    name = await home.house.database.read(
        lambda c: c.exec_driver_sql("SELECT name FROM accounts WHERE id = ?", (account_id,)).scalar_one()
    )
    return Actor(account_id, name, "ses_x", "cli")


def test_a_backup_that_is_interrupted_leaves_the_one_before(
    home: Household, data: Path, backup: Path, tmp_path: Path
):
    uploads = furnished(home)
    take(data, backup)
    listed = (backup / NAME).read_bytes()
    ann = home.run(_actor_of(home, 1))
    new = home.upload(ann, b"new")
    home.send(ann, parcel_for(["bob"], upload=new))
    path = blob_of(data / "blobs", new)
    path.unlink()
    path.mkdir()  # a disk that breaks here
    with pytest.raises(OSError, match="directory"):
        take(data, backup)
    assert (backup / NAME).read_bytes() == listed
    restore(backup, tmp_path / "new")
    found = check_data(tmp_path / "new", read=EVERYTHING)
    assert (found.findings, found.blobs) == ([], len(uploads))
    path.rmdir()
    path.write_bytes(b"new")
    assert take(data, backup).findings == []
    assert check_backup(backup, read=EVERYTHING).findings == []


def test_what_is_already_missing_is_said_and_the_rest_is_backed_up(home: Household, data: Path, backup: Path):
    missing, damaged, _ = furnished(home)
    blob_of(data / "blobs", missing).unlink()
    flip(blob_of(data / "blobs", damaged))
    taken = take(data, backup)
    assert {(each.kind, each.what) for each in taken.findings} == {("missing", missing), ("damaged", damaged)}
    assert len(taken.manifest.blobs) == 3


# Holding removals back


def test_bytes_stay_while_a_backup_copies_and_go_when_it_ends(
    home: Household, data: Path, backup: Path, clock: TurnedClock
):
    ann = home.account("ann")
    parcel = parcel_for(["ann"], upload=home.upload(ann, b"here"))
    home.send(ann, parcel)
    with closing(taking.queries.living(data)) as living, taking._held(living):
        home.run(home.house.messages.delete_for_everyone(ann, parcel.message.id))
        home.sweep()
        assert list(home.blobs().values()) == [b"here"]
    home.sweep()
    assert home.blobs() == {}


def test_the_hold_of_a_backup_that_died_ends_by_itself(home: Household, data: Path, clock: TurnedClock):
    ann = home.account("ann")
    parcel = parcel_for(["ann"], upload=home.upload(ann, b"here"))
    home.send(ann, parcel)
    with closing(taking.queries.living(data)) as living:
        taking.queries.hold(living, "dead", now_ms=clock.now_ms(), until_ms=clock.now_ms() + LONGEST_MS)
    home.run(home.house.messages.delete_for_everyone(ann, parcel.message.id))
    clock.pass_ms(LONGEST_MS - 1)
    home.sweep()
    assert len(home.blobs()) == 1
    clock.pass_ms(1)
    home.sweep()
    assert home.blobs() == {}


# Bad input


def _no_list(backup: Path) -> None:
    (backup / NAME).unlink()


def _edited_list(backup: Path) -> None:
    (backup / NAME).write_bytes((backup / NAME).read_bytes().replace(b'"bytes":', b'"bytes": ', 1))


def _cut_list(backup: Path) -> None:
    (backup / NAME).write_bytes((backup / NAME).read_bytes()[:-200])


def _relisted(backup: Path, old: bytes, new: bytes) -> None:
    text = (backup / NAME).read_bytes().split(b"\n")[0].replace(old, new)
    (backup / NAME).write_bytes(text + b"\n" + hashlib.sha256(text).hexdigest().encode() + b"\n")


def _other_format(backup: Path) -> None:
    _relisted(backup, b"restante-backup/1", b"restante-backup/9")


def _newer(backup: Path) -> None:
    _relisted(backup, f'"revision":"{load(backup).revision}"'.encode(), b'"revision":"9999"')


def _outside(backup: Path) -> None:
    _relisted(backup, b'"path":"log.key"', b'"path":"../../log.key"')


def _missing_blob(backup: Path) -> None:
    (backup / load(backup).blobs[0].stored).unlink()


def _cut_blob(backup: Path) -> None:
    os.truncate(backup / load(backup).blobs[0].stored, 5)


def _flipped_blob(backup: Path) -> None:
    flip(backup / load(backup).blobs[-1].stored)


def _flipped_database(backup: Path) -> None:
    flip(backup / load(backup).database.stored, 5000)


def _cut_database(backup: Path) -> None:
    os.truncate(backup / load(backup).database.stored, 4096)


BAD = [
    (_no_list, 2, "there is no backup"),
    (_edited_list, 1, "list of the backup"),
    (_cut_list, 1, "list of the backup"),
    (_other_format, 2, "restante-backup/9"),
    (_newer, 2, "newer than this one"),
    (_outside, 1, "list of the backup"),
    (_missing_blob, 1, "missing in the backup"),
    (_cut_blob, 1, "damaged in the backup"),
    (_flipped_blob, 1, "damaged in the backup"),
    (_flipped_database, 1, "damaged in the backup"),
    (_cut_database, 1, "damaged in the backup"),
]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup with nothing wrong."""
    folder = tmp_path_factory.mktemp("sound")
    home = Household(folder / "data", TurnedClock(wall_ms=taking.now_ms()))
    furnished(home)
    home.close()
    take(folder / "data", folder / "backup")
    return folder / "backup"


@pytest.mark.parametrize(("spoil", "code", "words"), BAD, ids=[bad[0].__name__.strip("_") for bad in BAD])
def test_a_backup_that_is_not_whole_is_refused_in_one_line(
    sound: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], None],
    code: int,
    words: str,
):
    shutil.copytree(sound, tmp_path / "backup")
    spoil(tmp_path / "backup")
    assert keeping.restore(tmp_path / "backup", data=tmp_path / "new") == code
    error, hint = capsys.readouterr().err.strip().splitlines()
    assert error.startswith("error: ")
    assert words in error
    assert hint.startswith("hint: ")
    assert not (tmp_path / "new" / "restante.sqlite3").exists()
    checked = (
        keeping.check(tmp_path / "backup", read_data=True) if (tmp_path / "backup" / NAME).exists() else 2
    )
    assert checked != 0
    assert keeping.restore(sound, data=tmp_path / "new") == 0  # the control, in the same folder


def test_places_that_cannot_be(sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert keeping.restore(sound, data=tmp_path / "data") == 0
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").touch()
    for said in (
        *(keeping.restore(sound, data=tmp_path / place) for place in ("data", "full")),
        keeping.backup(tmp_path / "full", data=tmp_path / "data"),
        keeping.backup(tmp_path / "data" / "backup", data=tmp_path / "data"),
        keeping.backup(tmp_path, data=tmp_path / "data"),
        keeping.backup(tmp_path / "b", data=tmp_path / "nothing"),
        keeping.check(tmp_path / "nothing"),
        keeping.check(sound, read_data="3/2"),
        keeping.check(sound, read_data="all"),
    ):
        assert said == 2
    words = capsys.readouterr().err
    assert words.count("error: ") == words.count("hint: ") == words.count("\n") / 2 == 9
    assert (tmp_path / "full" / "something").exists()


# Check


def test_check_names_everything_that_is_wrong(
    home: Household, data: Path, capsys: pytest.CaptureFixture[str]
):
    uploads = furnished(home, videos=10)
    assert keeping.check(data=data, read_data=True) == 0
    flipped, deleted, swapped, cut = uploads[:3], uploads[3:5], uploads[5:7], uploads[7:8]
    for upload in flipped:
        flip(blob_of(data / "blobs", upload))
    for upload in deleted:
        blob_of(data / "blobs", upload).unlink()
    one, other = (blob_of(data / "blobs", upload) for upload in swapped)
    size, resize = (
        min(one.stat().st_size, other.stat().st_size),
        "UPDATE {} SET video_bytes = ? WHERE upload_id = ?",
    )
    with closing(sqlite3.connect(data / "restante.sqlite3")) as database:
        for upload in swapped:  # two of one size, so that only their bytes tell them apart
            digest = hashlib.sha256(blob_of(data / "blobs", upload).read_bytes()[:size]).digest()
            database.execute("UPDATE uploads SET length = ?, sha256 = ? WHERE id = ?", (size, digest, upload))
            for table in ("messages", "envelopes"):
                database.execute(resize.format(table), (size, upload))
            os.truncate(blob_of(data / "blobs", upload), size)
        database.commit()
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    os.truncate(blob_of(data / "blobs", cut[0]), 100)
    strays = [new_id(Prefix.UPLOAD) for _ in range(3)]
    for stray in strays:
        (one.parent / stray).write_bytes(b"stray")
    capsys.readouterr()
    assert keeping.check(data=data, read_data=True, json=True) == 1
    found = {(each["kind"], each["what"]) for each in json.loads(capsys.readouterr().out)["findings"]}
    assert found == (
        {("damaged", each) for each in (*flipped, *swapped, *cut)}
        | {("missing", each) for each in deleted}
        | {("stray", each) for each in strays}
    )
    quick = {(each.kind, each.what) for each in check_data(data, read=NOTHING).findings}
    assert quick == {each for each in found if each[1] not in {*flipped, *swapped}}
    shares = [check_data(data, read=Share(n, 3)).findings for n in (1, 2, 3)]
    assert {(each.kind, each.what) for share in shares for each in share} == found


ACT = {"seq": 1, "operator": "", "act": "look", "subject": "rep_a", "note": "", "created_at": 1}
FORGED = f"(1, '', 'look', 'rep_a', '', 1, X'{record.digest(ACT, record.START, key=b'').hex()}')"
EDITS = {
    "who left it": "UPDATE messages SET account_id = 2",
    "when": "UPDATE messages SET received_at = received_at + 1",
    "details": "UPDATE messages SET details = X'00' WHERE deleted_at IS NULL",
    "another's video": "UPDATE messages SET upload_id = 'upl_x' WHERE upload_id IS NOT NULL",
    "a line of the audit": "UPDATE audit SET line = replace(line, 'deleted', 'expired')",
    "a line of the audit less": "INSERT INTO audit SELECT account_id, seq + 2, line, 0 FROM audit",
    "who looked into a report": "UPDATE desk_acts SET operator = '' WHERE seq = 2",
    "a line of the desk's record less": "DELETE FROM desk_acts WHERE seq = 1",
    "the desk's record anew, under no key": f"DELETE FROM desk_acts; INSERT INTO desk_acts VALUES {FORGED}",
    "a row that refers to none": "PRAGMA foreign_keys=OFF; DELETE FROM accounts WHERE name = 'bob'",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_check_finds_rows_that_somebody_edited(sound: Path, tmp_path: Path, edit: str):
    restore(sound, tmp_path / "data")
    assert check_data(tmp_path / "data", read=NOTHING).findings == []
    with closing(sqlite3.connect(tmp_path / "data" / "restante.sqlite3")) as database:
        database.executescript(edit)
    assert check_data(tmp_path / "data", read=NOTHING).findings != []


def test_check_says_that_the_key_of_the_desks_record_is_gone(sound: Path, tmp_path: Path):
    restore(sound, tmp_path / "data")
    (tmp_path / "data" / "log.key").unlink()
    (missing,) = check_data(tmp_path / "data", read=NOTHING).findings
    assert "log.key" in missing.detail


# The drill, under load


class Sending(threading.Thread):
    """Sends videos and takes some back until it is told to stop; keeps what was acknowledged."""

    def __init__(self, sender: Person, to: Person) -> None:
        super().__init__(daemon=True)
        self.sender, self.to = sender, to
        self.acked: dict[str, str] = {}
        self.going = threading.Event()
        self.ended = threading.Event()

    def run(self) -> None:
        doomed: list[str] = []
        for number in count():
            if self.ended.is_set():
                return
            video = os.urandom(20_000)
            parcel = send_video(self.sender, self.to, data=video)
            if number % 3 == 2:
                doomed.append(parcel.id)
                if len(doomed) > 2:
                    delete(self.sender, doomed.pop(0), "everyone")
            else:
                self.acked[parcel.id] = hashlib.sha256(video).hexdigest()
            if len(self.acked) > 8:
                self.going.set()


def test_what_was_acknowledged_before_a_backup_under_load_comes_back(
    new_server: Callable[..., Server], tmp_path: Path
):
    server = new_server(RESTANTE_SWEEP_EVERY_S="0.5")
    ann, bob = make_account(server.url), make_account(server.url)
    load_ = Sending(ann, bob)
    load_.start()
    assert load_.going.wait(60)
    acked = dict(load_.acked)
    take(server.data, tmp_path / "backup")
    take(server.data, tmp_path / "backup")  # and again, with the first one there
    load_.ended.set()
    load_.join(30)
    assert len(load_.acked) > len(acked)
    assert check_backup(tmp_path / "backup", read=EVERYTHING).findings == []
    restore(tmp_path / "backup", tmp_path / "restored")
    assert check_data(tmp_path / "restored", read=EVERYTHING).findings == []
    server.stop()
    shutil.move(server.data, tmp_path / "lost")
    shutil.move(tmp_path / "restored", server.data)
    server.start()
    listed = {item["id"] for item in inbox(bob)["items"]}
    assert set(acked) <= listed
    for message_id, digest in acked.items():
        video = bob.client.get(f"/api/v1/messages/{message_id}/video").content
        assert hashlib.sha256(video).hexdigest() == digest
    new = send_video(ann, bob, data=b"after")
    assert bob.client.get(f"/api/v1/messages/{new.id}/video").content == b"after"


def test_a_backup_of_a_living_server_leaves_it_serving(server: Server, tmp_path: Path):
    ann = make_account(server.url)
    make_upload(ann, b"x" * 1000)
    send(ann, ann)
    taken = take(server.data, tmp_path / "backup")
    assert taken.findings == []
    assert send(ann, ann)
    assert check_data(server.data, read=EVERYTHING).findings == []
