"""The same rooms on PostgreSQL, where several write at once: what one writer made true by being alone must stay true.

Two `PostgresDatabase` on one database are two nodes. Everything else of the API is tested by the other suites of this
folder with `--database postgresql`.
"""

import asyncio
import itertools
import random
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, insert, select, text, update
from sqlalchemy.exc import OperationalError

from restante.server.bus.memory import MemoryBus
from restante.server.clock import SystemClock
from restante.server.config import Settings
from restante.server.db import migrate, postgres, promises
from restante.server.db.postgres import PostgresDatabase, alone, postgres_engines
from restante.server.db.tables import accounts, log_entries, rate_buckets
from restante.server.errors import Refusal, RetryLater
from restante.server.house import furnish
from restante.server.limits.service import Limiter
from restante.server.log import Log
from restante.server.messages.channel import Channel
from restante.server.outbox import events, queue
from restante.server.storage import embedded
from restante.server.transparency.service import append
from tests.databases import cluster

_numbers = itertools.count()


@pytest.fixture
def url() -> str:
    name = f"own_{next(_numbers)}"
    cluster().lay(name)
    return cluster().url(name)


@asynccontextmanager
async def nodes(url: str, *, writers: int) -> AsyncIterator[list[PostgresDatabase]]:
    made = [PostgresDatabase(*postgres_engines(url), writers=writers) for _ in range(2)]
    for each in made:
        each.start()
    try:
        yield made
    finally:
        for each in made:
            await asyncio.to_thread(each.stop)


def run(
    url: str,
    story: Callable[[list[PostgresDatabase]], Awaitable[None]],
    *,
    writers: int = postgres.WRITERS,
) -> None:
    async def whole() -> None:
        async with nodes(url, writers=writers) as made:
            await asyncio.wait_for(story(made), 60)

    asyncio.run(whole())


async def an_account(database: PostgresDatabase, name: str = "ann") -> int:
    def work(connection: Connection) -> int:
        added = insert(accounts).values(name=name, created_at=0).returning(accounts.c.id)
        return int(connection.execute(added).scalar_one())

    return await database.write(work)


# The start


