"""What ends by itself: on time, not before, whatever the wall clock does, and twice is once."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from restante.protocol.ids import Prefix, new_id
from restante.server.blobs.local import LocalBlobs
from restante.server.db.tables import sessions
from restante.server.errors import Refusal
from restante.server.jobs.clockwatch import ClockWatch
from restante.server.messages.channel import Channel
from restante.server.outbox import queue
from restante.server.sessions.actor import Actor
from restante.server.sessions.service import digest_of
from tests.api.household import DAY_MS, HOUR_MS, MINUTE_MS, START_MS, Household, TurnedClock, parcel_for
from tests.api.parcels import new_key


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def home(tmp_path: Path, clock: TurnedClock) -> Iterator[Household]:
    household = Household(tmp_path / "data", clock)
    yield household
    household.close()


@pytest.fixture
def ann(home: Household) -> Actor:
    return home.account("ann")


@pytest.fixture
def bob(home: Household) -> Actor:
    return home.account("bob")


def code_of(home: Household, ask: Callable[[], object]) -> str | None:
    try:
        ask()
    except Refusal as refusal:
        return refusal.entry.code
    return None


def state(home: Household, actor: Actor, message_id: str) -> str | None:
    """None when the message can be read, else the refusal's code."""
    return code_of(home, lambda: home.run(home.house.messages.access_message(actor, message_id)))


def test_an_expired_message_goes_with_its_bytes_and_not_before(
    home: Household, clock: TurnedClock, ann: Actor, bob: Actor
):
    parcel = parcel_for(["bob"], upload=home.upload(ann, b"video"), expires_at=START_MS + HOUR_MS)
    home.send(ann, parcel)
    home.sweep()
    clock.pass_ms(HOUR_MS - 1)
    home.sweep()
    assert (state(home, bob, parcel.message.id), len(home.blobs())) == (None, 1)
    clock.pass_ms(1)
    assert state(home, bob, parcel.message.id) == "message-gone"
    assert home.sweep()["expired"] == 1
    assert home.blobs() == {}
    (row,) = home.rows("messages")
    assert (row.details, row.video_bytes) == (b"", 0)
    assert all(copy.envelope is None for copy in home.rows("envelopes"))


def test_more_messages_than_a_batch_expire_in_one_sweep(home: Household, clock: TurnedClock, ann: Actor):
    for _ in range(130):
        home.send(ann, parcel_for(["ann"], expires_at=START_MS + 1000))
    clock.pass_ms(1000)
    assert home.sweep()["expired"] == 130
    assert home.sweep()["expired"] == 0


def test_an_upload_nobody_sends_goes_after_a_day(home: Household, clock: TurnedClock, ann: Actor, bob: Actor):
    unclaimed, unfinished = home.upload(ann, b"whole"), home.upload(ann, b"ha", length=4)
    claimed = home.upload(ann, b"sent")
    home.send(ann, parcel_for(["bob"], upload=claimed))
    clock.pass_ms(DAY_MS - MINUTE_MS)
    home.sweep()
    assert set(home.blobs()) == {unclaimed, unfinished, claimed}
    clock.pass_ms(2 * MINUTE_MS)
    counts = home.sweep()
    assert (counts["unclaimed"], counts["unfinished"]) == (1, 1)
    assert set(home.blobs()) == {claimed}


def test_a_stray_blob_goes_at_the_second_look_an_hour_later(
    home: Household, clock: TurnedClock, tmp_path: Path
):
    stray = new_id(Prefix.UPLOAD)
    LocalBlobs(tmp_path / "data" / "blobs").create(stray).close()
    for _ in range(3):
        home.sweep()
    clock.jump_ms(2 * HOUR_MS)
    home.sweep()
    clock.pass_ms(HOUR_MS - 2)
    home.sweep()
    assert set(home.blobs()) == {stray}
    clock.pass_ms(2)
    assert home.sweep()["orphans"] == 1
    assert home.blobs() == {}


def test_tombstones_last_ninety_days(home: Household, clock: TurnedClock, ann: Actor, bob: Actor):
    everyone, mine = parcel_for(["bob"]), parcel_for(["bob"])
    home.send(ann, everyone)
    home.send(ann, mine)
    home.run(home.house.messages.delete_for_everyone(ann, everyone.message.id))
    home.run(home.house.messages.delete_for_me(bob, mine.message.id))
    clock.pass_ms(90 * DAY_MS)
    home.sweep()
    assert [state(home, bob, one.message.id) for one in (everyone, mine)] == ["message-gone"] * 2
    clock.pass_ms(1)
    assert home.sweep()["tombstones"] == 2
    assert [state(home, bob, one.message.id) for one in (everyone, mine)] == ["not-found"] * 2
    assert state(home, ann, everyone.message.id) == "not-found"
    item = home.run(home.house.messages.item(ann, mine.message.id, box=None))
    assert [one.recipient for one in item.deliveries] == ["bob"]  # the sender still knows to whom it went
    assert home.sweep()["tombstones"] == 0


