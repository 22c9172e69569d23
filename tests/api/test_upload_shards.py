"""Whose an upload is ([Note: Whose upload]): a node that never heard of it looks with its account, and lets nobody else in."""

import os
import re
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, update

from restante.protocol.encoding import b64, unb64
from restante.protocol.ids import new_secret
from restante.protocol.limits import UNFINISHED_UPLOADS
from restante.server.db.tables import outbox, uploads
from restante.server.outbox import queue
from restante.server.uploads.access import digest_of
from tests.api import inside
from tests.api.days import overheard
from tests.api.household import DAY_MS, HOUR_MS, Household, TurnedClock
from tests.api.inside import Inside
from tests.api.remote import Node, SickObjects
from tests.api.test_remote_blobs import Uploader, run, stored
from tests.api.uploading import BODY, TUS, UPLOADS

# On another node


async def by(node: Node, url: str, token: str, offset: int, data: bytes) -> int:
    headers = TUS | BODY | {"upload-offset": str(offset), "authorization": f"Bearer {token}"}
    return (await node.client.patch(url, headers=headers, content=data)).status_code


def asked_of_one(said: dict[str, object]) -> list[str]:
    """What was asked about an upload; sweeps, which go on beside, ask about many."""
    return [one for one in said if re.search(r"\buploads\.id = ", one)]


def test_another_node_looks_with_the_account_whoever_asks_and_however(tmp_path: Path):
    async def scenario(one: Node, other: Node, _: SickObjects) -> None:
        ann, eve = [Uploader(one, await one.sign_up(name)) for name in ("ann", "eve")]
        data = os.urandom(3000)
        answer = await one.client.post(UPLOADS, headers=ann.headers | {"upload-length": "3000"})
        url, capability = answer.headers["location"], answer.headers["upload-capability"]
        with overheard() as said:
            assert (await eve.patch(url, 0, data, other)).status_code == 404
            assert (await ann.patch(url, 0, data[:1000], other)).status_code == 204
            other.house.uploads._shelf.close()
            assert await by(other, url, capability, 1000, data[1000:2000]) == 204
            assert await by(one, url, capability, 2000, data[2000:]) == 204
        assert await stored(one, url) == data
        asked = asked_of_one(said)
        assert len(asked) >= 2
        assert all("uploads.account_id =" in each for each in asked)

    run(tmp_path, scenario, nodes=2)


def test_what_names_the_account_and_does_not_fit_opens_nothing(tmp_path: Path):
    async def scenario(one: Node, other: Node, _: SickObjects) -> None:
        ann = Uploader(one, await one.sign_up("ann"))
        first, second = [
            await one.client.post(UPLOADS, headers=ann.headers | {"upload-length": "9"}) for _ in range(2)
        ]
        url, right, wrong = (
            first.headers["location"],
            first.headers["upload-capability"],
            second.headers["upload-capability"],
        )
        assert other.house.uploads._access.account_in(wrong) is not None
        assert other.house.uploads._access.account_in("call_abc") is None
        mixed = b64(unb64(wrong, size=32)[:8] + unb64(right, size=32)[8:])
        for token in (wrong, mixed, b64(new_secret()), right[:-4] + "AAAA"):
            assert await by(other, url, token, 0, b"123") == 401
        assert await by(other, url, right, 0, b"123") == 204

    run(tmp_path, scenario, nodes=2)


def test_a_capability_of_the_release_before_is_good_for_as_long_as_it_was(tmp_path: Path):
    """It names no account: then every shard is asked."""

    async def scenario(one: Node, other: Node, _: SickObjects) -> None:
        ann = Uploader(one, await one.sign_up("ann"))
        url, old = await ann.create(9), b64(new_secret())
        made_before = (
            update(uploads)
            .where(uploads.c.id == url.rpartition("/")[2])
            .values(capability_sha256=digest_of(old))
        )
        await one.house.database.write(lambda connection: connection.execute(made_before).rowcount)
        assert await by(other, url, b64(new_secret()), 0, b"123") == 401
        assert await by(other, url, old, 0, b"123") == 204
        other.house.uploads._shelf.close()
        with overheard() as said:
            assert await by(other, url, old, 3, b"456") == 204
        assert any("uploads.account_id =" not in each for each in asked_of_one(said))
        other.house.uploads._shelf.close()
        other.clock.ahead_s = 8 * 86_400
        assert await by(other, url, old, 6, b"789") == 401

    run(tmp_path, scenario, nodes=2)


# How much is being uploaded


async def creates(node: Inside) -> list[str]:
    headers = await node.sign_up("ann")
    ann = {**headers, **TUS, "upload-length": "9"}
    with overheard() as said:
        for _ in range(UNFINISHED_UPLOADS):
            assert (await node.client.post(UPLOADS, headers=ann)).status_code == 201
        assert (await node.client.post(UPLOADS, headers=ann)).json()["code"] == "too-many-uploads"
    bob = await node.sign_up("bob")
    assert (await node.client.post(UPLOADS, headers={**bob, **TUS, "upload-length": "9"})).status_code == 201
    sums = [one for one in said if re.search(r"sum\(.*FROM uploads", one, re.DOTALL)]
    return [one for one in sums if "uploads.account_id =" not in one]


def test_with_a_bucket_nobody_elses_uploads_are_summed_up(tmp_path: Path):
    async def scenario(node: Node, _: SickObjects) -> None:
        assert await creates(node) == []

    run(tmp_path, scenario)


def test_on_a_disk_they_are(tmp_path: Path):
    async def scenario(node: Inside) -> None:
        assert len(await creates(node)) == 1

    inside.run(tmp_path, scenario)


# The removal of bytes


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def home(tmp_path: Path, clock: TurnedClock):
    household = Household(tmp_path / "data", clock)
    yield household
    household.close()


def test_the_removal_of_a_blob_knows_whose_it_is(home: Household, clock: TurnedClock):
    ann = home.account("ann")
    unfinished, unclaimed = home.upload(ann, b"ha", length=4), home.upload(ann, b"whole")
    clock.pass_ms(DAY_MS + HOUR_MS)
    home.run(home.house.jobs.sweeper.run())
    assert {row.subject: row.account_id for row in home.rows("outbox")} == {
        unfinished: ann.account_id,
        unclaimed: ann.account_id,
    }
    with overheard() as said:
        home.run(home.house.jobs.dispatcher.run())
    updates = [each for each in asked_of_one(said) if each.startswith("UPDATE")]
    assert updates
    assert all("uploads.account_id =" in each for each in updates)
    assert (home.blobs(), home.rows("outbox")) == ({}, [])


def test_a_task_of_the_release_before_leaves_a_tombstone_too(home: Household, clock: TurnedClock):
    upload = home.upload(home.account("ann"), b"whole")

    def ask(connection: Connection) -> None:
        queue.enqueue(connection, "delete-blob", upload, due_ms=clock.now_ms())
        assert connection.execute(select(outbox.c.account_id)).scalar_one() is None

    home.run(home.house.database.write(ask))
    assert home.run(home.house.jobs.dispatcher.run()) == 1
    (row,) = home.rows("uploads")
    assert (row.gone_at, home.blobs()) == (clock.now_ms(), {})


def test_a_claimed_task_knows_it_too(home: Household, clock: TurnedClock):
    def work(connection: Connection) -> list[int | None]:
        queue.enqueue(connection, "delete-blob", "upl_x", due_ms=0, account_id=7)
        due = queue.due(connection, now_ms=clock.now_ms())
        return [each.account_id for each in (*due, *queue.claim(connection, due, node="n"))]

    assert home.run(home.house.database.write(work)) == [7, 7]
