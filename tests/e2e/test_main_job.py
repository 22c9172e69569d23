"""What the app is for: somebody leaves a video, it waits, somebody else watches and keeps it; in a browser or at the CLI."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, Request

from tests.cli.person import Person
from tests.e2e.browsing import Visitors
from tests.e2e.mailing import (
    Inhabitant,
    assert_keeps,
    begin,
    camera_and_microphone,
    eventually,
    expect,
    kept,
    letter,
    move_in,
    play,
    record,
    save,
    send,
    sent,
    small_clip,
    watch,
)
from tests.footage import Judged, brightness, loudness, talking_head
from tests.serving import Server

TAKES = """async () => {
  const takes = await (await navigator.storage.getDirectory()).getDirectoryHandle('takes', { create: true });
  return Array.fromAsync(takes.keys());
}"""
"""The ids of what lies on the device."""
LIVE_MS = 3000
"""What arrives by the live channel is there well before anybody would ask anew; on an idle machine in a fifth of a second."""


@dataclass
class Street:
    """Claire and Ann have a browser each, Joseph has a terminal."""

    claire: Inhabitant
    ann: Inhabitant
    joseph: Person


@pytest.fixture(scope="module")
def street(
    house: Server, playwright: Playwright, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Street]:
    folder = tmp_path_factory.mktemp("street")
    visitors = Visitors(playwright.chromium, browser, folder)
    switches = camera_and_microphone(folder)
    claire, ann, joseph = (Person(name, folder, house.url).sign_up() for name in ("claire", "ann", "joseph"))
    at_home = [move_in(visitors, house, person, switches) for person in (claire, ann)]
    yield Street(*at_home, joseph)
    visitors.leave()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(autouse=True)
def pages_end(street: Street) -> Iterator[None]:
    """Every test begins with closed windows."""
    yield
    for context in (street.claire.visitor.context, street.ann.visitor.context):
        for page in context.pages[1:]:
            page.close()


def by_caption(person: Person, caption: str) -> dict:
    (found,) = [item for item in [*person.inbox(), *person.sent()] if item["caption"] == caption]
    return found


def test_from_browser_to_browser(street: Street, tmp_path: Path) -> None:
    """Recorded, sent, there within a second, watched, saved; the sender sees each step as it happens."""
    inbox = street.ann.open()
    arrival = expect(inbox, "The goats are back")
    booth = street.claire.open("/record")
    record(booth, seconds=3)
    send(booth, "ann", caption="The goats are back")
    sent(booth)
    came_at = arrival()
    item = by_caption(street.ann.cli, "The goats are back")
    assert came_at - item["received_at"] < LIVE_MS
    assert item["duration_s"] >= 3
    inbox.get_by_text("One is waiting").wait_for()
    booth.get_by_text(re.compile("^Delivered")).wait_for()
    watch(inbox, "The goats are back")
    inbox.get_by_text("Not verified yet").wait_for()
    play(inbox)
    booth.locator("li", has_text="Played").get_by_text(re.compile(r"\d:\d\d")).wait_for()
    path = save(inbox, tmp_path / "saved.mp4")
    assert_keeps(path, duration_s=item["duration_s"])
    assert max(brightness(path)) > 100
    assert max(loudness(path)) > 0.02
    inbox.get_by_role("link", name="Inbox").first.click()
    inbox.get_by_text("All played").wait_for()


def test_from_browser_to_command_line(street: Street, tmp_path: Path) -> None:
    page = street.claire.open("/record")
    message = record(page)
    send(page, "joseph", caption="For the terminal")
    sent(page)
    (item,) = street.joseph.inbox()
    assert (item["id"], item["from"], item["caption"]) == (message, "claire", "For the terminal")
    path = tmp_path / "from-claire.mp4"
    street.joseph.ok("save", message, "-o", path)
    assert_keeps(path, duration_s=item["duration_s"])
    page.get_by_text(re.compile("^Delivered")).wait_for()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("link", name="Sent").first.click()
    letter(page, "For the terminal").get_by_text(re.compile(r"^Played\. ")).wait_for()


def test_from_command_line_to_browser(street: Street, tmp_path: Path) -> None:
    page = street.ann.open()
    page.get_by_role("heading", level=1).wait_for()
    arrival = expect(page, "From the terminal")
    street.joseph.send("ann", talking_head(tmp_path), "--caption", "From the terminal")
    came_at = arrival()
    told = by_caption(street.joseph, "From the terminal")
    assert came_at - told["received_at"] < LIVE_MS
    eventually(lambda: by_caption(street.joseph, "From the terminal")["state"] == "delivered")
    watch(page, "From the terminal")
    play(page)
    eventually(lambda: by_caption(street.joseph, "From the terminal")["state"] == "played")
    assert_keeps(save(page, tmp_path / "saved.mp4"), duration_s=told["duration_s"])


def test_it_waits_for_somebody_who_is_away(street: Street, clip: Path) -> None:
    """The browser was closed when it came; opened again, the list is there without the network, too."""
    street.joseph.send("ann", clip, "--caption", "While you were out")
    page = street.ann.open()
    letter(page, "While you were out").wait_for()
    assert by_caption(street.joseph, "While you were out")["state"] in {"stored", "delivered"}
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    eventually(lambda: by_caption(street.joseph, "While you were out")["state"] == "delivered")
    street.ann.visitor.witness.allow("ERR_INTERNET_DISCONNECTED")
    street.ann.visitor.context.set_offline(True)
    try:
        page.reload()
        letter(page, "While you were out").wait_for()
        page.get_by_text("Needs the network").first.wait_for()
        letter(page, "While you were out").get_by_role("link").click()
        page.get_by_text("No connection just now").wait_for()
    finally:
        street.ann.visitor.context.set_offline(False)
    page.get_by_role("button", name="Save as .mp4").wait_for(timeout=30_000)


def test_a_deletion_can_be_taken_back_and_is_real_afterwards(street: Street, clip: Path) -> None:
    street.joseph.send("ann", clip, "--caption", "Keep me")
    message = street.joseph.send("ann", clip, "--caption", "Throw me away")
    page = street.ann.open()
    entry = letter(page, "Throw me away")
    entry.get_by_role("button", name="Delete the video of joseph").click()
    page.get_by_text("The video of joseph is deleted.").wait_for()
    assert entry.count() == 0
    page.get_by_role("button", name="Undo").click()
    entry.wait_for()
    assert message in [item["id"] for item in street.ann.cli.inbox()]
    entry.get_by_role("button", name="Delete the video of joseph").click()
    page.get_by_role("button", name="Undo").wait_for()
    page.close()
    street.ann.open()
    eventually(lambda: message not in [item["id"] for item in street.ann.cli.inbox()], within_s=30)
    again = street.ann.open()
    letter(again, "Keep me").wait_for()
    assert letter(again, "Throw me away").count() == 0


@pytest.mark.long
def test_a_closed_window_loses_no_take(street: Street) -> None:
    """Closed in mid-recording: offered again, made whole, sent; to two people at once."""
    page = street.claire.open("/record")
    begin(page)
    kept(page, 2)
    page.close()
    page = street.claire.open()
    page.get_by_role("heading", name="Your video is still here").wait_for()
    page.get_by_role("button", name="Look at it").click()
    page.get_by_label("A line to go with it").wait_for()
    play(page)
    send(page, "ann", "joseph", caption="To you both")
    sent(page)
    lengths = {by_caption(person, "To you both")["duration_s"] for person in (street.ann.cli, street.joseph)}
    assert len(lengths) == 1
    assert min(lengths) >= 2
    page.get_by_role("button", name="Take it back").click()
    page.get_by_role("button", name="Delete for everybody").click()
    eventually(lambda: "To you both" not in [item["caption"] for item in street.joseph.inbox()])
    assert "To you both" not in [item["caption"] for item in street.claire.cli.sent()]


@pytest.mark.long
def test_a_take_that_nobody_is_to_see(street: Street, tmp_path: Path) -> None:
    """It waits in the inbox, can be kept as a file, and what was thrown away can be brought back for a while."""
    page = street.claire.open("/record")
    draft = record(page)
    assert draft in page.evaluate(TAKES)
    page.get_by_role("link", name="Inbox").first.click()
    found = page.get_by_role("heading", name="Your video is still here")
    found.wait_for()
    path = save(page, tmp_path / "draft.mp4")
    length_s = Judged(path).duration_s
    assert length_s >= 1
    assert_keeps(path, duration_s=length_s)
    page.get_by_role("button", name="Delete it").click()
    page.get_by_role("button", name="Undo").click()
    found.wait_for()
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("button", name="Delete it").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    page.wait_for_url("**/inbox")
    eventually(lambda: draft not in page.evaluate(TAKES))
    page.reload()
    page.get_by_role("heading", level=1).wait_for()
    assert found.count() == 0


def test_an_answer_goes_to_who_wrote(street: Street, clip: Path) -> None:
    street.joseph.send("claire", clip, "--caption", "Will you come?")
    page = street.claire.open()
    watch(page, "Will you come?")
    page.get_by_role("button", name="Answer with a video").click()
    page.get_by_text("For joseph").first.wait_for()
    record(page)
    page.get_by_label("A line to go with it").fill("Yes, on Sunday")
    page.get_by_role("button", name="Send to joseph").click()
    sent(page)
    assert by_caption(street.joseph, "Yes, on Sunday")["from"] == "claire"


@pytest.mark.long
def test_eight_windows_share_one_live_channel(street: Street, clip: Path) -> None:
    """When the window that holds it is closed, another one takes it over."""
    channels: list[Request] = []
    street.ann.visitor.context.on(
        "request", lambda request: channels.append(request) if request.url.endswith("/events") else None
    )
    pages = [street.ann.open() for _ in range(8)]
    for page in pages:
        page.get_by_role("heading", level=1).wait_for()
    arrivals = [expect(page, "To all windows") for page in pages]
    street.joseph.send("ann", clip, "--caption", "To all windows")
    assert all(arrival() for arrival in arrivals)
    (channel,) = channels
    holder = channel.frame.page
    rest = [page for page in pages if page != holder]
    with street.ann.visitor.context.expect_event("request", lambda asked: asked.url.endswith("/events")):
        holder.close()
    arrivals = [expect(page, "To those who are left") for page in rest]
    street.joseph.send("ann", clip, "--caption", "To those who are left")
    assert all(arrival() for arrival in arrivals)
    assert len(channels) == 2
