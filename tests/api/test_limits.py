"""Rate limits: the algebra of the bucket, and sign-in and sign-up behind it."""

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.protocol.encoding import b64
from restante.server.limits.prefixes import prefix_of
from restante.server.limits.rules import admit
from tests.api.keyholders import PASSPHRASE, RECOVERY, Keyholder, passphrase, visitor
from tests.api.people import Person, assert_problem, make_account, new_client, new_name, sign_up_form
from tests.databases import POSTGRESQL, in_use, looking_into
from tests.serving import Server, serving

BURSTS = st.integers(1, 20)
REFILLS_MS = st.integers(1, 100_000)
GAPS_MS = st.lists(st.integers(0, 200_000), max_size=60)
NOW_MS = 1_800_000_000_000


@given(BURSTS, REFILLS_MS, GAPS_MS)
def test_no_window_lets_in_more_than_the_burst_and_the_refill(
    burst: int, refill_ms: int, gaps: list[int]
) -> None:
    level_ms, now_ms, admitted = 0, NOW_MS, []
    for gap in gaps:
        now_ms += gap
        level_ms, wait_ms = admit(level_ms, now_ms=now_ms, burst=burst, refill_ms=refill_ms)
        if not wait_ms:
            admitted.append(now_ms)
    for i, start in enumerate(admitted):
        for j in range(i, len(admitted)):
            assert j - i + 1 <= burst + (admitted[j] - start) / refill_ms


@given(BURSTS, REFILLS_MS, GAPS_MS)
def test_the_wait_is_exact(burst: int, refill_ms: int, gaps: list[int]) -> None:
    level_ms, now_ms = 0, NOW_MS
    for gap in gaps:
        now_ms += gap
        level_ms, wait_ms = admit(level_ms, now_ms=now_ms, burst=burst, refill_ms=refill_ms)
        if wait_ms:
            assert admit(level_ms, now_ms=now_ms + wait_ms, burst=burst, refill_ms=refill_ms)[1] == 0
            assert admit(level_ms, now_ms=now_ms + wait_ms - 1, burst=burst, refill_ms=refill_ms)[1] == 1


@given(BURSTS, REFILLS_MS)
def test_a_fresh_bucket_gives_its_burst_and_then_one_per_refill(burst: int, refill_ms: int) -> None:
    level_ms = 0
    for _ in range(burst):
        level_ms, wait_ms = admit(level_ms, now_ms=NOW_MS, burst=burst, refill_ms=refill_ms)
        assert wait_ms == 0
    assert admit(level_ms, now_ms=NOW_MS, burst=burst, refill_ms=refill_ms) == (level_ms, refill_ms)


@given(BURSTS, REFILLS_MS, st.integers(0, 2**45))
def test_a_clock_set_back_makes_nobody_wait_for_longer_than_a_refill(
    burst: int, refill_ms: int, level: int
) -> None:
    _, wait_ms = admit(level, now_ms=NOW_MS - 10**12, burst=burst, refill_ms=refill_ms)
    assert wait_ms <= refill_ms


PEERS = [
    ("203.0.113.9", [], [], "203.0.113.0/24"),
    ("2001:db8:1:2:3::4", [], [], "2001:db8:1::/48"),
    ("::ffff:203.0.113.9", [], [], "203.0.113.0/24"),
    ("", [], [], "local"),
    ("203.0.113.9", ["198.51.100.1"], [], "203.0.113.0/24"),
    ("10.0.0.1", ["198.51.100.1"], ["10.0.0.2"], "10.0.0.0/24"),
    ("10.0.0.1", ["198.51.100.1"], ["10.0.0.1"], "198.51.100.0/24"),
    ("10.0.0.1", ["1.1.1.1, 198.51.100.1"], ["10.0.0.1"], "198.51.100.0/24"),
    ("10.0.0.1", ["1.1.1.1", "198.51.100.1 , 10.0.0.7"], ["10.0.0.0/8"], "198.51.100.0/24"),
    ("10.0.0.1", ["1.1.1.1, unknown"], ["10.0.0.1"], "10.0.0.0/24"),
    ("10.0.0.1", [""], ["10.0.0.1"], "10.0.0.0/24"),
    ("10.0.0.1", ["2001:db8:1::7"], ["10.0.0.1"], "2001:db8:1::/48"),
]


@pytest.mark.parametrize(("peer", "forwarded", "trusted", "expected"), PEERS)
def test_only_a_trusted_proxys_word_counts(
    peer: str, forwarded: list[str], trusted: list[str], expected: str
) -> None:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    assert prefix_of(peer, headers, trusted) == expected


def wrong(person: Person, **headers: str) -> httpx.Response:
    """A sign-in with a wrong bearer, forwarded from somewhere."""
    form = {"name": person.name, "type": "passphrase", "bearer": b64(bytes(32)), "client": "cli"}
    with new_client(person.url) as nobody:
        return nobody.post("/api/v1/sign-in", json=form, headers=headers)


def from_(network: int) -> dict[str, str]:
    return {"x-forwarded-for": f"10.9.{network}.{network + 1}"}


