"""The real process, killed with SIGKILL at each named place and at random times, comes back with every promise kept."""

import asyncio
import random
import re
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.anomaly.world import Ledger, Pair, check, people, work
from tests.serving import ROOT, Server

READY_WITHIN_S = 5.0


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
    return await people(Real(server))


async def _work(server: Server, pair: Pair, ledger: Ledger, seed: int) -> None:
    door = Real(server)
    lanes = await asyncio.gather(work(door, pair, ledger, seed=seed), return_exceptions=True)
    await door.client.aclose()
    unexpected = [
        error for error in lanes if error is not None and not isinstance(error, httpx.TransportError)
    ]
    assert unexpected == []


async def _check(server: Server, pair: Pair, ledger: Ledger) -> list[str]:
    door = Real(server)
    try:
        return await check(door, pair, ledger)
    finally:
        await door.client.aclose()


def _restart(server: Server) -> None:
    server.kill()
    began = time.monotonic()
    server.start(RESTANTE_FAILPOINT="")
    assert time.monotonic() - began < READY_WITHIN_S


def test_there_are_failpoints_at_the_edges():
    names = failpoints()
    assert len(names) >= 8
    assert {"db-before-commit", "db-after-commit"} <= set(names)


@pytest.mark.parametrize("name", failpoints())
def test_killed_at_a_failpoint_loses_nothing_acknowledged(name: str, tmp_path: Path):
    for nth in (1, 4):
        server = Server(tmp_path / f"data{nth}")
        try:
            server.start()
            pair = asyncio.run(_sign_up(server))
            server.kill()
            server.start(RESTANTE_FAILPOINT=f"{name}:{nth}")
            ledger = Ledger()
            asyncio.run(_work(server, pair, ledger, seed=nth))
            _restart(server)
            assert asyncio.run(_check(server, pair, ledger)) == []
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
