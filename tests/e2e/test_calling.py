"""A video left at an answering page by somebody without an account, on a phone; watched and answered by its owner."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.cli.person import Person
from tests.e2e.browsing import PHONE, Visitor, Visitors, axe_violations
from tests.e2e.mailing import assert_keeps, begin, kept, move_in, play, small_clip, watch
from tests.e2e.test_captions import CUES
from tests.serving import Server

HANDS = {"RESTANTE_ABUSE_CONTACT": "abuse@post.example"}


def path_of(address: str) -> str:
    return "/" + address.split("/", 3)[3]


def recorded(page: Page, seconds: int = 1) -> None:
    """Records, and waits until it can be looked at."""
    begin(page)
    kept(page, seconds)
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name=re.compile("^Send to |^Use it")).wait_for()


def leave_word(caller: Visitor, url: str, *, captions: Sequence[str] = ()) -> str:
    """Hears the greeting, leaves a video of two seconds, and returns where the answer will be."""
    page = caller.open(path_of(url))
    page.get_by_role("heading", name="Leave grace a video").wait_for()
    assert "#" not in page.url
    page.get_by_text("Back on Monday").wait_for()
    assert axe_violations(page) == []
    page.get_by_role("button", name="Play the greeting").click()
    page.wait_for_function("() => document.querySelector('video')?.currentTime >= 0.5")
    assert [text for _, _, text in page.evaluate(CUES)] == list(captions)
    page.get_by_role("button", name=re.compile("beep$")).click()
    recorded(page)
    page.get_by_label("Your name, if you like").fill("Hedy")
    page.get_by_label("A line to go with it").fill("It is about the piano")
    page.get_by_role("switch", name="grace may answer me").check()
    assert axe_violations(page) == []
    page.get_by_role("button", name="Send to grace").click()
    page.get_by_role("heading", name="It waits for grace").wait_for()
    expect(page.get_by_role("button", name="Copy the link")).to_be_visible()
    return page.locator("code").inner_text()


def test_a_stranger_leaves_a_video_that_its_owner_watches(
    new_house: Callable[..., Server], visitors: Visitors, tmp_path: Path
) -> None:
    house = new_house(**HANDS)
    grace = Person("grace", tmp_path, house.url).sign_up()
    grace.ok("page", "on", "--note", "Back on Monday")
    url = grace.ok("page", "greeting", small_clip(tmp_path)).out.strip()
    caller = visitors.arrive(house, **PHONE)
    leave_word(caller, url)
    owner = move_in(visitors, house, grace, [])
    inbox = owner.open("/inbox")
    inbox.get_by_role("link", name=re.compile("^Hedy, by your page")).wait_for()
    watch(inbox, "It is about the piano")
    inbox.get_by_text("Left without an account.").first.wait_for()
    play(inbox)


@pytest.mark.long
def test_an_owner_greets_answers_a_caller_and_changes_the_link(
    new_house: Callable[..., Server], visitors: Visitors, tmp_path: Path
) -> None:
    house = new_house(**HANDS)
    grace = Person("grace", tmp_path, house.url).sign_up()
    owner = move_in(visitors, house, grace, [])
    caller = visitors.arrive(house, **PHONE)
    page = owner.open("/settings")
    page.get_by_role("link", name="Strangers leave you a video there").click()
    page.get_by_role("switch", name="Answering page").check()
    address = page.locator("code").first
    first = address.inner_text()
    page.get_by_label("Words for callers").fill("Back on Monday")
    page.get_by_role("button", name="Keep these words").click()
    page.get_by_role("button", name="Record a greeting, or use a file").click()
    recorded(page)
    page.get_by_role("button", name="Captions").click()
    page.get_by_role("dialog").get_by_label("What is said").fill("Good morning")
    page.get_by_role("button", name="Keep the captions").click()
    page.get_by_text("The captions are kept with your video.").wait_for()
    page.get_by_role("button", name="Use it as greeting").click()
    page.get_by_text("Whoever has your link sees it before the beep.").wait_for()
    assert axe_violations(page) == []
    answer = leave_word(caller, first, captions=["Good morning"])
    caller.witness.allow(r"status of 404.*/api/v1/answers")
    early = caller.open(path_of(answer))
    early.get_by_text("There is no answer yet.").wait_for()
    inbox = owner.open("/inbox")
    watch(inbox, "It is about the piano")
    inbox.get_by_role("button", name="Answer").click()
    recorded(inbox)
    inbox.get_by_role("button", name=re.compile("^Send to Hedy")).click()
    inbox.get_by_role("heading", name=re.compile("^It waits for Hedy")).wait_for()

    early.get_by_role("button", name="Try again").click()
    early.get_by_role("button", name="Open it").click()
    play(early)

    page.get_by_role("radio", name="whoever has the link").check()
    page.get_by_role("button", name="Make another link").click()
    page.get_by_role("dialog").get_by_role("button", name="Make another link").click()
    expect(address).not_to_have_text(first)
    old = caller.open(path_of(first))
    old.get_by_text("This is a link of before.").wait_for()
    old.get_by_text("grace takes videos only by their link.").wait_for()
    leave_word(caller, address.inner_text(), captions=["Good morning"])

    page.get_by_role("switch", name="Only at certain hours").check()
    page.get_by_role("button", name="Take it away").click()
    page.get_by_text("There is none. Callers see your words").wait_for()
    page.get_by_role("switch", name="Answering page").uncheck()
    expect(address).to_have_count(0)
    caller.witness.allow(r"status of 404.*/api/v1/pages/")
    caller.open(path_of(first)).get_by_text("No mailbox answers at @grace.").first.wait_for()


@pytest.mark.long
def test_a_guest_answers_a_link_by_video(
    new_house: Callable[..., Server], visitors: Visitors, tmp_path: Path
) -> None:
    house = new_house(**HANDS)
    grace = Person("grace", tmp_path, house.url).sign_up()
    made = grace.ok("link", "create", small_clip(tmp_path), "--answers").out.strip()
    guest = visitors.arrive(house, **PHONE)
    page = guest.open(path_of(made))
    page.get_by_role("button", name="Open it").click()
    page.get_by_role("button", name="Answer by video").click()
    recorded(page)
    page.reload()  # the address has lost what opens the link, and the take is there all the same
    page.get_by_role("button", name="Look at it").click()
    page.get_by_label("Your name, if you like").fill("Joseph")
    page.get_by_role("button", name=re.compile("^Send to ")).click()
    page.get_by_role("heading", name=re.compile("^It waits for ")).wait_for()
    [item] = grace.inbox()
    saved = tmp_path / "answer.mp4"
    grace.ok("save", item["id"], "-o", saved)
    assert_keeps(saved, duration_s=2, within_s=2)
