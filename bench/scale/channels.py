"""What a server weighs with nobody there, and with thousands of open live channels, each of another person, on which nothing happens."""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.harness.http import Connection
from bench.harness.processes import Running
from bench.peers.servers import data_folder
from bench.scale.fill import fill, signed_in
from tests.api.parcels import make_parcel, new_key
from tests.api.people import Person, make_account, now_ms, sealed
from tests.serving import Server

SETTLE_S = 8.0
WATCH_S = 30.0
PAGES = 300
WEIGHED = 2_000
DETAILS, ENVELOPE = 20_000, 6_000
REAL_PROGRAM = {"PYTHONUNBUFFERED": "1"}
"""A variable of the interpreter's has the tests' launcher start the program itself, not a copy of a process that has more loaded."""


@dataclass(frozen=True, slots=True)
class Weight:
    idle_mib: float
    idle_sum_mib: float
    """With pages that the processes share counted for each of them."""
    channels: int
    full_mib: float
    rest_cores: float
    """Processor with all channels open and nothing to tell."""
    page_ms: float
    """CPU of a page of the inbox with 50 envelopes."""
    message_bytes: float

    @property
    def channel_kib(self) -> float:
        return (self.full_mib - self.idle_mib) * 1024 / self.channels


def weigh(channels: int) -> Weight:
    """Starts a server of its own for it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(data_folder("scale-channels")))
        server = Server(folder / "data", {**REAL_PROGRAM, "RESTANTE_CONNECTIONS": str(channels + 2000)})
        stack.callback(server.kill)
        server.start()
        assert server.process is not None
        running = Running(server.port, server.process.pid)
        time.sleep(SETTLE_S)
        idle, idle_sum = _memory_mib(running), _resident_mib(running)
        page_s = _page_s(running, make_account(server.url))
        for token in signed_in(server.data / "restante.sqlite3", channels, now_ms=now_ms()):
            connection = Connection(server.port)
            stack.callback(connection.close)
            connection.open_stream("/api/v1/events", {"authorization": f"Bearer {token}"})
        time.sleep(SETTLE_S)
        cpu_s, begin_s = running.cpu_s(), time.perf_counter()
        time.sleep(WATCH_S)
        rest = (running.cpu_s() - cpu_s) / (time.perf_counter() - begin_s)
        full = _memory_mib(running)
    return Weight(idle, idle_sum, channels, full, rest, page_s * 1000, _message_bytes())


def _page_s(running: Running, person: Person) -> float:
    """CPU of a first page with envelopes, of one who has more than fit on it."""
    for _ in range(60):
        parcel = make_parcel(person)
        parcel.envelopes[person.name] = sealed(ENVELOPE)
        key = {"idempotency-key": new_key()}
        assert person.client.post("/api/v1/messages", files=parcel.files(), headers=key).status_code == 201
    cpu_s = running.cpu_s()
    for _ in range(PAGES):
        assert person.client.get("/api/v1/inbox", params={"limit": 50}).status_code == 200
    return (running.cpu_s() - cpu_s) / PAGES


def _message_bytes() -> float:
    """Bytes of the database for a message with a poster and two envelopes of their real weight."""
    with data_folder("scale-message") as folder:
        server = Server(Path(folder) / "data")
        server.start()
        server.stop()
        path = server.data / "restante.sqlite3"
        before = path.stat().st_size
        fill(path, WEIGHED, now_ms=now_ms(), details=DETAILS, envelope=ENVELOPE)
        return (path.stat().st_size - before) / WEIGHED


def _memory_mib(running: Running) -> float:
    """What the largest process has resident, and the others for themselves."""
    largest, *others = sorted(running.members(), key=lambda pid: _kib(pid, "Rss"), reverse=True)
    private = sum(_kib(pid, "Private_Clean") + _kib(pid, "Private_Dirty") for pid in others)
    return (_kib(largest, "Rss") + private) / 1024


def _resident_mib(running: Running) -> float:
    return sum(_kib(pid, "Rss") for pid in running.members()) / 1024


def _kib(pid: int, kind: str) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1])
    return 0
