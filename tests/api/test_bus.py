"""Hints between nodes, by NATS and by PostgreSQL: told at once, and nothing is lost when they are."""

import asyncio
import io
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import pytest
from sqlalchemy import text

from restante.server.bus import shared
from restante.server.bus.memory import MISSED, OUTBOX
from restante.server.bus.nats import Address, NatsWire
from restante.server.bus.notify import NotifyWire
from restante.server.bus.shared import SharedBus, check
from restante.server.bus.wire import WORD_BYTES, Hear, Lost, Wire
from restante.server.clock import SystemClock
from restante.server.log import Log
from restante.server.messages.channel import CHANNELS
from tests.api.listening import Listener
from tests.api.parcels import inbox, send, until
from tests.api.people import Person, make_account, new_client
from tests.databases import cluster
from tests.nats_server import NatsServer
from tests.serving import Server, serving

ANN, BOB = 7, 8
_numbers = itertools.count()


@pytest.fixture(scope="module")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with NatsServer(tmp_path_factory.mktemp("nats")) as running:
        yield running


@pytest.fixture
def database() -> str:
    name = f"bus_{next(_numbers)}"
    cluster().lay(name)
    return cluster().url(name)


@pytest.fixture(params=["nats", "notify"])
def wire(request: pytest.FixtureRequest) -> Wire:
    if request.param == "nats":
        running: NatsServer = request.getfixturevalue("nats")
        return NatsWire(Address.parse(running.url), f"tests.{next(_numbers)}")
    return NotifyWire(request.getfixturevalue("database"))


@dataclass
class Node:
    bus: SharedBus
    log: io.StringIO

    def told(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.log.getvalue().splitlines()]


@asynccontextmanager
async def nodes(wire: Wire, *, count: int = 2) -> AsyncIterator[list[Node]]:
    made = []
    for _ in range(count):
        log = io.StringIO()
        made.append(Node(SharedBus(wire, Log(SystemClock(), key=b"k", stream=log)), log))
    for node in made:
        await node.bus.start()
    try:
        for node in made:
            await soon(lambda node=node: node.bus.parts["bus"])  # type: ignore[misc]
        yield made
    finally:
        for node in made:
            await node.bus.stop()


async def soon(happens: Callable[[], bool], within_s: float = 20.0) -> None:
    async with asyncio.timeout(within_s):
        while not happens():  # noqa: ASYNC110 - it is looked at from outside
            await asyncio.sleep(0.005)


