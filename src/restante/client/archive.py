"""An export as it is read again: a folder, or a zip file of one. Nothing is unpacked; only files of known names are read.

>>> from restante.client.export import export
>>> report = export(account, folder / "export")
>>> with Archive.at(folder / "export") as archive:
...     len(archive.messages()) == report.written, archive.read("account/ways.json", limit=1000)[:1]
(True, b'{')

Whoever had it in between may have changed it: links lead nowhere, each file has a limit, and what is in them is verified by who reads it.
"""

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from restante.client.errors import ArchiveDamaged
from restante.protocol.ids import Prefix, is_id

_ENTRIES = 200_000
_BROKEN = (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)


class Archive:
    """Reads one export."""

    def __init__(self, folder: Path | None, packed: zipfile.ZipFile | None) -> None:
        self._folder = folder
        self._packed = packed

    @classmethod
    @contextmanager
    def at(cls, path: Path) -> Iterator["Archive"]:
        """Opens it. Raises ArchiveDamaged."""
        if path.is_dir():
            yield cls(path, None)
            return
        try:
            packed = zipfile.ZipFile(path)
        except _BROKEN as error:
            raise ArchiveDamaged from error
        with packed:
            names = packed.namelist()
            if len(names) > _ENTRIES or len(set(names)) != len(names):
                raise ArchiveDamaged("its list of files")
            yield cls(None, packed)

    def messages(self) -> list[str]:
        """The ids of its messages; what has no such name is none. Raises ArchiveDamaged."""
        return sorted({name for name in self._tops() if is_id(name, Prefix.MESSAGE)})

    def files(self, folder: str) -> list[str]:
        """The names of the files in one of its folders."""
        if self._folder is not None:
            inside = self._folder / folder
            return sorted(path.name for path in inside.iterdir()) if _is_plain_folder(inside) else []
        assert self._packed is not None
        before = f"{folder}/"
        inside_names = (
            name.removeprefix(before) for name in self._packed.namelist() if name.startswith(before)
        )
        return sorted(name for name in inside_names if name and "/" not in name)

    def read(self, name: str, *, limit: int) -> bytes:
        """One file, whole. Raises ArchiveDamaged when it is missing, larger than the limit, or no plain file."""
        try:
            with self._open(name) as file:
                data = file.read(limit + 1)
        except (KeyError, *_BROKEN) as error:
            raise ArchiveDamaged(name) from error
        if len(data) > limit:
            raise ArchiveDamaged(f"{name} is too large")
        return data

    def _tops(self) -> list[str]:
        if self._folder is not None:
            return [path.name for path in self._folder.iterdir() if _is_plain_folder(path)]
        assert self._packed is not None
        return [name.partition("/")[0] for name in self._packed.namelist() if "/" in name]

    def _open(self, name: str) -> IO[bytes]:
        if self._packed is not None:
            return self._packed.open(name)
        assert self._folder is not None
        path = self._folder / name
        if ".." in path.parts[len(self._folder.parts) :] or not all(
            _is_plain_folder(parent) for parent in _below(self._folder, path.parent)
        ):
            raise ArchiveDamaged(f"{name} is elsewhere")
        return open(path, "rb", opener=_open_plain)


def _below(root: Path, folder: Path) -> Iterator[Path]:
    while folder != root:
        yield folder
        folder = folder.parent


def _is_plain_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _open_plain(path: str, flags: int) -> int:
    """Opens files only: no link to elsewhere, and no pipe that never ends."""
    extra = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags | extra)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("not a plain file")
    return descriptor
