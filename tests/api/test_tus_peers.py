"""Clients that others wrote, unmodified: tus-js-client in Node, and tuspy."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.api.people import Person, make_account
from tests.api.uploading import UPLOADS, head, noise
from tests.serving import ROOT, Server
from tests.stored import stored

SIZE = 2_500_000
PEERS = Path(__file__).parent / "peers"
JS, TUSPY = PEERS / "tus_js.mjs", PEERS / "tuspy_client.py"


@pytest.fixture(scope="module")
def person(server: Server) -> Person:
    return make_account(server.url)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.bin"
    path.write_bytes(noise(SIZE))
    return path


class Js:
    """One run of tus-js-client."""

    def __init__(self, scenario: str, person: Person, film: Path) -> None:
        command = ["node", JS, scenario, person.url + UPLOADS, person.token, film]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self._patience = threading.Timer(60, self.process.kill)
        self._patience.start()

    def next(self) -> dict:
        """What it says next."""
        assert self.process.stdout is not None
        return json.loads(
            self.process.stdout.readline() or '{"error": "it ended without a word", "done": false}'
        )

    def url(self) -> str:
        """Waits for the end and returns the upload's address."""
        while "done" not in (said := self.next()):
            pass
        self._patience.cancel()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process.wait(10)
        assert said["done"], said
        return str(said["url"])


@pytest.mark.parametrize("scenario", ["whole", "chunked", "withCreation", "override", "deferred", "resumed"])
def test_tus_js_client_uploads_every_byte(server, person, film, scenario):
    url = Js(scenario, person, film).url()
    assert stored(server, url) == film.read_bytes()
    assert head(person, url).headers["upload-length"] == str(SIZE)


def test_tus_js_client_terminates(server, person, film):
    assert head(person, Js("terminated", person, film).url()).status_code == 410


def test_tus_js_client_resumes_after_the_server_was_killed(new_server, tmp_path):
    """It knows nothing of it: its connection breaks, it asks again, and goes on from the stored offset."""
    server = new_server()
    film = tmp_path / "film.bin"
    film.write_bytes(noise(8 * SIZE))
    people = [make_account(server.url) for _ in range(2)]
    clients = [
        Js(scenario, person, film) for scenario, person in zip(("chunked", "deferred"), people, strict=True)
    ]
    assert all(client.next()["accepted"] > 0 for client in clients)
    server.kill()
    server.start()
    for client in clients:
        assert stored(server, client.url()) == film.read_bytes()
    assert '"method":"HEAD"' in server.log(), "cut in the middle, they asked for the offset"


def tuspy(scenario: str, person: Person, token: str, film: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, TUSPY, scenario, person.url + UPLOADS, token, film]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT)


@pytest.mark.parametrize("scenario", ["whole", "chunked", "resumed"])
def test_tuspy_uploads_every_byte(server, person, film, scenario):
    done = tuspy(scenario, person, person.token, film)
    assert done.returncode == 0, done.stderr
    assert stored(server, done.stdout.strip()) == film.read_bytes()


def test_tuspy_hears_a_refusal(person, film):
    done = tuspy("whole", person, "nonsense", film)
    assert done.returncode == 1
    assert "TusCommunicationError" in done.stderr
