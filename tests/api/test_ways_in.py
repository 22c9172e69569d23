"""Ways in of an account: changed together with the keyring, only by whom the server has just recognised."""

import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from restante.protocol.encoding import b64
from restante.protocol.ids import Prefix, new_id
from restante.protocol.limits import PASSKEYS
from tests.api.authenticator import Authenticator, with_prf
from tests.api.inside import Inside, run
from tests.api.keyholders import (
    HERE,
    ORIGIN,
    PASSPHRASE,
    RECOVERY,
    Keyholder,
    form_of,
    passphrase,
    recovery,
    sign_in,
    visitor,
)
from tests.api.people import assert_problem, new_client, new_name, sealed
from tests.databases import never_written
from tests.serving import Server, serving

NEW = b"n" * 32
SECRET = b"secret of a passkey, 32 bytes!!!"


def bearer_sign_in(server: Server, name: str, way: str, bearer: bytes) -> int:
    form = {"name": name, "type": way, "bearer": b64(bearer), "client": "cli"}
    with new_client(server.url) as nobody:
        return nobody.post("/api/v1/sign-in", json=form).status_code


def stored(ann: Keyholder) -> bytes:
    return ann.client.get("/api/v1/account/keyring").content


def test_a_passkey_is_added_with_the_keyring_and_signs_in(server: Server) -> None:
    telephone = Authenticator()
    with Keyholder(server) as ann:
        before, keyring = ann.etag(), sealed(900)
        body = ann.new_passkey(telephone) | {"keyring": b64(keyring)}
        answer = ann.change("POST", "passkeys", body)
        assert answer.status_code == 204, answer.text
        assert stored(ann) == keyring
        assert answer.headers["etag"] == ann.etag() != before
        assert ann.ways() == [ann.mid, body["mid"], "recovery"]
        assert sign_in(server, telephone).json()["acct"] == ann.acct
        used = {way["id"]: way for way in ann.client.get("/api/v1/account/ways-in").json()["items"]}
        assert used[body["mid"]]["label"] == "Telephone"
        assert used[body["mid"]]["last_used_at"] >= used[body["mid"]]["created_at"]
        assert used[ann.mid]["last_used_at"] is None
        assert used["recovery"]["type"] == "recovery"


