"""People with a profile each, on the server that the suite shares or on one of a test's own."""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.person import Person
from tests.footage import ffmpeg
from tests.serving import Server

_count = itertools.count()


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 1.2 s with sound: small, for tests that are about something else."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=1.2"]
    sound = ["-f", "lavfi", "-i", "sine=f=440:d=1.2"]
    ffmpeg(*picture, *sound, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", path)
    return path


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 8 s that does not compress well: converting it takes long enough to be interrupted."""
    path = tmp_path_factory.mktemp("clip") / "long.mp4"
    picture = "testsrc2=s=480x270:r=25:d=8,noise=alls=30:allf=t"
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "20", "-pix_fmt", "yuv420p"]
    ffmpeg("-f", "lavfi", "-i", picture, *codec, path)
    return path


@pytest.fixture(scope="module")
def ann(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Person:
    """Somebody whom the tests of a module share, since stretching a passphrase takes its time."""
    return Person(f"ann-{next(_count)}-{os.getpid()}", tmp_path_factory.mktemp("ann"), server.url).sign_up()


@pytest.fixture(scope="module")
def bob(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Person:
    """Another one."""
    return Person(f"bob-{next(_count)}-{os.getpid()}", tmp_path_factory.mktemp("bob"), server.url).sign_up()


@pytest.fixture
def person(server: Server, tmp_path: Path) -> Iterator[Callable[..., Person]]:
    """Makes people; each is signed up on the shared server unless the test says otherwise."""

    def make(name: str | None = None, *, at: Server = server, signed_up: bool = True) -> Person:
        made = Person(name or f"p{next(_count)}-{tmp_path.name[-12:].lower().strip('_-')}", tmp_path, at.url)
        if signed_up:
            made.sign_up()
        return made

    return make
