"""What a browser's owner does with what was left for them: a request decided, a receipt signed, kept, archived, passed on, reported."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from restante.server.commands.reports import reports
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


@pytest.mark.long
def test_somebody_unknown_is_accepted_answered_for_passed_on_kept_reported_and_blocked(
    home: Inhabitant, house: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ann, bob = (Person(name, tmp_path, house.url).sign_up() for name in ("ann", "bob"))
    page = home.open()
    _sign_receipts(home)
    clip = small_clip(tmp_path)
    video = ann.send("claire", clip, "--caption", "The mangoes are ripe", "--may-forward")

    letter(page, "The mangoes are ripe").wait_for()
    page.get_by_role("button", name="Accept ann").click()
    expect(page.get_by_role("button", name="Accept ann")).to_have_count(0)
    _make_group(home, "Family", "bob")

    _watch(page, "ann")
    eventually(lambda: _receipt(ann, video) == "played")
    _pass_on(page, "bob")
    passed = eventually(lambda: next(iter(bob.inbox()), None))
    assert (passed["id"], passed["from"]) == (video, "claire")

    page.get_by_role("button", name="Keep at the top").click()
    page.get_by_role("button", name="No longer at the top").wait_for()
    page.get_by_role("button", name="Archive").click()
    page.get_by_role("button", name="Back to the inbox").wait_for()
    page.get_by_role("link", name=re.compile("inbox", re.IGNORECASE)).first.click()
    page.get_by_role("link", name="Archive (1)").click()
    expect(page.get_by_role("heading", name="ann")).to_be_visible()
    assert axe_violations(page) == []
    archived = eventually(lambda: home.cli.ok("inbox", "--archived", "--json").json)
    assert [(item["id"], item["kept"]) for item in archived] == [(video, True)]

    page.get_by_role("link", name="ann").click()
    _report(page, "ann")
    assert reports("list", data=house.data, json=True) == 0
    assert video in capsys.readouterr().out
    ann.send("claire", clip, "--caption", "Are you there?")
    assert "Are you there?" not in str(home.cli.inbox())


def _sign_receipts(home: Inhabitant) -> None:
    page = home.open("/settings")
    page.get_by_role("radio", name="Yes, signed").check()
    eventually(lambda: home.cli.ok("receipts", "--json").json == {"receipts": "signed"})
    page.close()


def _make_group(home: Inhabitant, name: str, member: str) -> None:
    page = home.open("/people")
    page.get_by_label("Name on this server").fill(member)
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text(f"{member} is added").wait_for()
    page.get_by_label("Name of the group").fill(name)
    page.get_by_role("button", name="Make the group").click()
    page.get_by_role("checkbox", name=re.compile(member)).check()
    page.get_by_role("link", name="Leave them a video").wait_for()
    assert axe_violations(page) == []
    expected = [(name, [f"{member}@localhost"])]
    eventually(
        lambda: [(each["name"], each["members"]) for each in home.cli.ok("groups", "--json").json] == expected
    )
    page.close()


def _watch(page: Page, sender: str) -> None:
    page.get_by_role("link", name=re.compile(f"^{sender}")).first.click()
    page.get_by_role("button", name=re.compile("^Play")).first.click()
    page.get_by_role("button", name="Keep at the top").wait_for()


def _pass_on(page: Page, name: str) -> None:
    page.get_by_role("button", name="Pass it on").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("checkbox", name=re.compile(name)).check()
    assert axe_violations(page) == []
    dialog.get_by_role("button", name="Pass it on").click()
    dialog.get_by_text(f"Passed on to {name}.").wait_for()
    dialog.get_by_role("button", name="Close").first.click()


def _report(page: Page, sender: str) -> None:
    page.get_by_role("button", name="Report this message").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("this one message: they can open it")
    dialog.get_by_label("What is wrong with it?").select_option("harassment")
    dialog.get_by_label(f"Block {sender} too").check()
    assert axe_violations(page) == []
    dialog.get_by_role("button", name="Disclose and report").click()
    dialog.get_by_text("Reported.").wait_for()


def _receipt(person: Person, message: str) -> str | None:
    (sent,) = [item for item in person.sent() if item["id"] == message]
    receipt: dict[str, str] | None = sent["deliveries"][0]["receipt"]
    return receipt and receipt["word"]
