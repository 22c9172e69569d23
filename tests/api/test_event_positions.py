"""Where a live channel goes on: a position is good for one account, whatever happens to others and to the sweep."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from restante.server.db.tables import accounts
from restante.server.messages.channel import Channel
from restante.server.outbox import events
from restante.server.sessions.actor import Actor
from restante.server.sessions.service import digest_of
from tests.api.days import overheard
from tests.api.household import DAY_MS, Household, TurnedClock, parcel_for
from tests.api.parcels import new_key
from tests.laying import engines_in


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def home(tmp_path: Path, clock: TurnedClock) -> Iterator[Household]:
    household = Household(tmp_path / "data", clock)
    yield household
    household.close()


@pytest.fixture
def ann(home: Household) -> Actor:
    return home.account("ann")


@pytest.fixture
def bob(home: Household) -> Actor:
    return home.account("bob")


def note(home: Household, actor: Actor) -> None:
    """Something happens to one account and to no other."""
    home.send(actor, parcel_for([actor.name]))


def opening(home: Household, actor: Actor, last_event_id: str | None = None) -> bytes:
    """The first that a channel says."""
    channel = Channel(home.house.database, home.house.bus, home.clock, home.house.log)

    async def work() -> bytes:
        stream = channel.stream(actor.account_id, last_event_id, token_sha256=b"")
        piece = await anext(stream)
        await stream.aclose()
        return piece

    return home.run(work())


def goes_on(home: Household, actor: Actor, position: int) -> bool:
    return opening(home, actor, str(position)) == b"retry: 1000\nid: %d\n\n" % position


def begins_at(home: Household, actor: Actor) -> int:
    return int(opening(home, actor).rpartition(b"id: ")[2])


def test_a_position_counts_the_accounts_own_events_only(home: Household, ann: Actor, bob: Actor):
    for each in (ann, bob, bob, ann, bob):
        note(home, each)
    assert (begins_at(home, ann), begins_at(home, bob)) == (4, 5)
    assert [goes_on(home, ann, position) for position in range(7)] == [True] * 5 + [False] * 2


def test_a_position_from_the_future_begins_anew_at_the_accounts_newest(
    home: Household, ann: Actor, bob: Actor
):
    """So does one that the release before gave out, which counted everybody's events: once."""
    for each in (ann, bob):
        note(home, each)
    for unknown in ("2", "3", "999999999999"):
        assert opening(home, ann, unknown) == (
            b'retry: 1000\nevent: resync\nid: 1\ndata: {"kind":"resync","id":""}\n\n'
        )
    assert goes_on(home, ann, 1)


def test_after_a_sweep_a_position_is_good_if_nothing_of_the_accounts_was_removed_since(
    home: Household, clock: TurnedClock, ann: Actor, bob: Actor
):
    for each in (ann, ann, bob):
        note(home, each)
    clock.pass_ms(8 * DAY_MS)
    note(home, bob)
    assert home.sweep()["events"] == 3
    assert {row.account_id: row.forgotten_id for row in home.rows("event_ends")} == {
        ann.account_id: 2,
        bob.account_id: 3,
    }
    assert [goes_on(home, ann, position) for position in range(4)] == [False, False, True, False]
    assert [goes_on(home, bob, position) for position in (2, 3, 4, 5)] == [False, True, True, False]
    assert (begins_at(home, ann), begins_at(home, bob)) == (2, 4)


def test_a_quiet_account_that_comes_back_reads_nothing_anew(
    home: Household, clock: TurnedClock, ann: Actor, bob: Actor
):
    """However many of others' events came and went meanwhile."""
    note(home, ann)
    for _ in range(3):
        clock.pass_ms(8 * DAY_MS)
        home.sweep()
        note(home, bob)
    assert goes_on(home, ann, 1)
    note(home, ann)
    assert goes_on(home, ann, 1)
    note(home, ann)
    clock.pass_ms(8 * DAY_MS)
    home.sweep()
    assert not goes_on(home, ann, 5)
    assert goes_on(home, ann, 6)


