"""Everything that can be wrong with a passkey: refused, always with the same answer, and what is right is taken afterwards."""

import os
import struct
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from restante.protocol.encoding import b64, unb64
from restante.protocol.ids import Prefix, new_id
from tests.api.authenticator import FLAG, RIGHT, Authenticator, Resident, Twist, altered, new_key, rs1_key
from tests.api.inside import Inside, run
from tests.api.keyholders import HERE, ORIGIN, Keyholder, form_of, post, recovery, sign_in, visitor
from tests.api.people import assert_problem, new_name
from tests.serving import Server

Spoil = Callable[[dict[str, Any]], dict[str, Any]]
ELSEWHERE = "https://evil.example"

EITHER: dict[str, Twist] = {
    "another origin": Twist(origin=ELSEWHERE),
    "a page above": Twist(origin="https://example"),
    "a page below": Twist(origin="https://sub.post.example"),
    "another port": Twist(origin="https://post.example:8443"),
    "another scheme": Twist(origin="http://post.example"),
    "origin null": Twist(origin="null"),
    "a frame of another page": Twist(client_data={"topOrigin": ELSEWHERE}),
    "another RP ID": Twist(rp_id="evil.example"),
    "the domain above": Twist(rp_id="example"),
    "the other type": Twist(type="payment.get"),
    "another challenge": Twist(challenge=bytes(32)),
    "a short challenge": Twist(challenge=b"\0"),
    "nobody present": Twist(flags_off=FLAG.UP),
    "nobody verified": Twist(flags_off=FLAG.UV),
    "backed up though it cannot be": Twist(flags_off=FLAG.BE, flags_on=FLAG.BS),
    "bytes too many": Twist(trailing=b"\0"),
}
REGISTRATIONS: dict[str, Twist] = {
    **EITHER,
    "an assertion": Twist(type="webauthn.get"),
    "RSA with SHA-1": Twist(cose=rs1_key()),
    "no public key": Twist(has_key=False, flags_off=FLAG.AT),
    "an attestation of U2F": Twist(fmt="fido-u2f", statement={"x5c": [b""], "sig": b""}),
    "an attestation that nobody knows": Twist(fmt="vendor"),
    "certificates": Twist(fmt="packed", statement={"alg": -7, "sig": b"", "x5c": [b"garbage"]}),
    "its own signature, wrong": Twist(fmt="packed", statement={"alg": -7, "sig": b"garbage"}),
    "a statement beside none": Twist(statement={"sig": b"garbage"}),
}
ASSERTIONS: dict[str, Twist] = {
    **EITHER,
    "a registration": Twist(type="webauthn.create"),
    "signed by another key": Twist(signed_by=new_key(-7)),
    "signed by a key of another kind": Twist(signed_by=new_key(-8)),
    "handle of nobody": Twist(user_handle=os.urandom(32)),
    "handle empty": Twist(user_handle=b""),
    "no longer to be backed up": Twist(flags_off=FLAG.BE | FLAG.BS),
}
GARBAGE: dict[str, bytes] = {
    "nothing": b"",
    "no CBOR": b"\xff\xff\xff",
    "a list": b"\x80",
    "an empty map": b"\xa0",
    "a number": b"\x00",
    "cut off": b"\xa3\x63fmt\x64none",
    "deep": b"\x81" * 5000 + b"\x80",
    "a long text announced": b"\x7b" + struct.pack(">Q", 2**63),
    "a format that is no text": b"\xa3\x63fmt\x80\x67attStmt\xa0\x68authData\x40",
}
JSON: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"\xff{}",
    "a list": b"[]",
    "empty": b"{}",
    "a key twice": b'{"type":"webauthn.get","type":"webauthn.create"}',
    "numbers": b'{"type":1,"challenge":2,"origin":3}',
    "a frame": b'{"type":"webauthn.get","challenge":"AA","origin":"https://post.example","crossOrigin":true}',
    "neither": b'{"type":"webauthn.get","challenge":"AA","origin":"https://post.example","crossOrigin":"no"}',
}


