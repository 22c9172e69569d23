"""A folder for what must not stay: enterable by its owner only, in memory where the system has such a place, then gone.

>>> with private_folder() as place:
...     _ = (place / "note").write_text("for a moment")
...     oct(place.stat().st_mode & 0o777)
'0o700'
>>> place.exists()
False
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from restante.client.files import lock

_PREFIX = "restante-private-"
_LOCK = "lock"
_YOUNG_S = 60.0
_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder that is made in it is nobody else's


class _Held(Exception):
    """Somebody is using the folder."""


@contextmanager
def private_folder(runtime: Path | None = None) -> Iterator[Path]:
    """Gives a new folder, and removes it. ``runtime`` is where the system wants such things, if it says so."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_places(runtime)[0]))
    try:
        with lock(folder / _LOCK, busy=_Held()):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_private(runtime: Path | None = None) -> None:
    """Removes what a killed process of this user left behind."""
    for place in _places(runtime):
        for folder in place.glob(f"{_PREFIX}*"):
            with suppress(OSError, _Held):
                if _is_left(folder):
                    with lock(folder / _LOCK, busy=_Held()):
                        pass
                    shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    """Passes over what is somebody else's, and what was made just now and has no lock yet."""
    status = folder.stat()
    mine = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    return mine and time.time() - status.st_mtime > _YOUNG_S


def _places(runtime: Path | None) -> list[Path]:
    """Lists where such folders may lie, the best first; all but the last are memory on Linux."""
    usual = [*([runtime] if runtime else []), _MEMORY, Path(tempfile.gettempdir())]
    return [place for place in usual if place.is_dir() and os.access(place, os.W_OK | os.X_OK)]
