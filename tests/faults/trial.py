"""One trial: people use a site while something happens to it; afterwards the judge looks at everything."""

import asyncio
import os
import random
import time
from dataclasses import dataclass, field

from tests.faults.book import Book
from tests.faults.judge import books_balance, judge, tasks
from tests.faults.load import Load
from tests.faults.log_watcher import LogWatcher
from tests.faults.site import Site
from tests.faults.weather import Fault

FOR_S = float(os.environ.get("FAULTS_S", "30"))
NODES = int(os.environ.get("FAULTS_NODES", "2"))
SETTLES_WITHIN_S = 60.0


@dataclass
class Trial:
    """What came of it."""

    book: Book
    load: Load
    log: LogWatcher
    resident_bytes: list[int] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def grown_bytes(self) -> int:
        """Of the nodes' memory, from the most of the first third, when all is warm, to the most of the last."""
        third = len(self.resident_bytes) // 3
        return max(self.resident_bytes[-third:]) - max(self.resident_bytes[:third]) if third else 0


async def endure(site: Site, fault: Fault, *, seed: int, for_s: float, senders: int = 6) -> Trial:
    """Has people use the site for so long while the fault happens; all is well again when it returns."""
    load = Load(site.urls, seed=seed, senders=senders)
    trial = Trial(load.book, load, LogWatcher(site.urls, random.Random(f"{seed} log")))
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_happen(fault, site, random.Random(f"{seed} fault"), load.over))
            group.create_task(_watch(trial.log, load.over))
            group.create_task(_measure(site, trial, load.over))
            await load.run(for_s=for_s)
    finally:
        load.over.set()
    for node in site.nodes:
        await asyncio.to_thread(node.await_ready)
    print(load.book.told())
    return trial


async def look(site: Site, trial: Trial) -> list[str]:
    """What is broken."""
    told = await judge(trial.load)
    return told + await asyncio.to_thread(trial.log.read) + await asyncio.to_thread(balance, site)


def balance(site: Site) -> list[str]:
    """What is broken behind the servers, once they have done what was to be done."""
    engine = site.postgres.engine(site.database.rpartition("/")[2])
    deadline_s = time.monotonic() + SETTLES_WITHIN_S
    with engine.connect() as connection:
        while left := tasks(connection):
            if time.monotonic() > deadline_s:
                return [f"{left} tasks are never done", *books_balance(connection, site.objects)]
            time.sleep(0.1)
        return books_balance(connection, site.objects)


def suffer(place: Site, fault: Fault, *, seed: int, for_s: float = FOR_S) -> Trial:
    """Endures, and looks: nothing is broken."""

    async def whole() -> Trial:
        trial = await endure(place, fault, seed=seed, for_s=for_s)
        try:
            trial.broken = await look(place, trial)
        finally:
            await trial.load.close()
        return trial

    trial = asyncio.run(whole())
    assert not trial.broken, "\n".join(trial.broken[:30])
    assert len(trial.book.acknowledged) > for_s / 4, "people could use it"
    return trial


async def _happen(fault: Fault, site: Site, dice: random.Random, over: asyncio.Event) -> None:
    await fault(site, dice, over)


async def _watch(log: LogWatcher, over: asyncio.Event) -> None:
    while not over.is_set():
        await asyncio.to_thread(log.look)
        await asyncio.sleep(1)


async def _measure(site: Site, trial: Trial, over: asyncio.Event) -> None:
    while not over.is_set():
        trial.resident_bytes.append(await asyncio.to_thread(site.resident_bytes))
        await asyncio.sleep(0.5)
