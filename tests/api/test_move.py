"""`restante move`: a running installation goes to PostgreSQL and a bucket, and its people notice some seconds at most."""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from restante.protocol.ids import Prefix, new_id
from restante.server.abuse.rules import claim_hmac
from restante.server.blobs.local import LocalBlobs
from tests import databases, seaweed
from tests.api.parcels import (
    delete,
    get,
    inbox,
    make_parcel,
    post,
    send,
    send_video,
    until,
)
from tests.api.people import Person, make_account
from tests.api.uploading import create, head, offset, patch
from tests.nursery import nursery
from tests.seaweed import Seaweed
from tests.serving import GENEROUS, Server, serving

pytestmark = [pytest.mark.sqlite, pytest.mark.files]
DIED = -9
PLACES = (
    "move-table:3",
    "move-object:2",
    "move-still:1",
    "move-copied:1",
    "move-marked:1",
    "move-arrived:1",
)
"""Where a move may be killed: in the copies while the server runs, in the last one, before, at and after the mark."""
MARKED = ("move-marked:1", "move-arrived:1")


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with seaweed.running(tmp_path_factory.mktemp("weed")) as found:
        yield found


@pytest.fixture
def places(weed: Seaweed) -> dict[str, str]:
    """An empty database and an empty corner of the bucket, as settings."""
    return to_database() | to_bucket(weed)


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "data") as server:
        yield server


def to_database() -> dict[str, str]:
    name = f"m_{os.urandom(6).hex()}"
    return {"RESTANTE_DATABASE_URL": databases.cluster().empty(name, "ENCODING 'UTF8' LOCALE 'C'")}


def to_bucket(weed: Seaweed) -> dict[str, str]:
    return weed.environment(prefix=f"/m{os.urandom(6).hex()}")


def move(
    server: Server, places: dict[str, str], *options: str, **env: str
) -> subprocess.CompletedProcess[str]:
    everything = {**os.environ, **GENEROUS, **places, **env}
    return nursery().run(["move", "--data", str(server.data), *options], env=everything)


def moved(server: Server, places: dict[str, str], *options: str) -> dict[str, Any]:
    return _read(move(server, places, "--json", *options))


def moved_in_time(server: Server, places: dict[str, str], *options: str) -> dict[str, Any]:
    """As a process that may take long."""
    command = [sys.executable, "-m", "restante.cli.main", "move", "--data", str(server.data), "--json"]
    env = {**os.environ, **GENEROUS, **places}
    return _read(
        subprocess.run(
            [*command, *options], env=env, capture_output=True, text=True, timeout=900, check=False
        )
    )


