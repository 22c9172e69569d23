"""Whether a process may still acknowledge anything on its data folder: not while its data move elsewhere, and not afterwards.

[Note: Standing still] `restante move` takes a lock of the data folder before it copies what is left, and writes a marker into it before it
lets go. A server asks for both after what it wrote is on the disk and before it says so. So what was acknowledged was there when the last
copy began, and nothing is acknowledged that was not. The lock goes with the process that holds it: where a move dies, the server goes on.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from restante.server.errors import RetryLater

NAME = "moved.json"
RETRY_S = 5.0
_WAIT_S = 10.0
_DETAIL = "this server's data are being moved to another place: nothing is stored meanwhile, and everything can be read"


class Elsewhere(RuntimeError):
    """The data are, or may be, where the settings do not say."""


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """Which move took the data of a folder away, and where to; empty: that part stayed."""

    id: str
    moved_at: int
    database: str
    blobs: str

    @property
    def places(self) -> str:
        """Where to, in words."""
        return " and ".join(filter(None, (self.database, self.blobs)))


class Standstill:
    """Asked by one process that serves from a data folder. A marker that was there at its start is one that it agrees with."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None
        self._agreed = self._marked()

    def check(self) -> None:
        """Raises RetryLater while the folder's data move, and for ever once they have."""
        if self._is_held() or self._marked() != self._agreed:
            raise RetryLater("busy", seconds=RETRY_S, detail=_DETAIL)

    def close(self) -> None:
        """Lets go of the folder; closing twice is harmless."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _is_held(self) -> bool:
        try:
            if self._descriptor is None:
                self._descriptor = _opened(self._folder)
            fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        except BlockingIOError:
            return True
        except FileNotFoundError:  # nothing is kept there
            return False
        return False

    def _marked(self) -> int | None:
        try:
            return os.stat(self._folder / NAME).st_mtime_ns  # noqa: PTH116 - half the time, before every acknowledgement
        except FileNotFoundError:
            return None


@contextmanager
def standing_still(folder: Path) -> Iterator[None]:
    """Lets nothing be acknowledged on a data folder meanwhile. Raises TimeoutError when another move holds it."""
    descriptor = _opened(folder)
    try:
        deadline = time.monotonic() + _WAIT_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError from None
                time.sleep(0.001)  # servers hold it for a moment only
        yield
    finally:
        os.close(descriptor)


def check_start(folder: Path, *, database: bool, blobs: bool) -> None:
    """Raises Elsewhere when a folder's data were moved to what the settings do not name. ``database`` and ``blobs``: whether they do."""
    marker = read(folder)
    if marker is not None and ((marker.database and not database) or (marker.blobs and not blobs)):
        raise Elsewhere(f"the data of {folder} were moved to {marker.places}, which the settings do not name")


def read(folder: Path) -> Marker | None:
    """The marker of a data folder. Raises Elsewhere when it cannot be read."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Marker)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise Elsewhere(
            f"the data of {folder} were moved, and {NAME} there, which says where to, cannot be read"
        ) from error


def write(folder: Path, marker: Marker) -> None:
    """Puts a marker there, in one step that survives power loss."""
    temporary = folder / f".{NAME}"
    with open(temporary, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(msgspec.json.encode(marker) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / NAME)
    _flush(folder)


def remove(folder: Path) -> None:
    """Takes the marker away, for good."""
    with suppress(FileNotFoundError):
        (folder / NAME).unlink()
    _flush(folder)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _flush(folder: Path) -> None:
    descriptor = _opened(folder)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
