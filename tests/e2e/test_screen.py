"""A shared screen with the camera's bubble is recorded as one picture; when it ends, the camera takes its place."""

from pathlib import Path

import pytest

from tests.e2e.browsing import Visitors
from tests.e2e.making import Maker, assert_film, maker_house, settle
from tests.footage import ffmpeg, loudness
from tests.serving import Server

__all__ = ["maker_house"]
SCREEN = "--use-fake-device-for-media-stream=display-media-type=monitor"


def colour(path: Path, at_s: float, x: int, y: int) -> tuple[int, int, int]:
    """Of one point of the picture that is shown at a moment."""
    point = f"crop=2:2:{x}:{y}"
    raw = ffmpeg(
        "-ss", at_s, "-i", path, "-frames:v", "1", "-vf", point, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"
    )
    return raw[0], raw[1], raw[2]


def is_red(pixel: tuple[int, int, int]) -> bool:
    return pixel[0] > 200 and pixel[1] < 60 and pixel[2] < 60


@pytest.fixture
def maker(visitors: Visitors, maker_house: Server, tmp_path: Path) -> Maker:
    visitor = visitors.move_in(maker_house, "ann", SCREEN, "--use-fake-ui-for-media-stream")
    return settle(visitor, tmp_path)


def media_ms(maker: Maker, at_least: float) -> float:
    maker.page.wait_for_function(f"() => harness.state().mediaMs >= {at_least}")
    reached: float = maker.ask("state")["mediaMs"]
    return reached


def test_the_screen_fills_the_picture_and_the_camera_its_corner_until_sharing_ends(maker: Maker) -> None:
    assert maker.ask("share", True) == {"hasSound": True}
    draft = maker.ask("record")
    shared_ms = media_ms(maker, 2000)
    maker.ask("stopSharing")
    maker.page.wait_for_function("() => harness.heard().includes('screen-ended')")
    after_ms = media_ms(maker, maker.ask("state")["mediaMs"] + 1500)
    assert maker.ask("stopTake") is None
    path = maker.exported(draft)
    judged = assert_film(path, duration_s=after_ms / 1000, tolerance_s=1)
    assert judged.size == (640, 360)
    early, late = shared_ms / 1000 - 0.5, judged.duration_s - 0.3
    assert is_red(colour(path, early, 40, 40))
    assert is_red(colour(path, early, 500, 40))
    # In the middle of the bubble is the camera, whose picture is green and never red.
    assert not is_red(colour(path, early, 640 - 14 - 54, 360 - 14 - 54))
    # Outside of its circle, within its square, is the screen.
    assert is_red(colour(path, early, 640 - 14 - 106, 360 - 14 - 106))
    # Then the camera stands in the middle, letterboxed, and nothing is red.
    assert not any(is_red(colour(path, late, x, y)) for x, y in ((320, 180), (40, 40), (500, 40)))
    gaps = [later - sooner for sooner, later in zip(judged.frame_times, judged.frame_times[1:], strict=False)]
    assert max(gaps) <= 0.6


@pytest.mark.long
def test_a_screen_of_the_browsers_own_is_shared(maker: Maker) -> None:
    shared = maker.ask("share", False)
    assert "hasSound" in shared, shared
    draft = maker.ask("record")
    media_ms(maker, 1500)
    assert maker.ask("stopTake") is None
    judged = assert_film(maker.exported(draft), duration_s=1.5, tolerance_s=1.5)
    assert judged.size == (640, 360)
    assert len(judged.frame_times) > 8
    assert max(loudness(maker.exported(draft))) > 1e4
