"""Passkeys: sign-up and sign-in with one touch, and no name typed."""

import pytest

from restante.protocol.encoding import b64, unb64
from tests.api.authenticator import FLAG, Authenticator, InvalidState
from tests.api.keyholders import (
    ORIGIN,
    Keyholder,
    form_of,
    passkey_unlock,
    passphrase,
    post,
    recovery,
    sign_in,
    visitor,
)
from tests.api.people import assert_problem, make_account, new_client, new_name, sign_up_form
from tests.serving import Server

SINGLE_DEVICE = FLAG.UP | FLAG.UV


@pytest.mark.parametrize("alg", [-7, -8, -257])
def test_a_passkey_signs_up_and_in_and_nobody_types_a_name(server: Server, alg: int) -> None:
    with Keyholder(server, alg=alg) as ann:
        answer = ann.sign_in()
        assert answer.status_code == 201, answer.text
        assert answer.json()["acct"] == ann.acct
        with new_client(server.url, answer.json()["token"]) as again:
            assert again.get("/api/v1/account/keyring").content == ann.keyring


def test_a_browsers_session_is_in_its_cookie_alone(server: Server) -> None:
    with Keyholder(server) as ann:
        answer = ann.sign_in(spoil=lambda form: form | {"client": "web"})
        assert answer.json()["token"] == ""
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-session=")
        assert "HttpOnly" in cookie
        assert "Secure" in cookie


def test_what_is_asked_for_leaves_no_choice(server: Server) -> None:
    name = new_name()
    with visitor(server) as nobody:
        registration = post(nobody, "passkeys/registration", {"name": name})["options"]
        assertion = post(nobody, "passkeys/assertion", {})["options"]
        other = post(nobody, "passkeys/registration", {"name": name})["options"]
    assert registration["rp"] == {"id": "post.example", "name": "localhost"}
    assert registration["user"]["name"] == name
    assert registration["user"]["displayName"] == f"{name}@localhost"
    assert len(unb64(registration["user"]["id"])) == 32
    assert name.encode() not in unb64(registration["user"]["id"])
    assert registration["authenticatorSelection"]["residentKey"] == "required"
    assert registration["authenticatorSelection"]["requireResidentKey"] is True
    assert registration["authenticatorSelection"]["userVerification"] == "required"
    assert registration["attestation"] == "none"
    assert [entry["alg"] for entry in registration["pubKeyCredParams"]] == [-8, -7, -257]
    assert assertion["rpId"] == "post.example"
    assert assertion["userVerification"] == "required"
    assert assertion["allowCredentials"] == []
    assert {len(unb64(options["challenge"])) for options in (registration, assertion, other)} == {32}
    assert len({registration["challenge"], assertion["challenge"], other["challenge"]}) == 3
    assert registration["user"]["id"] != other["user"]["id"]


def test_a_passkey_is_not_made_in_vain(server: Server) -> None:
    ann = make_account(server.url)
    with visitor(server) as nobody:
        taken = nobody.post("/api/v1/passkeys/registration", json={"name": ann.name})
        assert_problem(taken, 409, "name-taken")
        reserved = nobody.post("/api/v1/passkeys/registration", json={"name": "admin"})
        assert_problem(reserved, 422, "invalid-name")
        nameless = nobody.post("/api/v1/passkeys/registration", json={})
        assert_problem(nameless, 401, "not-signed-in")


def test_a_passkey_and_a_passphrase_can_be_chosen_together(server: Server) -> None:
    with Keyholder(server, None, passphrase()) as ann, new_client(server.url) as nobody:
        assert ann.ways() == [ann.mid, "passphrase", "recovery"]
        for way in (passphrase(), recovery()):
            form = {"name": ann.name, "type": way["type"], "bearer": way["bearer"], "client": "cli"}
            assert nobody.post("/api/v1/sign-in", json=form).status_code == 201
        assert ann.sign_in().status_code == 201


def test_an_account_needs_a_way_in_beside_its_recovery_code(server: Server) -> None:
    name = new_name()
    with visitor(server) as nobody:
        answer = nobody.post("/api/v1/accounts", json=form_of(name, recovery()))
        assert_problem(answer, 422, "invalid")
        unlock = passkey_unlock(nobody, Authenticator(), name)
        answer = nobody.post("/api/v1/accounts", json=form_of(name, unlock))
        assert_problem(answer, 422, "invalid")
        for part in ("ceremony", "credential", "label", "mid"):
            spoiled = {key: value for key, value in unlock.items() if key != part}
            answer = nobody.post("/api/v1/accounts", json=form_of(name, spoiled, recovery()))
            assert_problem(answer, 422, "invalid")
        assert nobody.post("/api/v1/accounts", json=form_of(name, unlock, recovery())).status_code == 201


def test_one_person_may_have_two_accounts_on_one_authenticator(server: Server) -> None:
    device = Authenticator()
    with Keyholder(server, device) as ann, Keyholder(server, device) as bob:
        first, second = sign_in(server, device, which=0), sign_in(server, device, which=1)
        assert first.json()["acct"] == ann.acct
        assert second.json()["acct"] == bob.acct


