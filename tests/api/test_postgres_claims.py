"""Work of the outbox among several nodes: each task in one's hands at a time, and done by another when that one dies."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, update

from restante.server.clock import SystemClock
from restante.server.db.postgres import PostgresDatabase, postgres_engines
from restante.server.db.tables import outbox
from restante.server.jobs.courier import Courier
from restante.server.jobs.dispatch import Dispatcher
from restante.server.log import Log
from restante.server.outbox import leases, queue
from restante.server.outbox.queue import Task
from tests.databases import laid_for

TASKS = 60


@pytest.fixture
def url(tmp_path: Path) -> str:
    return laid_for(tmp_path)


def run(url: str, story: Callable[[PostgresDatabase, PostgresDatabase], Awaitable[None]]) -> None:
    async def whole() -> None:
        both = [PostgresDatabase(*postgres_engines(url)) for _ in range(2)]
        for each in both:
            each.start()
        try:
            await asyncio.wait_for(story(*both), 60)
        finally:
            for each in both:
                await asyncio.to_thread(each.stop)

    asyncio.run(whole())


def fill(connection: Connection, count: int = TASKS) -> None:
    for number in range(count):
        queue.enqueue(connection, "webhook", str(number), due_ms=0)


def left(connection: Connection) -> list[str]:
    return sorted(connection.execute(select(outbox.c.subject)).scalars())


def the_one(connection: Connection) -> Task:
    (task,) = queue.due(connection, now_ms=1, kinds=("webhook",))
    return task


def held_no_longer(connection: Connection) -> None:
    """As if a claim's time were over."""
    connection.execute(update(outbox).values(held_until=1))


def carried_out_by_two(url: str) -> Counter[str]:
    """Has two couriers carry out what is due, each at its own pace; returns how often each task was begun."""
    begun: Counter[str] = Counter()

    async def story(one: PostgresDatabase, two: PostgresDatabase) -> None:
        await one.write(fill)

        def courier(database: PostgresDatabase) -> Courier:
            async def errand(task: Task) -> None:
                begun[task.subject] += 1
                await asyncio.sleep(0.002)
                await database.write(lambda connection: queue.done(connection, task))

            async def close() -> None:
                pass

            return Courier(
                database,
                SystemClock(),
                errands={"webhook": errand},
                close=close,
                bus=None,  # type: ignore[arg-type] # nobody waits
                log=Log(SystemClock(), key=b"k"),
            )

        couriers = [courier(one), courier(two)]
        while await one.read(left):
            await asyncio.gather(*(each.run() for each in couriers))

    run(url, story)
    return begun


def test_two_nodes_do_no_task_twice(url: str) -> None:
    begun = carried_out_by_two(url)
    assert (len(begun), max(begun.values())) == (TASKS, 1)


def test_without_claims_they_do(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "claim", lambda connection, tasks, node: list(tasks))
    assert max(carried_out_by_two(url).values()) == 2


def test_what_a_dead_node_had_in_hand_another_takes_over(url: str) -> None:
    async def story(one: PostgresDatabase, two: PostgresDatabase) -> None:
        await one.write(lambda connection: fill(connection, 1))
        task = await one.read(the_one)
        (mine,) = await one.write(lambda connection: queue.claim(connection, [task], node=one.node))
        assert not await two.write(lambda connection: queue.claim(connection, [task], node=two.node))
        assert not await two.read(lambda connection: queue.due(connection, now_ms=1, kinds=("webhook",)))
        await one.write(held_no_longer)
        await one.write(lambda connection: queue.keep(connection, [mine.id], node=one.node))
        assert not await two.write(lambda connection: queue.claim(connection, [task], node=two.node)), (
            "the living keep theirs"
        )
        await one.write(held_no_longer)
        (taken,) = await two.write(lambda connection: queue.claim(connection, [task], node=two.node))
        assert (taken.id, taken.node) == (task.id, two.node)

    run(url, story)


def test_who_slept_too_long_puts_nothing_off_that_another_has(url: str) -> None:
    async def story(one: PostgresDatabase, two: PostgresDatabase) -> None:
        await one.write(lambda connection: fill(connection, 1))
        task = await one.read(the_one)
        (slept,) = await one.write(lambda connection: queue.claim(connection, [task], node=one.node))
        await one.write(held_no_longer)
        (taken,) = await two.write(lambda connection: queue.claim(connection, [task], node=two.node))
        await one.write(lambda connection: queue.keep(connection, [task.id], node=one.node))
        await one.write(lambda connection: queue.failed(connection, slept, now_ms=0))
        assert not await one.read(lambda connection: queue.due(connection, now_ms=10**9, kinds=("webhook",)))
        await two.write(lambda connection: queue.failed(connection, taken, now_ms=0))
        (again,) = await one.read(lambda connection: queue.due(connection, now_ms=10**9, kinds=("webhook",)))
        assert again.attempts == 1

    run(url, story)


def test_who_stops_leaves_its_tasks_to_others_at_once(url: str) -> None:
    async def story(one: PostgresDatabase, two: PostgresDatabase) -> None:
        await one.write(lambda connection: fill(connection, 2))
        tasks = await one.read(lambda connection: queue.due(connection, now_ms=1, kinds=("webhook",)))
        await one.write(lambda connection: queue.claim(connection, tasks[:1], node=one.node))
        await two.write(lambda connection: queue.claim(connection, tasks[1:], node=two.node))
        await one.write(lambda connection: queue.let_go(connection, node=one.node))
        free = await two.write(lambda connection: queue.claim(connection, tasks, node=two.node))
        assert [task.id for task in free] == [tasks[0].id]

    run(url, story)


def test_who_stops_leaves_a_long_list_where_it_is(url: str) -> None:
    removed: list[str] = []

    async def story(one: PostgresDatabase, two: PostgresDatabase) -> None:
        def fill_blobs(connection: Connection) -> None:
            for number in range(TASKS):
                queue.enqueue(connection, "delete-blob", f"upl_{number}", due_ms=0)

        class Uploads:
            async def delete_blob(self, upload_id: str, *, account_id: int | None) -> None:
                assert account_id is None
                removed.append(upload_id)
                if len(removed) == 3:
                    dispatcher.end()

        await one.write(fill_blobs)
        log = Log(SystemClock(), key=b"k")
        dispatcher = Dispatcher(one, SystemClock(), uploads=Uploads(), log=log)  # type: ignore[arg-type]
        assert await dispatcher.run() == 3
        assert len(await two.read(left)) == TASKS - 3

    run(url, story)


def test_one_node_has_a_lease_until_it_gives_it_back_or_its_time_is_over(url: str) -> None:
    async def story(one: PostgresDatabase, two: PostgresDatabase) -> None:
        async def takes(who: PostgresDatabase, for_ms: int = 60_000, *, by_force: bool = False) -> bool:
            return await who.write(
                lambda connection: leases.take(
                    connection, "sweep", node=who.node, for_ms=for_ms, by_force=by_force
                )
            )

        assert [await takes(one), await takes(two), await takes(one)] == [True, False, True]
        await two.write(lambda connection: leases.give_back(connection, "sweep", node=two.node))
        assert not await takes(two), "it was not its own"
        await one.write(lambda connection: leases.give_back(connection, "sweep", node=one.node))
        assert await takes(two, for_ms=0)
        assert await takes(one), "its time was over"
        assert await takes(two, by_force=True)
        assert sum(await asyncio.gather(*(takes(each) for each in [one, two] * 10))) == 10

    run(url, story)
