"""Files that appear whole or not at all, readable by their owner only; and locks between processes.

>>> path = make_private(folder / "private") / "note"
>>> write_private(path, b"whole or not at all")
>>> oct(path.stat().st_mode & 0o777)
'0o600'
"""

import contextlib
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


def make_private(folder: Path) -> Path:
    """Makes a folder that nobody else can enter, and its parents."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def write_private(path: Path, data: bytes) -> None:
    """Replaces a file, with 0600, and returns when it will survive a power loss."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(temporary, "xb", opener=_open_private) as file:
            file.write(data)
            flush(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def flush(descriptor: int) -> None:
    """Waits until a file's content is on the disk."""
    os.fsync(descriptor)


def flush_folder(folder: Path) -> None:
    """Waits until a folder's names are on the disk, where the system can."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def place(temporary: Path, target: Path) -> None:
    """Gives a finished file its name. Raises FileExistsError instead of replacing another."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if target.exists():
            raise FileExistsError(target) from None
        temporary.replace(target)
    else:
        temporary.unlink()


@contextlib.contextmanager
def waited_lock(path: Path) -> Iterator[None]:
    """Holds a lock that ends with the process; waits while another holds it."""
    with open(path, "ab", opener=_open_private) as file:
        _await_lock(file.fileno())
        yield


@contextlib.contextmanager
def lock(path: Path, *, busy: Exception) -> Iterator[None]:
    """Holds a lock that ends with the process; raises ``busy`` when another holds it."""
    with open(path, "ab", opener=_open_private) as file:
        try:
            _try_lock(file.fileno())
        except OSError as error:
            raise busy from error
        yield


if sys.platform == "win32":

    def _await_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:

    def _await_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
