"""How long an answer takes does not tell whose name is known: Welch's t-test over many requests in random order, on loopback.

As in "Dude, is my code constant time?" (Reparaz, Balasch, Verbauwhede, 2017): what a busy machine slowed down is cut off, and |t| above
4.5 is a difference. A difference that is made on purpose must be found by the same measurement.
"""

import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from restante.protocol.encoding import b64
from tests.api.parcels import make_parcel, new_key
from tests.api.parcels import send as leave
from tests.api.people import Person, make_account, new_name, sealed
from tests.serving import Server, serving

ROUNDS, WARMING = 2000, 200
KEPT = 0.3
DIFFERENT = 4.5
CONTROL_US = 60
SEND_CONTROL_US = 200
"""A send does more, and varies more."""
ATTEMPTS = 4
FORWARD_ROUNDS = 1000
"""Each takes a message of its own."""
Ask = Callable[[HTTPConnection], None]


def welch(one: Sequence[float], other: Sequence[float]) -> float:
    """Returns t of the fastest, by one threshold for both: so the share that passes it counts, too."""
    cut = sorted([*one, *other])[int(len([*one, *other]) * KEPT)]
    one, other = ([min(each, cut) for each in side] for side in (one, other))
    spread = sum(statistics.variance(side) / len(side) for side in (one, other))
    return (statistics.fmean(one) - statistics.fmean(other)) / spread**0.5


def measured(server: Server, one: Ask, other: Ask, *, seed: int, rounds: int = ROUNDS) -> tuple[float, float]:
    """Asks one and the other in random order; returns t and by how many microseconds the first takes longer."""
    order = [True, False] * rounds
    random.Random(seed).shuffle(order)
    took: dict[bool, list[float]] = {True: [], False: []}
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    for is_one in order:
        ask = one if is_one else other
        began = time.perf_counter_ns()
        ask(connection)
        took[is_one].append((time.perf_counter_ns() - began) / 1000)
    connection.close()
    middle = statistics.median(took[True]) - statistics.median(took[False])
    return welch(took[True], took[False]), middle


def salt(name: str) -> Ask:
    def ask(connection: HTTPConnection) -> None:
        connection.request("GET", f"/api/v1/sign-in/{name}/salt")
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read()

    return ask


def wrong_secret(name: str, way: str) -> Ask:
    body = json.dumps({"name": name, "type": way, "bearer": b64(bytes(32)), "client": "cli"})
    headers = {"content-type": "application/json"}

    def ask(connection: HTTPConnection) -> None:
        connection.request("POST", "/api/v1/sign-in", body, headers)
        answer = connection.getresponse()
        assert answer.status == 401
        answer.read()

    return ask


def send(sender: Person, recipient: Person) -> Ask:
    """Leaves words, each time a new message; what is sent is made beforehand."""
    authorization = sender.client.headers["authorization"]

    def make() -> tuple[bytes, dict[str, str]]:
        request = httpx.Request("POST", "http://x/", files=make_parcel(recipient).files())
        kind = request.headers["content-type"]
        return request.read(), {
            "content-type": kind,
            "authorization": authorization,
            "idempotency-key": new_key(),
        }

    waiting = [make() for _ in range(2 * ROUNDS)]

    def ask(connection: HTTPConnection) -> None:
        body, headers = waiting.pop() if waiting else make()
        connection.request("POST", "/api/v1/messages", body, headers)
        answer = connection.getresponse()
        assert answer.status == 201
        answer.read()

    return ask


def pass_on(owner: Person, recipient: Person, author: Person, count: int) -> Ask:
    """Passes messages on that were left for the owner beforehand, each once."""
    authorization = owner.client.headers["authorization"]
    headers = {"authorization": authorization, "content-type": "application/json"}

    def make() -> tuple[str, bytes]:
        body = json.dumps({"envelopes": {recipient.name: b64(sealed(400))}}).encode()
        return f"/api/v1/messages/{leave(author, owner, may_forward=True).id}/forwards", body

    waiting = [make() for _ in range(count)]

    def ask(connection: HTTPConnection) -> None:
        connection.request("POST", *waiting.pop(), headers)
        answer = connection.getresponse()
        assert answer.status == 204
        answer.read()

    return ask


