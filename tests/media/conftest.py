"""Fixtures: one shelf of footage for all tests of a worker, and a converter that keeps what it made."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from restante.media import Converted, Shorten, convert, save


@dataclass(frozen=True)
class Result:
    """What a conversion gave: its report, the stream that is sent, and the file that a recipient saves."""

    report: Converted
    stream: Path
    saved: Path
    pieces: int


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    return tmp_path_factory.mktemp("footage")


@pytest.fixture
def send(tmp_path) -> Callable[..., Result]:
    """Converts a file and saves the result, as sender and recipient do."""

    def run(source: Path, *, shorten: Shorten = Shorten.REFUSE) -> Result:
        pieces: list[bytes] = []
        report = convert(source, pieces.append, shorten=shorten)
        stream, saved = tmp_path / "stream.mp4", tmp_path / "saved.mp4"
        stream.write_bytes(b"".join(pieces))
        save(iter(pieces), saved)
        return Result(report, stream, saved, len(pieces))

    return run