def run(wire: Wire, story: Callable[[list[Node]], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with nodes(wire) as made:
            await asyncio.wait_for(story(made), 60)

    asyncio.run(whole())


# Between two nodes


def test_a_hint_wakes_who_waits_on_another_node_and_nobody_else(wire: Wire):
    async def story(both: list[Node]) -> None:
        one, two = both
        with (
            two.bus.subscribe(ANN) as ann,
            two.bus.subscribe(BOB) as bob,
            two.bus.subscribe(OUTBOX) as outbox,
        ):
            for _ in range(20):
                one.bus.publish([ANN, OUTBOX])
                await asyncio.wait_for(ann.wait(), 10)
                ann.clear()
            assert not bob.is_set()
            assert not outbox.is_set()

    run(wire, story)


def test_thousands_of_hints_at_once_arrive(wire: Wire):
    async def story(both: list[Node]) -> None:
        one, two = both
        accounts = range(2**62, 2**62 + 3000)
        bells = [asyncio.Event() for _ in accounts]
        with ExitStack() as stack:
            for account, bell in zip(accounts, bells, strict=True):
                stack.enter_context(two.bus.attached(account, bell))
            one.bus.publish(accounts)
            await soon(lambda: all(bell.is_set() for bell in bells))

    run(wire, story)


def test_a_word_is_never_longer_than_a_wire_takes():
    most, largest = shared._MOST, 2**63 - 1
    for word in (
        shared.Word("0" * 16, [largest] * most),
        shared.Word("0" * 16, [], [(largest, 100_000)] * most),
    ):
        assert len(shared.msgspec.json.encode(word)) <= WORD_BYTES


def test_channels_of_one_account_are_counted_over_all_nodes(wire: Wire):
    async def story(both: list[Node]) -> None:
        one, two = both
        with ExitStack() as stack:
            for node in both * 6:
                stack.enter_context(node.bus.subscribe(ANN))
            stack.enter_context(two.bus.subscribe(BOB))
            await soon(lambda: one.bus.waiting(ANN) == two.bus.waiting(ANN) == 12)
            assert one.bus.waiting(BOB) == 0
        await soon(lambda: one.bus.waiting(ANN) == two.bus.waiting(ANN) == 0)

    run(wire, story)


def test_strange_words_wake_nobody(nats: NatsServer):
    subject = f"tests.{next(_numbers)}"
    wire = NatsWire(Address.parse(nats.url), subject)

    async def story(both: list[Node]) -> None:
        stranger = await wire.join(lambda _: None)
        with both[0].bus.subscribe(ANN) as ann:
            for word in (b"", b"{}", b"[7]", b'["x","7"]', b'["x",[7.5]]', b'["x",[7]', b"\xff" * 100):
                await stranger.say(word)
            with both[0].bus.subscribe(BOB) as bob:
                await stranger.say(b'["x",[8]]')
                await asyncio.wait_for(bob.wait(), 10)
            assert not ann.is_set()
        await stranger.close()

    run(wire, story)


def test_a_bus_that_comes_back_makes_everybody_look_and_is_told_of_once(tmp_path: Path):
    with NatsServer(tmp_path) as nats:

        async def story(both: list[Node]) -> None:
            one, two = both
            with two.bus.subscribe(MISSED) as missed, two.bus.subscribe(ANN) as ann:
                await asyncio.to_thread(nats.stop)
                await soon(lambda: not (one.bus.parts["bus"] or two.bus.parts["bus"]))
                one.bus.publish([ANN])
                await asyncio.sleep(0.5)  # more than one attempt to come back
                assert not missed.is_set()
                await asyncio.to_thread(nats.start)
                await asyncio.wait_for(missed.wait(), 20)
                await soon(lambda: one.bus.parts["bus"] and two.bus.parts["bus"])
                assert not ann.is_set()  # that hint is gone
                one.bus.publish([ANN])
                await asyncio.wait_for(ann.wait(), 10)
            assert [node.told() for node in both] == [["bus-away", "bus-back"]] * 2

        run(NatsWire(Address.parse(nats.url), "tests.away"), story)


def test_a_line_that_takes_words_and_passes_none_on_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shared, "CHECK_WITHIN_S", 0.05)
    monkeypatch.setattr(shared, "PROVE_EVERY_S", 0.05)

    class Passing:
        """A wire that passes words to whoever joined it, as long as it is not mute."""

        kind = place = "here"
        mute = False
        joined = 0

        async def join(self, hear: Hear) -> "Passing":
            self.hear, self.joined = hear, self.joined + 1
            return self

        async def say(self, word: bytes) -> None:
            if not self.mute:
                self.hear(word)

        async def gone(self) -> None:
            await asyncio.Event().wait()

        async def close(self) -> None: ...

    async def story() -> None:
        wire = Passing()
        bus = SharedBus(wire, Log(SystemClock(), key=b"k", stream=io.StringIO()))
        await bus.start()
        await soon(lambda: bus.parts["bus"])
        wire.mute = True
        await soon(lambda: not bus.parts["bus"] and wire.joined > 2)
        wire.mute = False
        await soon(lambda: bus.parts["bus"])
        await bus.stop()

    asyncio.run(asyncio.wait_for(story(), 60))


def test_connections_that_postgresql_ends_come_back(database: str):
    async def story(both: list[Node]) -> None:
        one, two = both
        with two.bus.subscribe(MISSED) as missed, two.bus.subscribe(ANN) as ann:
            name = database.rpartition("/")[2]
            ended = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            await asyncio.to_thread(cluster().execute, ended)
            await asyncio.wait_for(missed.wait(), 20)
            await soon(lambda: one.bus.parts["bus"])
            one.bus.publish([ANN])
            await asyncio.wait_for(ann.wait(), 10)
        assert two.told() == ["bus-away", "bus-back"]

    run(NotifyWire(database), story)


def test_who_gets_one_connection_and_not_the_other_leaves_none_open(database: str):
    """One that nobody closed is a warning, which fails the test."""
    who, name = f"only_one_{next(_numbers)}", database.rpartition("/")[2]
    cluster().execute(f"CREATE ROLE {who} LOGIN")
    cluster().execute(f"ALTER ROLE {who} CONNECTION LIMIT 1")
    wire = NotifyWire(database.replace("restante@", f"{who}@"))
    with pytest.raises(Lost, match="too many connections"):
        asyncio.run(wire.join(lambda _: None))
    with cluster().engine(name).connect() as connection:
        left = text("SELECT count(*) FROM pg_stat_activity WHERE usename = :who")
        until(lambda: connection.execute(left, {"who": who}).scalar_one() == 0)


# Two servers


@dataclass
class Pair:
    """Two servers on one database, and people who speak to one of them each."""

    one: Server
    two: Server

    def at_two(self, person: Person) -> Person:
        return replace(person, url=self.two.url)

    def metric(self, name: str) -> float:
        with new_client(self.two.url) as nobody:
            lines = nobody.get("/metrics").text.splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))

    def parts(self) -> tuple[int, dict[str, bool]]:
        with new_client(self.two.url) as nobody:
            answer = nobody.get("/readyz")
        return answer.status_code, answer.json()


