"""protocol/vectors/log.json: what a client says of logs that continue, fork, shrink, or leave a record out."""

import pytest

from restante.protocol.encoding import unb64
from restante.transparency.entries import entry_of
from restante.transparency.notes import NoteKey
from restante.transparency.tiles import Tile
from restante.transparency.watching import check_included, follow, recall
from tests.protocol.vector_files import outcome, values

LOG = values("log.json")


def tiles_of(name: str):
    def fetch(tile: Tile) -> bytes:
        return unb64(LOG["tiles"][name][tile.path])

    return fetch


def note(name: str) -> bytes:
    return LOG["notes"][name].encode()


def expected(case) -> str | None:
    return None if case["expect"] == "success" else case["expect"]


@pytest.mark.parametrize(
    "case", LOG["following"], ids=lambda case: f"{case['seen']} - {case['shown']} {case['expect']}"
)
def test_following(case):
    seen = recall(LOG["keys"]["own"], note(case["seen"])) if case["seen"] else None
    key = NoteKey.parse(LOG["keys"][case["key"]])
    witnesses = [NoteKey.parse(LOG["witnesses"][name]) for name in case["witnesses"]]
    shown, tiles = note(case["shown"]), tiles_of(case["tiles"])
    _, code = outcome(
        lambda: follow(seen, key, shown, origin=LOG["origin"], fetch=tiles, witnesses=witnesses)
    )
    assert code == expected(case)


@pytest.mark.parametrize("case", LOG["records"], ids=lambda case: f"{case['checkpoint']}, {case['leaf']}")
def test_records(case):
    checkpoint = recall(LOG["keys"]["own"], note(case["checkpoint"])).checkpoint
    claim = (case["leaf"], entry_of(case["acct"], unb64(case["record"])))
    _, code = outcome(lambda: check_included(checkpoint, [claim], fetch=tiles_of(case["tiles"])))
    assert code == expected(case)
