"""The running server keeps its contract: schemathesis drives every operation of protocol/openapi.json against it.

One check is left out, positive_data_acceptance: what looks valid by its schema seldom is, since a record needs a signature, a
sealed body an age header, a send the hash of its own parts. What is taken is proved operation by operation elsewhere.
"""

import json
import random
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from restante.protocol.codes import CODES
from tests.api.parcels import make_upload, send, send_video
from tests.api.people import Person, make_account, sealed
from tests.api.uploading import create
from tests.serving import ROOT, Server

DOCUMENT = ROOT / "protocol" / "openapi.json"
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
REFUSED = [400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 414, 415, 416, 422, 423, 428, 429, 431]
"""Any of them is a no: which one comes first when several things are wrong is no part of the contract."""
ENDS_SESSIONS = ("revoke_session", "revoke_all_sessions")
SEED = 20_260_101


@dataclass
class World:
    """An account with messages, uploads and shards, so that what is asked for is often there."""

    server: Server
    folder: Path
    person: Person
    known: dict[str, list[str]] = field(default_factory=dict)

    def config(self) -> Path:
        """What schemathesis is told beside its options."""
        lines = [
            f"hooks = {json.dumps(str(Path(__file__).with_name('contract_hooks.py')))}",
            "request-timeout = 10",
            f"checks.negative_data_rejection.expected-statuses = {REFUSED}",
            f"checks.missing_required_header.expected-statuses = {REFUSED}",
            *(f"dictionaries.{name}.values = {json.dumps(values)}" for name, values in self.known.items()),
            *(
                f'parameters."path.{name}" = {{dictionary = "{name}", probability = 0.6}}'
                for name in self.known
            ),
            "[[operations]]",
            'include-operation-id = "live_channel"',
            "request-timeout = 0.2",  # without end: what comes at once is looked at
            "max-stream-events = 1",
        ]
        path = self.folder / "schemathesis.toml"
        path.write_text("\n".join(lines))
        return path

    def drive(self, *options: str, token: str, seed: int, phases: str, examples: int) -> None:
        """Runs schemathesis to its end; it finds nothing."""
        command = [str(Path(sys.executable).with_name("st")), "--config-file", str(self.config())]
        command += ["run", str(DOCUMENT), "--url", self.server.url, "--no-color", "--warnings", "off"]
        command += ["--checks", "all", "--exclude-checks", "positive_data_acceptance", "--no-shrink"]
        command += ["--phases", phases, "--max-examples", str(examples), "--seed", str(seed), *options]
        command += ["--header", f"Authorization: Bearer {token}"] if token else []
        print(" ".join(command))
        ended = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=110, check=False
        )
        assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr[-2000:]
        assert "No issues found" in ended.stdout, ended.stdout[-20_000:]


@pytest.fixture
def world(server: Server, tmp_path: Path) -> World:
    ann, bob = make_account(server.url), make_account(server.url)
    parcels = [send(ann, bob) for _ in range(4)] + [send_video(bob, ann) for _ in range(4)]
    for shard in ("contacts", "settings"):
        answer = ann.client.put(
            f"/api/v1/account/state/{shard}",
            content=sealed(),
            headers={"if-none-match": "*", "content-type": "application/octet-stream"},
        )
        assert answer.status_code == 204
    uploads = [create(ann, 100_000).rpartition("/")[2] for _ in range(3)]
    known = {
        "message_id": [parcel.id for parcel in parcels],
        "upload_id": [*uploads, *(make_upload(ann, b"x" * 100) for _ in range(3))],
        "name": [ann.name, bob.name],
        "shard": ["contacts", "settings"],
        "code": list(CODES),
    }
    return World(server, tmp_path, ann, known)


def leave_out(names: Iterable[str]) -> list[str]:
    return [word for name in names for word in ("--exclude-operation-id", name)]


def only(names: Iterable[str]) -> list[str]:
    return [word for name in names for word in ("--include-operation-id", name)]


def test_the_server_keeps_the_contract(world: World):
    phases = "examples,coverage,fuzzing,stateful"
    world.drive(*leave_out(ENDS_SESSIONS), token=world.person.token, seed=SEED, phases=phases, examples=5)
    assert world.person.sign_in().status_code == 201
    assert world.server.answers()


def test_the_server_keeps_the_contract_by_chance_too(world: World):
    seed = random.SystemRandom().randrange(2**32)
    world.drive(
        *leave_out(ENDS_SESSIONS), token=world.person.token, seed=seed, phases="fuzzing,stateful", examples=5
    )


def test_signing_out_keeps_the_contract(world: World):
    phases = "coverage,fuzzing,stateful"
    world.drive(*only(ENDS_SESSIONS), token=world.person.token, seed=SEED, phases=phases, examples=5)


@pytest.mark.parametrize("who", ["nobody", "somebody who signed out"])
def test_the_server_keeps_the_contract_with_strangers(world: World, who: str):
    token = ""
    if who != "nobody":
        token = world.person.token
        assert world.person.client.delete("/api/v1/sessions/current").status_code == 204
    world.drive(token=token, seed=SEED, phases="fuzzing", examples=3)
