"""Nothing secret reaches the server's disk, log or memory; and the search would find it if it did."""

import base64
import random
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.anomaly import processes
from tests.anomaly.canaries import (
    SHORTEST,
    Canary,
    Hit,
    Place,
    Search,
    Wire,
    around,
    in_dump,
    in_memory,
    on_disk,
    spellings,
)
from tests.anomaly.mainjob import MainJob
from tests.anomaly.sidejobs import OwnSecrets, SideJobs
from tests.api.people import make_account, new_client
from tests.api.uploading import create, patch_head, wait_until, wire
from tests.cli.middleman import middleman
from tests.footage import talking_head
from tests.serving import ROOT, Server, serving

KINDS = {
    "call token",
    "caller",
    "caption",
    "contacts",
    "details",
    "device identity",
    "encryption identity",
    "envelope",
    "file name",
    "former state",
    "greeting bearer",
    "greeting identity",
    "greeting secret",
    "link bearer",
    "link identity",
    "link secret",
    "mail password",
    "message key",
    "note",
    "passphrase",
    "poster",
    "push key",
    "recovery code",
    "sent copy",
    "session token",
    "signing key",
    "state identity",
    "stretched passphrase",
    "unlock bearer",
    "unlock identity",
    "upload capability",
    "video",
    "view token",
    "webhook secret",
}

PLACES = 15
"""Besides the regions of memory, and each blob."""


@dataclass(frozen=True)
class Leak:
    """A replaced text of the source, what it lets out, and where that must be found."""

    file: str
    right: str
    wrong: str
    kind: str
    place: str


LEAKS = (
    Leak(
        "server/edge/guard.py",
        'actor=scope.get("actor", ""),',
        'actor=str(scope["headers"]),',
        "session token",
        "log",
    ),
    Leak(
        "server/uploads/service.py",
        "capability_sha256=digest_of(capability),",
        "capability_sha256=capability.encode(),",
        "upload capability",
        "restante.sqlite3",
    ),
    Leak(
        "client/posting.py",
        "idempotency_key=secrets.token_hex(16),",
        'idempotency_key=record.key.rpartition("-1")[2],',
        "message key",
        "restante.sqlite3",
    ),
)


def kept(server: Server) -> Iterator[Place]:
    """Everything that stays when the process ends."""
    yield from on_disk(server.data)
    yield Place("log", server.log_path.read_bytes())


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return talking_head(tmp_path_factory.mktemp("film"))


def test_nothing_secret_is_on_the_servers_disk_in_its_log_or_in_its_memory(
    film: Path, tmp_path: Path
) -> None:
    everywhere = Canary("control", secrets.token_hex(16).encode())
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    own = OwnSecrets()
    env = {"CONTROL": everywhere.value.decode(), "TMPDIR": str(temporary), **own.env}
    with (
        serving(tmp_path / "data", **env) as server,
        middleman(server.url) as man,
    ):
        wire, job = Wire(), MainJob(server, tmp_path, film, by_way_of=man.url)
        wire.listen(man)
        canaries = [*job.run(), *SideJobs(job).run(), *own.canaries(server)]
        _provoke(server)
        assert {canary.kind for canary in canaries} == KINDS
        assert server.process is not None
        pids = processes.group(server.process.pid)
        assert len(pids) >= 2, "granian and its worker"
        search = Search([*canaries, everywhere])
        said = Place("terminal", b"\n".join(job.said))
        outside = [*on_disk(temporary), *in_dump(database_of(server)), *around(server.process.pid)]
        places = [*kept(server), *wire.places(), said, *outside]
        assert search.hits(places) == []
        _assert_found_on_the_wire(canaries, places)
        assert len({place.name for place in places}) >= PLACES
        found = search.hits(in_memory(server.process.pid))
        assert {hit.kind for hit in found} == {"control"}, found
        assert all(any(f"memory of {pid}:" in hit.place for hit in found) for pid in pids), found
        _assert_found_in_each_file(server, canaries, tmp_path / "planted")
        _assert_a_request_is_found_while_it_runs(server, server.process.pid)


def database_of(server: Server) -> Path:
    return server.data / "restante.sqlite3"


def _provoke(server: Server) -> None:
    """Refusals and faults make a server talk."""
    with new_client(server.url) as nobody:
        for path in ("/api/v1/inbox", "/api/v1/accounts/%00/record", "/api/v1/messages/x", "/no/such/page"):
            assert nobody.get(path).status_code >= 400
        assert nobody.post("/api/v1/sign-in", content=b"{").status_code >= 400


