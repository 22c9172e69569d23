"""Whatever is done to the nodes, the database, the bucket or what is between them while people use them: nothing is lost, nothing is twice.

Each fault lasts `RESTANTE_FAULTS_S` seconds, 30 unless that is set; docs/guides/soaks.md has what longer ones found.
"""

import asyncio
import os
import secrets
from collections.abc import Iterator

import pytest

from restante.protocol.limits import MIB
from tests import seaweed
from tests.faults import weather
from tests.faults.site import Site, site
from tests.faults.trial import Trial, balance, endure, look
from tests.faults.weather import Fault
from tests.seaweed import Seaweed

SHORT_S = 4.0
FOR_S = float(os.environ.get("RESTANTE_FAULTS_S", "30"))
NODES = int(os.environ.get("RESTANTE_FAULTS_NODES", "2"))
FLAT_BYTES = 50 * MIB
pytestmark = pytest.mark.timeout(FOR_S * 3 + 240)

STORE: dict[str, Fault] = {
    "slow": weather.store("slow"),
    "down": weather.store("down"),
    "resetting": weather.store("reset"),
    "busy": weather.store("busy"),
    "200-with-an-error": weather.store("error-200"),
    "answers-lost": weather.store("lost"),
    "bad-day": weather.bad_day,
}
DATABASE: dict[str, Fault] = {
    "falls": weather.database_falls,
    "connections-cut": weather.connections_cut,
}
NODE: dict[str, Fault] = {
    "killed": weather.killed,
    "stopped": weather.stopped,
    "drained": weather.drained,
    "drained-on-a-bad-day": weather.together(weather.drained, weather.bad_day),
    "everything": weather.together(weather.killed, weather.bad_day, weather.database_falls),
}


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with seaweed.running(tmp_path_factory.mktemp("weed")) as found:
        yield found


@pytest.fixture
def seed() -> int:
    found = int(os.environ.get("RESTANTE_FAULTS_SEED", secrets.randbelow(2**32)))
    print(f"seed {found}")
    return found


def test_a_bad_moment_loses_nothing_and_a_loss_would_be_found(tmp_path, weed, seed):
    with site(tmp_path, count=2, seed=seed, weed=weed) as place:
        trial = suffer(place, weather.a_bad_moment, seed=seed, for_s=SHORT_S)
        lost = next(each for each in trial.book.acknowledged if each.deleted == "no").video
        place.objects.delete([next(iter(place.objects.names(f"{lost.id}/")))])
        assert balance(place) == [f"{lost.id}: the object at 0 is missing"], "the control"


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
    assert trial.broken == []
    assert len(trial.book.acknowledged) > for_s / 4, "people could use it"
    return trial


@pytest.mark.long
@pytest.mark.parametrize("fault", STORE)
def test_a_store_in_trouble(tmp_path, weed, seed, fault):
    with site(tmp_path, count=NODES, seed=seed, weed=weed) as place:
        trial = suffer(place, STORE[fault], seed=seed)
    assert trial.grown_bytes < FLAT_BYTES


@pytest.mark.long
@pytest.mark.parametrize("fault", DATABASE)
def test_a_database_in_trouble(tmp_path, weed, seed, fault):
    with site(tmp_path, count=NODES, seed=seed, weed=weed) as place:
        trial = suffer(place, DATABASE[fault], seed=seed)
    assert trial.grown_bytes < FLAT_BYTES


@pytest.mark.long
@pytest.mark.parametrize("fault", NODE)
def test_a_node_in_trouble(tmp_path, weed, seed, fault):
    with site(tmp_path, count=NODES, seed=seed, weed=weed) as place:
        suffer(place, NODE[fault], seed=seed)