TIGHT = {"RESTANTE_RATE_SIGN_IN": "3/300s", "RESTANTE_RATE_SIGN_UP": "100/1s"}


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server behind a proxy that it trusts: each test comes from networks of its own."""
    env = TIGHT | {"RESTANTE_TRUSTED_PROXIES": "127.0.0.1"}
    with serving(tmp_path_factory.mktemp("proxied") / "data", **env) as running:
        yield running


def test_attempts_on_a_name_are_limited_wherever_they_come_from(proxied: Server) -> None:
    ann, bob = make_account(proxied.url), make_account(proxied.url)
    for network in range(3):
        assert_problem(wrong(ann, **from_(network)), 401, "sign-in-refused")
    refused = wrong(ann, **from_(3))
    problem = assert_problem(refused, 429, "rate-limited")
    assert 290 <= int(refused.headers["retry-after"]) == problem["retry_after"] <= 300
    assert_problem(ann.sign_in(), 429, "rate-limited")
    assert_problem(wrong(bob, **from_(4)), 401, "sign-in-refused")
    assert ann.client.get("/api/v1/sessions").status_code == 200


def test_attempts_from_a_network_are_limited_whatever_the_name(proxied: Server) -> None:
    people = [make_account(proxied.url) for _ in range(4)]
    answers = [
        wrong(person, **{"x-forwarded-for": f"10.9.11.{number}"}) for number, person in enumerate(people)
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert_problem(wrong(people[3], **from_(12)), 401, "sign-in-refused")


def test_a_limit_counts_attempts_made_at_once_and_before_a_death(new_server: Callable[..., Server]) -> None:
    """A forged X-Forwarded-For is no way around either: nobody is trusted here."""
    server = new_server(**TIGHT)
    people = [make_account(server.url) for _ in range(12)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: wrong(people[number], **from_(number)), range(12)))
    assert sorted(answer.status_code for answer in answers) == [401] * 3 + [429] * 9
    server.kill()
    server.start()
    assert_problem(people[0].sign_in(), 429, "rate-limited")


def test_who_waits_as_told_gets_in(new_server: Callable[..., Server]) -> None:
    server = new_server(RESTANTE_RATE_SIGN_IN="2/2s")
    ann = make_account(server.url)
    answers = [wrong(ann) for _ in range(10)]
    refused = next(answer for answer in answers if answer.status_code == 429)
    time.sleep(int(refused.headers["retry-after"]))
    assert ann.sign_in().status_code == 201


def test_sign_ups_from_a_network_are_limited(new_server: Callable[..., Server]) -> None:
    server = new_server(RESTANTE_RATE_SIGN_UP="2/300s")
    with new_client(server.url) as nobody:
        forms = [sign_up_form(new_name()) for _ in range(3)]
        answers = [nobody.post("/api/v1/accounts", json=form) for form in forms]
        assert [answer.status_code for answer in answers] == [201, 201, 429]
        assert "retry-after" in answers[2].headers
        missing = nobody.get(f"/api/v1/accounts/{forms[2]['name']}/record")
    assert_problem(missing, 404, "no-such-account")


@contextlib.contextmanager
def locked(server: Server) -> Iterator[None]:
    """Holds the database as a foreign program would."""
    with looking_into(server.data) as database:  # which begins to write, and so is in the way on SQLite
        if in_use() == POSTGRESQL:
            database.execute("LOCK TABLE rate_buckets")
        yield


@pytest.mark.long
def test_a_limiter_that_cannot_count_lets_nobody_in(new_server: Callable[..., Server]) -> None:
    """By none of the ways in, each shown as it is right."""
    server = new_server()
    with Keyholder(server, None, passphrase()) as ann, ThreadPoolExecutor(4) as pool:
        right = (("passphrase", PASSPHRASE), ("recovery", RECOVERY))
        forms = [
            {"name": ann.name, "type": way, "bearer": b64(bearer), "client": "cli"} for way, bearer in right
        ]
        asked = [("sign-in", form) for form in forms]
        asked += [("sign-in/passkey", ann.show() | {"client": "cli"}), ("passkeys/assertion", {})]

        def ask(one: tuple[str, dict[str, object]]) -> httpx.Response:
            with visitor(server) as nobody:
                return nobody.post(f"/api/v1/{one[0]}", json=one[1])

        with locked(server):
            refused = list(pool.map(ask, asked))
        for answer in refused:
            assert_problem(answer, 503, "busy")
            assert "retry-after" in answer.headers
        assert [ask(one).status_code for one in asked] == [201, 201, 201, 201]


def test_the_database_does_not_tell_whom_it_counted(proxied: Server) -> None:
    stranger = new_name("stranger")
    with new_client(proxied.url) as nobody:
        form = {"name": stranger, "type": "recovery", "bearer": b64(bytes(32)), "client": "cli"}
        assert nobody.post("/api/v1/sign-in", json=form, headers=from_(21)).status_code == 401
    kept = proxied.stored()
    assert b"sign-in-name:" in kept, "the search itself must find what is there"
    assert stranger.encode() not in kept
    assert b"10.9.21" not in kept
