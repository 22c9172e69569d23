"""Who may touch an upload: its account, and whoever bears its capability. To all others it does not exist."""

import pytest

from restante.protocol.ids import Prefix, new_id
from tests.api.people import assert_problem, has_ended, make_account, new_client
from tests.api.uploading import BODY, TUS, UPLOADS, create, delete, finished, head, noise, offset, patch, post
from tests.serving import Server
from tests.stored import stored


@pytest.fixture
def person(server: Server):
    return make_account(server.url)


def every_verb(client, url: str) -> list:
    wanted = TUS | BODY | {"upload-offset": "0"}
    return [
        client.patch(url, headers=wanted, content=b"x"),
        client.delete(url, headers=TUS),
        client.post(url, headers=wanted | {"x-http-method-override": "PATCH"}, content=b"x"),
        client.head(url, headers=TUS),
    ]


def test_capability_gives_the_right_to_its_upload_and_no_other(server, person):
    answer = post(person, 10)
    other = create(person, 10)
    with new_client(server.url, answer.headers["upload-capability"]) as bearer:
        url = answer.headers["location"]
        wanted = TUS | BODY | {"upload-offset": "0"}
        assert bearer.patch(url, headers=wanted, content=b"12345").status_code == 204
        assert bearer.head(url, headers=TUS).headers["upload-offset"] == "5"
        for refused in every_verb(bearer, other):
            assert refused.status_code == 401
            assert refused.headers["tus-resumable"] == "1.0.0"
    assert offset(person, other) == 0


def test_capability_outlives_a_restart_and_the_session(new_server):
    server = new_server()
    person = make_account(server.url)
    answer = post(person, 10)
    assert person.client.delete("/api/v1/sessions/current").status_code == 204
    server.kill()
    server.start()
    with new_client(server.url, answer.headers["upload-capability"]) as bearer:
        assert bearer.head(answer.headers["location"], headers=TUS).status_code == 200


def test_foreign_unknown_and_odd_uploads_look_alike(server, person):
    """Same status, same body but for the request's own id."""
    stranger = make_account(server.url)
    theirs = [create(stranger, 10), finished(stranger, noise(10))]
    gone = create(stranger, 10)
    delete(stranger, gone)
    unknown = f"{UPLOADS}/{new_id(Prefix.UPLOAD)}"
    seen = set()
    for url in (*theirs, gone, unknown):
        for answer in every_verb(person.client, url):
            assert answer.status_code == 404
            if answer.content:
                problem = assert_problem(answer, 404, "not-found")
                del problem["instance"]
                seen.add(str(problem))
    assert len(seen) == 1
    assert offset(stranger, theirs[0]) == 0


@pytest.mark.parametrize(
    "tail",
    [
        "../",
        "..",
        "%2e%2e%2f",
        "%2e%2e/accounts",
        "..%5c",
        "%00",
        ";",
        "a" * 300,
        "upl_",
        "upl_" + "a" * 300,
        "upl_" + "A" * 26,
        "%ff%fe",
        "%f0%9f%92%a9",
        "x/y",
        " ",
        "'%20OR%201=1--",
    ],
)
def test_ids_that_are_not_ours_are_not_found(server, person, tail):
    for method in ("HEAD", "PATCH", "DELETE"):
        with_body = method == "PATCH"
        request = person.client.build_request(
            method,
            server.url,
            headers=TUS | (BODY | {"upload-offset": "0"} if with_body else {}),
            content=b"x" if with_body else None,
        )
        request.url = request.url.copy_with(raw_path=f"{UPLOADS}/{tail}".encode().replace(b" ", b"%20"))
        assert person.client.send(request).status_code == 404


def test_any_session_of_the_account_may_continue(server, person):
    url = create(person, 10)
    token = person.sign_in().json()["token"]
    with new_client(server.url, token) as second:
        wanted = TUS | BODY | {"upload-offset": "0"}
        assert second.patch(url, headers=wanted, content=b"123").status_code == 204


def test_a_session_that_ended_stops_and_the_offset_stays(server, person):
    """Signing in again resumes at the same address."""
    url = create(person, 10)
    assert patch(person, url, 0, b"123").status_code == 204
    again = person.sign_in().json()["token"]
    assert person.client.delete("/api/v1/sessions/current").status_code == 204
    has_ended(server, person.client)
    assert_problem(patch(person, url, 3, b"456"), 401, "not-signed-in")
    with new_client(server.url, again) as back:
        assert back.head(url, headers=TUS).headers["upload-offset"] == "3"


@pytest.mark.parametrize("authorization", [None, "Basic YTpi", "Bearer", "Bearer x", "bearer \xe9"])
def test_without_a_right_token_the_answer_is_401_for_what_exists_and_what_does_not(
    server, person, authorization
):
    headers = TUS if authorization is None else TUS | {"authorization": authorization.encode("latin-1")}
    with new_client(server.url) as nobody:
        for url in (create(person), f"{UPLOADS}/{new_id(Prefix.UPLOAD)}"):
            for answer in (nobody.delete(url, headers=headers), nobody.head(url, headers=headers)):
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"].startswith("Bearer")


def test_nothing_of_the_metadata_is_stored_or_logged(new_server):
    """Names of files are the senders' secret. The same search finds bytes that were uploaded: it can find."""
    server = new_server()
    person = make_account(server.url)
    secret, planted = "Y2FuYXJ5LWluLW1ldGFkYXRh", b"canary-in-the-bytes"
    answer = post(person, 100, upload_metadata=f"canary-key {secret}")
    url = answer.headers["location"]
    patch(person, url, 0, planted)
    post(person, 100, upload_metadata=f"canary-key {secret},canary-key {secret}")
    head(person, url)
    kept = server.stored() + stored(server, url) + server.log().encode()
    assert planted in kept
    for needle in (b"canary-key", secret.encode(), b"canary-in-metadata"):
        assert needle not in kept
