"""The people of the command line's tests."""

from pathlib import Path

import pytest

from tests.cli.conftest import ann, bob, clip, person
from tests.footage import ffmpeg

__all__ = ["ann", "bob", "clip", "person"]


@pytest.fixture(scope="session")
def glimpse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As short as can be, for lies that are not about the video."""
    path = tmp_path_factory.mktemp("glimpse") / "glimpse.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc2=s=64x64:r=10:d=0.2"]
    ffmpeg(*picture, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", path)
    return path


@pytest.fixture(scope="session")
def grain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 1.2 s that does not compress well: several chunks."""
    path = tmp_path_factory.mktemp("grain") / "grain.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc2=s=480x270:r=25:d=1.2,noise=alls=40:allf=t"]
    sound = ["-f", "lavfi", "-i", "sine=f=440:d=1.2"]
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "20", "-pix_fmt", "yuv420p"]
    ffmpeg(*picture, *sound, *codec, path)
    return path