def _assert_found_on_the_wire(canaries: list[Canary], places: list[Place]) -> None:
    """The control: each kind, written behind what passed, is found there."""
    one_of_each = list({canary.kind: canary for canary in canaries}.values())
    written = b"\0".join(canary.value for canary in one_of_each)
    marked = [Place(place.name, place.content + written) for place in places]
    found = {(hit.kind, hit.place) for hit in Search(one_of_each).hits(marked)}
    expected = {
        (canary.kind, place.name) for canary in one_of_each for place in places if not canary.may_be_in(place)
    }
    assert found >= expected, expected - found


def _assert_found_in_each_file(server: Server, canaries: list[Canary], copy: Path) -> None:
    """The control: one secret of each kind, planted in a copy of each place, one spelling after the other."""
    shutil.copytree(server.data, copy)
    shutil.copy(server.log_path, copy / "log")
    one_of_each = list({canary.kind: canary for canary in canaries}.values())
    chance = random.Random(1)
    paths = [path for path in copy.rglob("*") if path.is_file()]
    assert {path.name for path in paths} >= {
        "log",
        *(f"restante.sqlite3{end}" for end in ("", "-wal", "-shm")),
    }
    assert any(path.is_relative_to(copy / "blobs") for path in paths)
    planted = set()
    for path in paths:
        with path.open("ab") as file:
            for canary in one_of_each:
                _, needle = chance.choice(sorted(spellings(canary.value).items()))
                file.write(chance.randbytes(chance.randrange(16)) + needle)
        place = Place(str(path.relative_to(copy)), b"")
        planted |= {(canary.kind, place.name) for canary in one_of_each if not canary.may_be_in(place)}
    found = {(hit.kind, hit.place) for hit in Search(one_of_each).hits(on_disk(copy))}
    assert found >= planted, planted - found


def _assert_a_request_is_found_while_it_runs(server: Server, leader: int) -> None:
    """The control of the memory: what a request carries is seen in the worker, where requests are."""
    carried = Canary("carried", secrets.token_urlsafe(24).encode())
    person = make_account(server.url)
    url = create(person)
    (blob,) = (server.data / "blobs").rglob(url.rpartition("/")[2])
    head = patch_head(person, 0, 1000, f"X-Carried: {carried.value.decode()}")
    with wire(server.port) as running:
        running.start("PATCH", url, *head).send(b"x")
        wait_until(lambda: blob.stat().st_size == 1)
        heap = (place for place in in_memory(leader) if "/" not in place.name)
        assert Search([carried]).hits(heap)


@pytest.mark.parametrize("place", [b"", b"x" * 1001, bytes(4096)], ids=["empty", "odd", "page"])
def test_each_spelling_is_found_wherever_it_begins(place: bytes) -> None:
    for size in (SHORTEST, 16, 20, 32):
        canary = Canary("secret", random.Random(size).randbytes(size))
        search = Search([canary])
        assert search.hits([Place("clean", place)]) == []
        for spelling, needle in spellings(canary.value).items():
            for shift in range(8):
                for end in (b"", b"\0\0\0"):
                    hits = search.hits([Place("planted", place + bytes(shift) + needle + end)])
                    assert {hit.place for hit in hits} == {"planted"}, (spelling, shift)


def test_base64_is_found_whatever_stands_around_the_secret() -> None:
    secret = bytes(range(200, 232))
    for before in range(6):
        for after in range(6):
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                text = encode(bytes(before) + secret + bytes(after))
                assert Search([Canary("secret", secret)]).hits([Place("text", text)]), (before, after)


def test_what_the_server_is_told_may_pass_but_not_stay() -> None:
    told = Canary("token", b"t" * 32, told=True)
    places = [Place("memory", told.value, passing=True), Place("log", told.value)]
    assert Search([told]).hits(places) == [Hit("token", "log", "raw")]


def test_an_evil_build_is_reported(film: Path, tmp_path: Path) -> None:
    build = tmp_path / "build"
    shutil.copytree(ROOT / "src" / "restante", build / "restante", ignore=shutil.ignore_patterns("webapp"))
    for leak in LEAKS:
        path = build / "restante" / leak.file
        text = path.read_text()
        assert text.count(leak.right) == 1, f"sow it elsewhere: {leak}"
        path.write_text(text.replace(leak.right, leak.wrong))
    with serving(tmp_path / "data", PYTHONPATH=str(build)) as server:
        hits = Search(MainJob(server, tmp_path, film, program=build).run()).hits(kept(server))
    for leak in LEAKS:
        assert any(hit.kind == leak.kind and hit.place.startswith(leak.place) for hit in hits), leak
    assert {hit.kind for hit in hits} == {leak.kind for leak in LEAKS}
