"""Sessions: where one is signed in, and that signing out is final at once."""

import dataclasses
import hashlib
import time
from collections.abc import Callable
from http.cookies import SimpleCookie

import httpx
import pytest

from restante.protocol.encoding import b64
from restante.protocol.ids import Prefix, new_id
from tests.api.listening import Listener
from tests.api.people import Person, assert_problem, has_ended, make_account, new_client
from tests.serving import Server


def signed_in(person: Person) -> tuple[httpx.Client, str]:
    """Another device of the person's: its client and its session id."""
    body = person.sign_in().json()
    return new_client(person.url, body["token"]), body["session_id"]


def ids(client: httpx.Client) -> list[str]:
    return [item["id"] for item in client.get("/api/v1/sessions").json()["items"]]


def test_the_list_tells_which_session_asks(server: Server) -> None:
    ann = make_account(server.url)
    other, other_id = signed_in(ann)
    with other:
        items = other.get("/api/v1/sessions").json()["items"]
    assert {item["id"]: item["current"] for item in items} == {ann.session_id: False, other_id: True}
    for item in items:
        assert item["client"] == "cli"
        assert item["created_at"] == item["last_seen_at"]
        assert (item["label"], item["device"]) == ("", None)
        assert set(item) == {"id", "client", "created_at", "last_seen_at", "current", "label", "device"}


