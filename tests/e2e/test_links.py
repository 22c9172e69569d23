"""A video by link, on a phone, without an account: made by its owner in the browser, opened, kept, taken back."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.cli.person import Person
from tests.e2e.browsing import Visitor, Visitors, axe_violations
from tests.e2e.mailing import Inhabitant, assert_keeps, move_in, play, save, small_clip
from tests.serving import Server

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
GONE = r"status of 410.*/api/v1/links/"
"""The browser's console tells of each refusal, also of the one that is expected."""


@dataclass
class Place:
    claire: Inhabitant
    guest: Visitor
    message: str


@pytest.fixture(scope="module")
def place(
    house: Server, playwright: Playwright, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """Claire has sent a video; somebody without an account has a phone."""
    folder = tmp_path_factory.mktemp("place")
    visitors = Visitors(playwright.chromium, browser, folder)
    claire, joseph = (Person(name, folder, house.url).sign_up() for name in ("claire", "joseph"))
    message = claire.send(joseph.name, small_clip(folder), "--caption", "The garden, as promised")
    guest = visitors.arrive(house, **PHONE)
    guest.witness.allow(GONE)
    yield Place(move_in(visitors, house, claire, []), guest, message)
    visitors.leave()


def made(page: Page, *, password: str = "") -> str:
    """Makes a link and returns its address."""
    page.get_by_label("A password, if you like").fill(password)
    page.get_by_role("button", name="Make the link").click()
    address = page.locator("code").inner_text()
    assert "/m/" in address
    return address


def opened(guest: Visitor, address: str) -> Page:
    """A window of the guest's at an address that came some other way."""
    path = address.split("/", 3)[3]
    return guest.open(f"/{path}")


def test_a_guest_watches_and_keeps_it_until_the_link_is_taken_back(place: Place, tmp_path: Path) -> None:
    owner = place.claire.open(f"/link/{place.message}")
    address = made(owner)
    page = opened(place.guest, address)
    page.get_by_role("heading", name="A video from claire").wait_for()
    assert "#" not in page.url
    assert axe_violations(page) == []
    owner.get_by_text("Opened 0 times.").wait_for()

    page.get_by_role("button", name="Open it").click()
    play(page)
    page.get_by_text("The garden, as promised").wait_for()
    assert_keeps(save(page, tmp_path / "kept.mp4"), duration_s=1.2, within_s=0.3)
    owner.reload()
    owner.get_by_text("Opened 1 time.").wait_for()

    owner.get_by_role("button", name="Take it back: link 1").click()
    owner.get_by_text("Taken back.").wait_for()
    late = opened(place.guest, address)
    late.get_by_text("This link has ended.").wait_for()
    cut = opened(place.guest, address[:-3])
    cut.get_by_text("This link is not whole.").wait_for()


def test_a_wrong_password_burns_no_open(place: Place) -> None:
    owner = place.claire.open(f"/link/{place.message}")
    page = opened(place.guest, made(owner, password="under the third mango"))
    page.get_by_label("Password of this link").fill("under the second")
    page.get_by_role("button", name="Try it").click()
    page.get_by_text("That does not open it.").wait_for()
    page.get_by_label("Password of this link").fill("under the third mango")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("button", name="Open it")).to_be_visible()
    owner.reload()
    owner.get_by_text("Opened 0 times.").wait_for()