def test_a_passkey_that_is_there_is_not_made_again(server: Server) -> None:
    with Keyholder(server) as ann:
        with pytest.raises(InvalidState):
            ann.new_passkey()
        begun = post(ann.client, "passkeys/registration", {})["options"]
        [excluded] = begun["excludeCredentials"]
        assert excluded["id"] == b64(ann.device.residents[0].credential_id)
        assert excluded["transports"] == ["internal", "hybrid"]
        assert unb64(begun["user"]["id"]) == ann.device.residents[0].user_handle


def test_a_counter_that_grows_is_taken(server: Server) -> None:
    with Keyholder(server, Authenticator(flags=SINGLE_DEVICE, counts=True)) as ann:
        assert [ann.sign_in().status_code for _ in range(3)] == [201] * 3


ADDRESSES = {
    "https://post.example": True,
    "https://post.example:8443": True,
    "https://intranet": True,
    "https://a.b-c.xn--bcher-kva.example": True,
    "http://localhost": True,
    "http://localhost:8080": True,
    "http://app.localhost:8080": True,
    "http://post.example": False,
    "https://192.0.2.1": False,
    "http://127.0.0.1:8080": False,
    "https://[2001:db8::1]": False,
    "https://post.example.": False,
    "https://post..example": False,
    "https://192.0.2.0x1": True,  # no browser writes it so: it would be an address
    "null": False,
    "https://": False,
    "ftp://post.example": False,
    "https://user@post.example": False,
    "https://post.example/path": False,
    "android:apk-key-hash:x": False,
}


@pytest.mark.parametrize("origin", ADDRESSES)
def test_passkeys_need_a_domain_or_localhost(server: Server, origin: str) -> None:
    host = origin.partition("://")[2].partition("/")[0] or "nowhere.example"
    with new_client(server.url) as nobody:
        nobody.headers.update({"host": host, "origin": origin})
        for path, body in (("assertion", {}), ("registration", {"name": new_name()})):
            answer = nobody.post(f"/api/v1/passkeys/{path}", json=body)
            if ADDRESSES[origin]:
                assert answer.status_code == 201, answer.text
            else:
                assert_problem(answer, 403, "passkeys-unavailable")


@pytest.mark.parametrize(
    ("host", "possible"),
    [("post.example", True), ("localhost:80", True), ("192.0.2.1", False), ("[::1]:80", False)],
)
def test_the_server_tells_whether_passkeys_are_possible_here(
    server: Server, host: str, *, possible: bool
) -> None:
    with new_client(server.url) as nobody:
        answer = nobody.get("/api/v1/server", headers={"host": host})
        assert answer.json()["passkeys"] is possible
        answer = nobody.get("/.well-known/passkey-endpoints", headers={"host": host})
        assert answer.status_code == (200 if possible else 404)


def test_password_managers_find_where_passkeys_are_managed(server: Server) -> None:
    with visitor(server) as nobody:
        answer = nobody.get("/.well-known/passkey-endpoints")
    page = f"{ORIGIN}/settings"
    assert answer.json() == {"enroll": page, "manage": page, "prfUsageDetails": page}
    assert answer.headers["content-type"].startswith("application/json")


def test_the_origin_is_the_one_asked_or_a_configured_one(server: Server, new_server) -> None:
    with new_client(server.url) as nobody:
        for headers in ({"host": "post.example", "origin": "https://evil.example"}, {"host": "post.example"}):
            answer = nobody.post("/api/v1/passkeys/assertion", json={}, headers=headers)
            assert_problem(answer, 403, "passkeys-unavailable")
    fixed = new_server(RESTANTE_ORIGINS=f"{ORIGIN},https://other.example")
    with new_client(fixed.url) as nobody:
        for origin in (ORIGIN, "https://other.example"):
            # The proxy in front may ask by a name of its own.
            answer = nobody.post("/api/v1/passkeys/assertion", json={}, headers={"origin": origin})
            assert answer.json()["options"]["rpId"] == origin.partition("://")[2]
        for origin in ("https://third.example", "http://post.example", "https://post.example:8443"):
            headers = {"origin": origin, "host": origin.partition("://")[2]}
            answer = nobody.post("/api/v1/passkeys/assertion", json={}, headers=headers)
            assert_problem(answer, 403, "passkeys-unavailable")
            assert nobody.get("/api/v1/server", headers=headers).json()["passkeys"] is (
                origin == "http://post.example"  # the host is right; of its scheme the page itself knows
            )


def test_a_passphrase_account_signs_up_at_a_bare_address_as_before(server: Server) -> None:
    with new_client(server.url) as nobody:
        assert nobody.get("/api/v1/server").json()["passkeys"] is False
        assert nobody.post("/api/v1/accounts", json=sign_up_form(new_name())).status_code == 201