def registered(
    server: Server,
    *,
    twist: Twist = RIGHT,
    spoil: Spoil = lambda form: form,
    device: Authenticator | None = None,
) -> httpx.Response:
    """Signs up with a passkey, wrongly."""
    name = new_name()
    with visitor(server) as nobody:
        begun = post(nobody, "passkeys/registration", {"name": name})
        credential = (device or Authenticator()).create(begun["options"], ORIGIN, twist=twist)
        unlock = {
            "type": "passkey",
            "ceremony": begun["ceremony"],
            "credential": credential,
            "label": "",
            "mid": new_id(Prefix.METHOD),
        }
        answer = nobody.post("/api/v1/accounts", json=form_of(name, spoil(unlock), recovery()))
        if answer.status_code != 201:
            assert nobody.get(f"/api/v1/accounts/{name}").json() == {"taken": False}
        return answer


def assert_refused(answer: httpx.Response) -> None:
    """The answer does not tell what was wrong."""
    problem = assert_problem(answer, 400, "passkey-refused")
    assert set(problem) == {"type", "title", "status", "code", "instance", "hint"}


def with_credential(form: dict[str, Any], **response: Any) -> dict[str, Any]:
    return form | {"credential": altered(form["credential"], **response)}


@pytest.fixture(scope="module")
def ann(server: Server):
    with Keyholder(server) as person:
        yield person


@pytest.mark.parametrize("what", REGISTRATIONS)
def test_a_new_passkey_that_is_wrong_is_refused(server: Server, what: str) -> None:
    assert_refused(registered(server, twist=REGISTRATIONS[what]))


@pytest.mark.parametrize("what", ASSERTIONS)
def test_a_passkey_that_is_wrong_signs_nobody_in(ann: Keyholder, what: str) -> None:
    assert_refused(ann.sign_in(twist=ASSERTIONS[what]))
    assert ann.sign_in().status_code == 201


def test_the_same_without_the_fault_is_taken(server: Server) -> None:
    """The control: of everything above only the fault is wrong."""
    assert registered(server).status_code == 201
    own = Twist(client_data={"other_keys_can_be_added_here": "do not compare"})
    assert registered(server, twist=own).status_code == 201
    with Keyholder(server) as bob:
        assert bob.sign_in(twist=own).status_code == 201


@pytest.mark.parametrize("what", GARBAGE)
def test_an_attestation_that_is_garbage_is_refused(server: Server, what: str) -> None:
    garbage = b64(GARBAGE[what])
    assert_refused(registered(server, spoil=lambda form: with_credential(form, attestationObject=garbage)))


@pytest.mark.parametrize("what", JSON)
def test_client_data_that_is_garbage_is_refused(server: Server, ann: Keyholder, what: str) -> None:
    garbage = b64(JSON[what])
    assert_refused(registered(server, spoil=lambda form: with_credential(form, clientDataJSON=garbage)))
    assert_refused(ann.sign_in(spoil=lambda form: with_credential(form, clientDataJSON=garbage)))


@pytest.mark.parametrize(
    "response",
    [
        {"signature": b64(b"garbage")},
        {"signature": ""},
        {"authenticatorData": ""},
        {"authenticatorData": b64(bytes(36))},
        {"userHandle": None},
        {"userHandle": "A"},
    ],
)
def test_an_assertion_that_is_garbage_is_refused(ann: Keyholder, response: dict[str, Any]) -> None:
    assert_refused(ann.sign_in(spoil=lambda form: with_credential(form, **response)))


@pytest.mark.parametrize("parts", [("id",), ("rawId",), ("id", "rawId")])
def test_an_id_that_is_not_the_passkeys_is_refused(
    server: Server, ann: Keyholder, parts: tuple[str, ...]
) -> None:
    change = dict.fromkeys(parts, b64(os.urandom(32)))

    def spoil(form: dict[str, Any]) -> dict[str, Any]:
        return form | {"credential": form["credential"] | change}

    assert_refused(registered(server, spoil=spoil))
    assert_refused(ann.sign_in(spoil=spoil))


