"""Two nodes on one PostgreSQL and one bucket: what one of them knows, has or does when the other is asked next, sleeps or stops."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests import seaweed
from tests.api.listening import Listener
from tests.api.parcels import inbox, send, send_video, until
from tests.api.people import Person, make_account, new_client
from tests.api.uploading import BODY, TUS, create, noise, offset, patch, wire
from tests.nodes import Nodes, running
from tests.nursery import nursery
from tests.serving import GENEROUS, ServerDied

PIECE = 100_000


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with contextlib.ExitStack() as stack:
        if "RESTANTE_BLOB_URL" in os.environ:
            yield {}
        else:
            yield stack.enter_context(seaweed.running(tmp_path_factory.mktemp("weed"))).environment()


@pytest.fixture(scope="module")
def both(bucket: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with running(tmp_path_factory.mktemp("both") / "data", **bucket) as nodes:
        yield nodes


@pytest.fixture
def own(bucket: dict[str, str], tmp_path: Path) -> Iterator[Nodes]:
    """Two of a test's own, to be stopped."""
    with running(tmp_path / "data", **bucket) as nodes:
        yield nodes


def at(nodes: Nodes, which: int, person: Person) -> httpx.Client:
    """Asks one node only."""
    return new_client(nodes.each[which].url, person.token)


# Every request to another


def test_consecutive_requests_go_to_different_nodes(both: Nodes) -> None:
    before = len(both.balancer.asked)
    with new_client(both.url) as client:
        for _ in range(4):
            assert client.get("/livez").status_code == 200
    ports = [port for port, _ in both.balancer.asked[before:]]
    assert ports in (
        [one, two, one, two] for one, two in zip(both.balancer.nodes, both.balancer.nodes[::-1], strict=True)
    )


def test_pieces_go_to_different_nodes_and_any_of_them_tells_the_offset(both: Nodes) -> None:
    ann, data = make_account(both.url), noise(5 * PIECE)
    url = create(ann, len(data))
    with at(both, 0, ann) as one, at(both, 1, ann) as two:
        for number in range(5):
            writer, reader = (one, two) if number % 2 else (two, one)
            begin, end = number * PIECE, (number + 1) * PIECE
            heads = TUS | BODY | {"upload-offset": str(begin)}
            assert writer.patch(url, headers=heads, content=data[begin:end]).status_code == 204
            assert reader.head(url, headers=TUS).headers["upload-offset"] == str(end)
            assert writer.head(url, headers=TUS).headers["upload-offset"] == str(end)


def test_what_one_node_stores_the_other_has_at_once(both: Nodes) -> None:
    ann, bob, data = make_account(both.url), make_account(both.url), noise(300_000)
    parcel = send_video(ann, bob, data=data)
    for which in (0, 1):
        with at(both, which, bob) as client:
            assert parcel.id in {item["id"] for item in client.get("/api/v1/inbox").json()["items"]}
            part = client.get(f"/api/v1/messages/{parcel.id}/video", headers={"range": "bytes=100000-199999"})
            assert part.content == data[100_000:200_000]


def test_limits_are_counted_together(bucket: dict[str, str], tmp_path: Path) -> None:
    with running(tmp_path / "data", **bucket, RESTANTE_RATE_UPLOADS="3/1000s") as nodes:
        ann = make_account(nodes.url)
        answers = [
            ann.client.post("/api/v1/uploads", headers=TUS | {"upload-length": "1"}).status_code
            for _ in range(5)
        ]
    assert answers == [201] * 3 + [429] * 2


def test_a_session_that_one_node_ends_is_dead_on_the_other_in_five_seconds(both: Nodes) -> None:
    ann = make_account(both.url)
    other = ann.sign_in().json()
    with new_client(both.each[1].url, other["token"]) as there:
        assert there.get("/api/v1/sessions").status_code == 200, "it is remembered there now"
        with at(both, 0, ann) as here:
            assert here.delete(f"/api/v1/sessions/{other['session_id']}").status_code == 204
        until(lambda: there.get("/api/v1/sessions").status_code == 401, within_s=5)


