"""The doctor says a word to the other nodes and listens for it: what is in the way is one sentence, with the way out."""

import itertools
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from restante.server.config import Settings
from restante.server.desk.examining import Facts, examine
from tests.databases import cluster
from tests.nats_server import NatsServer
from tests.nursery import nursery
from tests.serving import free_port

_numbers = itertools.count()
USERS = """authorization { users = [
  { user: ann, password: good, permissions: { publish: restante.hints.post.example, subscribe: restante.hints.post.example } }
  { user: deaf, password: good, permissions: { publish: ">", subscribe: { deny: ">" } } } ] }"""
AWAY = Facts(1, 0, {"backup_at": 0, "check_at": 0, "check_errors": 0}, [], is_current=True, operators=1)


@pytest.fixture(scope="module")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with NatsServer(tmp_path_factory.mktemp("nats"), USERS) as running:
        yield running


@pytest.fixture
def url() -> str:
    """The database of a server that has its name from its first run, and not from its settings any more."""
    name = f"doctor_{next(_numbers)}"
    cluster().lay(name)
    with psycopg.connect(cluster().url(name)) as connection:
        connection.execute("INSERT INTO meta (key, value) VALUES ('server_name', 'post.example')")
    return cluster().url(name)


def bus(folder: Path, **env: str) -> tuple[str, str, str]:
    """What the command says of the bus: state, text, cure."""
    folder.mkdir(exist_ok=True)
    began_s = time.monotonic()
    done = nursery().run(["doctor", "--data", str(folder), "--json"], env={**os.environ, **env})
    assert time.monotonic() - began_s < 30
    (found,) = [each for each in json.loads(done.stdout) if each["name"] == "bus"]
    assert found["state"] == "good" or done.returncode == 1
    return found["state"], found["text"], found["cure"]


def test_a_bus_that_passes_hints_on_is_good(tmp_path: Path, url: str, nats: NatsServer):
    place = f"127.0.0.1:{nats.port}"
    address = f"nats://ann:good@{place}"
    told = bus(tmp_path / "data", RESTANTE_DATABASE_URL=url, RESTANTE_BUS_URL=address)
    assert told == ("good", f"NATS at {place} passes hints on", "")
    by_the_database = f"PostgreSQL at 127.0.0.1:{url.rpartition(':')[2]} passes hints on"
    assert bus(tmp_path / "data", RESTANTE_DATABASE_URL=url) == ("good", by_the_database, "")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nats://ann:good@127.0.0.1:{away}", "does not let the server in: nobody answers"),
        ("nats://ann:bad@127.0.0.1:{port}", "does not let the server in: "),
        ("nats://deaf:good@127.0.0.1:{port}", "the user must be allowed to publish and subscribe"),
    ],
)
def test_what_keeps_hints_from_passing_is_said(
    tmp_path: Path, url: str, nats: NatsServer, address: str, said: str
):
    told = address.format(away=free_port(), port=nats.port)
    state, text, cure = bus(tmp_path / "data", RESTANTE_DATABASE_URL=url, RESTANTE_BUS_URL=told)
    assert state == "bad"
    assert text.startswith("NATS at 127.0.0.1:")
    assert said in text
    assert ":good" not in text
    assert cure.startswith("docs/guides/several-nodes.md")


def test_a_database_that_carries_no_hints_is_said_and_one_node_alone_needs_none(tmp_path: Path):
    def told(**settings: str) -> tuple[str, str]:
        items = examine(Settings(data=tmp_path, **settings), AWAY, server_name="post.example")  # type: ignore[arg-type] # texts, all of them
        (found,) = [each for each in items if each.name == "bus"]
        return found.state, found.text

    port = free_port()
    state, text = told(database_url=f"postgresql://restante:hunter2@127.0.0.1:{port}/post")
    assert state == "bad"
    assert text.startswith(f"PostgreSQL at 127.0.0.1:{port}/post does not let the server in: connection")
    assert "hunter2" not in text
    assert told()[0] == "good"
