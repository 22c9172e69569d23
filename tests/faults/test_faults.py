"""Whatever is done to the nodes, the database, the bucket or what is between them while people use them: nothing is lost, nothing is twice.

Each fault lasts `FAULTS_S` seconds, 30 unless that is set; docs/guides/soaks.md has what longer ones found.
"""

import pytest

from restante.protocol.limits import MIB
from tests.faults import weather
from tests.faults.site import site
from tests.faults.trial import FOR_S, NODES, balance, suffer
from tests.faults.weather import Fault

SHORT_S = 3.0
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
    "stands-still": weather.database_stands_still,
    "connections-cut": weather.connections_cut,
}
NODE: dict[str, Fault] = {
    "killed": weather.killed,
    "stopped": weather.stopped,
    "drained": weather.drained,
    "drained-on-a-bad-day": weather.together(weather.drained, weather.bad_day),
    "drained-when-nothing-answers": weather.together(
        weather.drained, weather.database_falls, weather.store("down")
    ),
    "everything": weather.together(weather.killed, weather.bad_day, weather.database_falls),
}


def test_a_bad_moment_loses_nothing_and_a_loss_would_be_found(tmp_path, weed, seed):
    with site(tmp_path, count=2, seed=seed, weed=weed) as place:
        trial = suffer(place, weather.a_bad_moment, seed=seed, for_s=SHORT_S)
        lost = next(each for each in trial.book.acknowledged if each.deleted == "no").video
        place.objects.delete([next(iter(place.objects.names(f"{lost.id}/")))])
        assert balance(place) == [f"{lost.id}: the object at 0 is missing"], "the control"


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