def test_keys_and_events_last_seven_days(home: Household, clock: TurnedClock, ann: Actor, bob: Actor):
    parcel = parcel_for(["bob"])
    home.send(ann, parcel, "a-key-of-16-chars")
    clock.pass_ms(7 * DAY_MS)
    home.sweep()
    assert (len(home.rows("idempotency_keys")), len(home.rows("events"))) == (1, 2)
    clock.pass_ms(1)
    counts = home.sweep()
    assert (counts["idempotency_keys"], counts["events"]) == (1, 2)
    home.send(ann, parcel, "a-key-of-16-chars")  # the id still keeps it from being sent twice
    assert len(home.rows("messages")) == 1


def test_full_rate_buckets_are_forgotten(home: Household, clock: TurnedClock, ann: Actor):
    home.send(ann, parcel_for(["ann"]))
    assert len(home.rows("rate_buckets")) == 1
    clock.pass_ms(HOUR_MS)
    assert home.sweep()["rate_buckets"] == 1
    assert home.rows("rate_buckets") == []


def test_a_second_sweep_does_nothing(home: Household, clock: TurnedClock, ann: Actor, bob: Actor):
    home.send(ann, parcel_for(["bob"], upload=home.upload(ann, b"x"), expires_at=START_MS + 1))
    home.upload(ann, b"never sent")
    clock.pass_ms(100 * DAY_MS)
    assert sum(home.sweep().values()) > 0
    before = {name: home.rows(name) for name in ("messages", "envelopes", "uploads", "events", "outbox")}
    assert sum(home.sweep().values()) == 0
    assert {name: home.rows(name) for name in before} == before


YEARS_MS = 10 * 365 * DAY_MS


@pytest.mark.parametrize("jump_ms", [YEARS_MS, -YEARS_MS, HOUR_MS, -HOUR_MS, 25 * HOUR_MS])
def test_a_clock_that_is_set_and_set_right_again_deletes_nothing(
    home: Household, clock: TurnedClock, ann: Actor, bob: Actor, jump_ms: int
):
    parcel = parcel_for(["bob"], upload=home.upload(ann, b"sent"), expires_at=START_MS + 10 * HOUR_MS)
    home.send(ann, parcel)
    home.upload(ann, b"ready")
    home.upload(ann, b"ha", length=4)
    gone = parcel_for(["bob"])
    home.send(ann, gone)
    home.run(home.house.messages.delete_for_everyone(ann, gone.message.id))
    home.sweep()
    kept = {name: home.rows(name) for name in ("messages", "envelopes", "events", "idempotency_keys")}
    clock.jump_ms(jump_ms)
    for _ in range(50):
        clock.pass_ms(MINUTE_MS)
        home.sweep()
    clock.jump_ms(-jump_ms)
    for _ in range(5):
        clock.pass_ms(MINUTE_MS)
        home.sweep()
    assert len(home.blobs()) == 3
    assert {name: home.rows(name) for name in kept} == kept
    assert state(home, bob, parcel.message.id) is None
    clock.pass_ms(10 * HOUR_MS)
    home.sweep()
    clock.pass_ms(2 * HOUR_MS)
    home.sweep()
    assert state(home, bob, parcel.message.id) == "message-gone"
    assert len(home.blobs()) == 2


def test_without_the_watch_a_jump_would_delete(home: Household, clock: TurnedClock, ann: Actor, bob: Actor):
    """The negative control of the test above: a sweeper that began after the jump cannot know better."""
    home.send(ann, parcel_for(["bob"], upload=home.upload(ann, b"sent"), expires_at=START_MS + 10 * HOUR_MS))
    clock.jump_ms(YEARS_MS)
    home.sweep()
    assert home.blobs() == {}


def test_slow_correction_of_the_clock_holds_nothing_up():
    watch = ClockWatch()
    for minute in range(600):
        assert watch.believable(wall_ms=minute * (MINUTE_MS + 30_000), monotonic_s=minute * 60)


