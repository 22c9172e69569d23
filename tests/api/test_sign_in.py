"""Sign-in: who has the bearer comes in, and nobody learns who has an account."""

import random
from collections.abc import Callable
from statistics import fmean, variance
from time import perf_counter
from typing import Any

import httpx
import pytest

from restante.protocol.encoding import b64, unb64
from tests.api.people import assert_problem, make_account, new_client, new_name
from tests.serving import Server


def body_without_instance(answer: httpx.Response) -> dict[str, Any]:
    return {key: value for key, value in answer.json().items() if key != "instance"}


def test_each_way_in_opens_a_session_of_its_own(server: Server) -> None:
    ann = make_account(server.url)
    by_passphrase = ann.sign_in()
    by_recovery = ann.sign_in(type="recovery", bearer=b64(ann.recovery_bearer))
    sessions = {ann.session_id, by_passphrase.json()["session_id"], by_recovery.json()["session_id"]}
    tokens = {ann.token, by_passphrase.json()["token"], by_recovery.json()["token"]}
    assert len(sessions) == len(tokens) == 3
    for token in tokens:
        assert len(unb64(token, size=32)) == 32
        with new_client(server.url, token) as client:
            listed = client.get("/api/v1/sessions").json()["items"]
        assert {session["id"] for session in listed} == sessions


def test_every_failure_looks_the_same(server: Server) -> None:
    ann = make_account(server.url)
    failures = [
        ann.sign_in(bearer=b64(bytes(32))),
        ann.sign_in(bearer=b64(ann.recovery_bearer)),
        ann.sign_in(type="recovery"),
        ann.sign_in(name=new_name()),
        ann.sign_in(name="admin"),
    ]
    for failure in failures:
        assert_problem(failure, 401, "sign-in-refused")
        assert failure.headers["www-authenticate"] == "Bearer"
        assert "set-cookie" not in failure.headers
    assert len({str(body_without_instance(failure)) for failure in failures}) == 1
    assert len({len(failure.content) for failure in failures}) == 1
    assert ann.sign_in().status_code == 201


@pytest.mark.parametrize("bearer", ["", "AA", b64(bytes(31)), b64(bytes(33)), b64(bytes(32)) + "=", "é" * 43])
def test_a_malformed_bearer_is_refused_before_anything_is_looked_up(server: Server, bearer: str) -> None:
    ann = make_account(server.url)
    assert_problem(ann.sign_in(bearer=bearer), 422, "invalid")
    assert_problem(ann.sign_in(bearer=bearer, name=new_name()), 422, "invalid")


def test_the_server_keeps_no_bearer_and_no_token(new_server: Callable[..., Server]) -> None:
    server = new_server()
    ann = make_account(server.url)
    token = ann.sign_in().json()["token"]
    assert ann.client.get("/api/v1/sessions").status_code == 200
    server.kill()
    kept = server.stored()
    kept += server.log_path.read_bytes()
    assert ann.name.encode() in kept, "the search itself must find what is there"
    assert ann.salt in kept
    for secret in (ann.passphrase_bearer, ann.recovery_bearer, unb64(token), unb64(ann.token)):
        assert secret not in kept
        assert b64(secret).encode() not in kept
        assert secret.hex().encode() not in kept


def salt_of(url: str, name: str) -> bytes:
    with new_client(url) as nobody:
        answer = nobody.get(f"/api/v1/sign-in/{name}/salt")
    assert answer.status_code == 200, answer.text
    return unb64(answer.json()["salt"], size=16)


def test_a_name_has_its_own_salt_whether_it_exists_or_not(new_server: Callable[..., Server]) -> None:
    server = new_server()
    ann = make_account(server.url)
    strangers = [new_name() for _ in range(5)]
    before = {name: salt_of(server.url, name) for name in (ann.name, *strangers)}
    assert before[ann.name] == ann.salt
    assert len(set(before.values())) == 6
    server.kill()
    server.start()
    assert {name: salt_of(server.url, name) for name in before} == before


@pytest.mark.parametrize("name", ["AB", "Ann-Bee", "a", "a" * 33, "%00%00%00", "a%2Fb", "..%5c..", "änn"])
def test_a_malformed_name_has_no_salt(server: Server, name: str) -> None:
    with new_client(server.url) as nobody:
        assert nobody.get(f"/api/v1/sign-in/{name}/salt").status_code == 404


def welch_t(a: list[float], b: list[float]) -> float:
    return (fmean(a) - fmean(b)) / (variance(a) / len(a) + variance(b) / len(b)) ** 0.5


def timed(client: httpx.Client, requests: dict[str, httpx.Request], rounds: int) -> dict[str, list[float]]:
    """Sends the requests in random order, and drops each kind's slowest tenth: the machine's noise, not ours."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    order = random.Random(seed)
    taken: dict[str, list[float]] = {kind: [] for kind in requests}
    for _ in range(rounds):
        for kind in order.sample(list(requests), len(requests)):
            started = perf_counter()
            client.send(requests[kind])
            taken[kind].append(perf_counter() - started)
    return {kind: sorted(values)[: rounds * 9 // 10] for kind, values in taken.items()}


def test_time_does_not_tell_who_has_an_account(server: Server) -> None:
    ann, rounds = make_account(server.url), 600
    wrong = {"type": "passphrase", "bearer": b64(bytes(32)), "client": "cli"}
    with new_client(server.url) as nobody:

        def attempt(name: str) -> httpx.Request:
            return nobody.build_request("POST", "/api/v1/sign-in", json={"name": name, **wrong})

        requests = {
            "known": attempt(ann.name),
            "unknown": attempt(new_name()),
            "control": nobody.build_request("GET", "/api/v1/sign-in/NOBODY/salt"),
        }
        times = timed(nobody, requests, rounds)
    control, leak = welch_t(times["known"], times["control"]), welch_t(times["known"], times["unknown"])
    print(f"t of the control {control:.1f}, of known against unknown {leak:.1f}")
    assert abs(control) > 4.5, "the measurement sees no difference at all"
    assert abs(leak) < 4.5
