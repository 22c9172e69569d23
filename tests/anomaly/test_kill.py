"""The real process, killed with SIGKILL at each named place and at random times, comes back with every promise kept."""

import asyncio
import contextlib
import random
import re
import threading
import time
import zlib
from pathlib import Path

import httpx
import pytest

from tests.anomaly.housekeeping import check_house, keep_house
from tests.anomaly.world import Ledger, Pair, check, people, work
from tests.serving import ROOT, Server, ServerDied

READY_WITHIN_S = 5.0
ELSEWHERE: frozenset[str] = frozenset()
"""Reached by no work of this suite."""


class Real:
    """A running server as a Door."""

    def __init__(self, server: Server) -> None:
        self.client = httpx.AsyncClient(base_url=server.url, timeout=20, trust_env=False)
        self._blobs = server.data / "blobs"

    def stored(self, upload_id: str) -> bytes:
        return next(self._blobs.rglob(upload_id)).read_bytes()


def failpoints() -> list[str]:
    """All names in the source."""
    source = ROOT / "src" / "restante" / "server"
    texts = [path.read_text() for path in source.rglob("*.py")]
    return sorted({name for text in texts for name in re.findall(r'failpoint\("([a-z0-9-]+)"\)', text)})


async def _sign_up(server: Server) -> Pair:
    door = Real(server)
    try:
        return await people(door)
    finally:
        await door.client.aclose()


async def _work(server: Server, pair: Pair, ledger: Ledger, seed: int) -> None:
    door = Real(server)
    try:
        await work(door, pair, ledger, seed=seed)
        with contextlib.suppress(httpx.TransportError):
            await keep_house(door, pair, ledger, seed=seed)
    finally:
        await door.client.aclose()


async def _check(server: Server, pair: Pair, ledger: Ledger) -> list[str]:
    door = Real(server)
    try:
        return await check(door, pair, ledger) + await check_house(door, pair, ledger)
    finally:
        await door.client.aclose()


def _restart(server: Server, **env: str) -> None:
    server.kill()
    began = time.monotonic()
    server.start(**env)
    assert time.monotonic() - began < READY_WITHIN_S


def test_there_are_failpoints_at_the_edges():
    names = failpoints()
    assert len(names) >= 8
    assert {"db-before-commit", "db-after-commit"} <= set(names)


GROUPS = 4


def _survives(server: Server, pair: Pair, ledger: Ledger, name: str) -> bool:
    """Works until the second time that the place is reached; some places are reached while starting."""
    try:
        _restart(server, RESTANTE_FAILPOINT=f"{name}:2")
    except ServerDied:
        return False
    asyncio.run(_work(server, pair, ledger, seed=zlib.crc32(name.encode())))
    return server.answers()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("group", range(GROUPS))
def test_killed_at_each_failpoint_loses_nothing_acknowledged(group: int, tmp_path: Path):
    """One installation is killed at one place after the other; each start is the check of the death before."""
    server = Server(tmp_path / "data")
    try:
        server.start()
        pair, ledger = asyncio.run(_sign_up(server)), Ledger()
        for name in failpoints()[group::GROUPS]:
            fired = not _survives(server, pair, ledger, name)
            _restart(server, RESTANTE_FAILPOINT="")
            assert asyncio.run(_check(server, pair, ledger)) == [], name
            assert fired or name in ELSEWHERE, f"{name} was never reached"
    finally:
        server.kill()


def _killed_at_random_times(folder: Path, seeds: range) -> None:
    server = Server(folder / "data")
    server.start()
    try:
        pair = asyncio.run(_sign_up(server))
        ledger = Ledger()
        for seed in seeds:
            killer = threading.Timer(random.Random(seed).uniform(0.01, 0.4), server.kill)
            killer.start()
            asyncio.run(_work(server, pair, ledger, seed=seed))
            killer.join()
            _restart(server)
            assert asyncio.run(_check(server, pair, ledger)) == [], f"seed {seed}"
    finally:
        server.kill()


def test_killed_at_random_times_loses_nothing_acknowledged(tmp_path: Path):
    _killed_at_random_times(tmp_path, range(12))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_killed_at_300_random_times_loses_nothing_acknowledged(tmp_path: Path):
    for group in range(30):
        _killed_at_random_times(tmp_path / str(group), range(group * 10, group * 10 + 10))