def slower(ask: Ask, us: float) -> Ask:
    def later(connection: HTTPConnection) -> None:
        until = time.perf_counter_ns() + us * 1000
        while time.perf_counter_ns() < until:
            pass
        ask(connection)

    return later


@pytest.fixture(scope="module")
def house() -> Iterator[Server]:
    """One whose disk is memory: how long a real one takes to say that it has written hides all else."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder, serving(Path(folder) / "data") as server:
        for _ in range(20):
            make_account(server.url)
        yield server


@pytest.mark.long
@pytest.mark.parametrize("what", ["salt", "passphrase", "recovery"])
def test_the_time_of_an_answer_does_not_tell_who_has_an_account(
    house: Server, what: str, record_property: Callable[[str, object], None]
) -> None:
    ann = make_account(house.url)
    nobody = new_name()[: len(ann.name)].ljust(len(ann.name), "x")
    make = salt if what == "salt" else lambda name: wrong_secret(name, what)
    t, middle = compared(house, make(ann.name), make(nobody), what)
    record_property("t", t)
    assert abs(t) < DIFFERENT, f"t = {t:.1f}, a known name takes {middle:+.1f} us longer"


def compared(
    house: Server, one: Ask, other: Ask, what: str, *, control_us: float = CONTROL_US, rounds: int = ROUNDS
) -> tuple[float, float]:
    """Measures, after a difference that was made on purpose was found by the same measurement."""
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    measured(house, one, other, seed=seed, rounds=WARMING)
    for attempt in range(ATTEMPTS):
        control, shift = measured(house, slower(one, control_us), other, seed=seed + attempt, rounds=rounds)
        if control > DIFFERENT:
            break
    else:
        pytest.fail(f"this machine is too busy to tell {control_us} us, made on purpose")
    t, middle = measured(house, one, other, seed=seed - 1, rounds=rounds)
    print(f"{what}: t = {t:.1f}, {middle:+.1f} us; the control: t = {control:.1f}, {shift:+.1f} us")
    return t, middle


@pytest.mark.long
def test_the_time_of_an_answer_does_not_tell_the_blocked(
    house: Server, record_property: Callable[[str, object], None]
) -> None:
    eve, bob, carl = (make_account(house.url) for _ in range(3))
    block = bob.client.put(f"/api/v1/account/acquaintances/{eve.name}", json={"state": "blocked"})
    assert block.status_code == 204
    t, middle = compared(house, send(eve, bob), send(eve, carl), "blocked", control_us=SEND_CONTROL_US)
    record_property("t", t)
    assert abs(t) < DIFFERENT, f"t = {t:.1f}, a send to who blocked its sender takes {middle:+.1f} us longer"


@pytest.mark.long
def test_the_time_of_passing_on_does_not_tell_the_blocked(
    house: Server, record_property: Callable[[str, object], None]
) -> None:
    ann, eve, bob, carl = (make_account(house.url) for _ in range(4))
    block = bob.client.put(f"/api/v1/account/acquaintances/{eve.name}", json={"state": "blocked"})
    assert block.status_code == 204
    count = WARMING + FORWARD_ROUNDS * (ATTEMPTS + 1)
    to_bob, to_carl = pass_on(eve, bob, ann, count), pass_on(eve, carl, ann, count)
    t, middle = compared(
        house, to_bob, to_carl, "passed on", control_us=SEND_CONTROL_US, rounds=FORWARD_ROUNDS
    )
    record_property("t", t)
    assert abs(t) < DIFFERENT, f"t = {t:.1f}, passing on to who blocked takes {middle:+.1f} us longer"
