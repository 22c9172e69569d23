"""Pairing: a machine asks, a signed-in account approves, the machine gets a session; at RFC 8628's pace."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, select

from restante.protocol import limits
from restante.protocol.encoding import b64, unb64
from restante.protocol.ids import Prefix, new_id
from restante.server.db.tables import pairings
from restante.server.pairing import rules
from restante.server.pairing.rules import Asking
from tests.api.inside import Inside, run
from tests.api.people import Person, assert_problem, make_account, new_client, sealed
from tests.serving import Server, serving

PAIRINGS = "/api/v1/pairings"
KEYRING = "/api/v1/account/keyring"
LABEL = "pottery shed"


def begin(url: str, label: str = LABEL) -> dict[str, Any]:
    with new_client(url) as nobody:
        answer = nobody.post(PAIRINGS, json={"label": label})
    assert answer.status_code == 201, answer.text
    begun: dict[str, Any] = answer.json()
    return begun


def poll(url: str, begun: dict[str, Any]) -> httpx.Response:
    with new_client(url) as nobody:
        return nobody.post(f"{PAIRINGS}/poll", json={"device_code": begun["device_code"]})


def approval(person: Person, keyring: bytes | None = None, *, did: str | None = None) -> dict[str, Any]:
    """What is posted, with the condition; another keyring than the one that is stored."""
    etag = person.client.get(KEYRING).headers["etag"]
    body = {"keyring": b64(keyring or sealed(1200)), "device": did or new_id(Prefix.DEVICE)}
    return {"json": body, "headers": {"if-match": etag}}


def approve(person: Person, begun: dict[str, Any], **how: Any) -> httpx.Response:
    return person.client.post(f"{PAIRINGS}/{begun['lookup']}/approval", **(how or approval(person)))


def test_a_machine_is_let_in_with_the_keyring_that_was_sealed_to_it(server: Server) -> None:
    ann, begun, keyring, did = (
        make_account(server.url),
        begin(server.url),
        sealed(1200),
        new_id(Prefix.DEVICE),
    )
    assert len(begun["lookup"]) == 16
    assert len(unb64(begun["device_code"])) == 32
    assert begun["interval"] == 5
    asked = ann.client.get(f"{PAIRINGS}/{begun['lookup']}").json()
    assert asked == {
        "label": LABEL,
        "created_at": begun["expires_at"] - 600_000,
        "expires_at": begun["expires_at"],
    }
    assert_problem(poll(server.url, begun), 400, "authorization-pending")
    answer = approve(ann, begun, **approval(ann, keyring, did=did))
    assert answer.status_code == 204, answer.text
    signed_in = poll(server.url, begun)
    assert signed_in.status_code == 201
    assert signed_in.json()["acct"] == ann.acct
    with new_client(server.url, signed_in.json()["token"]) as machine:
        got = machine.get(KEYRING)
        assert (got.content, got.headers["etag"]) == (keyring, answer.headers["etag"])
        items = machine.get("/api/v1/sessions").json()["items"]
    assert {(item["label"], item["device"], item["client"]) for item in items if item["current"]} == {
        (LABEL, did, "cli")
    }


def test_what_is_not_approved_is_not_let_in(server: Server) -> None:
    """The control of the test above: nobody but the approved machine gets anything."""
    ann, mine, other = make_account(server.url), begin(server.url), begin(server.url)
    assert approve(ann, mine).status_code == 204
    assert_problem(poll(server.url, other), 400, "authorization-pending")
    assert_problem(poll(server.url, {"device_code": b64(os.urandom(32))}), 410, "pairing-expired")
    assert_problem(poll(server.url, {"device_code": mine["lookup"]}), 422, "invalid")
    assert len(ann.client.get("/api/v1/sessions").json()["items"]) == 1


def test_a_refused_machine_is_told_so_for_good(server: Server) -> None:
    ann, begun = make_account(server.url), begin(server.url)
    url = f"{PAIRINGS}/{begun['lookup']}"
    assert ann.client.delete(url).status_code == 204
    assert_problem(poll(server.url, begun), 403, "pairing-refused")
    assert_problem(ann.client.get(url), 410, "pairing-expired")
    assert_problem(approve(ann, begun), 410, "pairing-expired")
    assert_problem(poll(server.url, begun), 403, "pairing-refused")


def test_an_approval_can_be_taken_back_until_the_machine_has_come(server: Server) -> None:
    ann, bob, begun = make_account(server.url), make_account(server.url), begin(server.url)
    url = f"{PAIRINGS}/{begun['lookup']}"
    assert approve(ann, begun).status_code == 204
    assert_problem(bob.client.delete(url), 410, "pairing-expired")
    assert ann.client.delete(url).status_code == 204
    assert_problem(poll(server.url, begun), 403, "pairing-refused")


def test_approved_twice_it_stays_with_the_first(server: Server) -> None:
    ann, bob, begun = make_account(server.url), make_account(server.url), begin(server.url)
    once = approval(ann)
    assert approve(ann, begun, **once).status_code == 204
    assert approve(ann, begun, **once).status_code == 204, "the very same, whose answer was lost"
    before = bob.client.get(KEYRING).content
    assert_problem(approve(bob, begun), 410, "pairing-expired")
    assert_problem(approve(ann, begun), 410, "pairing-expired")
    assert bob.client.get(KEYRING).content == before, "and the second one's keyring is as it was"
    assert poll(server.url, begun).json()["acct"] == ann.acct


def test_keyring_and_approval_are_stored_both_or_neither(server: Server) -> None:
    ann, begun = make_account(server.url), begin(server.url)
    stale = approval(ann) | {"headers": {"if-match": '"another"'}}
    assert_problem(approve(ann, begun, **stale), 412, "stale-version")
    bare = {"json": approval(ann)["json"]}
    assert_problem(approve(ann, begun, **bare), 428, "precondition-required")
    plain = approval(ann, b"no age file")
    assert_problem(approve(ann, begun, **plain), 422, "invalid")
    large = approval(ann, sealed(limits.KEYRING_BYTES + 1))
    assert_problem(approve(ann, begun, **large), 413, "too-large")
    assert_problem(approve(ann, begun, **approval(ann, did="dev_x")), 422, "invalid")
    assert ann.client.get(KEYRING).content == ann.keyring
    assert_problem(poll(server.url, begun), 400, "authorization-pending")


def test_a_poll_whose_answer_was_lost_gets_the_same_session_with_another_token(server: Server) -> None:
    ann, begun = make_account(server.url), begin(server.url)
    assert approve(ann, begun).status_code == 204
    first, second = poll(server.url, begun).json(), poll(server.url, begun).json()
    assert first["session_id"] == second["session_id"]
    assert first["token"] != second["token"]
    with new_client(server.url, second["token"]) as machine:
        assert machine.get("/api/v1/sessions").status_code == 200
    with new_client(server.url, first["token"]) as lost:
        assert lost.get("/api/v1/sessions").status_code == 401
    assert ann.client.delete(f"/api/v1/sessions/{second['session_id']}").status_code == 204
    assert_problem(poll(server.url, begun), 410, "pairing-expired")
    assert len(ann.client.get("/api/v1/sessions").json()["items"]) == 1, (
        "a removed machine does not come back"
    )


def test_polls_at_once_get_one_session(server: Server) -> None:
    ann, begun = make_account(server.url), begin(server.url)
    assert approve(ann, begun).status_code == 204
    with ThreadPoolExecutor(6) as pool:
        answers = [answer.json() for answer in pool.map(lambda _: poll(server.url, begun), range(6))]
    assert {answer["session_id"] for answer in answers} == {answers[0]["session_id"]}
    assert len(ann.client.get("/api/v1/sessions").json()["items"]) == 2


def test_nobody_decides_without_a_session(server: Server) -> None:
    begun = begin(server.url)
    url = f"{PAIRINGS}/{begun['lookup']}"
    with new_client(server.url) as nobody:
        assert_problem(nobody.get(url), 401, "not-signed-in")
        assert_problem(nobody.delete(url), 401, "not-signed-in")
        form = {"keyring": b64(sealed(1200)), "device": new_id(Prefix.DEVICE)}
        answer = nobody.post(f"{url}/approval", json=form, headers={"if-match": '"x"'})
        assert_problem(answer, 401, "not-signed-in")
    assert_problem(poll(server.url, begun), 400, "authorization-pending")


def test_another_site_cannot_approve_with_our_cookie(server: Server) -> None:
    ann, begun = make_account(server.url), begin(server.url)
    how = approval(ann)
    headers = {**how["headers"], "cookie": f"__Host-session={ann.token}", "sec-fetch-site": "cross-site"}
    with new_client(server.url) as browser:
        url = f"{PAIRINGS}/{begun['lookup']}/approval"
        assert_problem(browser.post(url, json=how["json"], headers=headers), 403, "forbidden-origin")
        headers["sec-fetch-site"] = "same-origin"
        assert browser.post(url, json=how["json"], headers=headers).status_code == 204


@pytest.mark.parametrize("lookup", ["a" * 16, "A" * 16, "a" * 17, "..%5c..", "%00", "é", "a" * 300])
def test_what_is_no_lookup_looks_like_an_expired_one(server: Server, lookup: str) -> None:
    ann = make_account(server.url)
    assert_problem(ann.client.get(f"{PAIRINGS}/{lookup}"), 410, "pairing-expired")
    assert_problem(ann.client.delete(f"{PAIRINGS}/{lookup}"), 410, "pairing-expired")


@pytest.mark.parametrize("label", ["", "x" * 65, "a\nb", "\x1b[2J", "\u202egnp", 7, None])
def test_a_name_that_could_mislead_is_refused(server: Server, label: object) -> None:
    with new_client(server.url) as nobody:
        assert_problem(nobody.post(PAIRINGS, json={"label": label}), 422, "invalid")


@pytest.mark.parametrize("code", ["", "AA", b64(bytes(31)), b64(bytes(33)), b64(bytes(32)) + "=", 7])
def test_a_malformed_device_code_is_refused(server: Server, code: object) -> None:
    with new_client(server.url) as nobody:
        assert_problem(nobody.post(f"{PAIRINGS}/poll", json={"device_code": code}), 422, "invalid")


def test_the_server_keeps_no_device_code(new_server: Any) -> None:
    server = new_server()
    begun = begin(server.url)
    server.kill()
    kept = server.stored()
    kept += server.log_path.read_bytes()
    code = unb64(begun["device_code"])
    assert hashlib.sha256(code).digest() in kept, "the search itself must find what is there"
    assert not [form for form in (code, begun["device_code"].encode(), code.hex().encode()) if form in kept]


@contextmanager
def strict(folder: Path) -> Iterator[Server]:
    """A server with the limits of a real one."""
    with serving(
        folder / "strict", RESTANTE_RATE_PAIRINGS="5/600s", RESTANTE_RATE_SIGN_IN="10/30s"
    ) as server:
        yield server


def test_wrong_lookups_are_limited_and_right_ones_are_not(tmp_path: Path) -> None:
    with strict(tmp_path) as server:
        ann, begun = make_account(server.url), begin(server.url)
        right, wrong = f"{PAIRINGS}/{begun['lookup']}", f"{PAIRINGS}/{'a' * 16}"
        for _ in range(8):
            assert ann.client.get(right).status_code == 200
        for _ in range(5):
            assert_problem(ann.client.get(wrong), 410, "pairing-expired")
        refused = assert_problem(ann.client.get(wrong), 429, "rate-limited")
        assert refused["retry_after"] > 500
        assert_problem(ann.client.get(right), 429, "rate-limited")  # or one could go on trying
        assert_problem(approve(ann, begun), 429, "rate-limited")
        bob = make_account(server.url)
        assert_problem(bob.client.get(right), 429, "rate-limited")  # of the same network


def test_a_network_begins_so_many_pairings(tmp_path: Path) -> None:
    with strict(tmp_path) as server:
        for _ in range(10):
            begin(server.url)
        with new_client(server.url) as nobody:
            assert_problem(nobody.post(PAIRINGS, json={"label": LABEL}), 429, "rate-limited")


# With a clock of the test's own


def stored_pairings(connection: Connection) -> int:
    return len(connection.execute(select(pairings)).all())


def test_a_machine_that_is_too_quick_has_to_wait_for_longer(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        begun = (await inside.client.post(PAIRINGS, json={"label": LABEL})).json()

        async def after(seconds: float) -> tuple[str, int]:
            inside.clock.ahead_s += seconds
            answer = await inside.client.post(f"{PAIRINGS}/poll", json={"device_code": begun["device_code"]})
            problem = answer.json()
            assert answer.headers["retry-after"] == str(problem["retry_after"])
            return problem["code"], problem["retry_after"]

        assert await after(0) == ("authorization-pending", 5)
        assert await after(5) == ("authorization-pending", 5)
        assert await after(2) == ("slow-down", 10)
        assert await after(6) == ("slow-down", 15)
        assert await after(15) == ("authorization-pending", 15)

    run(tmp_path, story)


def test_after_ten_minutes_it_is_over(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        ann = await inside.sign_up("ann")
        begun = (await inside.client.post(PAIRINGS, json={"label": LABEL})).json()
        url, code = f"{PAIRINGS}/{begun['lookup']}", {"device_code": begun["device_code"]}
        assert await inside.house.database.read(stored_pairings) == 1
        inside.clock.ahead_s += 590
        assert (await inside.client.get(url, headers=ann)).status_code == 200
        inside.clock.ahead_s += 11
        assert_problem(await inside.client.get(url, headers=ann), 410, "pairing-expired")
        assert_problem(await inside.client.post(f"{PAIRINGS}/poll", json=code), 410, "pairing-expired")
        await inside.house.jobs.sweeper.run()
        assert await inside.house.database.read(stored_pairings) == 0

    run(tmp_path, story)


def test_approving_needs_a_fresh_verification(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        ann = await inside.sign_up("ann")
        begun = (await inside.client.post(PAIRINGS, json={"label": LABEL})).json()
        url = f"{PAIRINGS}/{begun['lookup']}/approval"
        etag = (await inside.client.get(KEYRING, headers=ann)).headers["etag"]
        form = {"keyring": b64(sealed(1200)), "device": new_id(Prefix.DEVICE)}
        inside.clock.ahead_s += 301
        answer = await inside.client.post(url, json=form, headers={**ann, "if-match": etag})
        assert_problem(answer, 403, "verification-needed")
        bearer = b64(hashlib.sha256(b"p:ann").digest())
        proof = {"type": "passphrase", "bearer": bearer}
        verified = await inside.client.post("/api/v1/account/verification", json=proof, headers=ann)
        assert verified.status_code in (200, 201), verified.text
        answer = await inside.client.post(url, json=form, headers={**ann, "if-match": etag})
        assert answer.status_code == 204, answer.text

    run(tmp_path, story)


def test_a_paired_machine_is_not_freshly_verified_itself(tmp_path: Path) -> None:
    """Else whoever is let in could let others in."""

    async def story(inside: Inside) -> None:
        ann = await inside.sign_up("ann")

        async def approved(by: dict[str, str]) -> tuple[dict[str, Any], httpx.Response]:
            begun = (await inside.client.post(PAIRINGS, json={"label": LABEL})).json()
            etag = (await inside.client.get(KEYRING, headers=by)).headers["etag"]
            form = {"keyring": b64(sealed(1200)), "device": new_id(Prefix.DEVICE)}
            url = f"{PAIRINGS}/{begun['lookup']}/approval"
            return begun, await inside.client.post(url, json=form, headers={**by, "if-match": etag})

        begun, answer = await approved(ann)
        assert answer.status_code == 204
        code = {"device_code": begun["device_code"]}
        token = (await inside.client.post(f"{PAIRINGS}/poll", json=code)).json()["token"]
        _, refused = await approved({"authorization": f"Bearer {token}"})
        assert_problem(refused, 403, "verification-needed")

    run(tmp_path, story)


def test_an_approval_waits_two_minutes_for_its_machine(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        ann = await inside.sign_up("ann")
        begun = (await inside.client.post(PAIRINGS, json={"label": LABEL})).json()
        inside.clock.ahead_s += 200
        etag = (await inside.client.get(KEYRING, headers=ann)).headers["etag"]
        form = {"keyring": b64(sealed(1200)), "device": new_id(Prefix.DEVICE)}
        url = f"{PAIRINGS}/{begun['lookup']}/approval"
        assert (
            await inside.client.post(url, json=form, headers={**ann, "if-match": etag})
        ).status_code == 204
        inside.clock.ahead_s += 121
        code = {"device_code": begun["device_code"]}
        assert_problem(await inside.client.post(f"{PAIRINGS}/poll", json=code), 410, "pairing-expired")

    run(tmp_path, story)


def test_a_killed_server_forgets_neither_half_of_an_approval(new_server: Any) -> None:
    """Killed right after the approval's transaction: session and keyring are both to be had afterwards."""
    server = new_server(RESTANTE_FAILPOINT="pairing-approved:1")
    ann, begun, keyring = make_account(server.url), begin(server.url), sealed(1200)
    with pytest.raises(httpx.TransportError):
        approve(ann, begun, **approval(ann, keyring))
    server.kill()
    server.start(RESTANTE_FAILPOINT="")
    token = poll(server.url, begun).json()["token"]
    with new_client(server.url, token) as machine:
        assert machine.get(KEYRING).content == keyring


def test_the_interval_is_judged_by_the_clock_alone() -> None:
    asking = Asking("asked", 5, 1_000_000, 2_000_000)
    assert rules.is_too_soon(asking, now_ms=1_004_000)
    assert not rules.is_too_soon(asking, now_ms=1_004_600), "what the network took off"
    assert not rules.is_too_soon(asking, now_ms=999_000), "a clock set back makes nobody too quick"
    assert rules.next_interval_s(asking, now_ms=1_001_000) == 10
    assert rules.next_interval_s(asking, now_ms=1_005_000) == 5


def test_lookups_differ() -> None:
    made = {rules.new_lookup() for _ in range(100)}
    assert len(made) == 100
    assert all(rules.is_lookup(lookup) for lookup in made)