def test_an_account_without_events_begins_at_nothing(home: Household, ann: Actor, bob: Actor):
    note(home, bob)
    assert begins_at(home, ann) == 0
    assert goes_on(home, ann, 0)
    note(home, ann)
    assert goes_on(home, ann, 0)


def test_an_account_that_goes_takes_its_ends_with_it(
    home: Household, clock: TurnedClock, ann: Actor, bob: Actor
):
    note(home, ann)
    clock.pass_ms(8 * DAY_MS)
    home.sweep()
    for each in (ann, bob):
        note(home, each)
    home.run(home.house.mine.remove(ann.account_id))
    assert [row.account_id for row in home.rows("events")] == [bob.account_id]
    assert home.rows("event_ends") == []


def test_the_rounds_begin_where_the_events_of_all_end(
    home: Household, ann: Actor, bob: Actor, monkeypatch: pytest.MonkeyPatch
):
    """A quiet account's own position is far behind: from there a node would read what happened to everybody since."""
    for _ in range(3):
        note(home, bob)
    house, token = home.house, home.session(ann).token
    channel = Channel(house.database, house.bus, home.clock, house.log, heartbeat_s=600, check_s=0.02)
    monkeypatch.setattr(house.bus, "publish", lambda _: None)

    async def work() -> list[int]:
        stream = channel.stream(ann.account_id, None, token_sha256=digest_of(token))
        with overheard() as said:
            assert await anext(stream) == b"retry: 1000\nid: 0\n\n"
            told = asyncio.ensure_future(anext(stream))
            while not (found := _looked_from(said)):  # noqa: ASYNC110 - nobody rings when it looks
                await asyncio.sleep(0.01)
        await house.messages.send(ann, new_key(), parcel_for(["ann"]))
        assert b"event: message\nid: 4" in await told
        await stream.aclose()
        return found

    assert home.run(asyncio.wait_for(work(), 30)) == [3]


def _looked_from(said: dict[str, Any]) -> list[int]:
    """From which event on everybody's were read."""
    found = []
    for statement, parameters in said.items():
        if re.search(r"FROM events\s+WHERE events\.id >", statement):
            found.append(next(iter(parameters.values() if isinstance(parameters, dict) else parameters)))
    return found


MOVES = st.lists(st.one_of(st.sampled_from([1, 2, 3]), st.just("sweep")), max_size=30)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory):
    engines = engines_in(tmp_path_factory.mktemp("positions"))
    with engines[0].begin() as connection:
        for number in (1, 2, 3):
            connection.execute(insert(accounts).values(id=number, name=f"a{number}", created_at=0))
    yield engines[0]
    for each in (engines[0], *engines[1]):
        each.dispose()


class _Over(Exception):
    """Ends a transaction of which nothing is kept."""


@settings(deadline=None, max_examples=60)
@given(moves=MOVES, kept=st.integers(0, 4))
def test_whoever_goes_on_misses_nothing_of_theirs(engine, moves: list[object], kept: int):
    """A sweep keeps the last few of all events; whatever is known is complete, and whatever is complete and past is known."""

    def tell(connection: Connection) -> None:
        ever: dict[int, list[int]] = {1: [], 2: [], 3: []}
        for at_ms, move in enumerate(moves):
            if isinstance(move, int):
                ever[move] += events.append(connection, [move], "message", "msg_x", now_ms=at_ms).values()
            else:
                events.forget_before(connection, before_ms=at_ms - kept, most=3)
        newest = max((each for ids in ever.values() for each in ids), default=0)
        for account_id, ids in ever.items():
            for position in (0, *ids, newest + 1):
                there = [each.id for each in events.after(connection, account_id, position)]
                complete = there == [each for each in ids if each > position]
                past = position <= max(ids, default=0)
                assert events.is_known(connection, account_id, position) == (complete and past)
            assert events.newest(connection, account_id) == max(ids, default=0)

    with pytest.raises(_Over), engine.begin() as connection:
        tell(connection)
        raise _Over