@contextmanager
def pair(folder: Path, database: str, **env: str) -> Iterator[Pair]:
    env = {"RESTANTE_DATABASE_URL": database, **env}
    with serving(folder / "data", **env) as one:
        two = Server(folder / "data", env)
        two.start()
        try:
            yield Pair(one, two)
        finally:
            two.kill()


def _told_on_the_other(both: Pair, *, within_s: float) -> None:
    ann, bob = make_account(both.one.url), make_account(both.one.url)
    delays_s = []
    with Listener(both.at_two(bob)) as listener:
        for _ in range(5):
            begun_s = time.monotonic()
            parcel = send(ann, bob)
            heard = listener.next()
            assert heard.data == {"kind": "message", "id": parcel.id}
            delays_s.append(heard.at_s - begun_s)
    assert median(delays_s) < within_s, delays_s


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Without a bus of their own: the database passes hints on."""
    name = f"bus_{next(_numbers)}"
    cluster().lay(name)
    with pair(tmp_path_factory.mktemp("both"), cluster().url(name)) as running:
        yield running


def test_a_message_taken_by_one_server_is_told_by_another_within_a_second(both: Pair):
    _told_on_the_other(both, within_s=1)
    assert both.parts() == (200, {"database": True, "disk": True, "serving": True, "bus": True})


def test_a_session_ended_by_one_server_ends_its_channel_on_another_at_once(both: Pair):
    """A look at all sessions, which nobody waits for, would take one to three seconds."""
    took_s = []
    for _ in range(3):
        bob = make_account(both.one.url)
        with Listener(both.at_two(bob)) as listener:
            assert bob.client.delete("/api/v1/sessions/current").status_code == 204
            begun_s = time.monotonic()
            assert listener.ended.wait(5)
            took_s.append(time.monotonic() - begun_s)
    assert median(took_s) < 0.8, took_s


def test_channels_of_an_account_are_limited_over_both_servers(both: Pair):
    bob = make_account(both.one.url)
    with ExitStack() as stack:
        for number in range(CHANNELS):
            stack.enter_context(Listener(both.at_two(bob) if number % 2 else bob))
        with new_client(both.two.url, bob.token) as client:

            def is_refused() -> bool:
                with client.stream("GET", "/api/v1/events") as answer:
                    return answer.status_code == 429

            until(is_refused)


@pytest.mark.long
def test_servers_go_on_while_nats_is_away(tmp_path: Path, database: str):
    """By looking every few seconds; afterwards hints go by NATS again."""
    with NatsServer(tmp_path) as nats, pair(tmp_path, database, RESTANTE_BUS_URL=nats.url) as both:
        _told_on_the_other(both, within_s=1)
        assert both.metric("restante_bus_joined") == 1
        nats.stop()
        until(lambda: both.parts()[1]["bus"] is False)
        assert both.parts()[0] == 200
        assert both.metric("restante_bus_joined") == 0
        ann, bob = make_account(both.one.url), make_account(both.one.url)
        with Listener(both.at_two(bob)) as listener:
            parcel = send(ann, bob)
            with new_client(both.two.url, bob.token) as client:
                assert [item["id"] for item in inbox(replace(bob, client=client))["items"]] == [parcel.id]
            assert listener.next(within_s=20).data["id"] == parcel.id
            nats.start()
            until(lambda: both.parts()[1]["bus"])
            parcel = send(ann, bob)
            assert listener.next(within_s=20).data["id"] == parcel.id
        _told_on_the_other(both, within_s=1)
        for server in (both.one, both.two):
            assert server.log().count('"bus-away"') >= 1


def test_a_bus_that_is_well_is_taken(wire: Wire):
    check(wire)
