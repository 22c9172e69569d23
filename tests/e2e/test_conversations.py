"""What is said between two people in a browser: who wrote first is accepted, a video is answered by a sign and by words, which arrive signed and in their thread."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.cli.person import Person
from tests.e2e.browsing import Visitors, axe_violations
from tests.e2e.mailing import Inhabitant, eventually, letter, move_in, small_clip
from tests.serving import Server


@pytest.fixture(scope="module")
def home(
    house: Server, playwright: Playwright, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Inhabitant]:
    """Claire has a browser."""
    folder = tmp_path_factory.mktemp("home")
    visitors = Visitors(playwright.chromium, browser, folder)
    claire = Person("claire", folder, house.url).sign_up()
    yield move_in(visitors, house, claire, [])
    visitors.leave()


def test_a_video_is_answered_by_a_sign_and_by_words(home: Inhabitant, house: Server, tmp_path: Path) -> None:
    ann = Person("ann", tmp_path, house.url).sign_up()
    page = home.open()
    video = ann.send("claire", small_clip(tmp_path), "--caption", "The mangoes are ripe")
    letter(page, "The mangoes are ripe").wait_for()
    assert [one["acct"] for one in home.cli.ok("requests", "--json").json] == ["ann@localhost"]
    page.get_by_role("button", name="Accept ann").click()
    expect(page.get_by_role("button", name="Accept ann")).to_have_count(0)
    eventually(lambda: home.cli.ok("requests", "--json").json == [])
    page.goto(page.url.replace("/inbox", "/with/ann"))
    lines = page.get_by_role("list", name="You and ann").get_by_role("listitem")
    expect(lines).to_have_count(1)

    lines.first.get_by_role("button", name="Answer: The mangoes are ripe").click()
    page.get_by_role("button", name="A heart").click()
    expect(lines.first).to_contain_text("You: A heart")

    lines.first.get_by_role("button", name="Answer: The mangoes are ripe").click()
    page.get_by_label("Words for ann").fill("Keep one for me")
    page.get_by_role("button", name="Send the words").click()
    expect(lines).to_have_count(2)
    expect(lines.last).to_contain_text("In answer to: The mangoes are ripe")
    expect(lines.last).to_contain_text("Stored.")
    assert axe_violations(page) == []

    said = eventually(lambda: len(found := ann.inbox()) == 2 and found)
    told = {item["kind"]: (item["text"], item["reply_to"]) for item in said}
    assert told == {"reaction": ("❤️", video), "text": ("Keep one for me", video)}

    page.reload()
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("You: A heart")
