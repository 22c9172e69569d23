"""While a data folder's data move, and after that, nothing is acknowledged on it; everything can be read."""

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from restante.server import standstill
from restante.server.blobs.local import LocalBlobs
from restante.server.errors import RetryLater
from restante.server.standstill import Elsewhere, Marker, Standstill, standing_still
from restante.server.storage import embedded
from restante.server.uploads.opened import OpenUpload
from tests.api.household import Household, TurnedClock, parcel_for

pytestmark = pytest.mark.sqlite
MARKER = Marker(id="m", moved_at=1, database="db.example:5432/restante", blobs="s3://videos")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def home(data: Path) -> Iterator[Household]:
    household = Household(data, TurnedClock())
    yield household
    household.close()


def test_nothing_is_stored_meanwhile_and_everything_can_be_read(home, data):
    ann, bob = home.account("ann"), home.account("bob")
    home.send(ann, parcel_for(["bob"]))
    begun = home.upload(ann, b"half", length=8)
    with standing_still(data):
        for ask in (
            lambda: home.send(ann, parcel_for(["bob"])),
            lambda: home.resume(ann, begun, b"rest"),
            lambda: home.upload(ann, b"new"),
        ):
            with pytest.raises(RetryLater) as refused:
                ask()
            assert (refused.value.entry.code, refused.value.retry_after) == ("busy", 5)
        assert len(_inbox(home, bob)) == 1
    home.send(ann, parcel_for(["bob"]))
    assert len(_inbox(home, bob)) == 2


def test_a_folder_whose_data_have_moved_takes_nothing_until_the_move_is_taken_back(home, data):
    ann = home.account("ann")
    standstill.write(data, MARKER)
    with pytest.raises(RetryLater):
        home.account("bob")
    with pytest.raises(Elsewhere, match=r"db\.example:5432/restante and s3://videos"):
        embedded(home.house.settings)
    standstill.remove(data)
    home.upload(ann, b"goes on")


@pytest.mark.parametrize(
    ("names", "agreed"), [((True, True), True), ((True, False), False), ((False, True), False)]
)
def test_a_start_must_name_every_place_that_the_data_moved_to(data, names, agreed):
    data.mkdir()
    standstill.write(data, MARKER)
    if agreed:
        standstill.check_start(data, database=names[0], blobs=names[1])
        Standstill(data).check()
        return
    with pytest.raises(Elsewhere):
        standstill.check_start(data, database=names[0], blobs=names[1])


def test_a_marker_that_cannot_be_read_is_one_nevertheless(data):
    data.mkdir()
    (data / standstill.NAME).write_text("{")
    with pytest.raises(Elsewhere, match="cannot be read"):
        standstill.check_start(data, database=True, blobs=True)


def test_when_whoever_holds_the_folder_dies_the_server_goes_on(home, data):
    code = (
        "import sys, time, pathlib; from restante.server.standstill import standing_still\n"
        "with standing_still(pathlib.Path(sys.argv[1])): print(flush=True); time.sleep(60)"
    )
    mover = subprocess.Popen([sys.executable, "-c", code, str(data)], stdout=subprocess.PIPE)
    assert mover.stdout is not None
    mover.stdout.readline()
    with pytest.raises(RetryLater):
        home.account("ann")
    mover.send_signal(signal.SIGKILL)
    mover.communicate()
    home.account("ann")


def test_two_moves_do_not_hold_one_folder(data):
    data.mkdir()
    with (
        mock.patch.object(standstill, "_WAIT_S", 0.0),
        standing_still(data),
        pytest.raises(TimeoutError),
        standing_still(data),
    ):
        pass


@pytest.mark.parametrize("asked", [True, False])
def test_no_byte_is_acknowledged_that_a_last_copy_has_not(home, data, asked):
    """Without asking, bytes that came after the copy are acknowledged and lost."""
    ann = home.account("ann")
    begun = home.upload(ann, b"", length=10**6)
    path = LocalBlobs(data / "blobs").path(begun)
    copied: list[int] = []

    def copy() -> None:
        while path.stat().st_size < 200:
            pass
        with standing_still(data):
            copied.append(path.stat().st_size)
            ready.set()
            go_on.wait(10)

    async def who(_: str) -> object:
        await asyncio.sleep(0)
        return ann

    async def append() -> int:
        """Until it is refused, or long enough after the copy; returns what was acknowledged."""
        acknowledged, after, uploads = 0, 0, home.house.uploads
        async with uploads.access_upload(begun, "no capability", who) as upload:
            while after < 20:
                try:
                    acknowledged = await _byte(home, upload)
                except RetryLater:
                    break
                after += ready.is_set()
        return acknowledged

    ready, go_on = threading.Event(), threading.Event()
    mover = threading.Thread(target=copy)
    mover.start()
    patch = mock.patch.object(Standstill, "check", Standstill.check if asked else lambda _: None)
    with patch:
        acknowledged = home.run(append())
    go_on.set()
    mover.join()
    assert (acknowledged <= copied[0]) == asked


async def _byte(home: Household, upload: OpenUpload) -> int:
    uploads = home.house.uploads
    async with uploads.appending(upload) as lease:
        lease.append(b"x", now_ms=home.clock.now_ms())
        return await uploads.acknowledge(upload)


def _inbox(home: Household, actor: object) -> list[object]:
    return [
        row for row in home.rows("envelopes") if row.box == "inbox" and row.account_id == actor.account_id
    ]
