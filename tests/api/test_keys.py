"""Account records with their chain; keyring and state shards that nobody overwrites unseen."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from restante.protocol.encoding import b64, unb64
from restante.protocol.limits import KEYRING_BYTES, RECORD_BYTES, SHARD_BYTES, SHARDS
from restante.signing import records, successions
from restante.signing.keys import SigningKey
from tests.api.people import (
    Person,
    assert_problem,
    encryption_key,
    make_account,
    new_client,
    new_name,
    now_ms,
    sealed,
)
from tests.serving import Server

KEYRING = "/api/v1/account/keyring"
CONTACTS = "/api/v1/account/state/contacts"
OCTETS = {"content-type": "application/octet-stream"}


def next_record(person: Person, previous: bytes, *, key: SigningKey | None = None, number: int = 2) -> bytes:
    before = records.read(previous)
    enc = [*before.fields.enc, encryption_key(number)]
    succession = None
    if key is not None and key != person.key:
        succession = successions.build(person.key, person.acct, new=key.public, now_ms=now_ms())
    return records.build(
        key or person.key, person.acct, enc[-2:], now_ms=now_ms(), previous=before, succession=succession
    )


def put_record(person: Person, record: bytes) -> httpx.Response:
    return person.client.put("/api/v1/account/record", json={"record": b64(record)})


def stored_records(person: Person) -> list[bytes]:
    with new_client(person.url) as nobody:
        items = nobody.get(f"/api/v1/accounts/{person.name}/records").json()["items"]
        newest = nobody.get(f"/api/v1/accounts/{person.name}/record").json()
    assert items[-1] == newest
    assert [item["rev"] for item in items] == list(range(1, len(items) + 1))
    return [unb64(item["record"]) for item in items]


def test_records_are_kept_with_their_whole_chain(server: Server) -> None:
    ann = make_account(server.url)
    chain = [ann.record]
    for number in (2, 3, 4):
        chain.append(next_record(ann, chain[-1], number=number))
        answer = put_record(ann, chain[-1])
        assert answer.status_code == 200, answer.text
        stored = answer.json()
        assert stored.pop("leaf") >= number - 1
        assert stored == {"acct": ann.acct, "rev": number, "record": b64(chain[-1])}
    assert stored_records(ann) == chain


def test_the_same_record_again_changes_nothing(server: Server) -> None:
    ann = make_account(server.url)
    second = next_record(ann, ann.record)
    first_answer = put_record(ann, second)
    assert put_record(ann, second).json() == first_answer.json()
    assert stored_records(ann) == [ann.record, second]


def test_a_new_signing_key_needs_the_old_ones_word(server: Server) -> None:
    ann = make_account(server.url)
    stranger = SigningKey.generate()
    before = records.read(ann.record)
    seized = records.build(stranger, ann.acct, before.fields.enc, now_ms=now_ms(), previous=before)
    assert_problem(put_record(ann, seized), 422, "invalid-record")
    assert put_record(ann, next_record(ann, ann.record, key=stranger)).status_code == 200


def record_too_far_on(person: Person) -> bytes:
    return next_record(person, next_record(person, person.record), number=3)


def record_beside(person: Person) -> bytes:
    """Right in itself, built on a first record that was never stored."""
    other_first = records.build(person.key, person.acct, [encryption_key(9)], now_ms=now_ms())
    return next_record(person, other_first)


def first_again(person: Person) -> bytes:
    return records.build(person.key, person.acct, [encryption_key(7)], now_ms=now_ms())


def record_of_another(person: Person) -> bytes:
    other = make_account(person.url)
    return next_record(other, other.record)


def flipped(person: Person) -> bytes:
    good = next_record(person, person.record)
    return good[:-1] + bytes([good[-1] ^ 1])


REFUSED: list[tuple[int, str, Callable[[Person], bytes]]] = [
    (409, "stale-record", record_too_far_on),
    (409, "stale-record", record_beside),
    (409, "stale-record", first_again),
    (422, "invalid-record", record_of_another),
    (422, "invalid-record", flipped),
    (422, "invalid-record", lambda _: b""),
    (422, "invalid-record", lambda _: b"restante/2 account\n-\n-\n{}"),
    (413, "too-large", lambda _: bytes(RECORD_BYTES + 1)),
]


@pytest.mark.parametrize(("status", "code", "make"), REFUSED)
def test_a_record_that_does_not_follow_is_refused(
    server: Server, status: int, code: str, make: Callable[[Person], bytes]
) -> None:
    ann = make_account(server.url)
    assert_problem(put_record(ann, make(ann)), status, code)
    assert stored_records(ann) == [ann.record]
    assert put_record(ann, next_record(ann, ann.record)).status_code == 200


def test_of_two_devices_that_store_a_record_at_once_one_is_told(server: Server) -> None:
    ann = make_account(server.url)
    rivals = [next_record(ann, ann.record, number=number) for number in range(2, 8)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda record: put_record(ann, record), rivals))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    won = next(record for record, answer in zip(rivals, answers, strict=True) if answer.status_code == 200)
    assert stored_records(ann) == [ann.record, won]


@pytest.mark.parametrize("what", ["record", "records"])
@pytest.mark.parametrize(
    "name",
    ["nobody-here-x", "ANN", "a", "a" * 33, "%00%00%00", "..%2f..", "%2e%2e%2f", "..%5c", "a;b", "an%20n"],
)
def test_a_name_that_nobody_has_is_not_found(server: Server, what: str, name: str) -> None:
    with new_client(server.url) as nobody:
        answer = nobody.get(f"/api/v1/accounts/{name}/{what}")
    assert answer.status_code == 404
    assert answer.json()["code"] in {"no-such-account", "not-found"}


def test_whether_a_name_is_taken_is_no_error(server: Server) -> None:
    """A sign-up asks it of every name that is typed; a browser logs each answer of 400 and more."""
    ann = make_account(server.url)
    with new_client(server.url) as nobody:
        for name, taken in ((ann.name, True), ("nobody-here-x", False)):
            answer = nobody.get(f"/api/v1/accounts/{name}")
            assert (answer.status_code, answer.json()) == (200, {"taken": taken})
        for name in ("ANN", "a", "a" * 33, "an%20n"):
            assert_problem(nobody.get(f"/api/v1/accounts/{name}"), 404, "no-such-account")


def versions(client: httpx.Client) -> dict[str, str]:
    return {item["shard"]: item["version"] for item in client.get("/api/v1/account/state").json()["items"]}


def put(client: httpx.Client, path: str, data: bytes, **conditions: str) -> httpx.Response:
    headers = OCTETS | {key.replace("_", "-"): value for key, value in conditions.items()}
    return client.put(path, content=data, headers=headers)


def fresh(person: Person, path: str) -> tuple[bytes, str]:
    """Makes sure that something is stored there: its bytes and its ETag."""
    if path != KEYRING:
        assert put(person.client, path, sealed(), if_none_match="*").status_code == 204
    answer = person.client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/octet-stream"
    return answer.content, answer.headers["etag"]


BOTH = pytest.mark.parametrize("path", [KEYRING, CONTACTS])


@BOTH
def test_what_was_seen_may_be_replaced(server: Server, path: str) -> None:
    ann = make_account(server.url)
    _, etag = fresh(ann, path)
    new = sealed(5000)
    answer = put(ann.client, path, new, if_match=etag)
    assert (answer.status_code, answer.content) == (204, b"")
    got = ann.client.get(path)
    assert (got.content, got.headers["etag"]) == (new, answer.headers["etag"])
    assert got.headers["etag"] != etag
    assert etag.startswith('"')
    assert put(ann.client, path, sealed(), if_match=f'"x", W/"y" , {got.headers["etag"]}').status_code == 204


@BOTH
def test_what_was_not_seen_is_not_overwritten(server: Server, path: str) -> None:
    ann = make_account(server.url)
    old, etag = fresh(ann, path)
    wrong = ['"other"', f"W/{etag}", f'"x","{etag.strip(chr(34))}x"', '""']
    for value in wrong:
        assert_problem(put(ann.client, path, sealed(), if_match=value), 412, "stale-version")
    assert_problem(put(ann.client, path, sealed(), if_none_match="*"), 412, "stale-version")
    assert_problem(put(ann.client, path, sealed()), 428, "precondition-required")
    for value in ("*", etag.strip('"'), "", f'{etag}, *, "', 'W/"', '"a" "b"'):
        assert_problem(put(ann.client, path, sealed(), if_match=value), 400, "bad-request")
    assert_problem(put(ann.client, path, sealed(), if_none_match=etag), 400, "bad-request")
    assert_problem(put(ann.client, path, sealed(), if_match=etag, if_none_match="*"), 400, "bad-request")
    assert ann.client.get(path).content == old
    assert put(ann.client, path, sealed(), if_match=etag).status_code == 204


@BOTH
def test_a_repeated_store_is_recognised(server: Server, path: str) -> None:
    ann = make_account(server.url)
    _, etag = fresh(ann, path)
    new = sealed()
    first = put(ann.client, path, new, if_match=etag)
    again = put(ann.client, path, new, if_match=etag)
    assert (again.status_code, again.headers["etag"]) == (204, first.headers["etag"])


@BOTH
def test_of_many_devices_that_store_at_once_one_wins_and_the_others_know(server: Server, path: str) -> None:
    ann = make_account(server.url)
    _, etag = fresh(ann, path)
    rivals = [sealed(2000) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda data: put(ann.client, path, data, if_match=etag), rivals))
    assert sorted(answer.status_code for answer in answers) == [204] + [412] * 7
    won = next(data for data, answer in zip(rivals, answers, strict=True) if answer.status_code == 204)
    assert ann.client.get(path).content == won


@pytest.mark.parametrize(("path", "limit"), [(KEYRING, KEYRING_BYTES), (CONTACTS, SHARD_BYTES)])
def test_the_largest_fits_and_one_byte_more_does_not(server: Server, path: str, limit: int) -> None:
    ann = make_account(server.url)
    _, etag = fresh(ann, path)
    large = put(ann.client, path, sealed(limit), if_match=etag)
    assert large.status_code == 204
    problem = assert_problem(
        put(ann.client, path, bytes(limit + 1), if_match=large.headers["etag"]), 413, "too-large"
    )
    assert problem["limit"] == limit

    def unannounced():
        yield from (bytes(64 * 1024) for _ in range(limit // (64 * 1024) + 1))

    headers = OCTETS | {"if-match": large.headers["etag"]}
    with new_client(server.url, ann.token) as client:
        assert_problem(client.put(path, content=unannounced(), headers=headers), 413, "too-large")
    assert ann.client.get(path).headers["etag"] == large.headers["etag"]


@BOTH
def test_only_sealed_bytes_are_stored(server: Server, path: str) -> None:
    ann = make_account(server.url)
    old, etag = fresh(ann, path)
    for data in (b"", b"{}", b"AGE-SECRET-KEY-1...", b"age-encryption.org/v1", bytes(100)):
        assert_problem(put(ann.client, path, data, if_match=etag), 422, "invalid")
    for content_type in ("text/plain", "application/json", "application/x-www-form-urlencoded"):
        headers = {"content-type": content_type, "if-match": etag}
        answer = ann.client.put(path, content=sealed(), headers=headers)
        assert_problem(answer, 415, "wrong-content-type")
    assert_problem(
        ann.client.put(path, content=sealed(), headers={"if-match": etag}), 415, "wrong-content-type"
    )
    assert ann.client.get(path).content == old


def test_a_new_shard_says_that_there_was_none(server: Server) -> None:
    ann = make_account(server.url)
    assert_problem(ann.client.get(CONTACTS), 404, "not-found")
    assert_problem(put(ann.client, CONTACTS, sealed(), if_match='"any"'), 412, "stale-version")
    answer = put(ann.client, CONTACTS, sealed(), if_none_match="*")
    assert answer.status_code == 204
    assert versions(ann.client) == {"contacts": answer.headers["etag"].strip('"')}


@pytest.mark.parametrize("name", ["a", "0", "-", "seen-2026-11", "a" * 32])
def test_shards_are_listed_by_name(server: Server, name: str) -> None:
    ann = make_account(server.url)
    for shard in (name, "groups"):
        assert (
            put(ann.client, f"/api/v1/account/state/{shard}", sealed(), if_none_match="*").status_code == 204
        )
    assert list(versions(ann.client)) == sorted([name, "groups"])


@pytest.mark.parametrize(
    "name", ["A", "a" * 33, "a_b", "a.b", "%00", "%2e%2e", "..%5c", "ä", "a%20", "a;b", "%27--", "a%0a"]
)
def test_a_malformed_shard_name_is_not_found(server: Server, name: str) -> None:
    ann = make_account(server.url)
    path = f"/api/v1/account/state/{name}"
    assert ann.client.get(path).status_code == 404
    assert put(ann.client, path, sealed(), if_none_match="*").status_code == 404
    assert versions(ann.client) == {}


def test_an_account_has_so_many_shards_and_no_more(server: Server) -> None:
    ann = make_account(server.url)
    for number in range(SHARDS):
        answer = put(ann.client, f"/api/v1/account/state/s-{number}", sealed(), if_none_match="*")
        assert answer.status_code == 204
    one_more = put(ann.client, "/api/v1/account/state/more", sealed(), if_none_match="*")
    assert assert_problem(one_more, 422, "invalid")["limit"] == SHARDS
    replaced = put(ann.client, "/api/v1/account/state/s-0", sealed(), if_match=answer_etag(ann, "s-0"))
    assert replaced.status_code == 204
    assert len(versions(ann.client)) == SHARDS


def answer_etag(person: Person, shard: str) -> str:
    return person.client.get(f"/api/v1/account/state/{shard}").headers["etag"]


def test_everyone_sees_their_own_only(server: Server) -> None:
    ann, bob = make_account(server.url), make_account(server.url)
    _, etag = fresh(ann, CONTACTS)
    assert versions(bob.client) == {}
    assert_problem(bob.client.get(CONTACTS), 404, "not-found")
    assert_problem(put(bob.client, CONTACTS, sealed(), if_match=etag), 412, "stale-version")
    assert bob.client.get(KEYRING).content == bob.keyring != ann.keyring


DEATHS = {
    "keyring-written:1": False,
    "keyring-stored:1": True,
    "shard-written:1": False,
    "shard-stored:1": True,
    "record-written:1": False,
    "record-stored:1": True,
}


def die_at(server: Server, failpoint: str, request: Callable[[], httpx.Response]) -> None:
    """Starts the server anew so that it dies in the middle of the request."""
    server.kill()
    server.start(RESTANTE_FAILPOINT=failpoint)
    with pytest.raises(httpx.TransportError):
        request()


def test_a_death_amid_a_store_leaves_the_old_or_the_new(new_server: Callable[..., Server]) -> None:
    server = new_server()
    stories: dict[str, tuple[Person, str, bytes, bytes, str]] = {}
    for failpoint in list(DEATHS)[:4]:
        person, path = make_account(server.url), KEYRING if "keyring" in failpoint else CONTACTS
        old, etag = fresh(person, path)
        stories[failpoint] = person, path, old, sealed(), etag
    for failpoint, (person, path, _, new, etag) in stories.items():
        die_at(server, failpoint, partial(put, person.client, path, new, if_match=etag))
    server.kill()
    server.start()
    for failpoint, (person, path, old, new, etag) in stories.items():
        assert person.client.get(path).content == (new if DEATHS[failpoint] else old), failpoint
        assert put(person.client, path, new, if_match=etag).status_code == 204
        assert person.client.get(path).content == new


def test_a_death_amid_a_record_leaves_the_chain_whole(new_server: Callable[..., Server]) -> None:
    server = new_server()
    stories: dict[str, tuple[Person, bytes]] = {}
    for failpoint in list(DEATHS)[4:]:
        person = make_account(server.url)
        stories[failpoint] = person, next_record(person, person.record)
    for failpoint, (person, second) in stories.items():
        die_at(server, failpoint, partial(put_record, person, second))
    server.kill()
    server.start()
    for failpoint, (person, second) in stories.items():
        assert stored_records(person) == [person.record, *([second] if DEATHS[failpoint] else [])]
        assert put_record(person, second).status_code == 200
        assert stored_records(person) == [person.record, second]


def test_a_name_nobody_has_takes_no_record(server: Server) -> None:
    stranger = new_name()
    with new_client(server.url) as nobody:
        answer = nobody.put("/api/v1/account/record", json={"record": b64(b"x")})
        assert_problem(answer, 401, "not-signed-in")
        assert_problem(nobody.get(f"/api/v1/accounts/{stranger}/records"), 404, "no-such-account")