@pytest.mark.parametrize(
    "change", [{"type": "password"}, {"response": {}}, {"id": 1}, {"id": ""}, {"id": "A" * 1365}]
)
def test_another_shape_is_told_as_such(ann: Keyholder, change: dict[str, Any]) -> None:
    answer = ann.sign_in(spoil=lambda form: form | {"credential": form["credential"] | change})
    assert_problem(answer, 422, "invalid")


def test_nobody_signs_in_by_the_name_of_anothers_passkey(server: Server, ann: Keyholder) -> None:
    with Keyholder(server) as bob:
        anns = b64(ann.device.residents[0].credential_id)

        def swap(form: dict[str, Any]) -> dict[str, Any]:
            return form | {"credential": form["credential"] | {"id": anns, "rawId": anns}}

        assert_refused(bob.sign_in(spoil=swap))
        handle = ann.device.residents[0].user_handle
        assert_refused(bob.sign_in(twist=Twist(user_handle=handle)))
        assert bob.sign_in().json()["acct"] == bob.acct


def test_a_passkey_is_one_accounts(server: Server, ann: Keyholder) -> None:
    """A second registration of the same credential, by somebody who holds its key."""
    device, name = Authenticator(), new_name()
    known = ann.device.residents[0]
    with visitor(server) as nobody:
        begun = post(nobody, "passkeys/registration", {"name": name})
        handle, challenge = unb64(begun["options"]["user"]["id"]), unb64(begun["options"]["challenge"])
        copy = Resident("post.example", handle, new_key(-7), known.credential_id)
        unlock = {
            "type": "passkey",
            "ceremony": begun["ceremony"],
            "credential": device.attest(copy, challenge, ORIGIN),
            "label": "",
            "mid": new_id(Prefix.METHOD),
        }
        assert_refused(nobody.post("/api/v1/accounts", json=form_of(name, unlock, recovery())))
        assert nobody.get(f"/api/v1/accounts/{name}").json() == {"taken": False}
    assert ann.sign_in().json()["acct"] == ann.acct


def test_a_challenge_is_good_once(server: Server, ann: Keyholder) -> None:
    with visitor(server) as nobody:
        form = ann.show() | {"client": "cli"}
        assert nobody.post("/api/v1/sign-in/passkey", json=form).status_code == 201
        assert_refused(nobody.post("/api/v1/sign-in/passkey", json=form))
        again = ann.show() | {"client": "cli"}
        spoiled = with_credential(again, signature=b64(b"garbage"))
        assert_refused(nobody.post("/api/v1/sign-in/passkey", json=spoiled))
        assert_refused(nobody.post("/api/v1/sign-in/passkey", json=again))  # a wrong answer used it up


def test_a_challenge_is_for_its_own_ceremony(server: Server, ann: Keyholder) -> None:
    with visitor(server) as nobody:
        one, other = ann.show(), ann.show()
        swapped = one | {"ceremony": other["ceremony"], "client": "cli"}
        assert_refused(nobody.post("/api/v1/sign-in/passkey", json=swapped))
        nowhere = ann.show() | {"ceremony": new_id(Prefix.CEREMONY), "client": "cli"}
        assert_refused(nobody.post("/api/v1/sign-in/passkey", json=nowhere))
        begun = post(nobody, "passkeys/registration", {"name": new_name()})
        crossed = ann.show() | {"ceremony": begun["ceremony"], "client": "cli"}
        assert_refused(nobody.post("/api/v1/sign-in/passkey", json=crossed))


