"""Every take that lies on a device: listed with what became of it, sent, saved, deleted with undo; over a sign-out and a second tab."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Playwright, expect

from tests.cli.person import Person
from tests.e2e.browsing import FAKE_DEVICES, Visitors, axe_violations
from tests.e2e.mailing import (
    NETWORK,
    Inhabitant,
    befriend,
    begin,
    eventually,
    kept,
    move_in,
    send,
    sent,
    sign_in,
    stop,
    stored,
)
from tests.serving import Server

SLOW = 60_000
CLEAR = """async () => {
  const takes = await (await navigator.storage.getDirectory()).getDirectoryHandle('takes');
  for await (const name of takes.keys()) await takes.removeEntry(name, { recursive: true });
}"""


@dataclass
class Desk:
    """Claire has a browser, Joseph a terminal."""

    server: Server
    claire: Inhabitant
    joseph: Person


@pytest.fixture(scope="module")
def desk(
    house: Server, playwright: Playwright, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    visitors = Visitors(playwright.chromium, browser, folder)
    claire, joseph = (Person(name, folder, house.url).sign_up() for name in ("claire", "joseph"))
    at_home = move_in(visitors, house, claire, FAKE_DEVICES)
    at_home.visitor.witness.allow(NETWORK)
    befriend(at_home, "joseph")
    yield Desk(house, at_home, joseph)
    visitors.leave()


def take_of(page: Page, draft: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.locator(f"a[href='/review/{draft}']"))


def received(desk: Desk, caption: str) -> list[dict[str, Any]]:
    return [item for item in desk.joseph.inbox() if item["caption"] == caption]


@pytest.mark.long
def test_takes_are_listed_deleted_and_brought_back_in_every_tab(desk: Desk) -> None:
    booth = desk.claire.open("/record")
    begin(booth)
    first = stop(booth)
    booth.goto(f"{desk.claire.visitor.url}/drafts")
    second_tab = desk.claire.open("/drafts")
    expect(take_of(second_tab, first)).to_contain_text("kept on this device", timeout=SLOW)
    take_of(booth, first).get_by_role("button", name="Delete it").click()
    booth.get_by_text("The take is deleted.").wait_for()
    expect(take_of(booth, first)).to_have_count(0)
    assert axe_violations(booth) == []
    booth.get_by_role("button", name="Undo").click()
    take_of(booth, first).wait_for(timeout=SLOW)
    with booth.expect_download(timeout=SLOW) as download:
        take_of(booth, first).get_by_role("button", name="Save as .mp4").click()
    assert download.value.suggested_filename.endswith(".mp4")
    take_of(booth, first).get_by_role("link").click()
    send(booth, "joseph", caption="Out of the list")
    sent(booth)
    second_tab.reload()
    second_tab.get_by_text("No take lies here.").wait_for(timeout=SLOW)
    assert eventually(lambda: received(desk, "Out of the list"))
    booth.close()
    second_tab.close()


@pytest.mark.long
def test_two_takes_wait_without_a_server_and_a_sign_out_loses_neither(desk: Desk) -> None:
    """Both are sent while the server is down; the person signs out, is told of them, and they go when she is back."""
    pages = []
    for _ in range(2):
        pages.append(desk.claire.open("/record"))
        begin(pages[-1])
        stop(pages[-1])
    desk.server.kill()
    for number, page in enumerate(pages):
        send(page, "joseph", caption=f"Waiting {number}")
        page.get_by_text(re.compile("^On its way: ")).wait_for()
    settings, other = pages
    other.close()
    settings.get_by_role("button", name="Go on in the background").click()
    settings.wait_for_url("**/inbox")
    settings.get_by_role("link", name="Settings").first.click()
    settings.get_by_role("button", name="Sign out here").click()
    settings.get_by_role("dialog").get_by_text(re.compile("still on (its|their) way")).wait_for()
    assert axe_violations(settings) == []
    settings.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    settings.wait_for_url("**/sign-in", timeout=SLOW)
    desk.server.start()
    assert received(desk, "Waiting 0") == []
    sign_in(settings, desk.claire.cli)
    assert eventually(lambda: received(desk, "Waiting 0") and received(desk, "Waiting 1"), 60)
    settings.close()


def test_a_sign_out_while_a_take_goes_up_is_asked_of_and_loses_nothing(desk: Desk) -> None:
    """One window records and uploads, in another the person signs out: the take runs to its end, is kept, and goes when they are back."""
    desk.claire.visitor.witness.allow(r"status of 401.*/api/v1/")  # the window that goes on is told so
    booth = desk.claire.open("/record")
    begin(booth)
    stored(booth, 1)
    settings = desk.claire.open("/settings")
    settings.get_by_role("button", name="Sign out here").click()
    asked = settings.get_by_role("dialog")
    asked.get_by_text(re.compile("(was|were) not sent. (It stays|They stay) here, sealed")).wait_for()
    asked.get_by_role("button", name="Sign out").click()
    settings.wait_for_url("**/sign-in", timeout=SLOW)
    kept(booth, 3)
    booth.get_by_role("button", name="Stop", exact=True).click()
    booth.wait_for_url("**/sign-in", timeout=SLOW)
    booth.close()
    sign_in(settings, desk.claire.cli)
    settings.get_by_role("button", name="Look at it").click()
    settings.wait_for_url("**/review/*")
    send(settings, "joseph", caption="After a sign-out")
    sent(settings)
    (item,) = eventually(lambda: received(desk, "After a sign-out"))
    assert item["duration_s"] >= 3
    settings.close()


def test_a_take_that_the_browser_cleared_is_told_so_and_offers_nothing_that_is_gone(desk: Desk) -> None:
    booth = desk.claire.open("/record")
    desk.server.kill()
    begin(booth)
    draft = stop(booth)
    booth.close()
    inbox = desk.claire.open("/inbox")
    inbox.get_by_role("button", name="Save as .mp4").wait_for(timeout=SLOW)
    inbox.evaluate(CLEAR)
    inbox.reload()
    inbox.get_by_role("heading", name="The browser has cleared this take").wait_for(timeout=SLOW)
    expect(inbox.get_by_role("button", name="Save as .mp4")).to_have_count(0)
    assert axe_violations(inbox) == []
    inbox.goto(f"{desk.claire.visitor.url}/review/{draft}")
    inbox.get_by_text("The browser has cleared this video from the device.").wait_for(timeout=SLOW)
    expect(inbox.get_by_role("button", name="Save as .mp4")).to_have_count(0)
    inbox.get_by_role("button", name="Delete it").click()
    inbox.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    inbox.wait_for_url("**/inbox", timeout=SLOW)
    expect(inbox.get_by_role("heading", name="The browser has cleared this take")).to_have_count(0)
    desk.server.start()
    inbox.close()
