"""The running server keeps its contract: schemathesis drives every operation of protocol/openapi.json against it.

One check is left out, positive_data_acceptance: what looks valid by its schema seldom is, since a record needs a signature, a
sealed body an age header, a send the hash of its own parts. What is taken is proved operation by operation elsewhere.
"""

import json
import random
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from restante.protocol.codes import CODES
from tests.api.parcels import make_upload, send, send_video
from tests.api.people import Person, assert_problem, make_account, new_client, sealed
from tests.api.uploading import create
from tests.serving import ROOT, Server

DOCUMENT = ROOT / "protocol" / "openapi.json"
REFUSED = [400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 414, 415, 416, 422, 423, 428, 429, 431]
"""Any of them is a no: which one comes first when several things are wrong is no part of the contract."""
FEW_METHODS = ["patch", "trace"]
"""Where they are not expected; each run tries these, a long one every method."""
ENDS_SESSIONS = ("revoke_session", "revoke_all_sessions", "delete_account")
SEED = 20_260_101
WITHIN_S = 300
"""A run takes some 20 s, on two nodes 40, on a machine that has other work several times as long."""

pytestmark = pytest.mark.timeout(WITHIN_S + 10)


@dataclass
class World:
    """An account with messages, uploads and shards, so that what is asked for is often there."""

    server: Server
    folder: Path
    person: Person
    known: dict[str, list[str]] = field(default_factory=dict)
    unexpected: list[str] | None = None
    """Methods to try where they are not expected; None for all."""

    def config(self) -> Path:
        """What schemathesis is told beside its options."""
        lines = [
            f"hooks = {json.dumps(str(Path(__file__).with_name('contract_hooks.py')))}",
            "request-timeout = 10",
            f"checks.negative_data_rejection.expected-statuses = {REFUSED}",
            f"checks.missing_required_header.expected-statuses = {REFUSED}",
            *([] if self.unexpected is None else [f"phases.coverage.unexpected-methods = {self.unexpected}"]),
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

    def drive(
        self,
        *options: str,
        token: str,
        seed: int = SEED,
        phases: str = "coverage,fuzzing,stateful",
        examples: int = 3,
        document: Path = DOCUMENT,
    ) -> subprocess.CompletedProcess[str]:
        """Runs schemathesis to its end."""
        command = [str(Path(sys.executable).with_name("st")), "--config-file", str(self.config())]
        command += ["run", str(document), "--url", self.server.url, "--no-color", "--warnings", "off"]
        command += ["--checks", "all", "--exclude-checks", "positive_data_acceptance", "--no-shrink"]
        command += ["--phases", phases, "--max-examples", str(examples), "--seed", str(seed), *options]
        command += ["--header", f"Authorization: Bearer {token}"]
        print(f"seed {seed}")
        return subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=WITHIN_S, check=False
        )


def assert_nothing_found(ended: subprocess.CompletedProcess[str]) -> None:
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
        "way_id": ["passphrase", "recovery"],
    }
    return World(server, tmp_path, ann, known)


def leave_out(names: Iterable[str]) -> list[str]:
    return [word for name in names for word in ("--exclude-operation-id", name)]


def only(names: Iterable[str]) -> list[str]:
    return [word for name in names for word in ("--include-operation-id", name)]


@pytest.mark.parametrize(
    "methods", [FEW_METHODS, pytest.param(None, marks=pytest.mark.long)], ids=["few", "all"]
)
def test_the_server_keeps_the_contract(world: World, methods: list[str] | None):
    """What follows from the document alone; what is left to chance is the next test's."""
    world.unexpected = methods
    options = leave_out(ENDS_SESSIONS)
    assert_nothing_found(world.drive(*options, token=world.person.token, phases="examples,coverage"))
    assert world.person.sign_in().status_code == 201
    assert world.server.answers()


@pytest.mark.long
def test_the_server_keeps_the_contract_by_chance_too(world: World):
    seed = random.SystemRandom().randrange(2**32)
    options = leave_out(ENDS_SESSIONS)
    assert_nothing_found(
        world.drive(*options, token=world.person.token, seed=seed, phases="fuzzing,stateful")
    )


def test_signing_out_keeps_the_contract(world: World):
    assert_nothing_found(world.drive(*only(ENDS_SESSIONS), token=world.person.token))


def test_the_server_keeps_the_contract_with_those_who_signed_out(world: World):
    assert world.person.client.delete("/api/v1/sessions/current").status_code == 204
    assert_nothing_found(world.drive(token=world.person.token, phases="fuzzing", examples=1))


