"""The log as the server keeps and serves it: every record in it, in the transaction that stores it, provable by anybody."""

import asyncio
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from restante.protocol.encoding import unb64
from restante.server.config import Settings
from restante.server.db import migrate
from restante.server.db.engine import sqlite_engine
from restante.server.db.tables import log_entries
from restante.server.storage import embedded
from restante.server.transparency import keyfile
from restante.server.transparency.service import Transparency, append
from restante.signing.keys import SigningKey
from restante.transparency.checkpoints import origin_of
from restante.transparency.entries import entry_of
from restante.transparency.notes import NoteKey
from restante.transparency.tiles import Tile
from restante.transparency.watching import Seen, check_included, follow, read_entries
from tests.api.people import assert_problem, make_account, new_client
from tests.api.test_keys import next_record, put_record
from tests.laying import engines_in
from tests.serving import Server
from tests.transparency.growing import GrowingLog

ORIGIN = origin_of("localhost")


class Reader:
    """Anybody, with nothing but the address."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def fetch(self, tile: Tile) -> bytes:
        answer = self._client.get(f"/tlog/{tile.path}")
        assert answer.status_code == 200, tile
        return answer.content

    def follow(self, seen: Seen | None = None) -> Seen:
        key = NoteKey.parse(self._client.get("/tlog/key").text.strip())
        note = self._client.get("/tlog/checkpoint").content
        return follow(seen, key, note, origin=ORIGIN, fetch=self.fetch)

    def records(self, name: str) -> list[tuple[int, bytes]]:
        items = self._client.get(f"/api/v1/accounts/{name}/records").json()["items"]
        return [(item["leaf"], entry_of(item["acct"], unb64(item["record"]))) for item in items]


def test_each_record_is_in_the_log_and_the_log_only_grows(server: Server) -> None:
    with new_client(server.url) as client:
        reader = Reader(client)
        before = reader.follow()
        ann = make_account(server.url)
        stored = put_record(ann, second := next_record(ann, ann.record)).json()
        assert put_record(ann, second).json() == stored, "the same record again is the same entry"
        after = reader.follow(before)
        assert after.checkpoint.size >= before.checkpoint.size + 2
        claims = reader.records(ann.name)
        assert [leaf for leaf, _ in claims][-1] == stored["leaf"]
        check_included(after.checkpoint, claims, fetch=reader.fetch)
        entries = read_entries(after.checkpoint, fetch=reader.fetch)
        assert [entries.count(entry) for _, entry in claims] == [1, 1]


def test_a_refused_record_leaves_no_trace(server: Server) -> None:
    ann = make_account(server.url)
    with new_client(server.url) as client:
        before = Reader(client).follow().checkpoint
        assert_problem(put_record(ann, b"x"), 422, "invalid-record")
        assert Reader(client).follow().checkpoint == before


def test_of_many_at_once_each_gets_a_place_of_its_own(server: Server) -> None:
    with ThreadPoolExecutor(8) as pool, new_client(server.url) as client:
        people = list(pool.map(lambda _: make_account(server.url), range(16)))
        reader = Reader(client)
        claims = [claim for person in people for claim in reader.records(person.name)]
        assert len({leaf for leaf, _ in claims}) == 16
        check_included(reader.follow().checkpoint, claims, fetch=reader.fetch)


def test_a_tile_is_cacheable_and_a_checkpoint_is_not(server: Server) -> None:
    make_account(server.url)
    with new_client(server.url) as client:
        tile, checkpoint = client.get("/tlog/tile/0/000.p/1"), client.get("/tlog/checkpoint")
    assert tile.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert tile.headers["content-type"] == "application/octet-stream"
    assert checkpoint.headers["cache-control"] == "no-cache"
    assert checkpoint.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    """tile/0/999 tile/0/000.p/0 tile/0/x001/000 tile/7/000 tile/entries/999 tile/0/000.p/1/x tile/0 tile
    x tile/0/%2e%2e/000 tile/entries/x999/x999/x999/x999/x999/x999/999 tile/1/000.p/255""".split(),
)
def test_what_the_log_has_not_is_not_found(server: Server, path: str) -> None:
    with new_client(server.url) as client:
        assert client.get(f"/tlog/{path}").status_code == 404


def test_a_large_log_is_served_in_tiles(tmp_path: Path) -> None:
    """Against a tree made by other means, over the edges of tiles."""
    engine = engines_in(tmp_path)[0]
    expected = GrowingLog()
    with engine.begin() as connection:
        for number in range(600):
            record = str(number).encode()
            assert append(connection, number, acct="ann@localhost", rev=1, record=record) == number
            expected.add(entry_of("ann@localhost", record))

    class Now:
        async def read(self, work):
            with engine.begin() as connection:
                return work(connection)

    key = SigningKey(bytes(range(32)))
    log = Transparency(Now(), key, server_name="localhost")  # type: ignore[arg-type]

    def fetch(tile: Tile) -> bytes:
        return asyncio.run(log.tile(tile))

    for tile in [Tile(0, 0, 256), Tile(0, 1, 17), Tile(0, 2, 88), Tile(1, 0, 2), Tile("entries", 2, 88)]:
        assert fetch(tile) == expected.fetch(tile)
    note = asyncio.run(log.newest()).note
    seen = follow(None, NoteKey.parse(log.key), note, origin=ORIGIN, fetch=fetch)
    assert (seen.checkpoint.size, seen.checkpoint.root) == (600, expected.root())
    check_included(seen.checkpoint, [(at, expected.entries[at]) for at in (0, 255, 256, 599)], fetch=fetch)
    engine.dispose()


def test_a_migration_logs_what_is_stored_in_its_order(tmp_path: Path) -> None:
    engine = sqlite_engine(tmp_path / "db")
    migrate.upgrade(engine, "0002")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO meta VALUES ('server_name', CAST('post.example' AS BLOB))"))
        for number in range(1, 4):
            connection.execute(
                text("INSERT INTO accounts VALUES (:id, :name, 0)"), {"id": number, "name": f"p{number}"}
            )
        for account, rev, created in [(1, 1, 30), (2, 1, 10), (2, 2, 40), (3, 1, 10)]:
            row = {"account": account, "rev": rev, "record": f"{account}.{rev}".encode(), "at": created}
            connection.execute(text("INSERT INTO account_records VALUES (:account, :rev, :record, :at)"), row)
    migrate.upgrade(engine)
    expected = [entry_of(f"p{one[0]}@post.example", one.encode()) for one in ("2.1", "3.1", "1.1", "2.2")]
    with engine.begin() as connection:
        rows = connection.execute(text("SELECT leaf, entry, nodes FROM log_entries ORDER BY leaf")).all()
        assert [row.entry for row in rows] == expected
        assert append(connection, 3, acct="p3@post.example", rev=2, record=b"3.2") == 4
    log = GrowingLog(expected)
    assert rows[3].nodes == b"".join([log.node(0, 3), log.node(1, 1), log.node(2, 0)])
    engine.dispose()


def test_the_key_is_made_once_and_is_nobody_else_s(new_server: Callable[..., Server]) -> None:
    server = new_server()
    path = server.data / keyfile.NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with new_client(server.url) as client:
        key = client.get("/tlog/key").text
        assert path.read_text().strip() not in key
        server.kill()
        server.start()
        assert client.get("/tlog/key").text == key


def test_a_damaged_key_is_not_replaced(tmp_path: Path) -> None:
    for damaged in ("", "00", "x" * 64):
        (tmp_path / keyfile.NAME).write_text(damaged)
        with pytest.raises(keyfile.BadKeyFile):
            embedded(Settings(data=tmp_path))
        assert (tmp_path / keyfile.NAME).read_text() == damaged


@pytest.mark.parametrize("point", ["record-written", "record-stored"])
def test_a_death_amid_a_record_leaves_the_log_as_the_records(
    new_server: Callable[..., Server], point: str
) -> None:
    server = new_server()
    ann = make_account(server.url)
    second = next_record(ann, ann.record)
    with new_client(server.url) as client:
        before = Reader(client).follow()
        server.kill()
        server.start(RESTANTE_FAILPOINT=f"{point}:1")
        with pytest.raises(httpx.TransportError):
            put_record(ann, second)
        server.kill()
        server.start()
        reader = Reader(client)
        seen = reader.follow(before)
        claims = reader.records(ann.name)
        assert len(claims) == seen.checkpoint.size == (2 if point == "record-stored" else 1)
        check_included(seen.checkpoint, claims, fetch=reader.fetch)


def test_the_database_refuses_a_second_entry_at_a_place(tmp_path: Path) -> None:
    engine = engines_in(tmp_path)[0]
    with engine.begin() as connection:
        append(connection, 1, acct="a@localhost", rev=1, record=b"1")
    with engine.begin() as connection, pytest.raises(IntegrityError):
        connection.execute(insert(log_entries).values(leaf=0, account_id=2, rev=1, entry=b"0", nodes=b"0"))
    engine.dispose()
