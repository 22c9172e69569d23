"""What an operator of several nodes may get wrong or find away: a start that must not be ends in one sentence, a way out, and a code that is not 0."""

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests import seaweed
from tests.api.parcels import send_video
from tests.api.people import Person, make_account
from tests.databases import cluster
from tests.nursery import nursery
from tests.seaweed import Seaweed
from tests.serving import Server, free_port, serving

_numbers = itertools.count()
ELSEWHERE = (
    "this installation's videos are local files of another data folder, which a node with {} would miss"
)


@pytest.fixture
def url() -> str:
    """A database that several nodes are told."""
    name = f"node_start_{next(_numbers)}"
    cluster().lay(name)
    return cluster().url(name)


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with seaweed.running(tmp_path_factory.mktemp("weed")) as found:
        yield found


def ended(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs a server that cannot serve, to its end."""
    words = ["serve", "--data", str(folder), "--port", str(free_port())]
    return nursery().run(words, env={**os.environ, **env})


def refused(folder: Path, **env: str) -> tuple[str, str]:
    """The sentence and the way out with which a server ended."""
    done = ended(folder, **env)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    error, hint = done.stderr.splitlines()[:2]
    return error.removeprefix("error: "), hint.removeprefix("hint: ")


# Videos that are local files


def another(first: Path, folder: Path) -> Path:
    """A second node's folder, with what the guide says to copy."""
    folder.mkdir(mode=0o700)
    shutil.copy(first / "log.key", folder)
    return folder


def plays(person: Person, message_id: str) -> bool:
    return person.client.get(f"/api/v1/messages/{message_id}/video").status_code == 200


@pytest.mark.files
def test_a_second_folder_of_local_videos_is_refused_and_the_first_serves_on(tmp_path: Path, url: str):
    with serving(tmp_path / "first", RESTANTE_DATABASE_URL=url) as first:
        second = another(first.data, tmp_path / "second")
        error, hint = refused(second, RESTANTE_DATABASE_URL=url)
        assert error == ELSEWHERE.format(second)
        assert hint.startswith("Several nodes need a bucket (RESTANTE_BLOB_URL)")
        assert refused(tmp_path / "empty", RESTANTE_DATABASE_URL=url)[0] == ELSEWHERE.format(
            tmp_path / "empty"
        )
        assert [path.name for path in second.iterdir()] == ["log.key"], "nothing was written there"
        assert first.answers()


@pytest.mark.files
def test_the_same_folder_starts_again_after_a_stop_a_crash_and_a_move(tmp_path: Path, url: str):
    with serving(tmp_path / "data", RESTANTE_DATABASE_URL=url) as server:
        ann, bob = make_account(server.url), make_account(server.url)
        message_id = send_video(ann, bob).id
        assert server.stop() == 0
        server.start()
        server.kill()
        server.start()
        assert plays(bob, message_id)
        server.stop()
        server.data = server.data.rename(tmp_path / "moved")
        server.start()
        assert plays(bob, message_id)


@pytest.mark.files
def test_a_folder_that_is_gone_for_good_is_given_up_as_the_guide_says(tmp_path: Path, url: str):
    with serving(tmp_path / "data", RESTANTE_DATABASE_URL=url) as server:
        server.kill()
        (server.data / "blobs.id").unlink()
        assert refused(server.data, RESTANTE_DATABASE_URL=url)[0] == ELSEWHERE.format(server.data)
        guide = Path("docs/guides/scale.md").read_text()
        statement = "DELETE FROM meta WHERE key = 'blob_folder'"
        assert statement in guide
        with psycopg.connect(url) as connection:
            connection.execute(statement)
        server.start()


def test_with_a_bucket_any_folder_serves(tmp_path: Path, url: str, weed: Seaweed):
    env = {"RESTANTE_DATABASE_URL": url, **weed.environment()}
    first = Server(tmp_path / "first", env)
    other = Server(tmp_path / "second", env)
    try:
        first.start()
        another(first.data, other.data)
        other.start()
        assert first.answers()
    finally:
        first.kill()
        other.kill()


# What is away


def away() -> int:
    """A port at which nobody answers."""
    return free_port()


@pytest.fixture
def parts(url: str, weed: Seaweed) -> dict[str, str]:
    """What a node of several is told."""
    return {"RESTANTE_DATABASE_URL": url, **weed.environment()}


def test_without_its_database_a_node_ends(tmp_path: Path, parts: dict[str, str]):
    port = away()
    lost = {"RESTANTE_DATABASE_URL": f"postgresql://restante:hunter2@127.0.0.1:{port}/post"}
    error, hint = refused(tmp_path / "data", **parts | lost)
    assert error.startswith(f"PostgreSQL at 127.0.0.1:{port}/post does not let the server in: ")
    assert "refused" in error
    assert hint.startswith("Look whether PostgreSQL runs, and at RESTANTE_DATABASE_URL")
    assert "hunter2" not in error + hint


def test_without_its_bucket_a_node_ends(tmp_path: Path, parts: dict[str, str], weed: Seaweed):
    error, hint = refused(tmp_path / "data", **parts | weed.environment(port=away()))
    assert error == "the bucket of RESTANTE_BLOB_URL cannot be used: it cannot be reached at its endpoint"
    assert hint.startswith("docs/guides/object-storage.md says what the bucket must do")


def test_without_its_bus_a_node_ends(tmp_path: Path, parts: dict[str, str]):
    port = away()
    error, hint = refused(
        tmp_path / "data", **parts, RESTANTE_BUS_URL=f"nats://restante:hunter2@127.0.0.1:{port}"
    )
    assert error == f"NATS at 127.0.0.1:{port} does not let the server in: nobody answers"
    assert hint.startswith("docs/guides/several-nodes.md says what the bus is asked for")
    assert "hunter2" not in error + hint


def test_a_node_comes_up_when_it_is_started_again_after_they_are_back(
    tmp_path: Path, parts: dict[str, str], weed: Seaweed
):
    """What systemd and Kubernetes do: nothing of the failed starts is in the way."""
    data, nowhere = tmp_path / "data", f"postgresql://restante@127.0.0.1:{away()}/post"
    for lost in (
        {"RESTANTE_DATABASE_URL": nowhere},
        {"RESTANTE_BUS_URL": f"nats://127.0.0.1:{away()}"},
        weed.environment(port=away()),
    ):
        refused(data, **parts | lost)
    server = Server(data, parts)
    try:
        server.start()
    finally:
        server.kill()