def contract() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(DOCUMENT.read_text())
    return document


def test_a_broken_promise_is_found(world: World):
    """The control: a document that tells untruths is told apart from one that does not."""
    document = contract()
    schemas = document["components"]["schemas"]
    schemas["Session"]["properties"]["created_at"] = {"type": "string"}  # what an answer holds
    del document["paths"]["/api/v1/accounts/{name}/record"]["get"]["responses"][
        "404"
    ]  # which answers there are
    document["paths"]["/api/v1/server"]["get"]["security"] = [{"token": []}]  # who may ask
    del document["paths"]["/api/v1/account/keyring"]["get"]  # which methods there are
    path = world.folder / "untrue.json"
    path.write_text(json.dumps(document))
    untrue = ["list_sessions", "get_record", "server_info", "put_keyring"]
    ended = world.drive(*only(untrue), token=world.person.token, document=path)
    assert ended.returncode == 1
    for found in (
        "ST108 Response violates schema",
        "ST103 Undocumented status code",
        "ST401 API accepts requests without authentication",
        "ST205 Allow header mismatch",
    ):
        assert found in ended.stdout, ended.stdout[-5000:]


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, item in contract()["paths"].items()
        for method, operation in item.items()
    ]


def test_each_operation_has_a_name_of_its_own_and_says_what_it_does():
    found = [operation for _, _, operation in operations()]
    assert len({operation["operationId"] for operation in found}) == len(found)
    assert [operation["operationId"] for operation in found if not operation.get("description")] == []
    assert [operation["operationId"] for operation in found if not operation["tags"]] == []


def test_the_document_and_the_reference_tell_of_the_same_operations():
    reference = set()
    for row in re.findall(r"^\| (`.*?`) \|", (ROOT / "docs/reference/http.md").read_text(), re.MULTILINE):
        path = re.search(r"(/[^`?]*)", row)
        assert path, row
        generic = re.sub(r"{[a-z_]+}", "{}", path[1])
        reference |= {(method, generic) for method in re.findall(r"\b[A-Z]{3,}\b(?=`| /)", row)}
    document = {(method.upper(), re.sub(r"{[a-z_]+}", "{}", path)) for method, path, _ in operations()}
    beside = {("GET", "/"), ("GET", "/metrics")}  # a page for people, and one for another program
    desk = [f"/api/v1/operator/{room}/{{}}/video" for room in ("reports", "uploads")]
    beside |= {(method, path) for method in ("GET", "HEAD") for path in desk}  # as the other videos
    assert reference - document == beside
    assert document - reference == set()


def test_the_server_hands_out_the_document_that_is_committed(server: Server):
    with new_client(server.url) as nobody:
        assert nobody.get("/api/v1/openapi/openapi.json").json() == contract()


def test_only_the_document_is_there_and_no_page_of_the_framework(server: Server):
    with new_client(server.url) as nobody:
        for name in ("swagger", "redoc", "elements", "rapidoc", "openapi.yaml", "nothing"):
            assert_problem(nobody.get(f"/api/v1/openapi/{name}"), 404, "not-found")


def test_whoever_must_be_signed_in_is_told_so(world: World):
    asked = [operation for _, _, operation in operations() if operation["security"]]
    assert len(asked) > 20
    for operation in asked:
        assert [scheme for scheme in operation["security"] if scheme] == [{"token": []}, {"session": []}]
        assert "401" in operation["responses"]


def test_options_tell_every_method_of_a_path_that_several_handlers_share(server: Server):
    expected = {
        "/api/v1/sessions": "DELETE, GET, OPTIONS",
        "/api/v1/account/keyring": "GET, OPTIONS, PUT",
        "/api/v1/account/state/contacts": "GET, OPTIONS, PUT",
        "/api/v1/messages/msg_x": "DELETE, GET, OPTIONS",
        "/api/v1/sign-in": "OPTIONS, POST",
    }
    with new_client(server.url) as nobody:
        for path, methods in expected.items():
            answer = nobody.options(path)
            assert answer.status_code == 204
            assert answer.headers["allow"] == methods
            assert answer.content == b""


@pytest.mark.parametrize("query", ["inbox?since=null", "sent?since=null", "messages/msg_x?box=null"])
def test_the_word_null_is_no_value(world: World, query: str):
    assert_problem(world.person.client.get(f"/api/v1/{query}"), 422, "invalid")
