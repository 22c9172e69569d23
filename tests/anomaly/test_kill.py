"""The real process, killed with SIGKILL at each named place and at random times, comes back with every promise kept."""

import asyncio
import contextlib
import random
import re
import threading
import zlib
from pathlib import Path

import httpx
import pytest

from restante.server.config import Settings
from restante.server.storage import embedded
from tests.anomaly.housekeeping import check_house, keep_house
from tests.anomaly.world import Ledger, Pair, World, check, people, work
from tests.api.people import TLS
from tests.serving import ROOT, Server, ServerDied

ELSEWHERE: frozenset[str] = frozenset(
    {
        "account-deletion-acknowledged",
        "account-deletion-before-commit",
        "account-messages-removed",
        "acquaintance-decided",
        "admission-written",
        "blob-before-object",
        "blob-joined",
        "blob-joined-entered",
        "blob-object-entered",
        "blob-object-stored",
        "call-before-answer",
        "call-before-commit",
        "call-let-in",
        "ceremony-taken",
        "forward-before-commit",
        "link-added",
        "link-revoked",
        "mail-sent",
        "move-arrived",
        "move-copied",
        "move-marked",
        "move-object",
        "move-still",
        "move-table",
        "move-taken-back",
        "open-before-commit",
        "operator-made",
        "page-stored",
        "pairing-approved",
        "pairing-begun",
        "pairing-collected",
        "pairing-written",
        "passkey-removed",
        "passkey-written",
        "push-sent",
        "push-subscription-stored",
        "report-kept",
        "session-introduced",
        "task-handed-over",
        "tell-before-commit",
        "verification-acknowledged",
        "way-in-acknowledged",
        "way-in-written",
        "webhook-sent",
    }
)
"""Reached by no work of this suite, which has no passkeys, pairs nothing, lets nobody in, ends no account and moves nowhere: the server
dies there in tests/api/test_deaths.py, test_ways_in.py, test_pairing.py and test_sessions.py, a move in test_move.py."""


class Real:
    """A running server as a Door."""

    def __init__(self, server: Server) -> None:
        self.client = httpx.AsyncClient(base_url=server.url, verify=TLS, timeout=20, trust_env=False)
        self._data = server.data

    def stored(self, upload_id: str) -> bytes:
        return stored(self._data, upload_id)


def stored(data: Path, upload_id: str) -> bytes:
    """The bytes of a blob in a data folder."""
    return next((data / "blobs").rglob(upload_id)).read_bytes()


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


def _broken(server: Server, pair: Pair, ledger: Ledger) -> list[str]:
    """Kills what is left of the server and asks its data folder, in this process."""
    server.kill()

    async def ask() -> list[str]:
        storage = embedded(Settings(data=server.data))
        async with World(storage, lambda upload_id: stored(server.data, upload_id)) as world:
            return await check(world, pair, ledger) + await check_house(world, pair, ledger)

    return asyncio.run(ask())


def test_there_are_failpoints_at_the_edges():
    names = failpoints()
    assert len(names) >= 8
    assert {"db-before-commit", "db-after-commit"} <= set(names)


def test_whoever_does_not_die_here_dies_elsewhere():
    texts = [path.read_text() for path in (ROOT / "tests" / "api").glob("test_*.py")]
    dies = {name for text in texts for name in re.findall(r'"([a-z]+(?:-[a-z]+)+)(?::\d+)?"', text)}
    assert dies & set(failpoints()) >= ELSEWHERE


GROUPS = 4


def _survives(server: Server, pair: Pair, ledger: Ledger, name: str) -> bool:
    """Works until the second time that the place is reached; some places are reached while starting."""
    try:
        server.start(RESTANTE_FAILPOINT=f"{name}:2")
    except ServerDied:
        return False
    asyncio.run(_work(server, pair, ledger, seed=zlib.crc32(name.encode())))
    return server.keeps_answering(for_s=1.0)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("group", range(GROUPS))
def test_killed_at_each_failpoint_loses_nothing_acknowledged(group: int, tmp_path: Path):
    """One installation is killed at one place after the other; each start is the check of the death before."""
    server = Server(tmp_path / "data")
    try:
        server.start()
        pair, ledger = asyncio.run(_sign_up(server)), Ledger()
        server.kill()
        for name in [name for name in failpoints() if name not in ELSEWHERE][group::GROUPS]:
            fired = not _survives(server, pair, ledger, name)
            assert _broken(server, pair, ledger) == [], name
            assert fired, f"{name} was never reached"
    finally:
        server.kill()


def _killed_at_random_times(folder: Path, seeds: range) -> None:
    folder.mkdir(exist_ok=True)
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
            assert _broken(server, pair, ledger) == [], f"seed {seed}"
            server.start()
    finally:
        server.kill()


def test_killed_at_random_times_loses_nothing_acknowledged(tmp_path: Path):
    _killed_at_random_times(tmp_path, range(5))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_killed_at_300_random_times_loses_nothing_acknowledged(tmp_path: Path):
    for group in range(30):
        _killed_at_random_times(tmp_path / str(group), range(group * 10, group * 10 + 10))