def test_one_kind_that_fails_does_not_keep_the_others(home: Household, clock: TurnedClock, ann: Actor):
    home.send(ann, parcel_for(["ann"], expires_at=START_MS + 1))

    async def broken(_: object) -> None:
        await asyncio.sleep(0)
        raise OSError

    clock.pass_ms(DAY_MS)
    home.house.uploads.expire_unfinished = broken  # type: ignore[method-assign, assignment] # the disk that fails
    counts = home.sweep()
    assert "unfinished" not in counts
    assert counts["expired"] == 1
    lines = [json.loads(line) for line in home.log.getvalue().splitlines()]
    assert [line["kind"] for line in lines if line["event"] == "sweep-failed"] == ["unfinished"]


# The outbox


def test_a_task_that_fails_is_put_off_and_holds_up_nobody(home: Household, clock: TurnedClock, ann: Actor):
    poison, good = home.upload(ann, b"poison"), home.upload(ann, b"good")
    path = LocalBlobs(home.house.settings.data / "blobs").path(poison)
    path.unlink()
    path.mkdir()
    (path / "in the way").touch()
    write = home.house.database.write
    for upload_id in (poison, good):
        home.run(write(lambda c, one=upload_id: queue.enqueue(c, "delete-blob", one, due_ms=clock.now_ms())))
    for attempt in range(1, 4):
        home.run(home.house.jobs.dispatcher.run())
        (task,) = home.rows("outbox")
        assert (task.subject, task.attempts) == (poison, attempt)
        assert good not in home.blobs()
        clock.pass_ms(MINUTE_MS)
    (path / "in the way").unlink()
    path.rmdir()
    assert home.run(home.house.jobs.dispatcher.run()) == 1
    assert home.rows("outbox") == []


def test_the_same_task_stands_in_the_queue_once(home: Household, clock: TurnedClock):
    for _ in range(3):
        home.run(
            home.house.database.write(
                lambda c: queue.enqueue(c, "delete-blob", "upl_x", due_ms=clock.now_ms())
            )
        )
    assert len(home.rows("outbox")) == 1


# Sends and channels that only an inside view can time


def test_a_repetition_while_the_first_is_worked_on_is_told_to_wait(home: Household, ann: Actor):
    parcel = parcel_for(["ann"])

    async def work() -> list[object]:
        first = asyncio.create_task(home.house.messages.send(ann, "a-key-of-16-chars", parcel))
        await asyncio.sleep(0)
        with pytest.raises(Refusal) as refused:
            await home.house.messages.send(ann, "a-key-of-16-chars", parcel)
        return [await first, refused.value, await home.house.messages.send(ann, "a-key-of-16-chars", parcel)]

    first, refused, again = home.run(work())
    assert refused.entry.code == "idempotency-in-flight"
    assert refused.headers["retry-after"] == "1"
    assert (first.replayed, again.replayed, again.sent) == (False, True, first.sent)


def test_an_idle_channel_beats_and_the_end_of_the_session_ends_it(home: Household, ann: Actor):
    house, session = home.house, home.session(ann)
    channel = Channel(house.database, house.bus, home.clock, house.log, heartbeat_s=0.05, check_s=0.02)

    async def work() -> list[bytes]:
        pieces = []
        async for piece in channel.stream(ann.account_id, None, token_sha256=digest_of(session.token)):
            pieces.append(piece)
            if len(pieces) == 4:
                await house.sessions.revoke(replace(ann, session_id=session.id), session.id)
        return pieces

    opening, *beats = home.run(asyncio.wait_for(work(), 30))
    assert opening == b"retry: 1000\nid: 0\n\n"
    assert beats[:3] == [b":\n\n"] * 3
    assert house.bus.waiting(ann.account_id) == 0


def test_a_channel_beats_while_the_database_stands_still(
    home: Household, ann: Actor, monkeypatch: pytest.MonkeyPatch
):
    house, token = home.house, home.session(ann).token
    channel = Channel(house.database, house.bus, home.clock, house.log, heartbeat_s=0.05, check_s=0.02)

    async def stands_still(_: object) -> None:
        await asyncio.Event().wait()

    async def work() -> list[bytes]:
        stream = channel.stream(ann.account_id, None, token_sha256=digest_of(token))
        opening_and_beat = [await anext(stream) for _ in range(2)]
        monkeypatch.setattr(house.database, "read", stands_still)
        beats = [await anext(stream) for _ in range(5)]
        await stream.aclose()
        return opening_and_beat[1:] + beats

    assert set(home.run(asyncio.wait_for(work(), 30))) == {b":\n\n"}