def test_a_ceremony_of_a_name_or_account_is_nobody_elses(server: Server) -> None:
    def renamed(form: dict[str, Any]) -> dict[str, Any]:
        with visitor(server) as nobody:
            begun = post(nobody, "passkeys/registration", {"name": new_name()})
        credential = Authenticator().create(begun["options"], ORIGIN)
        return form | {"ceremony": begun["ceremony"], "credential": credential}

    assert_refused(registered(server, spoil=renamed))
    with Keyholder(server) as bob:
        bobs = bob.new_passkey(Authenticator())
        with Keyholder(server) as carol:
            assert_refused(carol.change("POST", "passkeys", bobs))
        assert_refused(registered(server, spoil=lambda form: form | bob.new_passkey(Authenticator())))
        assert bob.ways() == [bob.mid, "recovery"]


def test_a_passkey_of_another_address_of_the_server_is_refused(server: Server) -> None:
    """Both are the server's own, and each has its passkeys."""
    device = Authenticator()
    with Keyholder(server, device) as bob:
        away = replace(device.residents[0], rp_id="other.example")
        device.residents.append(away)
        assert_refused(sign_in(server, device, origin="https://other.example"))
        assert bob.sign_in(which=0).status_code == 201


SINGLE = FLAG.UP | FLAG.UV


def test_a_counter_that_does_not_grow_betrays_a_copy(server: Server) -> None:
    with Keyholder(server, Authenticator(flags=SINGLE, counts=True)) as bob:
        bob.device.residents[0].counter = 41
        assert bob.sign_in().status_code == 201
        for counter in (42, 41, 1, 0):
            assert_refused(bob.sign_in(twist=Twist(counter=counter)))
        assert bob.sign_in(twist=Twist(counter=43)).status_code == 201
    deadline = time.monotonic() + 10
    while server.log().count('"reason":"counter"') < 4:  # the operator is told, in a moment
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_synchronised_passkey_counts_on_each_device_by_itself(server: Server) -> None:
    with Keyholder(server) as bob:
        for counter in (42, 7, 42):
            assert bob.sign_in(twist=Twist(counter=counter)).status_code == 201


def test_a_passkey_that_begins_to_be_synchronised_is_another_one(server: Server) -> None:
    with Keyholder(server, Authenticator(flags=SINGLE)) as bob:
        assert_refused(bob.sign_in(twist=Twist(flags_on=FLAG.BE)))
        assert_refused(bob.sign_in(twist=Twist(flags_on=FLAG.BE | FLAG.BS)))
        assert bob.sign_in().status_code == 201


def test_a_challenge_lasts_five_minutes(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        device, name = Authenticator(), new_name()

        async def begin(path: str, body: dict[str, Any]) -> dict[str, Any]:
            answer = await inside.client.post(f"/api/v1/passkeys/{path}", json=body, headers=HERE)
            assert answer.status_code == 201, answer.text
            found: dict[str, Any] = answer.json()
            return found

        async def sign_up(wait_s: float) -> httpx.Response:
            begun = await begin("registration", {"name": name})
            device.residents.clear()
            unlock = {
                "type": "passkey",
                "ceremony": begun["ceremony"],
                "credential": device.create(begun["options"], ORIGIN),
                "label": "",
                "mid": new_id(Prefix.METHOD),
            }
            inside.clock.ahead_s += wait_s
            return await inside.client.post("/api/v1/accounts", json=form_of(name, unlock, recovery()))

        async def enter(wait_s: float) -> httpx.Response:
            begun = await begin("assertion", {})
            inside.clock.ahead_s += wait_s
            form = {"credential": device.get(begun["options"], ORIGIN), "client": "cli"}
            form["ceremony"] = begun["ceremony"]
            return await inside.client.post("/api/v1/sign-in/passkey", json=form)

        assert_refused(await sign_up(301))
        assert (await sign_up(280)).status_code == 201
        assert_refused(await enter(301))
        assert (await enter(280)).status_code == 201
        await begin("assertion", {})
        inside.clock.ahead_s += 301
        assert (await inside.house.jobs.sweeper.run())["ceremonies"] >= 1
        assert (await inside.house.jobs.sweeper.run())["ceremonies"] == 0

    run(tmp_path, scenario)