def test_a_change_whose_answer_was_lost_is_repeated_safely(server: Server) -> None:
    with Keyholder(server) as ann:
        before = ann.etag()
        added = ann.new_passkey(Authenticator()) | {"keyring": b64(sealed(900))}
        answers = [ann.change("POST", "passkeys", added, before) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [204, 204]
        assert answers[0].headers["etag"] == answers[1].headers["etag"]
        removal = {"keyring": b64(sealed(900))}
        etag = ann.etag()
        answers = [ann.change("DELETE", added["mid"], removal, etag) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [204, 204]
        put = passphrase(NEW) | {"keyring": b64(sealed(900))}
        etag = ann.etag()
        answers = [ann.change("PUT", "passphrase", put, etag) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [204, 204]
        assert ann.ways() == [ann.mid, "passphrase", "recovery"]


def test_a_keyring_that_changed_meanwhile_lets_nothing_through(server: Server) -> None:
    with Keyholder(server, None, passphrase()) as ann:
        kept, stale = stored(ann), '"an-older-one"'
        for method, path, body in (
            ("PUT", "passphrase", passphrase(NEW)),
            ("PUT", "recovery", {"bearer": b64(NEW)}),
            ("POST", "passkeys", ann.new_passkey(Authenticator())),
            ("DELETE", "passphrase", {}),
            ("DELETE", ann.mid, {}),
        ):
            assert_problem(ann.change(method, path, body, stale), 412, "stale-version")
        assert ann.ways() == [ann.mid, "passphrase", "recovery"]
        assert stored(ann) == kept
        assert bearer_sign_in(server, ann.name, "passphrase", PASSPHRASE) == 201
        assert bearer_sign_in(server, ann.name, "passphrase", NEW) == 401
        assert bearer_sign_in(server, ann.name, "recovery", RECOVERY) == 201


def test_a_passkey_behind_another_change_needs_no_second_touch(server: Server) -> None:
    with Keyholder(server) as ann:
        touched = ann.new_passkey(Authenticator())
        assert_problem(ann.change("POST", "passkeys", touched, '"an-older-one"'), 412, "stale-version")
        assert ann.change("POST", "passkeys", touched).status_code == 204
        assert_problem(ann.change("POST", "passkeys", touched), 400, "passkey-refused")
        assert touched["mid"] in ann.ways()


def test_a_way_in_that_is_refused_leaves_the_keyring(server: Server) -> None:
    with Keyholder(server) as ann:
        kept = stored(ann)
        for method, path, body, status, code in (
            ("PUT", "passphrase", {"bearer": b64(NEW)}, 422, "invalid"),
            ("PUT", "recovery", {"bearer": b64(NEW), "salt": b64(bytes(16))}, 422, "invalid"),
            ("PUT", "recovery", {"bearer": b64(bytes(31))}, 422, "invalid"),
            ("PUT", "recovery", {"bearer": b64(NEW), "keyring": b64(b"plain")}, 422, "invalid"),
            ("PUT", "face", {"bearer": b64(NEW)}, 404, "not-found"),
            ("DELETE", "face", {}, 404, "not-found"),
            ("DELETE", "passphrase", {}, 404, "not-found"),
            ("DELETE", new_id(Prefix.METHOD), {}, 404, "not-found"),
            ("POST", "passkeys", ann.new_passkey(Authenticator()) | {"mid": ann.mid}, 422, "invalid"),
        ):
            assert_problem(ann.change(method, path, body), status, code)
        without = ann.client.put(
            "/api/v1/account/ways-in/recovery", json={"bearer": b64(NEW), "keyring": b64(sealed())}
        )
        assert_problem(without, 428, "precondition-required")
        assert stored(ann) == kept
        assert bearer_sign_in(server, ann.name, "recovery", RECOVERY) == 201


def test_a_new_recovery_code_ends_the_old_one_at_once(server: Server) -> None:
    with Keyholder(server) as ann:
        assert ann.change("PUT", "recovery", {"bearer": b64(NEW)}).status_code == 204
        assert bearer_sign_in(server, ann.name, "recovery", RECOVERY) == 401
        assert bearer_sign_in(server, ann.name, "recovery", NEW) == 201
        assert ann.ways() == [ann.mid, "recovery"]


def test_the_last_ways_in_stay(server: Server) -> None:
    with Keyholder(server) as ann:
        assert_problem(ann.change("DELETE", ann.mid, {}), 409, "last-way-in")
        assert_problem(ann.change("DELETE", "recovery", {}), 409, "last-way-in")
        assert ann.change("PUT", "passphrase", passphrase()).status_code == 204
        assert_problem(ann.change("DELETE", "recovery", {}), 409, "last-way-in")
        assert ann.change("DELETE", ann.mid, {}).status_code == 204
        assert_problem(ann.change("DELETE", "passphrase", {}), 409, "last-way-in")
        assert_problem(ann.sign_in(), 400, "passkey-refused")
        assert bearer_sign_in(server, ann.name, "passphrase", PASSPHRASE) == 201


def test_somebody_elses_passkey_is_not_there(server: Server) -> None:
    with Keyholder(server) as ann, Keyholder(server, None, passphrase()) as bob:
        assert_problem(bob.change("DELETE", ann.mid, {}), 404, "not-found")
        assert ann.sign_in().status_code == 201


def test_a_lost_passkey_is_replaced_by_the_recovery_code(server: Server) -> None:
    """Sign-in by recovery code, a new passkey, a new code: nothing else is asked."""
    with Keyholder(server) as ann:
        entered = visitor(server)
        form = {"name": ann.name, "type": "recovery", "bearer": b64(RECOVERY), "client": "cli"}
        token = entered.post("/api/v1/sign-in", json=form).json()["token"]
        ann.client.headers["authorization"] = f"Bearer {token}"
        added = ann.new_passkey(Authenticator())
        assert ann.change("POST", "passkeys", added).status_code == 204
        assert ann.change("DELETE", ann.mid, {}).status_code == 204
        assert ann.change("PUT", "recovery", {"bearer": b64(NEW)}).status_code == 204
        assert ann.ways() == [added["mid"], "recovery"]
        entered.close()


def test_an_account_has_so_many_passkeys_and_no_more(server: Server) -> None:
    with Keyholder(server) as ann:
        for _ in range(PASSKEYS - 1):
            assert ann.change("POST", "passkeys", ann.new_passkey(Authenticator())).status_code == 204
        problem = assert_problem(
            ann.change("POST", "passkeys", ann.new_passkey(Authenticator())), 422, "invalid"
        )
        assert problem["limit"] == PASSKEYS
        assert len(ann.ways()) == PASSKEYS + 1


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that is killed again and again; each time somebody else is at it."""
    with serving(tmp_path_factory.mktemp("mortal") / "data") as server:
        yield server


@pytest.mark.parametrize("place", ["ceremony-taken:1", "passkey-written:1", "way-in-acknowledged:1"])
def test_a_death_amid_a_new_passkey_leaves_both_or_neither(mortal: Server, place: str) -> None:
    server, telephone = mortal, Authenticator()
    with Keyholder(server) as ann:
        added = ann.new_passkey(telephone) | {"keyring": b64(sealed(900))}
        before, etag = stored(ann), ann.etag()
        restart(server, place)
        with pytest.raises(httpx.TransportError):
            ann.change("POST", "passkeys", added, etag)
        restart(server)
        is_added = place == "way-in-acknowledged:1"
        assert ann.ways() == ([ann.mid, added["mid"], "recovery"] if is_added else [ann.mid, "recovery"])
        assert (stored(ann) == before) is not is_added
        assert sign_in(server, telephone).status_code == (201 if is_added else 400)
        assert ann.sign_in().status_code == 201


@pytest.mark.parametrize("place", ["passkey-removed:1", "way-in-written:1", "verification-acknowledged:1"])
def test_a_death_amid_another_change_leaves_what_was_there(mortal: Server, place: str) -> None:
    server = mortal
    with Keyholder(server, None, passphrase()) as ann:
        before, etag, shown_now = stored(ann), ann.etag(), ann.show()
        restart(server, place)
        with pytest.raises(httpx.TransportError):
            if place == "passkey-removed:1":
                ann.change("DELETE", ann.mid, {}, etag)
            elif place == "way-in-written:1":
                ann.change("PUT", "recovery", {"bearer": b64(NEW)}, etag)
            else:
                ann.client.post("/api/v1/account/verification", json=shown_now)
        restart(server)
        assert ann.ways() == [ann.mid, "passphrase", "recovery"]
        assert stored(ann) == before
        assert ann.sign_in().status_code == 201
        assert bearer_sign_in(server, ann.name, "recovery", RECOVERY) == 201


def restart(server: Server, failpoint: str = "") -> None:
    server.kill()
    server.start(RESTANTE_FAILPOINT=failpoint)


# Fresh verification


async def signed_up(inside: Inside, device: Authenticator) -> tuple[str, dict[str, str]]:
    """An account with all three ways in; returns its name and the headers that speak for it."""
    name = new_name()
    begun = (
        await inside.client.post("/api/v1/passkeys/registration", json={"name": name}, headers=HERE)
    ).json()
    unlock = {
        "type": "passkey",
        "ceremony": begun["ceremony"],
        "credential": device.create(begun["options"], ORIGIN),
        "label": "",
        "mid": new_id(Prefix.METHOD),
    }
    form = form_of(name, unlock, recovery(), passphrase())
    answer = await inside.client.post("/api/v1/accounts", json=form)
    assert answer.status_code == 201, answer.text
    return name, HERE | {"authorization": f"Bearer {answer.json()['token']}"}


async def shown(inside: Inside, device: Authenticator) -> dict[str, Any]:
    begun = (await inside.client.post("/api/v1/passkeys/assertion", json={}, headers=HERE)).json()
    return {"ceremony": begun["ceremony"], "credential": device.get(begun["options"], ORIGIN)}


async def change(
    inside: Inside, headers: dict[str, str], method: str, path: str, body: Any
) -> httpx.Response:
    etag = (await inside.client.get("/api/v1/account/keyring", headers=headers)).headers["etag"]
    return await inside.client.request(
        method,
        f"/api/v1/account/ways-in/{path}",
        json={"keyring": b64(sealed(500))} | body,
        headers=headers | {"if-match": etag},
    )


@pytest.mark.parametrize("way", ["passkey", "passkey by name", "passphrase", "recovery"])
def test_an_old_session_changes_nothing_until_its_person_is_recognised(tmp_path: Path, way: str) -> None:
    async def scenario(inside: Inside) -> None:
        device = Authenticator()
        name, headers = await signed_up(inside, device)
        begun = (await inside.client.post("/api/v1/passkeys/registration", json={}, headers=headers)).json()
        added = {
            "ceremony": begun["ceremony"],
            "credential": Authenticator().create(begun["options"], ORIGIN),
            "label": "",
            "mid": new_id(Prefix.METHOD),
        }
        inside.clock.ahead_s += 200
        assert (await change(inside, headers, "PUT", "passphrase", passphrase())).status_code == 204
        inside.clock.ahead_s += 101
        for method, path, body in (
            ("PUT", "passphrase", passphrase(NEW)),
            ("PUT", "recovery", {"bearer": b64(NEW)}),
            ("POST", "passkeys", added),
            ("DELETE", "passphrase", {}),
        ):
            assert_problem(await change(inside, headers, method, path, body), 403, "verification-needed")
        proofs = {
            "passkey": await shown(inside, device),
            "passkey by name": {"type": "passkey"} | await shown(inside, device),
            "passphrase": {"type": "passphrase", "bearer": b64(PASSPHRASE)},
            "recovery": {"type": "recovery", "bearer": b64(RECOVERY)},
        }
        answer = await inside.client.post("/api/v1/account/verification", json=proofs[way], headers=headers)
        assert answer.status_code == 200, answer.text
        assert abs(answer.json()["until"] - inside.clock.now_ms() - 300_000) < 30_000
        assert (await change(inside, headers, "PUT", "passphrase", passphrase(NEW))).status_code == 204
        inside.clock.ahead_s += 301
        assert_problem(await change(inside, headers, "DELETE", "passphrase", {}), 403, "verification-needed")
        entered = await inside.client.post(
            "/api/v1/sign-in",
            json={"name": name, "type": "passphrase", "bearer": b64(NEW), "client": "cli"},
        )
        fresh = HERE | {"authorization": f"Bearer {entered.json()['token']}"}
        assert (await change(inside, fresh, "DELETE", "passphrase", {})).status_code == 204
        assert_problem(
            await change(inside, headers, "PUT", "recovery", {"bearer": b64(NEW)}), 403, "verification-needed"
        )

    run(tmp_path, scenario)


def test_who_is_somebody_else_is_not_recognised(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        anns, bobs = Authenticator(), Authenticator()
        _, ann = await signed_up(inside, anns)
        await signed_up(inside, bobs)
        inside.clock.ahead_s += 301
        for proof, status, code in (
            (await shown(inside, bobs), 400, "passkey-refused"),
            ({"type": "passphrase", "bearer": b64(NEW)}, 401, "sign-in-refused"),
            ({"type": "recovery", "bearer": b64(PASSPHRASE)}, 401, "sign-in-refused"),
            ({"type": "passphrase"}, 422, "invalid"),
            ({"type": "passkey"}, 422, "invalid"),
            ({"type": "face"}, 422, "invalid"),
        ):
            answer = await inside.client.post("/api/v1/account/verification", json=proof, headers=ann)
            assert_problem(answer, status, code)
        assert_problem(await change(inside, ann, "DELETE", "passphrase", {}), 403, "verification-needed")

    run(tmp_path, scenario)


def test_an_old_session_ends_itself_only_until_its_person_is_recognised(tmp_path: Path) -> None:
    """An open browser that somebody finds must not shut its owner out."""

    async def scenario(inside: Inside) -> None:
        name, here = await signed_up(inside, Authenticator())
        entry = {"name": name, "type": "passphrase", "bearer": b64(PASSPHRASE), "client": "cli"}
        other = (await inside.client.post("/api/v1/sign-in", json=entry)).json()
        there = {"authorization": f"Bearer {other['token']}"}
        inside.clock.ahead_s += 301
        for path in ("", "/others", f"/{other['session_id']}"):
            answer = await inside.client.delete(f"/api/v1/sessions{path}", headers=here)
            assert_problem(answer, 403, "verification-needed")
        assert (await inside.client.get("/api/v1/sessions", headers=there)).status_code == 200
        proof = {"type": "passphrase", "bearer": b64(PASSPHRASE)}
        await inside.client.post("/api/v1/account/verification", json=proof, headers=here)
        ended = await inside.client.delete(f"/api/v1/sessions/{other['session_id']}", headers=here)
        assert ended.status_code == 204
        gone = await inside.client.get("/api/v1/sessions", headers=there)
        assert_problem(gone, 401, "device-removed")
        inside.clock.ahead_s += 301
        assert (await inside.client.delete("/api/v1/sessions/current", headers=here)).status_code == 204

    run(tmp_path, scenario)


# Limits


def doors(name: str, headers: dict[str, str]) -> dict[str, tuple[str, dict[str, str], Callable[..., Any]]]:
    """What lets people in, by what it is; each with a body that would be taken."""
    entry = {"name": name, "client": "cli"}
    return {
        "passphrase": ("sign-in", {}, lambda _: entry | {"type": "passphrase", "bearer": b64(PASSPHRASE)}),
        "recovery": ("sign-in", {}, lambda _: entry | {"type": "recovery", "bearer": b64(RECOVERY)}),
        "passkey": ("sign-in/passkey", {}, lambda proof: proof | {"client": "cli"}),
        "assertion": ("passkeys/assertion", HERE, lambda _: {}),
        "registration": ("passkeys/registration", HERE, lambda _: {"name": new_name()}),
        "one more": ("passkeys/registration", headers, lambda _: {}),
        "verification": (
            "account/verification",
            headers,
            lambda _: {"type": "recovery", "bearer": b64(RECOVERY)},
        ),
    }


async def each_door(
    inside: Inside, proof: Callable[[], Awaitable[dict[str, Any]]], name: str, headers: dict[str, str]
) -> dict[str, httpx.Response]:
    answers = {}
    for what, (path, sent, body) in doors(name, headers).items():
        shown_now = await proof() if what == "passkey" else {}
        answers[what] = await inside.client.post(f"/api/v1/{path}", json=body(shown_now), headers=sent)
    return answers


def test_who_cannot_be_counted_is_not_let_in(tmp_path: Path) -> None:
    """A database whose counters cannot be written; what is right is refused all the same."""

    async def scenario(inside: Inside) -> None:
        device = Authenticator()
        name, headers = await signed_up(inside, device)

        async def proof() -> dict[str, Any]:
            return await shown(inside, device)

        before = await each_door(inside, proof, name, headers)
        assert {what: answer.is_success for what, answer in before.items()} == dict.fromkeys(before, True)
        kept = await proof()

        async def broken() -> dict[str, Any]:
            return kept

        for statement in never_written("rate_buckets"):
            await inside.house.database.write(
                lambda connection, what=statement: connection.execute(text(what))
            )
        rows = await count(inside, "sessions"), await count(inside, "passkey_ceremonies")
        after = await each_door(inside, broken, name, headers)
        assert {what: answer.status_code for what, answer in after.items()} == dict.fromkeys(after, 500)
        assert (await count(inside, "sessions"), await count(inside, "passkey_ceremonies")) == rows

    run(tmp_path, scenario)


async def count(inside: Inside, table: str) -> int:
    query = text(f"SELECT count(*) FROM {table}")
    return int(await inside.house.database.read(lambda connection: connection.execute(query).scalar() or 0))


def test_each_door_has_its_limit(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        device = Authenticator()
        _, headers = await signed_up(inside, device)
        forms = [await shown(inside, device) | {"client": "cli"} for _ in range(4)]
        entered = [await inside.client.post("/api/v1/sign-in/passkey", json=form) for form in forms]
        assert [answer.status_code for answer in entered] == [201, 201, 201, 429]
        assert int(entered[-1].headers["retry-after"]) > 0
        for path, body in (("registration", {"name": new_name()}), ("assertion", {})):
            for _ in range(7):
                answer = await inside.client.post(f"/api/v1/passkeys/{path}", json=body, headers=HERE)
            assert_problem(answer, 429, "rate-limited")
        wrong = {"type": "recovery", "bearer": b64(NEW)}
        for _ in range(4):
            answer = await inside.client.post("/api/v1/account/verification", json=wrong, headers=headers)
        assert_problem(answer, 429, "rate-limited")

    run(tmp_path, scenario, rate_sign_in="3/60s", rate_passkeys="6/60s")


# What never leaves a device


def test_a_passkeys_secret_that_is_posted_is_refused_and_forgotten(new_server) -> None:
    server = new_server()
    with Keyholder(server) as ann:
        careless = ann.show()
        careless["credential"] = with_prf(careless["credential"], SECRET)
        added = ann.new_passkey(Authenticator())
        added["credential"] = with_prf(added["credential"], SECRET)
        with visitor(server) as nobody:
            answer = nobody.post("/api/v1/sign-in/passkey", json=careless | {"client": "cli"})
            assert_problem(answer, 400, "prf-output-posted")
            unlock = {
                "type": "passkey",
                **{key: added[key] for key in ("ceremony", "credential", "label", "mid")},
            }
            answer = nobody.post("/api/v1/accounts", json=form_of(new_name(), unlock, recovery()))
            assert_problem(answer, 400, "prf-output-posted")
        assert_problem(ann.change("POST", "passkeys", added), 400, "prf-output-posted")
        answer = ann.client.post("/api/v1/account/verification", json=careless)
        assert_problem(answer, 400, "prf-output-posted")
        nested = {"deep": [{"er": {"prf": {"results": {"second": b64(SECRET)}}}}]}
        answer = ann.client.post("/api/v1/passkeys/assertion", json=nested)
        assert_problem(answer, 400, "prf-output-posted")
        harmless = {"clientExtensionResults": {"prf": {"enabled": True}, "credProps": {"rk": True}}}
        answer = ann.sign_in(spoil=lambda form: form | {"credential": form["credential"] | harmless})
        assert answer.status_code == 201
        known = ann.device.residents[0]
        shown_now = ann.show()
        assert ann.client.post("/api/v1/account/verification", json=shown_now).status_code == 200
    server.stop()
    log = server.log().encode()
    kept = server.stored()
    assert known.credential_id in kept, "the search itself must find what is there"
    assert b'"/api/v1/sign-in/passkey"' in log
    for spelling in (SECRET, b64(SECRET).encode(), SECRET.hex().encode()):
        assert spelling not in kept + log
    response = shown_now["credential"]["response"]
    for part in (
        *response.values(),
        shown_now["credential"]["id"],
        shown_now["ceremony"],
        known.rp_id,
        ann.mid,
    ):
        assert part.encode() not in log
    assert json.dumps(ann.name).encode() not in log