def test_a_round_that_fails_is_logged_and_the_next_one_makes_good(
    home: Household, ann: Actor, monkeypatch: pytest.MonkeyPatch
):
    house, token = home.house, home.session(ann).token
    channel = Channel(house.database, house.bus, home.clock, house.log, heartbeat_s=600, check_s=0.02)
    failed, is_logged = [], asyncio.Event()
    monkeypatch.setattr(house.bus, "publish", lambda _: None)

    def log(name: str, **said: object) -> None:
        failed.append((name, said))
        is_logged.set()

    monkeypatch.setattr(house.log, "event", log)

    async def fails(_: object) -> None:
        raise ZeroDivisionError

    async def work() -> bytes:
        await house.messages.send(ann, new_key(), parcel_for(["ann"]))
        stream = channel.stream(ann.account_id, "0", token_sha256=digest_of(token))
        await anext(stream)
        assert b"event: message" in await anext(stream)
        told = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)  # it has looked, and waits
        with monkeypatch.context() as broken:
            broken.setattr(house.database, "read", fails)
            await is_logged.wait()
        await house.messages.send(ann, new_key(), parcel_for(["ann"]))
        piece = await told
        await stream.aclose()
        return piece

    assert b"event: message" in home.run(asyncio.wait_for(work(), 30))
    assert ("job-failed", {"kind": "rounds", "error": "ZeroDivisionError"}) in failed


def test_a_hint_that_went_missing_is_made_good(home: Household, ann: Actor, monkeypatch: pytest.MonkeyPatch):
    house, token = home.house, home.session(ann).token
    channel = Channel(house.database, house.bus, home.clock, house.log, heartbeat_s=600, check_s=0.02)
    monkeypatch.setattr(house.bus, "publish", lambda _: None)

    async def work() -> bytes:
        stream = channel.stream(ann.account_id, None, token_sha256=digest_of(token))
        await anext(stream)
        told = asyncio.ensure_future(anext(stream))
        await house.messages.send(ann, new_key(), parcel_for(["ann"]))
        piece = await told
        await stream.aclose()
        return piece

    assert b"event: message" in home.run(asyncio.wait_for(work(), 30))


def test_a_channel_that_stays_open_keeps_its_session_in_use(home: Household, clock: TurnedClock, ann: Actor):
    house, session = home.house, home.session(ann)
    channel = Channel(house.database, house.bus, clock, house.log, heartbeat_s=600, check_s=0.02)

    async def seen_at() -> int:
        asked = select(sessions.c.last_seen_at).where(sessions.c.id == session.id)
        return int(await house.database.read(lambda connection: connection.execute(asked).scalar_one()))

    async def work() -> None:
        stream = channel.stream(ann.account_id, None, token_sha256=digest_of(session.token))
        await anext(stream)
        waiting = asyncio.ensure_future(anext(stream))
        for _ in range(20):
            clock.pass_ms(5 * DAY_MS)
            async with asyncio.timeout(30):
                while await seen_at() < clock.now_ms():  # noqa: ASYNC110 - nobody rings when it is noted
                    await asyncio.sleep(0.01)
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await stream.aclose()

    home.run(work())


def test_a_position_older_than_what_is_kept_asks_to_read_anew(
    home: Household, clock: TurnedClock, ann: Actor
):
    for _ in range(2):
        home.send(ann, parcel_for(["ann"]))
    clock.pass_ms(8 * DAY_MS)
    home.sweep()
    home.send(ann, parcel_for(["ann"]))
    channel = Channel(home.house.database, home.house.bus, clock, home.house.log)

    async def first_piece(last_event_id: str) -> bytes:
        stream = channel.stream(ann.account_id, last_event_id, token_sha256=b"")
        piece = await anext(stream)
        await stream.aclose()
        return piece

    assert b"event: resync" in home.run(first_piece("1"))
    assert b"resync" not in home.run(first_piece("2"))
    assert b"event: resync" in home.run(first_piece("4"))


@pytest.mark.files
def test_the_hash_of_a_blob_is_noted_once_it_is_whole(home: Household):
    whole, part = (
        home.upload(home.account("ann"), b"whole"),
        home.upload(home.account("bob"), b"pa", length=4),
    )
    home.sweep()
    sums = {row.id: row.sha256 for row in home.rows("uploads")}
    assert sums == {whole: hashlib.sha256(b"whole").digest(), part: None}
    assert home.sweep()["sums"] == 0