# One of them sleeps, stops, dies


def stopped(nodes: Nodes, which: int) -> None:
    process = nodes.each[which].process
    assert process is not None
    os.killpg(process.pid, signal.SIGSTOP)


def goes_on(nodes: Nodes, which: int) -> None:
    process = nodes.each[which].process
    assert process is not None
    os.killpg(process.pid, signal.SIGCONT)


def test_a_node_that_slept_amid_a_piece_writes_nothing_afterwards(both: Nodes) -> None:
    ann, data = make_account(both.url), noise(3 * PIECE)
    url = create(ann, len(data))
    with at(both, 1, ann) as awake, wire(both.each[0].port) as sleepy:
        heads = [f"Authorization: Bearer {ann.token}", "Tus-Resumable: 1.0.0"]
        heads += ["Upload-Offset: 0", f"Content-Length: {len(data)}", f"Content-Type: {BODY['content-type']}"]
        sleepy.start("PATCH", url, *heads).send(noise(2 * PIECE))
        time.sleep(0.2)
        stopped(both, 0)
        try:
            assert awake.head(url, headers=TUS).headers["upload-offset"] == "0", "nothing was acknowledged"
            first = TUS | BODY | {"upload-offset": "0"}
            assert awake.patch(url, headers=first, content=data[:PIECE]).status_code == 204
        finally:
            goes_on(both, 0)
        sleepy.send(noise(PIECE))
        assert sleepy.answer().startswith(b"HTTP/1.1 423 ")
        assert offset(ann, url) == PIECE
        assert patch(ann, url, PIECE, data[PIECE:]).status_code == 204
    bob = make_account(both.url)
    upload = url.rpartition("/")[2]
    parcel = send(ann, bob, upload=upload)
    assert bob.client.get(f"/api/v1/messages/{parcel.id}/video").content == data


def test_a_node_that_is_told_to_stop_does_so_in_ten_seconds_and_nothing_is_lost(own: Nodes) -> None:
    people = [make_account(own.url) for _ in range(4)]
    sent: list[tuple[Person, str]] = []
    failures: list[str] = []
    over = threading.Event()

    def keep_sending(who: Person) -> None:
        while not over.is_set():
            try:
                sent.append((who, send_video(who, who, data=noise(50_000)).id))
            except (httpx.TransportError, AssertionError) as error:  # as clients do: once more, with the next
                failures.append(repr(error)[:200])

    threads = [threading.Thread(target=keep_sending, args=(each,)) for each in people]
    for thread in threads:
        thread.start()
    until(lambda: len(sent) > 8)
    began_s = time.monotonic()
    code = own.each[0].stop()
    took_s = time.monotonic() - began_s
    before = len(sent)
    until(lambda: len(sent) > before + 8)
    over.set()
    for thread in threads:
        thread.join(30)
    assert (code, took_s < 10) == (0, True)
    for who in people:
        acknowledged, kept = [id_ for sender, id_ in sent if sender is who], everything(who)
        assert len(kept) == len(set(kept)), "none twice"
        assert set(acknowledged) <= set(kept)
        assert len(kept) - len(acknowledged) <= len(failures), (
            "beyond those only what went without its answer"
        )