def test_a_revoked_session_is_dead_at_once_and_the_others_live(server: Server) -> None:
    ann = make_account(server.url)
    other, other_id = signed_in(ann)
    with other:
        assert other_id in ids(other), "it is in the cache now"
        answer = ann.client.delete(f"/api/v1/sessions/{other_id}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert "clear-site-data" not in answer.headers
        has_ended(server, other)
        assert_problem(other.get("/api/v1/sessions"), 401, "device-removed")
    assert ids(ann.client) == [ann.session_id]
    assert_problem(ann.client.delete(f"/api/v1/sessions/{other_id}"), 404, "not-found")


@pytest.mark.parametrize("by_id", [True, False])
def test_sign_out_ends_the_session_that_asks(server: Server, by_id: bool) -> None:
    ann = make_account(server.url)
    other, _ = signed_in(ann)
    answer = ann.client.delete(f"/api/v1/sessions/{ann.session_id if by_id else 'current'}")
    assert answer.status_code == 204
    assert answer.headers["clear-site-data"] == '"cache"'
    has_ended(server, ann.client)
    assert_problem(ann.client.get("/api/v1/sessions"), 401, "not-signed-in")
    assert_problem(ann.client.delete("/api/v1/sessions/current"), 401, "not-signed-in")
    with other:
        assert len(ids(other)) == 1


def test_sign_out_everywhere_ends_all_sessions_of_this_account_only(server: Server) -> None:
    ann, bob = make_account(server.url), make_account(server.url)
    others = [signed_in(ann)[0] for _ in range(3)]
    assert all(len(ids(other)) == 4 for other in others)
    assert ann.client.delete("/api/v1/sessions").status_code == 204
    has_ended(server, ann.client)
    assert_problem(ann.client.get("/api/v1/sessions"), 401, "not-signed-in")
    for client in others:
        has_ended(server, client)
        assert_problem(client.get("/api/v1/sessions"), 401, "device-removed")
        client.close()
    assert ids(bob.client) == [bob.session_id]
    assert ann.sign_in().status_code == 201


def test_all_others_can_be_ended_at_once(server: Server) -> None:
    ann, bob = make_account(server.url), make_account(server.url)
    others = [signed_in(ann)[0] for _ in range(2)]
    assert all(len(ids(other)) == 3 for other in others)
    assert ann.client.delete("/api/v1/sessions/others").status_code == 204
    for client in others:
        has_ended(server, client)
        assert_problem(client.get("/api/v1/sessions"), 401, "device-removed")
        assert_problem(client.delete("/api/v1/sessions/others"), 401, "device-removed")
        client.close()
    assert ids(ann.client) == [ann.session_id]
    assert ids(bob.client) == [bob.session_id]


def test_a_session_says_what_it_is_called_and_which_device_it_is(server: Server) -> None:
    ann, did = make_account(server.url), new_id(Prefix.DEVICE)
    other, other_id = signed_in(ann)
    with other:
        news = {"label": "Firefox, Linux", "device": did}
        assert other.put("/api/v1/sessions/current", json=news).status_code == 204
        assert_problem(other.put(f"/api/v1/sessions/{ann.session_id}", json=news), 404, "not-found")
        for bad in (
            {"label": "x" * 65},
            {"label": "a\nb"},
            {"label": "\u202e"},
            {"label": "x", "device": "x"},
            {},
        ):
            assert_problem(other.put("/api/v1/sessions/current", json=bad), 422, "invalid")
    items = {item["id"]: item for item in ann.client.get("/api/v1/sessions").json()["items"]}
    assert (items[other_id]["label"], items[other_id]["device"]) == ("Firefox, Linux", did)
    assert (items[ann.session_id]["label"], items[ann.session_id]["device"]) == ("", None)


def test_a_removed_devices_live_channel_ends_and_its_requests_are_refused_within_five_seconds(
    server: Server,
) -> None:
    ann = make_account(server.url)
    body = ann.sign_in().json()
    token, session_id = body["token"], body["session_id"]
    lost = dataclasses.replace(ann, token=token)
    with Listener(lost) as removed, Listener(ann) as kept:
        assert not removed.ended.is_set()
        at_s = time.monotonic()
        assert ann.client.delete(f"/api/v1/sessions/{session_id}").status_code == 204
        with new_client(server.url, token) as other:
            assert_problem(other.get("/api/v1/inbox"), 401, "device-removed")
        assert removed.ended.wait(5)
        assert time.monotonic() - at_s < 5
        assert not kept.ended.is_set(), "nobody else is cut off"


def test_another_accounts_session_looks_like_none(server: Server) -> None:
    ann, bob = make_account(server.url), make_account(server.url)
    foreign = ann.client.delete(f"/api/v1/sessions/{bob.session_id}")
    absent = ann.client.delete("/api/v1/sessions/ses_aaaaaaaaaaaaaaaaaaaaaaaaaa")
    garbage = ann.client.delete("/api/v1/sessions/%27%20or%201=1")
    for answer in (foreign, absent, garbage):
        assert_problem(answer, 404, "not-found")
    assert ids(bob.client) == [bob.session_id]


def test_a_session_outlives_the_server(new_server: Callable[..., Server]) -> None:
    server = new_server()
    ann = make_account(server.url)
    server.kill()
    server.start()
    assert ids(ann.client) == [ann.session_id]


def test_a_revocation_outlives_the_server(new_server: Callable[..., Server]) -> None:
    server = new_server(RESTANTE_FAILPOINT="session-revoked:1")
    ann = make_account(server.url)
    with pytest.raises(httpx.TransportError):
        ann.client.delete("/api/v1/sessions/current")
    server.kill()
    server.start(RESTANTE_FAILPOINT="")
    assert_problem(ann.client.get("/api/v1/sessions"), 401, "not-signed-in")


def test_what_a_session_calls_itself_outlives_the_server(new_server: Callable[..., Server]) -> None:
    server = new_server(RESTANTE_FAILPOINT="session-introduced:1")
    ann = make_account(server.url)
    with pytest.raises(httpx.TransportError):
        ann.client.put("/api/v1/sessions/current", json={"label": "Firefox, Linux"})
    server.kill()
    server.start(RESTANTE_FAILPOINT="")
    (only,) = ann.client.get("/api/v1/sessions").json()["items"]
    assert only["label"] == "Firefox, Linux"


GUARDED = [
    ("GET", "/api/v1/sessions"),
    ("DELETE", "/api/v1/sessions"),
    ("DELETE", "/api/v1/sessions/current"),
    ("GET", "/api/v1/account/keyring"),
    ("PUT", "/api/v1/account/keyring"),
    ("GET", "/api/v1/account/state"),
    ("GET", "/api/v1/account/state/contacts"),
    ("PUT", "/api/v1/account/state/contacts"),
]


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_nobody_gets_in_without_a_session(server: Server, method: str, path: str) -> None:
    ann = make_account(server.url)
    others = b64(hashlib.sha256(ann.token.encode()).digest())
    headers = [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": f"Basic {ann.token}"},
        {"authorization": ann.token},
        {"authorization": f"Bearer {ann.token}="},
        {"authorization": f"Bearer {ann.token[:-1]}"},
        {"authorization": f"Bearer {ann.token}x"},
        {"authorization": f"Bearer {others}"},
        {"authorization": f"Bearer {ann.session_id}"},
        {"authorization": "Bearer \xff\xfe"},
        {"authorization": "Bearer ' or 1=1 --"},
        {"cookie": "__Host-session="},
        {"cookie": f"session={ann.token}"},
        {"cookie": f"__Host-session={others}"},
        {"cookie": '__Host-session="'},
        {"cookie": ";;;=;"},
    ]
    with new_client(server.url) as nobody:
        for header in headers:
            encoded = {key: value.encode("latin-1") for key, value in header.items()}
            same_origin = {"sec-fetch-site": "same-origin"} if "cookie" in header else {}
            answer = nobody.request(method, path, headers=encoded | same_origin)
            assert_problem(answer, 401, "not-signed-in")
            assert answer.headers["www-authenticate"] == "Bearer"
    assert ids(ann.client) == [ann.session_id]


def web(person: Person) -> tuple[str, httpx.Response]:
    """Signs in as a browser: the cookie's value and the answer."""
    answer = person.sign_in(client="web")
    cookie = SimpleCookie(answer.headers["set-cookie"])["__Host-session"]
    return cookie.value, answer


def test_the_webs_token_is_in_its_cookie_alone(server: Server) -> None:
    ann = make_account(server.url)
    token, answer = web(ann)
    assert answer.json()["token"] == ""
    assert token not in answer.text
    (header,) = answer.headers.get_list("set-cookie")
    cookie = SimpleCookie(header)["__Host-session"]
    assert cookie["secure"] is True
    assert cookie["httponly"] is True
    assert cookie["samesite"].lower() == "lax"
    assert cookie["path"] == "/"
    assert cookie["domain"] == ""
    assert int(cookie["max-age"]) >= 90 * 24 * 3600
    with new_client(server.url) as browser:
        listed = browser.get("/api/v1/sessions", headers={"cookie": f"__Host-session={token}"}).json()
    assert {item["client"]: item["current"] for item in listed["items"]} == {"web": True, "cli": False}


@pytest.mark.parametrize(
    "neighbour", ['a={"x":"y"}', "a=b c", "a@b=1", "x", "", "=", "__Host-sessions=1", "é=ü"]
)
def test_a_neighbours_cookie_does_not_sign_out(server: Server, neighbour: str) -> None:
    ann = make_account(server.url)
    token, _ = web(ann)
    with new_client(server.url) as browser:
        for cookie in (f"{neighbour}; __Host-session={token}", f"__Host-session={token};{neighbour}"):
            assert browser.get("/api/v1/sessions", headers={"cookie": cookie.encode()}).status_code == 200


def test_sign_out_takes_the_cookie_away(server: Server) -> None:
    ann = make_account(server.url)
    token, _ = web(ann)
    headers = {"cookie": f"__Host-session={token}", "sec-fetch-site": "same-origin"}
    with new_client(server.url) as browser:
        answer = browser.delete("/api/v1/sessions/current", headers=headers)
        assert answer.status_code == 204
        cookie = SimpleCookie(answer.headers["set-cookie"])["__Host-session"]
        assert (cookie.value, cookie["max-age"], cookie["path"], cookie["secure"]) == ("", "0", "/", True)
        assert_problem(browser.get("/api/v1/sessions", headers=headers), 401, "not-signed-in")


FOREIGN = [
    {},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"sec-fetch-site": "cross-site", "origin": "SELF"},
    {"origin": "null"},
    {"origin": "https://evil.example"},
    {"origin": "http://127.0.0.1.evil.example"},
    {"origin": "http://127.0.0.1"},
    {"origin": "SELF.evil.example"},
    {"origin": ""},
]
OWN = [
    {"sec-fetch-site": "same-origin"},
    {"origin": "SELF"},
    {"sec-fetch-site": "same-origin", "origin": "SELF"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_another_site_cannot_act_with_our_cookie(server: Server, headers: dict[str, str]) -> None:
    ann = make_account(server.url)
    token, _ = web(ann)
    sent = {key: value.replace("SELF", server.url) for key, value in headers.items()}
    with new_client(server.url) as browser:
        answer = browser.delete("/api/v1/sessions", headers={"cookie": f"__Host-session={token}", **sent})
    assert_problem(answer, 403, "forbidden-origin")
    assert len(ids(ann.client)) == 2


@pytest.mark.parametrize("headers", OWN)
def test_our_own_pages_can(server: Server, headers: dict[str, str]) -> None:
    ann = make_account(server.url)
    token, _ = web(ann)
    sent = {key: value.replace("SELF", server.url) for key, value in headers.items()}
    with new_client(server.url) as browser:
        answer = browser.delete("/api/v1/sessions", headers={"cookie": f"__Host-session={token}", **sent})
    assert answer.status_code == 204
    assert_problem(ann.client.get("/api/v1/sessions"), 401, "device-removed")