def test_two_nodes_that_start_at_once_agree_on_their_secrets(tmp_path):
    url, keys = cluster().empty(f"both_{next(_numbers)}"), []

    def begin(folder: Path) -> None:
        settings = Settings(data=folder, database_url=url)
        house = furnish(settings, SystemClock(), embedded(settings))
        keys.append(house.messages._claim_key)
        house.database.stop()

    threads = [threading.Thread(target=begin, args=(tmp_path / str(each),)) for each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(keys) == 2
    assert keys[0] == keys[1]


# Several writers


def _take_at_once(url: str) -> int:
    """Has 40 requests ask two nodes for one of five at the same time; returns how many got one."""
    limiter, let_in = Limiter(SystemClock(), key=b"k"), 0

    async def story(both: list[PostgresDatabase]) -> None:
        nonlocal let_in

        def work(connection: Connection) -> None:
            limiter.take(connection, "sends", "ann", "5/1000s")
            time.sleep(0.002)

        taken = (both[each % 2].write(work) for each in range(40))
        outcomes = await asyncio.gather(*taken, return_exceptions=True)
        let_in = outcomes.count(None)
        refused = [each for each in outcomes if each is not None]
        assert {str(each) for each in refused} <= {"rate-limited", "busy"}, refused

    run(url, story)
    return let_in


def test_a_limit_is_a_limit_on_two_nodes(url):
    assert _take_at_once(url) == 5


def test_without_serialisation_the_limit_would_be_passed(url, monkeypatch):
    monkeypatch.setattr(postgres, "_SERIALIZABLE", 2)  # READ COMMITTED: the control
    monkeypatch.setattr(promises, "_unsafe", lambda _: None)
    with cluster().engine(url.rpartition("/")[2]).connect() as connection:
        connection.execute(
            insert(rate_buckets).values(
                key=Limiter(SystemClock(), key=b"k")._bucket("sends", "ann"), level_ms=0
            )
        )
    assert _take_at_once(url) > 5


def test_many_who_change_the_same_row_at_once_all_get_through(url):
    """Nobody is told to come back: whoever was in another's way takes turns with those who begin."""
    changes = 160

    async def story(both: list[PostgresDatabase]) -> None:
        await an_account(both[0])

        def work(connection: Connection) -> None:
            seen = connection.execute(select(accounts.c.created_at)).scalar_one()
            connection.execute(update(accounts).values(created_at=seen + 1))

        async def client(who: int) -> None:
            for _ in range(changes // 16):
                await both[who % 2].write(work)

        await asyncio.gather(*(client(who) for who in range(16)))
        seen = await both[0].read(lambda c: c.execute(select(accounts.c.created_at)).scalar_one())
        assert seen == changes

    run(url, story)


def test_text_that_postgresql_cannot_have_is_found_nowhere(url):
    async def story(both: list[PostgresDatabase]) -> None:
        await an_account(both[0])
        for name, there in (("ann", True), ("a\0nn", False), ("ann\0", False)):
            found = await both[0].read(
                lambda c, name=name: c.execute(select(accounts.c.id).where(accounts.c.name == name)).first()
            )
            assert (found is not None) is there

    run(url, story)


def test_the_log_has_no_gap_and_no_fork(url):
    async def story(both: list[PostgresDatabase]) -> None:
        account = await an_account(both[0])

        def work(rev: int) -> Callable[[Connection], int]:
            return lambda connection: append(
                connection, account, acct="ann@here", rev=rev, record=b"%d" % rev
            )

        leaves = await asyncio.gather(*(both[rev % 2].write(work(rev)) for rev in range(60)))
        assert sorted(leaves) == list(range(60))
        kept = await both[0].read(
            lambda c: list(c.execute(select(log_entries.c.leaf).order_by("leaf")).scalars())
        )
        assert kept == list(range(60))

    run(url, story)


def test_a_task_stands_in_the_queue_once(url):
    async def story(both: list[PostgresDatabase]) -> None:
        def work(connection: Connection) -> None:
            queue.enqueue(connection, "tell", "7", due_ms=0)

        await asyncio.gather(*(both[each % 2].write(work) for each in range(30)))
        assert len(await both[0].read(lambda c: queue.due(c, now_ms=1, kinds=("tell",)))) == 1

    run(url, story)


def _two_senders(url: str) -> list[int]:
    """The first takes a number and dawdles; returns what a channel saw while the second was asked to send."""
    seen: list[int] = []

    async def story(both: list[PostgresDatabase]) -> None:
        account = await an_account(both[0])
        numbered, go_on = threading.Event(), threading.Event()

        def dawdles(connection: Connection) -> int:
            number = events.append(connection, [account], "message", "msg_1", now_ms=0)[account]
            numbered.set()
            go_on.wait(20)
            return number

        def quick(connection: Connection) -> int:
            return events.append(connection, [account], "message", "msg_2", now_ms=0)[account]

        first = asyncio.ensure_future(both[0].write(dawdles))
        await asyncio.to_thread(numbered.wait, 20)
        second = asyncio.ensure_future(both[1].write(quick))
        await asyncio.wait([second], timeout=0.5)
        seen.extend(each.id for each in await both[1].read(lambda c: events.after(c, account, 0)))
        go_on.set()
        assert await first < await second
        seen.extend(
            each.id for each in await both[1].read(lambda c: events.after(c, account, max(seen, default=0)))
        )

    run(url, story)
    return seen


def test_events_are_numbered_in_the_order_in_which_they_are_seen(url):
    assert len(_two_senders(url)) == 2


def test_without_their_turn_a_channel_would_miss_one(url, monkeypatch):
    monkeypatch.setattr(events, "take_numbers", lambda _: None)
    assert len(_two_senders(url)) == 1


def test_a_number_that_is_lost_with_its_transaction_has_nobody_begin_anew(url):
    """Whoever listened before anything happened is at 0, and the first event there is has a larger number than 1."""

    async def story(both: list[PostgresDatabase]) -> None:
        account = await an_account(both[0])

        def send(connection: Connection, message: str, *, fails: bool) -> None:
            events.append(connection, [account], "message", message, now_ms=0)
            if fails:
                raise Refusal("busy")

        with pytest.raises(Refusal):
            await both[0].write(partial(send, message="msg_1", fails=True))
        await both[0].write(partial(send, message="msg_2", fails=False))
        (there,) = await both[1].read(lambda c: events.after(c, account, 0))
        assert there.id > 1
        log = Log(SystemClock(), key=b"k")
        channel = Channel(both[1], MemoryBus(), SystemClock(), log)
        stream = channel.stream(account, "0", token_sha256=b"")
        assert await anext(stream) == b"retry: 1000\nid: 0\n\n"
        await stream.aclose()

    run(url, story)


def _beside_one_who_stands_still(url: str) -> bool:
    """The first stops within its transaction, with its turn to number; tells whether another can send meanwhile."""
    sent: list[bool] = []

    async def story(both: list[PostgresDatabase]) -> None:
        account = await an_account(both[0])
        numbered, go_on = threading.Event(), threading.Event()

        def send(connection: Connection, message: str) -> None:
            events.append(connection, [account], "message", message, now_ms=0)

        def stands_still(connection: Connection) -> None:
            send(connection, "msg_1")
            numbered.set()
            go_on.wait(20)

        first = asyncio.ensure_future(both[0].write(stands_still))
        await asyncio.to_thread(numbered.wait, 20)
        second = asyncio.ensure_future(both[1].write(lambda connection: send(connection, "msg_2")))
        await asyncio.wait([second], timeout=4)
        sent.append(second.done())
        go_on.set()
        await asyncio.gather(first, second)
        there = await both[1].read(lambda c: sorted(one.message_id for one in events.after(c, account, 0)))
        assert there == ["msg_1", "msg_2"], "and once it goes on it begins again"

    run(url, story)
    return sent[0]


def test_a_node_that_stands_still_does_not_hold_up_the_others(url, monkeypatch):
    monkeypatch.setattr(postgres, "STANDS_STILL_S", 1)
    assert _beside_one_who_stands_still(url)


def test_without_an_end_to_standing_still_all_would_wait_for_it(url, monkeypatch):
    monkeypatch.setattr(postgres, "STANDS_STILL_S", 0)
    assert not _beside_one_who_stands_still(url)


def test_one_that_is_refused_takes_nobody_with_it(url):
    async def story(both: list[PostgresDatabase]) -> None:
        def refused(connection: Connection) -> None:
            connection.execute(insert(accounts).values(name="nobody", created_at=0))
            raise Refusal("not-found")

        blocked, go_on = threading.Event(), threading.Event()

        def holds_the_writer(_: Connection) -> None:
            blocked.set()
            go_on.wait(20)

        holding = asyncio.ensure_future(both[0].write(holds_the_writer))
        await asyncio.to_thread(blocked.wait, 20)
        group = [
            both[0].write(refused),
            an_account(both[0], "bob"),
            both[0].write(refused),
            an_account(both[0], "cyd"),
        ]
        waiting = [asyncio.ensure_future(each) for each in group]
        await asyncio.sleep(0.05)
        go_on.set()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        await holding
        assert [type(each) for each in outcomes] == [Refusal, int, Refusal, int]
        names = await both[1].read(
            lambda c: list(c.execute(select(accounts.c.name).order_by("name")).scalars())
        )
        assert names == ["bob", "cyd"]

    run(url, story, writers=1)


def test_whole_numbers_stay_whole(url):
    async def story(both: list[PostgresDatabase]) -> None:
        await an_account(both[0])
        total: Any = await both[0].read(lambda c: c.execute(select(func.sum(accounts.c.id))).scalar())
        assert type(total) is int

    run(url, story)


def test_reading_cannot_write(url):
    async def story(both: list[PostgresDatabase]) -> None:
        with pytest.raises(RetryLater) as caught:
            await both[0].read(lambda c: c.execute(insert(accounts).values(name="x", created_at=0)))
        assert "read-only transaction" in str(caught.value.__cause__)

    run(url, story)


# Faults


def test_connections_that_were_cut_are_made_again_unnoticed(url):
    async def story(both: list[PostgresDatabase]) -> None:
        await asyncio.gather(*(an_account(both[0], f"a{each}") for each in range(20)))
        cluster().execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{url.rpartition('/')[2]}'"
        )
        await asyncio.gather(*(an_account(both[0], f"b{each}") for each in range(20)))
        assert (
            await both[0].read(lambda c: c.execute(select(func.count()).select_from(accounts)).scalar()) == 40
        )

    run(url, story)


def test_threads_whose_first_connections_are_cut_go_on(url, monkeypatch):
    made = PostgresDatabase(*postgres_engines(url))
    asked: list[Engine] = []

    def cut(engine: Engine, usual: Callable[[], Connection]) -> Connection:
        asked.append(engine)
        if 1 < len(asked) < 20:  # the first one looks at the engine before the threads begin
            raise OperationalError("SELECT 1", {}, Exception("cut"))
        return usual()

    for engine in {made._writer, *made._readers}:
        monkeypatch.setattr(engine, "connect", partial(cut, engine, engine.connect))

    async def story() -> int | None:
        made.start()
        async with asyncio.timeout(30):
            await asyncio.gather(*(an_account(made, f"a{each}") for each in range(9)))
            return await made.read(lambda c: c.execute(select(func.count()).select_from(accounts)).scalar())

    assert asyncio.run(story()) == 9
    assert len(asked) >= 20
    made.stop()


def test_nodes_can_start_while_another_serves(url):
    engine, reader = postgres_engines(url)
    with alone(engine):
        migrate.upgrade(engine)
    with alone(engine), engine.begin() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()
    reader.dispose()


@pytest.mark.long
def test_nothing_acknowledged_is_lost_when_the_database_falls_again_and_again(url):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice, kept, busy = random.Random(seed), set(), 0

    async def story(both: list[PostgresDatabase]) -> None:
        nonlocal busy
        over = asyncio.Event()

        async def sender(who: int) -> None:
            nonlocal busy
            for each in itertools.count():
                if over.is_set():
                    return
                try:
                    await an_account(both[who % 2], f"s{who}-{each}")
                    kept.add(f"s{who}-{each}")
                except RetryLater:
                    busy += 1
                    await asyncio.sleep(0.05)

        senders = [asyncio.ensure_future(sender(who)) for who in range(16)]
        for _ in range(6):
            await asyncio.sleep(dice.uniform(0.5, 3))
            await asyncio.to_thread(cluster().end, "immediate")
            await asyncio.to_thread(cluster().begin)
        await asyncio.sleep(2)
        over.set()
        await asyncio.gather(*senders)
        there = await both[0].read(lambda c: set(c.execute(select(accounts.c.name)).scalars()))
        assert len(kept) > 100
        assert kept - there == set()

    run(url, story)
    print(f"{len(kept)} acknowledged, {busy} put off")
