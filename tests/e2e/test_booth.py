"""The booth as people use it: devices with names, pause, starting over, a file instead, what is changed before it is sent."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, CDPSession, Page, Playwright, expect

from tests.cli.person import Person
from tests.e2e.browsing import QUIET, Visitors, axe_violations
from tests.e2e.mailing import Inhabitant, begin, eventually, kept, move_in, play, send, sent, small_clip, stop
from tests.serving import Server

TWO_CAMERAS = ["--use-fake-device-for-media-stream=fps=30,device-count=2", "--use-fake-ui-for-media-stream"]
SLOW = 60_000


@dataclass
class Room:
    """Claire has two cameras; Joseph has a terminal."""

    server: Server
    claire: Inhabitant
    joseph: Person


@pytest.fixture(scope="module")
def room(
    house: Server, playwright: Playwright, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("room")
    visitors = Visitors(playwright.chromium, browser, folder)
    claire, joseph = (Person(name, folder, house.url).sign_up() for name in ("claire", "joseph"))
    yield Room(house, move_in(visitors, house, claire, TWO_CAMERAS), joseph)
    visitors.leave()


@pytest.fixture
def page(room: Room) -> Iterator[Callable[[str], Page]]:
    """Opens windows that are closed again after the test."""
    opened: list[Page] = []

    def visit(path: str) -> Page:
        opened.append(room.claire.open(path))
        opened[-1].set_default_timeout(SLOW)
        return opened[-1]

    yield visit
    for each in opened:
        each.close()


def says(page: Page, words: str | re.Pattern[str]) -> None:
    """Waits for words; when they do not come, what stands there instead is told."""
    expect(page.locator("body")).to_contain_text(words, timeout=SLOW)


def use_file(page: Page, path: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Use a file").first.click()
    chooser.value.set_files(path)


def ready(page: Page) -> None:
    expect(page.get_by_role("button", name="Record", exact=True)).not_to_have_attribute(
        "aria-disabled", "true", timeout=SLOW
    )


def turn(booth: Page, names: list[str], act: Callable[[str], object], more: str = "") -> str:
    """Has the other camera used. On a busy machine one may stand still for so long that the booth gives it up by itself: then once more."""
    chosen = booth.get_by_label("Camera", exact=True).locator("option:checked")
    for _ in range(3):
        (other,) = set(names) - {chosen.inner_text()}
        act(other)
        with suppress(AssertionError):
            expect(booth.locator("body")).to_contain_text(f"“{other}” now.{more}", timeout=SLOW // 3)
            expect(chosen).to_have_text(other, timeout=SLOW // 3)
            return other
    raise AssertionError(booth.locator("body").inner_text())


def test_the_camera_is_chosen_by_name_before_and_during_a_take(page: Callable[[str], Page]) -> None:
    booth = page("/record")
    ready(booth)
    camera = booth.get_by_label("Camera", exact=True)
    names = [name for name in camera.locator("option").all_inner_texts() if name]
    assert len(names) == 2
    turn(booth, names, lambda other: camera.select_option(label=other))
    assert axe_violations(booth) == []
    begin(booth)
    kept(booth, 1)
    goes_on = " Still recording, in one piece."
    turn(booth, names, lambda other: camera.select_option(label=other), goes_on)
    last = turn(booth, names, lambda _: booth.keyboard.press("c"), goes_on)
    kept(booth, 2)
    stop(booth)
    again = page("/record")
    expect(again.get_by_label("Camera", exact=True).locator("option:checked")).to_have_text(last)


@pytest.mark.long
def test_what_is_said_in_a_pause_is_not_in_the_take_and_starting_over_keeps_the_old_one(
    page: Callable[[str], Page],
) -> None:
    booth = page("/record")
    booth.get_by_role("button", name="3-2-1").click()
    begin(booth)
    booth.keyboard.press("p")
    says(booth, "Take your time.")
    assert axe_violations(booth) == []
    held = booth.get_by_role("timer").inner_text()
    booth.get_by_role("button", name="Go on recording").click()
    expect(booth.get_by_role("timer")).not_to_have_text(held, timeout=SLOW)
    booth.keyboard.press("p")
    booth.get_by_role("button", name="Start over").click()
    says(booth, "Your take before is still here.")
    booth.get_by_role("button", name="Back to it").click()
    booth.wait_for_url("**/review/*")
    old = booth.url
    booth.get_by_role("button", name="Record anew").click()
    ready(booth)
    begin(booth)
    draft = stop(booth)
    assert not old.endswith(draft)
    says(booth, "The take before is deleted.")
    booth.get_by_role("button", name="Undo").click()
    takes = page("/drafts")
    for take in (draft, old.rsplit("/", 1)[1]):
        expect(takes.locator(f"a[href='/review/{take}']")).to_be_visible(timeout=SLOW)


@pytest.mark.long
def test_a_file_is_cut_pictured_captioned_and_sent(
    room: Room, page: Callable[[str], Page], tmp_path: Path
) -> None:
    """The bytes outside the cut are gone, the captions travel with it."""
    booth = page("/record")
    use_file(booth, small_clip(tmp_path))
    booth.wait_for_url("**/review/*", timeout=SLOW)
    booth.get_by_role("slider", name="End").focus()
    for _ in range(4):
        booth.keyboard.press("ArrowLeft")
    says(booth, re.compile("the rest is really removed"))
    whole = booth.url
    booth.get_by_role("button", name="Cut it").click()
    booth.wait_for_function("url => location.href !== url", arg=whole)
    booth.get_by_role("button", name="Use as cover picture").click()
    says(booth, "This picture stands for your video now.")
    booth.get_by_role("button", name="Captions").first.click()
    field = booth.get_by_label("What is said")
    field.fill("WEBVTT\n\n00:09.000 --> 00:10.000\nToo late")
    booth.get_by_role("button", name="Keep the captions").click()
    says(booth, "Line 3 begins after the end of the video.")
    field.fill("Hello Joseph")
    booth.get_by_role("button", name="Keep the captions").click()
    says(booth, "The captions are kept with your video.")
    assert axe_violations(booth) == []
    play(booth, 0.2)
    send(booth, "joseph", caption="Cut to size")
    sent(booth)
    (item,) = eventually(lambda: [one for one in room.joseph.inbox() if one["caption"] == "Cut to size"])
    assert 0.5 <= item["duration_s"] <= 1.0


def drag(page: Page, kind: str, *files: Path) -> None:
    """As somebody does with files of their desktop, in the middle of the window."""
    data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
    devtools = page.context.new_cdp_session(page)
    devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 640, "y": 400, "data": data})
    devtools.detach()


def test_a_file_is_dropped_onto_the_booth(page: Callable[[str], Page], tmp_path: Path) -> None:
    booth, clip = page("/record"), small_clip(tmp_path)
    ready(booth)
    drag(booth, "dragEnter", clip)
    drag(booth, "dragOver", clip)
    says(booth, "Drop the video here")
    drag(booth, "drop", clip)
    booth.wait_for_url("**/review/*", timeout=SLOW)
    play(booth, 0.2)


@pytest.mark.long
def test_the_keys_are_listed_in_the_booth_too_and_a_take_goes_on_meanwhile(
    page: Callable[[str], Page],
) -> None:
    booth = page("/record")
    ready(booth)
    begin(booth)
    booth.keyboard.press("?")
    keys = booth.get_by_role("dialog", name="Keys")
    keys.get_by_text("Recording: next camera, next microphone").wait_for()
    assert axe_violations(booth) == []
    kept(booth, 2)
    booth.keyboard.press("Escape")
    keys.wait_for(state="detached")
    expect(booth.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    stop(booth)


def limit_storage(devtools: CDPSession, origin: str, more_bytes: int) -> None:
    """Leaves so much room on this device, until the session is detached."""
    used = devtools.send("Storage.getUsageAndQuota", {"origin": origin})["usage"]
    devtools.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": used + more_bytes})


@pytest.mark.long
def test_a_full_device_is_told_before_and_ends_a_take_that_is_kept(page: Callable[[str], Page]) -> None:
    """And what there is can be saved, looked at and deleted. Chromium's estimate does not follow the limit that is really kept."""
    booth = page("/record")
    ready(booth)
    devtools, origin = booth.context.new_cdp_session(booth), booth.evaluate("location.origin")
    booth.evaluate("navigator.storage.estimate = async () => ({ quota: 20e6, usage: 0 })")
    says(booth, re.compile("This device is nearly full: room for [0-9]+ seconds?"))
    says(booth, "Free some space first, or keep it short.")
    begin(booth)
    says(booth, "What you have said is kept.")
    limit_storage(devtools, origin, 20_000)
    says(booth, "What you have said until then is kept.")
    assert axe_violations(booth) == []
    devtools.detach()
    with booth.expect_download() as download:
        booth.get_by_role("button", name="Save as .mp4").click()
    download.value.path()
    booth.get_by_role("button", name="Look at it").click()
    booth.wait_for_url("**/review/*", timeout=SLOW)
    play(booth, 0.5)
    booth.get_by_role("button", name="Delete it").click()
    booth.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    booth.wait_for_url("**/inbox", timeout=SLOW)


def test_what_is_no_video_is_refused_by_name_with_ways_out(
    page: Callable[[str], Page], tmp_path: Path
) -> None:
    (tmp_path / "letter.mp4").write_bytes(b"not a film at all" * 100)
    booth = page("/record")
    use_file(booth, tmp_path / "letter.mp4")
    says(booth, "This is no video that we know.")
    booth.get_by_role("button", name="To the camera").click()
    ready(booth)


def test_a_camera_that_is_refused_leaves_the_way_of_a_file(
    room: Room, playwright: Playwright, browser: Browser, tmp_path: Path
) -> None:
    visitors = Visitors(playwright.chromium, browser, tmp_path)
    context_flags = ["--use-fake-device-for-media-stream", "--deny-permission-prompts"]
    shy = move_in(visitors, room.server, room.joseph, [*QUIET, *context_flags])
    booth = shy.open("/record")
    says(booth, "The browser keeps the camera closed.")
    use_file(booth, small_clip(tmp_path))
    booth.wait_for_url("**/review/*", timeout=SLOW)
    visitors.leave()