def _read(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a refusal."""
    assert done.returncode in {1, 2}, (done.stdout, done.stderr)
    error, hint = done.stderr.splitlines()[-2:]
    assert hint.startswith("hint: "), done.stderr
    return error.removeprefix("error: ")


@dataclass
class Life:
    """People who go on while their server moves: what was acknowledged to them, and what was not."""

    ann: Person
    bob: Person
    upload: str
    size: int = 0
    passing: str = ""
    ids: list[str] = field(default_factory=list)
    refusals: int = 0
    failed: BaseException | None = None
    over: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def begun(cls, server: Server) -> "Life":
        ann, bob = make_account(server.url), make_account(server.url)
        life = cls(ann, bob, create(ann, 10**6))
        life.ids += [send_video(ann, bob, data=os.urandom(300_000)).id, send(ann, bob).id]
        return life

    def go_on(self) -> None:
        try:
            while not self.over.is_set():
                self.once()
        except BaseException as error:  # noqa: BLE001 - for the test's own thread
            self.failed = error

    def once(self) -> None:
        """One message more, a piece of the upload, and a video that is taken back."""
        if self.passing and delete(self.ann, self.passing, "everyone").status_code == 204:
            self.passing = ""
        elif not self.passing and not self.refusals:
            self.passing = send_video_or_nothing(self.ann, self.bob)
        parcel = make_parcel(self.bob)
        answer = post(self.ann, parcel)
        if answer.status_code == 201:
            self.ids.append(parcel.id)
        grown = patch(self.ann, self.upload, self.size, os.urandom(50))
        if grown.status_code == 204:
            self.size += 50
        if answer.status_code == 201 and grown.status_code == 204:
            return
        refusals = [each for each in (answer, grown) if each.status_code not in {201, 204, 409}]
        for refusal in refusals:
            assert (refusal.status_code, refusal.headers["retry-after"]) == (503, "5"), refusal.text
            assert "moved to another place" in refusal.text
        found = head(self.ann, self.upload)
        if found.status_code == 200:
            self.size = int(found.headers["upload-offset"])
        else:
            assert found.status_code == 503
        assert len(everything_of(self.bob)) >= len(self.ids)
        self.refusals += bool(refusals)
        time.sleep(0.05)

    def check(self) -> None:
        """On whichever server their address leads to: nothing is lost, nothing twice, nobody signs in again."""
        listed = everything_of(self.bob)
        assert len(listed) == len(set(listed))
        assert set(self.ids) <= set(listed)
        there = offset(self.ann, self.upload)
        assert there >= self.size
        assert patch(self.ann, self.upload, there, b"z" * (10**6 - there)).status_code == 204
        late = send(self.ann, self.bob, upload=self.upload.rpartition("/")[2])
        assert get(self.bob, late.id).status_code == 200


def send_video_or_nothing(sender: Person, recipient: Person) -> str:
    """Where the server may stop storing at any moment."""
    try:
        return send_video(sender, recipient).id
    except AssertionError:
        return ""


def everything_of(person: Person) -> list[str]:
    page = inbox(person)
    found = [str(each["id"]) for each in page["items"]]
    while page["cursor"] is not None:
        page = inbox(person, cursor=page["cursor"])
        found += [each["id"] for each in page["items"]]
    return found


def video(person: Person, message_id: str) -> bytes:
    answer = person.client.get(f"/api/v1/messages/{message_id}/video")
    assert answer.status_code in {200, 206}, answer.text
    return answer.content


def test_people_go_on_where_they_were(old: Server, places: dict[str, str]):
    life, data = Life.begun(old), os.urandom(5_000_000)
    seen = send_video(life.ann, life.bob, data=data).id
    gone = send_video(life.ann, life.bob)
    delete(life.ann, gone.id, "everyone")
    living = threading.Thread(target=life.go_on)
    living.start()
    try:
        found = moved(old, places)
        before = life.refusals
        until(lambda: life.refusals > before or life.failed is not None)
    finally:
        life.over.set()
        living.join()
    assert life.failed is None, life.failed
    assert found["tables"]["messages"]["rows"] >= 4
    assert found["videos"] >= 3
    assert get(life.bob, seen).status_code == 200  # the old one reads on
    assert old.stop() == 0
    assert "error: the data of" in nursery().run(["serve", "--data", str(old.data)], env=os.environ).stderr
    old.start(**places)
    life.check()
    assert video(life.bob, seen) == data
    with closing(sqlite3.connect(old.data / "restante.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM remote_blobs").fetchone() == (0,)


@pytest.mark.long
def test_one_alone_may_move_and_the_move_may_be_taken_back(old: Server):
    """The database without the videos; the running server goes on at once, and a second move brings what came since."""
    life, places = Life.begun(old), to_database()
    assert "would go to PostgreSQL at 127.0.0.1" in move(old, places, "--dry-run").stdout
    assert "at PostgreSQL" in move(old, places, "--copy-only").stdout
    life.once()
    assert life.refusals == 0
    moved(old, places)
    life.once()
    assert life.refusals == 1
    assert move(old, places, "--undo", RESTANTE_FAILPOINT="move-taken-back:1").returncode == DIED
    assert move(old, places, "--undo").returncode == 0
    life.once()
    assert life.refusals == 1
    late = send_video(life.ann, life.bob, data=b"late").id
    assert moved(old, places)["stopped_s"] < 60
    assert "Everything was at" in move(old, places).stdout  # again does nothing
    old.stop()
    old.start(**places)
    life.check()
    assert video(life.bob, late) == b"late"
    assert "was started" in refused(move(old, places, "--undo"))
    assert move(old, places, "--undo", "--anyway").returncode == 0
    assert post(life.ann, make_parcel(life.bob)).status_code == 201  # its database is its own
    assert patch(life.ann, create(life.ann, 9), 0, b"x").status_code == 503  # the folder is another's again


@pytest.mark.long
def test_videos_alone_may_move_and_come_back(old: Server, weed: Seaweed):
    life, places = Life.begun(old), to_bucket(weed)
    assert moved(old, places)["videos"] == 2
    life.once()
    assert life.refusals == 1
    assert "were moved to the bucket" in refused(move(old, to_database()))
    assert move(old, places, "--undo").returncode == 0
    life.once()
    moved(old, places)
    old.stop()
    old.start(**places)
    life.check()


@pytest.mark.long
def test_videos_may_go_first_and_the_database_after_them(old: Server, weed: Seaweed):
    life, places = Life.begun(old), to_bucket(weed)
    moved(old, places)
    old.stop()
    old.start(**places)
    life.size = offset(life.ann, life.upload)
    life.once()
    assert life.refusals == 0
    places |= to_database()
    moved(old, places)
    life.once()
    assert life.refusals == 1
    old.stop()
    old.start(**places)
    life.check()


@pytest.mark.long
@pytest.mark.parametrize("place", PLACES)
def test_killed_anywhere_it_loses_nothing_and_goes_on(old: Server, places: dict[str, str], place: str):
    life, data = Life.begun(old), os.urandom(9_000_000)
    seen = send_video(life.ann, life.bob, data=data).id
    assert move(old, places, RESTANTE_FAILPOINT=place).returncode == DIED
    life.once()
    assert (life.refusals == 1) == (place in MARKED)  # the old one takes everything, or nothing
    fresh = Server(old.data, places)
    if place != "move-arrived:1":
        assert refused(nursery().run(["serve", "--data", str(old.data)], env={**os.environ, **places}))
    moved(old, places)
    old.stop()
    try:
        fresh.port = old.port
        fresh.start()
        life.check()
        assert video(life.bob, seen) == data
    finally:
        fresh.kill()


@pytest.mark.long
def test_a_database_that_somebody_uses_is_left_alone(old: Server, tmp_path: Path):
    places = to_database()
    with serving(tmp_path / "other", **places) as other:
        make_account(other.url)
    assert "is not empty" in refused(move(old, places))
    assert "nothing says where to" in refused(move(old, {}))
    assert "does not let the server in" in refused(
        move(old, {"RESTANTE_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"})
    )
    name = f"l_{os.urandom(6).hex()}"
    latin = databases.cluster().empty(name, "ENCODING 'LATIN1' LOCALE 'C'")
    assert "UTF8" in refused(move(old, {"RESTANTE_DATABASE_URL": latin}))
    make_account(old.url)  # which goes on


@pytest.mark.long
def test_damage_is_found_before_anything_moves(old: Server):
    life, places = Life.begun(old), to_database()
    with closing(sqlite3.connect(old.data / "restante.sqlite3")) as database:
        database.execute("UPDATE messages SET details_sha256 = zeroblob(32)")
        database.commit()
    assert "damaged already" in refused(move(old, places))
    assert len(moved(old, places, "--despite-damage")["findings"]) >= 2
    life.once()
    assert life.refusals == 1


@pytest.mark.long
def test_a_video_that_is_missing_stops_a_move(old: Server, weed: Seaweed):
    life, places = Life.begun(old), to_bucket(weed)
    with closing(sqlite3.connect(old.data / "restante.sqlite3")) as database:
        (upload,) = database.execute("SELECT id FROM uploads WHERE message_id IS NOT NULL").fetchone()
    next(old.data.rglob(upload)).unlink()
    assert f"missing {upload}" in refused(move(old, places))
    life.once()
    assert life.refusals == 0


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_a_large_installation(tmp_path: Path, places: dict[str, str], record_property: Any):
    """A hundred thousand messages with two gigabytes of video; for how long nothing could be stored is told."""
    messages, videos = (
        int(os.environ.get("MOVE_MESSAGES", "100000")),
        int(os.environ.get("MOVE_VIDEOS", "2000")),
    )
    with serving(tmp_path / "data") as old:
        life = Life.begun(old)
        _fill(old.data, life, messages=messages, videos=videos)
        copied = moved_in_time(old, places, "--copy-only")["copied_s"]
        living = threading.Thread(target=life.go_on)
        living.start()
        try:
            found = moved_in_time(old, places)
        finally:
            life.over.set()
            living.join()
        assert life.failed is None, life.failed
        assert found["tables"]["messages"]["rows"] >= messages
        assert found["bytes"] >= videos * 2**20
        print(
            f"{messages} messages, {videos} MiB: copied in {copied} s, nothing stored for {found['stopped_s']} s"
        )
        record_property("stopped_s", found["stopped_s"])
        assert found["stopped_s"] < 180
        old.stop()
        old.start(**places)
        page = inbox(life.bob)
        assert page["items"]
        assert get(life.bob, life.ids[-1]).status_code == 200


def _fill(data: Path, life: Life, *, messages: int, videos: int) -> None:
    """Messages from ann to bob as sends leave them, straight into the tables."""
    with closing(sqlite3.connect(data / "restante.sqlite3", isolation_level=None)) as database:
        ids = dict(database.execute("SELECT name, id FROM accounts"))
        ann, bob = ids[life.ann.name], ids[life.bob.name]
        (key,) = database.execute("SELECT value FROM meta WHERE key = 'secret:claims'").fetchone()
        (change,) = database.execute("SELECT max(id) FROM events").fetchone()
        details = os.urandom(500)
        digest = hashlib.sha256(details).digest()
        database.execute("BEGIN")
        for number in range(messages):
            id_, upload = new_id(Prefix.MESSAGE), None
            at = 1_700_000_000_000 + number
            if number < videos:
                upload = _video(data, database, ann, id_, at)
            claim = claim_hmac(key, id_, digest, account_id=ann, received_at=at)
            size = 2**20 if upload else 0
            _insert(
                database,
                "messages",
                id=id_,
                account_id=ann,
                kind="video" if upload else "text",
                upload_id=upload,
                video_bytes=size,
                details=details,
                details_sha256=digest,
                claim_hmac=claim,
                request_sha256=digest,
                received_at=at,
            )
            for account, box in ((ann, "sent"), (bob, "inbox")):
                change += 1
                _insert(
                    database,
                    "events",
                    id=change,
                    account_id=account,
                    kind="message",
                    message_id=id_,
                    created_at=at,
                )
                _insert(
                    database,
                    "envelopes",
                    message_id=id_,
                    account_id=account,
                    box=box,
                    envelope=details[:400],
                    received_at=at,
                    change=change,
                )
        database.execute("COMMIT")


def _video(data: Path, database: sqlite3.Connection, account: int, message: str, at: int) -> str:
    upload, content = new_id(Prefix.UPLOAD), os.urandom(2**20)
    path = LocalBlobs(data / "blobs").path(upload)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(content)
    _insert(
        database,
        "uploads",
        id=upload,
        account_id=account,
        capability_sha256=b"x" * 32,
        length=2**20,
        created_at=at,
        finished_at=at,
        message_id=message,
        sha256=hashlib.sha256(content).digest(),
    )
    return upload


def _insert(database: sqlite3.Connection, table: str, **values: Any) -> None:
    marks = ", ".join("?" * len(values))
    database.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", (*values.values(),))
