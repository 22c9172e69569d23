"""What carries hints between the nodes may go away: nothing that is told depends on it."""

import pytest

from tests.faults import weather
from tests.faults.site import site
from tests.faults.trial import FOR_S, NODES, suffer
from tests.nats_server import NatsServer

pytestmark = [pytest.mark.long, pytest.mark.timeout(FOR_S * 3 + 240)]


def test_nats_in_trouble(tmp_path, weed, seed):
    with (
        NatsServer(tmp_path) as nats,
        site(tmp_path / "site", count=NODES, seed=seed, weed=weed, RESTANTE_BUS_URL=nats.url) as place,
    ):
        suffer(place, weather.bus_falls(nats.stop, nats.start), seed=seed)
