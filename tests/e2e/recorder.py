"""The recorder's harness page in a browser of its own, and what a recording must be whatever happened to its devices."""

import os
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright

from tests.e2e.browsing import CHROMIUM, QUIET
from tests.e2e.harness import Harness, build, served
from tests.e2e.processes import belonging
from tests.footage import Judged, brightness, decoded_frames, ffmpeg, loudness

WISH = {"width": 640, "height": 360}


@contextmanager
def recorder(playwright: Playwright, harness: Harness, *, devices: int = 3) -> Iterator[Page]:
    """The page, in a browser process of its own that is not mute; ``kill_cameras`` finds it by its mark.

    The second fake camera gives frames of a format that no encoder takes, the third a grey picture.
    """
    mark = f"--restante-test={uuid.uuid4()}"
    fake = f"--use-fake-device-for-media-stream=fps=30,device-count={devices}"
    switches = [*QUIET, fake, "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required"]
    browser: Browser = playwright.chromium.launch(
        executable_path=CHROMIUM, args=[*switches, mark], ignore_default_args=["--mute-audio"]
    )
    try:
        page = browser.new_page()
        page.goto(f"{harness.url}/media.html#{mark}")
        yield page
    finally:
        browser.close()


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """The page's server, for the tests of one file; no policy may have held anything back."""
    with served(build(tmp_path_factory.mktemp("pages")), tmp_path_factory.mktemp("out")) as running:
        yield running
    assert running.reports == []


@pytest.fixture(scope="module")
def shared(playwright: Playwright, harness: Harness) -> Iterator[Page]:
    with recorder(playwright, harness) as page:
        yield page


@pytest.fixture
def page(shared: Page) -> Page:
    """Three cameras and some microphones, as fresh as a reload makes them."""
    shared.reload()
    return shared


def kill_cameras(page: Page) -> None:
    """Ends the process that serves the cameras of this page's browser, as a driver that crashes does."""
    (service,) = belonging(page.url.partition("#")[2], "VideoCaptureService")
    os.kill(service, signal.SIGKILL)


def open_devices(page: Page, **wish: object) -> dict[str, Any]:
    """Opens camera and microphone and says what there is."""
    opened = page.evaluate("wish => media.open(wish)", WISH | wish)
    assert "refused" not in opened, opened
    found: dict[str, Any] = page.evaluate("media.found()")
    return found


def start(page: Page, **stand_in: object) -> None:
    """Begins a take and waits for its first picture."""
    assert page.evaluate("given => media.start({}, given)", stand_in)["kind"] == "started"


def stop(page: Page, name: str) -> dict[str, Any]:
    done: dict[str, Any] = page.evaluate("name => media.stop(name)", name)
    assert done["kind"] == "done", done
    return done


def until_told(page: Page, kind: str, *, count: int = 1) -> dict[str, Any]:
    """Waits for news of a kind, and gives the last of them."""
    is_told = "([kind, count]) => media.told().filter(each => each.kind === kind).length >= count"
    page.wait_for_function(is_told, arg=[kind, count], timeout=30_000)
    news: dict[str, Any] = page.evaluate("kind => media.told().findLast(each => each.kind === kind)", kind)
    return news


def wait_media(page: Page, seconds: float) -> None:
    """Lets a take go on for so much of its own time."""
    begin, deadline = page.evaluate("media.progress()"), time.monotonic() + 30
    while page.evaluate("media.progress()") < begin + seconds * 1000:
        assert time.monotonic() < deadline, "the take stands still"
        page.wait_for_timeout(50)


def assert_whole(path: Path, done: dict[str, Any], *, size: tuple[int, int] = (640, 360)) -> Judged:
    """Asserts one continuous track each of pictures and sound, of the same length, that decodes without a word."""
    judged = Judged(path)
    assert judged.codecs == ["h264", "aac"], judged.codecs
    assert size == (done["result"]["width"], done["result"]["height"]), done
    # A busy machine may have had to make them smaller, and then ffprobe tells the size of one or the other.
    assert judged.size == size or any(event["why"] == "behind" for event in done["result"]["events"]), done
    assert decoded_frames(path) == len(judged.frame_times), "pictures that do not decode"
    gaps = [after - before for before, after in pairwise(judged.frame_times)]
    assert 0 < min(gaps) <= max(gaps) <= 0.5, gaps
    lengths = [float(judged.video["duration"]), float(judged.audio["duration"]), done["result"]["ms"] / 1000]
    assert max(lengths) - min(lengths) <= 0.06, lengths
    return judged


def shades(path: Path, crop: str) -> list[int]:
    """How bright, 0 to 255, a part of each picture is."""
    part = f"scale=640:360,crop={crop},scale=1:1:flags=area"
    return list(
        ffmpeg(
            "-i",
            path,
            "-vsync",
            "0",
            "-enc_time_base",
            "-1",
            "-vf",
            part,
            "-pix_fmt",
            "gray",
            "-f",
            "rawvideo",
            "-",
        )
    )


def flash_times(path: Path) -> list[float]:
    """When the picture becomes white."""
    return _rises([value > 100 for value in brightness(path)], Judged(path).frame_times)


def beep_times(path: Path) -> list[float]:
    """When the sound begins."""
    window = 0.01
    loud = [energy > 100_000 for energy in loudness(path, window_s=window)]
    return _rises(loud, [at * window for at in range(len(loud))])


def lips_apart(path: Path) -> list[tuple[float, float]]:
    """For each flash, when it was and how far from it the nearest beep is, in seconds."""
    beeps = beep_times(path)
    return [(flash, min(abs(beep - flash) for beep in beeps)) for flash in flash_times(path)]


def _rises(values: list[bool], times: list[float]) -> list[float]:
    pairs = zip(pairwise(values), times[1:], strict=False)
    return [time for (before, after), time in pairs if after and not before]
