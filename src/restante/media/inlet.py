"""A reader for libav over anything that gives bytes, which keeps what goes wrong for those who can handle it."""

from collections.abc import Callable, Iterable
from typing import Protocol


class Readable(Protocol):
    """What gives bytes: as many as asked for, or fewer; none at the end."""

    def read(self, size: int, /) -> bytes:
        """Returns up to ``size`` bytes."""


class Inlet:
    """Reads for libav, which cannot carry every exception: it sees an end, and ``check`` raises what happened."""

    def __init__(self, source: Readable | Iterable[bytes]) -> None:
        self._pull: Callable[[int], bytes] = source.read if hasattr(source, "read") else _Joined(source).read
        self._failure: BaseException | None = None

    def read(self, size: int) -> bytes:
        """Returns up to ``size`` bytes, or none after a failure."""
        if self._failure is not None:
            return b""
        try:
            return self._pull(size)
        except BaseException as error:  # noqa: BLE001 - raised again by `check`, even an interrupt
            self._failure = error
            return b""

    def check(self) -> None:
        """Raises what reading raised, if it did."""
        if self._failure is not None:
            raise self._failure


class _Joined:
    """Pieces of any length, read at any length."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def read(self, size: int) -> bytes:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = piece
        data, self._rest = self._rest[:size], self._rest[size:]
        return data
