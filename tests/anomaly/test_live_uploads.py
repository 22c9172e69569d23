"""Many people record at once: no byte is lost, nothing fails, nothing is left behind, and a stop interrupts them kindly."""

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from restante.protocol.limits import MIB
from tests.anomaly import processes
from tests.anomaly.recorders import Recorder, all_record, all_resume, lost, recorders
from tests.api.uploading import wait_until
from tests.serving import Server, serving

COUNT = 200
MEMORY_BYTES = 400 * MIB
STOP_WITHIN_S = 10.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A small limit, since the whole of it is kept free for each upload whose length is not known."""
    with serving(tmp_path / "data", RESTANTE_UPLOAD_BYTES="8M") as running:
        yield running


def held(server: Server) -> int:
    """Open descriptors of all its processes."""
    assert server.process is not None
    return sum(processes.open_files(pid) for pid in processes.group(server.process.pid))


def new_recorders(server: Server) -> list[Recorder]:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    return recorders(server.url, COUNT, seed=seed)


def all_is_kept(server: Server, *, for_s: float) -> None:
    assert server.process is not None
    base = held(server)
    live = new_recorders(server)
    most: list[int] = []
    watch = threading.Timer(
        for_s * 2 / 3, lambda: most.append(held(server))
    )  # all have begun, none has ended
    watch.start()
    asyncio.run(all_record(live, server.port, for_s=for_s))
    watch.join()
    assert [each.id for each in live if each.interrupted] == []
    assert {status for each in live for status in each.statuses} == {204}
    assert lost(live, server.data) == []
    assert most[0] >= base + COUNT, "the count sees connections"
    wait_until(lambda: held(server) <= base + 10, within_s=20)
    peak = sum(processes.peak_bytes(pid) for pid in processes.group(server.process.pid))
    assert peak < MEMORY_BYTES
    _assert_damage_would_be_seen(server, live)


def _assert_damage_would_be_seen(server: Server, live: list[Recorder]) -> None:
    """The control: one bit of one of them."""
    damaged = live[COUNT // 2]
    (blob,) = (server.data / "blobs").rglob(damaged.id)
    content = bytearray(blob.read_bytes())
    content[len(content) // 2] ^= 1
    blob.write_bytes(content)
    assert lost(live, server.data) == [damaged.id]


def test_live_uploads_lose_no_byte(server: Server) -> None:
    all_is_kept(server, for_s=4)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_live_uploads_of_a_minute_lose_no_byte(server: Server) -> None:
    all_is_kept(server, for_s=60)


def test_a_stop_amid_live_uploads_leaves_each_resumable(server: Server) -> None:
    live = new_recorders(server)
    stopped: list[tuple[int, float]] = []

    def stop() -> None:
        began_s = time.monotonic()
        stopped.append((server.stop(), time.monotonic() - began_s))

    stopper = threading.Timer(2, stop)
    stopper.start()
    asyncio.run(all_record(live, server.port, for_s=60))
    stopper.join()
    ((code, seconds),) = stopped
    assert code == 0
    print(f"stopped within {seconds:.1f} s")
    assert seconds < STOP_WITHIN_S
    assert all(each.interrupted for each in live)
    assert {status for each in live for status in each.statuses} <= {204, 503}
    promised = [each.acknowledged for each in live]
    assert sum(promised) > 0
    server.start()
    stood = asyncio.run(all_resume(live, server.port))
    assert [each.id for each, at, least in zip(live, stood, promised, strict=True) if at < least] == []
    assert lost(live, server.data) == []