def everything(person: Person) -> list[str]:
    found: list[str] = []
    cursor = None
    while cursor is not None or not found:
        page = inbox(person, limit=100, envelopes="none", **({"cursor": cursor} if cursor else {}))
        found += [item["id"] for item in page["items"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    return found


@pytest.mark.long
def test_what_a_dead_node_had_in_hand_the_other_does(own: Nodes) -> None:
    """It dies while it removes a video's bytes, and the other, which slept, takes over when the claim has ended."""
    first = own.each[0]
    first.kill()
    first.begin(**own.settings(RESTANTE_FAILPOINT="blob-deleted:1"))
    first.await_ready()
    stopped(own, 1)
    try:
        own.balancer.nodes = [first.port]
        ann = make_account(own.url)
        url = create(ann, 10)
        assert ann.client.delete(url, headers=TUS).status_code == 204
        until(lambda: not first.answers())
        assert waiting(own) == ["delete-blob"]
    finally:
        goes_on(own, 1)
    until(lambda: waiting(own) == [])


def waiting(nodes: Nodes) -> list[str]:
    with psycopg.connect(nodes.settings()["RESTANTE_DATABASE_URL"]) as connection:
        return [kind for (kind,) in connection.execute("SELECT kind FROM outbox")]


# What they must have in common


def refused(nodes: Nodes, folder: Path, **env: str) -> str:
    """What a further node says that does not start."""
    everything = {**os.environ, **GENEROUS, **nodes.settings(), **env}
    ended = nursery().run(["serve", "--data", str(folder), "--port", "1"], env=everything)
    assert ended.returncode != 0
    return ended.stderr


def test_a_node_without_the_key_of_the_log_does_not_start(both: Nodes, tmp_path: Path) -> None:
    said = refused(both, tmp_path / "bare")
    assert "has no log.key, and this installation has one" in said
    assert "RESTANTE_LOG_KEY_FILE" in said
    assert not (tmp_path / "bare" / "log.key").exists()


def test_a_node_with_another_key_does_not_start(both: Nodes, tmp_path: Path) -> None:
    said = refused(both, tmp_path / "other", RESTANTE_LOG_KEY="ab" * 32)
    assert "not the one that this installation's log is signed with" in said


def test_a_node_is_given_the_key_in_its_settings(both: Nodes, tmp_path: Path) -> None:
    key = (both.data / "log.key").read_text().strip()
    said = refused(both, tmp_path / "third", RESTANTE_LOG_KEY=key, RESTANTE_SERVER_NAME="other.example")
    assert "not other.example" in said, "it came as far as that"
    (tmp_path / "key").write_text("no key")
    assert "RESTANTE_LOG_KEY is no key" in refused(
        both, tmp_path / "fourth", RESTANTE_LOG_KEY_FILE=str(tmp_path / "key")
    )


def at_the_terminal_of(nodes: Nodes, which: int, *words: str) -> str:
    everything = {**os.environ, **GENEROUS, **nodes.settings()}
    done = nursery().run(
        ["operator", "switches", *words, "--data", str(nodes.each[which].data)], env=everything
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_switched_at_one_node_counts_on_the_other(both: Nodes) -> None:
    def phase() -> str:
        with new_client(both.each[1].url) as nobody:
            seen = nobody.get("/api/v1/availability", headers={"sec-ch-ua-platform": '"Windows"'})
        return str(seen.json()["phase"])

    assert phase() == "open"
    at_the_terminal_of(both, 0, "set", "windows", "later")
    until(lambda: phase() == "later", within_s=10)
    listed = at_the_terminal_of(both, 1).splitlines()
    assert any("windows" in line and "later" in line for line in listed), "who looks there sees it, too"
    at_the_terminal_of(both, 1, "undo", "windows")
    until(lambda: phase() == "open", within_s=10)


def test_news_by_one_node_wake_a_channel_of_the_other(both: Nodes) -> None:
    ann, bob = make_account(both.url), make_account(both.url)
    both.balancer.nodes.reverse()
    with Listener(bob) as listener:
        for _ in range(2):  # by either
            begun_s = time.monotonic()
            parcel = send_video(ann, bob)
            assert listener.next(5).data["id"] == parcel.id
            assert time.monotonic() - begun_s < 3


def test_servers_that_die_at_the_start_say_so(bucket: dict[str, str], tmp_path: Path) -> None:
    """Of the harness itself."""
    with pytest.raises(ServerDied), running(tmp_path / "data", **bucket, RESTANTE_RATE_UPLOADS="none"):
        pass
