"""What happens to a site while people use it; each goes on until it is over, and leaves all well behind."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import Awaitable, Callable

from sqlalchemy import text

from tests.faults.site import Site

Fault = Callable[[Site, random.Random, asyncio.Event], Awaitable[None]]
DRAINED_WITHIN_S = 10.0
EVERY_S = 10.0
"""Between two falls of the database."""
STOPPED_S = 15.0
"""Longer than any node keeps what belongs to all."""


async def nothing(_: Site, __: random.Random, over: asyncio.Event) -> None:
    """A good day."""
    await over.wait()


def store(fault: str, *, slow_s: float = 1.0) -> Fault:
    """The bucket has this fault half of the time."""

    async def happens(site: Site, dice: random.Random, over: asyncio.Event) -> None:
        site.bucket.slow_s = slow_s
        while not await _over(over, dice.uniform(0.5, 2)):
            site.bucket.fault = fault
            await _over(over, dice.uniform(0.5, 4))
            site.bucket.fault = ""
        assert site.bucket.did[fault] > 0, "it never came to that"

    return happens


async def bad_day(site: Site, _: random.Random, over: asyncio.Event) -> None:
    """Every fourth request to the bucket ends badly, each time otherwise."""
    site.bucket.share = 0.25
    await over.wait()
    site.bucket.share = 0.0


async def database_falls(site: Site, dice: random.Random, over: asyncio.Event) -> None:
    """PostgreSQL ends without goodbye, and starts again."""
    while not await _over(over, dice.uniform(0.3, 0.6) * EVERY_S):
        await asyncio.to_thread(site.postgres.end, "immediate")
        await _over(over, dice.uniform(0, 0.2) * EVERY_S)
        await asyncio.to_thread(site.postgres.begin)


async def database_stands_still(site: Site, dice: random.Random, over: asyncio.Event) -> None:
    """PostgreSQL answers nobody for a while, and refuses nobody either."""
    while not await _over(over, dice.uniform(1, 4)):
        stopped = site.postgres_processes()
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        await _over(over, dice.uniform(0.3, 1) * STOPPED_S)
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


async def connections_cut(site: Site, dice: random.Random, over: asyncio.Event) -> None:
    """The database's connections end in the middle, again and again."""
    name = site.database.rpartition("/")[2]
    cut = text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    engine = site.postgres.engine()
    while not await _over(over, dice.uniform(0.2, 2)):
        with engine.connect() as connection:
            connection.execute(cut)


def bus_falls(stop: Callable[[], None], start: Callable[[], None]) -> Fault:
    """What carries hints between nodes dies, stays away, and comes back."""

    async def happens(_: Site, dice: random.Random, over: asyncio.Event) -> None:
        while not await _over(over, dice.uniform(0.5, 3)):
            await asyncio.to_thread(stop)
            await _over(over, dice.uniform(0.5, 4))
            await asyncio.to_thread(start)

    return happens


async def killed(site: Site, dice: random.Random, over: asyncio.Event) -> None:
    """A node dies, wherever it is, and comes back."""
    while not await _over(over, dice.uniform(0.5, 3)):
        node = dice.choice(site.nodes)
        await asyncio.to_thread(node.kill)
        await _over(over, dice.uniform(0, 1))
        await asyncio.to_thread(site.restart, node)


async def stopped(site: Site, dice: random.Random, over: asyncio.Event) -> None:
    """A node stands still for longer than it may keep anything, and then goes on as if nothing had been."""
    while not await _over(over, dice.uniform(1, 3)):
        node = dice.choice(site.nodes)
        site.signal(node, signal.SIGSTOP)
        await _over(over, dice.uniform(0.5, 1) * STOPPED_S)
        site.signal(node, signal.SIGCONT)


async def drained(site: Site, dice: random.Random, over: asyncio.Event, *, away_s: float = 0.0) -> None:
    """One node after the other is asked to end, as an upgrade does, and started again, at once or after a while."""
    loop = asyncio.get_running_loop()
    while not await _over(over, dice.uniform(1, 3)):
        node = dice.choice(site.nodes)
        began_s = loop.time()
        code = await asyncio.to_thread(node.stop)
        took_s = loop.time() - began_s
        assert (code, took_s < DRAINED_WITHIN_S) == (0, True), f"it ended with {code} after {took_s:.1f} s"
        await _over(over, away_s)
        await asyncio.to_thread(site.restart, node)


async def a_bad_moment(site: Site, _: random.Random, over: asyncio.Event) -> None:
    """A bucket that hurts every fourth request, a node that dies, a database that falls: once each."""
    site.bucket.share = 0.25
    await _over(over, 1)
    await asyncio.to_thread(site.nodes[0].kill)
    await asyncio.to_thread(site.restart, site.nodes[0])
    await asyncio.to_thread(site.postgres.end, "immediate")
    await asyncio.to_thread(site.postgres.begin)
    await over.wait()
    site.bucket.share = 0.0


def together(*faults: Fault) -> Fault:
    """All at once."""

    async def happens(site: Site, dice: random.Random, over: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            for number, fault in enumerate(faults):
                group.create_task(_as_task(fault, site, random.Random(f"{dice.random()} {number}"), over))

    return happens


async def _as_task(fault: Fault, site: Site, dice: random.Random, over: asyncio.Event) -> None:
    await fault(site, dice, over)


async def _over(over: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(over.wait(), seconds)
    return over.is_set()
