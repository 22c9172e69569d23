"""One trial: run the work on a disk that dies at the k-th operation, then ask the survivor whether each promise holds."""

import asyncio
import copy
import functools
import random
from dataclasses import dataclass

from tests.anomaly.crashdisk import Disk
from tests.anomaly.world import Ledger, Pair, World, check, people, work

ALL_MESSAGES = 4
"""What the work sends when nothing fails."""


@dataclass(frozen=True)
class Trial:
    """What happened; ``broken`` are the promises that did not hold."""

    broken: list[str]
    promised_uploads: int
    promised_messages: int


@functools.cache
def beginning() -> tuple[Disk, Pair]:
    """A disk with two accounts, made once."""

    async def make() -> tuple[Disk, Pair]:
        disk = Disk()
        async with World.on_disk(disk) as world:
            pair = await people(world)
        return disk, pair

    return asyncio.run(make())


@functools.cache
def operations(seed: int) -> int:
    """How many disk operations the work takes when nothing fails."""
    disk, pair = beginning()

    async def count() -> int:
        running = disk.copy()
        async with World.on_disk(running) as world:
            before = running.operations
            await work(world, pair, Ledger(), seed=seed)
        return running.operations - before

    return asyncio.run(count())


def die(seed: int, *, synchronous: str = "FULL") -> tuple[Trial, Trial]:
    """Everything stops at a random operation. Returns what is left after power loss, and after process death.

    With the power, unflushed writes are lost: whole, half or not at all. With the process, what it wrote stays in the page cache.
    """
    chance = random.Random(seed)
    disk, pair = beginning()
    running = disk.copy(dies_at=chance.randrange(operations(seed % 5)))
    ledger = Ledger()
    asyncio.run(_until_death(running, pair, ledger, seed % 5, synchronous))
    without_power, without_process = running.power_loss(chance), running.copy()
    return _judge(without_power, pair, ledger), _judge(without_process, pair, ledger)


def fail_once(operation: int, *, seed: int = 0) -> tuple[list[str], list[int]]:
    """One disk operation fails and the server goes on; returns broken promises and the statuses of failed requests."""
    disk, pair = beginning()
    running, ledger = disk.copy(), Ledger()

    async def run() -> tuple[list[str], list[int]]:
        async with World.on_disk(running) as world:
            running.fails_at = running.operations + operation
            await work(world, pair, ledger, seed=seed)
            running.fails_at = None
            broken = await check(world, pair, ledger)
            again = Ledger()
            await work(world, pair, again, seed=seed + 100)
            if len(again.messages) < ALL_MESSAGES:
                broken.append(f"the server did not recover: {len(again.messages)} messages")
            return broken, world.failures

    return asyncio.run(run())


def _judge(survivor: Disk, pair: Pair, ledger: Ledger) -> Trial:
    promised = copy.deepcopy(ledger)
    broken = asyncio.run(_check(survivor, pair, promised))
    return Trial(broken, len(promised.uploads), len(promised.messages))


async def _until_death(disk: Disk, pair: Pair, ledger: Ledger, seed: int, synchronous: str) -> None:
    start, dies_at = disk.operations, disk.dies_at
    disk.dies_at = None
    world = World.on_disk(disk, synchronous=synchronous)
    await world.house.open()
    disk.dies_at = disk.operations - start + (dies_at or 0)
    try:
        await work(world, pair, ledger, seed=seed)
    finally:
        disk.dead.set()
        await world.__aexit__(None, None, None)


async def _check(disk: Disk, pair: Pair, ledger: Ledger) -> list[str]:
    async with World.on_disk(disk) as world:
        return await check(world, pair, ledger)
