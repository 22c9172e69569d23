"""The judge finds what is lost: bugs that would lose something are sown, and what is stored is taken away by hand."""

import asyncio

import pytest

from tests.anomaly.sowing import Bug, sow
from tests.faults import weather
from tests.faults.site import site
from tests.faults.trial import endure, look
from tests.faults.weather import Fault

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
FOR_S = 15.0

BUGS: dict[Bug, tuple[Fault, str]] = {
    Bug(
        "acknowledged-before-it-is-stored",
        "server/uploads/durable.py",
        'self._every_byte = settings.durability == "power" or remote is not None',
        "self._every_byte = False",
    ): (weather.killed, "acknowledged"),
    Bug(
        "answered-before-the-commit",
        "server/db/postgres.py",
        'failpoint("db-before-commit")',
        "from restante.server.db.engine import _answer; _answer(outcomes); time.sleep(0.05)",
    ): (weather.connections_cut, "acknowledged"),
}


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_sown_bug_is_found(tmp_path, weed, bug):
    fault, said = BUGS[bug]
    sow(bug, tmp_path / "program")

    async def suffer() -> list[str]:
        program = {"PYTHONPATH": str(tmp_path / "program")}
        with site(tmp_path / bug.name, count=2, seed=1, weed=weed, **program) as place:
            trial = await endure(place, fault, seed=1, for_s=FOR_S, senders=10)
            try:
                return await look(place, trial)
            finally:
                await trial.load.close()

    found = asyncio.run(suffer())
    print(found[:5])
    assert [each for each in found if said in each]
