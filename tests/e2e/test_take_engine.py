"""What the recorder does when the device is too slow, an encoder fails or hangs, or the browser has none."""

import subprocess
import time

import pytest
from playwright.sync_api import Error, Page

from tests.e2e.harness import Harness
from tests.e2e.recorder import (
    assert_whole,
    harness,
    open_devices,
    page,
    shared,
    start,
    stop,
    wait_media,
)
from tests.footage import Judged, decoded_frames

__all__ = ["harness", "page", "shared"]

SLOW_MS = 250
"""For one picture of 640 x 360. At 30 a second 66 were half speed; a busy machine's fake camera gives far fewer."""

SHOWN = "document.querySelector('#preview').getVideoPlaybackQuality().totalVideoFrames"
CAPABILITIES = """async () => {
  const video = async (codec) => (await VideoEncoder.isConfigSupported(
    { codec, width: 1280, height: 720, bitrate: 1e6 })).supported;
  const sound = async (codec) => (await AudioEncoder.isConfigSupported(
    { codec, sampleRate: 48000, numberOfChannels: 1, bitrate: 96000 })).supported;
  return {
    pictures: await Promise.all(['avc1.64001f', 'avc1.42e01f', 'vp09.00.31.08'].map(video)),
    opus: await sound('opus'), aac: await sound('mp4a.40.2'),
    frames: 'MediaStreamTrackProcessor' in window, mediaSource: 'MediaSource' in window,
    managed: 'ManagedMediaSource' in window,
  };
}"""


def sizes_in(harness: Harness, name: str) -> list[tuple[int, int]]:
    """The sizes that a decoder finds in the pictures, in their order."""
    asked = ["-v", "error", "-select_streams", "v", "-show_entries", "frame=width,height", "-of", "csv=p=0"]
    listing = subprocess.run(
        ["ffprobe", *asked, harness.out / f"{name}.mp4"],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    ).stdout
    lines = [line.strip(",").split(",") for line in listing.splitlines()]
    return list(dict.fromkeys((int(width), int(height)) for width, height in lines))


def test_browser_can_what_is_counted_on(page: Page) -> None:
    assert page.evaluate(CAPABILITIES) == {
        "pictures": [True, True, True],
        "opus": True,
        "aac": False,
        "frames": True,
        "mediaSource": True,
        "managed": False,
    }


def test_slow_encoder_gets_smaller_pictures_which_play_and_are_saved(page: Page, harness: Harness) -> None:
    open_devices(page)
    before = page.evaluate(SHOWN)
    start(page, slowMs=SLOW_MS)
    deadline = time.monotonic() + 30
    while page.evaluate("media.steps()") < 1:
        assert time.monotonic() < deadline, "the pictures stay as large as they were"
        page.wait_for_timeout(100)
    pace = (page.evaluate(SHOWN) - before) / page.evaluate("media.progress()") * 1000
    wait_media(page, 1)
    done = stop(page, "slow")
    steps = [event for event in done["result"]["events"] if event["why"] == "behind"]
    sizes = list(dict.fromkeys((size["width"], size["height"]) for size in done["sizes"]))
    assert sizes[:2] == [(640, 360), (426, 240)]
    # A machine that is so busy that there are hardly pictures at all has no reason to hurry.
    assert steps[0]["ms"] <= 3000 or pace < 12, (steps, pace)
    assert [size["isBehind"] for size in done["sizes"]].count(True) == len(steps)
    assert_whole(harness.out / "slow.mp4", done)
    assert sizes_in(harness, "slow") == sizes
    result = done["result"]
    page.evaluate("([ms, type]) => media.play('slow.mp4', ms, {}, type)", [result["ms"], result["type"]])
    is_over = "() => media.seen().ended && media.seen().states.at(-1) === 'complete'"
    try:
        page.wait_for_function(is_over, timeout=30_000)
    except Error:
        raise AssertionError(page.evaluate("media.seen()")) from None
    # Chromium keeps the shape exactly, be it by a column.
    shown = page.evaluate("media.seen().videoWidth")
    assert any(abs(shown - width) <= 1 for width, _ in sizes[1:]), "the last may be too short to be seen"
    page.evaluate("media.save('slow.mp4', 'slow-saved.mp4')")
    saved = harness.out / "slow-saved.mp4"
    assert decoded_frames(saved) == len(Judged(harness.out / "slow.mp4").frame_times)


@pytest.mark.long
def test_failed_encoder_is_replaced(page: Page, harness: Harness) -> None:
    open_devices(page)
    start(page, failAfter=20, failures=1)
    wait_media(page, 2)
    done = stop(page, "failed")
    (event,) = [event for event in done["result"]["events"] if event["why"] == "encoder-failed"]
    assert event["kind"] == "picture-640x360", "the first time at the same size"
    assert done["end"] is None
    assert_whole(harness.out / "failed.mp4", done)


@pytest.mark.long
def test_take_of_an_encoder_that_fails_again_and_again_ends_and_is_kept(page: Page, harness: Harness) -> None:
    open_devices(page)
    start(page, failAfter=40)
    assert page.evaluate("media.ended()")["end"] == "encoder"
    done = stop(page, "broken")
    assert done["result"]["ms"] >= 1000
    assert decoded_frames(harness.out / "broken.mp4") == len(Judged(harness.out / "broken.mp4").frame_times)


def test_sound_is_opus_where_the_aac_encoder_hangs(page: Page, harness: Harness) -> None:
    open_devices(page)
    began_s = time.monotonic()
    start(page, isCompilerDead=True)
    assert time.monotonic() - began_s < 12, "given up after five seconds"
    wait_media(page, 1.5)
    done = stop(page, "opus")
    assert "opus" in done["result"]["type"]
    assert Judged(harness.out / "opus.mp4").codecs == ["h264", "opus"]


def test_first_bytes_come_soon_and_levels_are_heard(page: Page) -> None:
    open_devices(page)
    start(page)
    wait_media(page, 2.5)
    done = stop(page, "soon")
    first = done["reaches"][0]
    assert first["ms"] <= 1300, "a fragment of a second"
    assert first["at"] - first["ms"] <= 600, "and soon written"
    levels = [level["rms"] for level in page.evaluate("media.levels()")]
    assert max(levels) > 0.2
    assert all(max(levels[at : at + 25]) > 0 for at in range(len(levels) - 25)), "a beep each second"


@pytest.mark.parametrize("where", ["page", pytest.param("worker", marks=pytest.mark.long)])
def test_stall_changes_no_duration(page: Page, harness: Harness, where: str) -> None:
    open_devices(page)
    start(page)
    wait_media(page, 0.7)
    if where == "page":
        page.evaluate("() => { for (const until = performance.now() + 1000; performance.now() < until; ); }")
    else:
        page.evaluate("media.order('stall')")
    wait_media(page, 0.7)
    done = stop(page, "stall")
    judged = Judged(harness.out / "stall.mp4")
    assert decoded_frames(harness.out / "stall.mp4") == len(judged.frame_times)
    assert abs(float(judged.video["duration"]) - float(judged.audio["duration"])) <= 0.06
    assert abs(judged.duration_s - done["progress"] / 1000) <= 0.8
