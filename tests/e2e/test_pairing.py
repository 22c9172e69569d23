"""Devices in the browser: a command line is let in and removed again, a removed browser is told so, a cleared one comes back."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from restante.crypto.pairing import pairing_words
from tests.api.people import new_name
from tests.cli.person import Person, Result
from tests.e2e.browsing import Visitor, Visitors, axe_violations
from tests.e2e.mailbox import AT_THE_GATE, arrived, sign_in
from tests.e2e.mailing import record, small_clip
from tests.e2e.test_account import AT_REST, stored
from tests.footage import Judged
from tests.serving import Server


@pytest.fixture(scope="module")
def noted(house: Server, tmp_path_factory: pytest.TempPathFactory) -> Person:
    """Somebody whom the tests of this file share, since stretching a passphrase takes its time."""
    return Person(new_name("devices"), tmp_path_factory.mktemp("noted"), house.url).sign_up()


@dataclass
class Asked:
    """A command line that shows its address and waits."""

    address: str
    words: list[str]
    label: str
    machine: Person
    ended: list[Result] = field(default_factory=list)

    @property
    def result(self) -> Result:
        return self.ended[0]


@contextmanager
def asking(person: Person, visitor: Visitor, device: str, *, label: str = "pottery shed") -> Iterator[Asked]:
    """Runs `restante pair` until it ends, which is after the block."""
    machine = person.other_device(device)
    with machine.started("pair", visitor.url, "--json", "--name", label) as process:
        shown = json.loads(process.stdout.readline())
        asked = Asked(shown["address"], shown["words"], shown["label"], machine)
        yield asked
        out, err = process.communicate(timeout=90)
        asked.ended.append(Result(process.returncode, out, err))


def signed_in(visitor: Visitor, person: Person) -> Page:
    page = visitor.open("/sign-in")
    sign_in(page, person.name, person.passphrase)
    arrived(page)
    return page


def follow(page: Page, asked: Asked) -> None:
    """Opens the address, and sees who asks, with nothing of it left in the bar."""
    page.goto(asked.address)
    expect(page.get_by_role("heading", name=asked.label)).to_be_visible(timeout=AT_THE_GATE)
    assert re.search("/pair$", page.url), page.url
    shown = page.get_by_role("list", name="Six words").locator("li").all_inner_texts()
    assert shown == asked.words
    assert shown == list(pairing_words(asked.address.rpartition(".")[2]))


def devices(page: Page) -> Locator:
    return page.get_by_role("list", name="Where you are signed in").get_by_role("listitem")


def look_at_devices(page: Page) -> None:
    page.get_by_role("link", name="Settings").first.click()
    expect(devices(page).filter(has_text="here").first).to_be_visible(timeout=AT_THE_GATE)


def grow_stale(house: Server) -> None:
    """As if every session had shown long ago who it is."""
    with closing(sqlite3.connect(house.data / "restante.sqlite3", timeout=30)) as database, database:
        assert database.execute("UPDATE sessions SET verified_at = 0").rowcount > 0


def test_a_command_line_is_let_in_by_a_browser_and_removed_again(
    house: Server, visitors: Visitors, noted: Person
) -> None:
    """The words are the same on both sides, the person shows anew who they are, and the terminal goes on by itself."""
    visitor = visitors.arrive(house)
    visitor.witness.allow("403.*/approval")  # a browser's console tells of each refusal
    page = signed_in(visitor, noted)
    grow_stale(house)
    with asking(noted, visitor, "shed") as asked:
        follow(page, asked)
        assert axe_violations(page) == []
        page.get_by_role("button", name="Let it in").click()
        dialog = page.get_by_role("dialog", name="Is it you?")
        dialog.get_by_label("Passphrase").fill(noted.passphrase)
        dialog.get_by_role("button", name="It is me").click()
        expect(page.get_by_text("pottery shed may open your mailbox now.")).to_be_visible(timeout=AT_THE_GATE)
        assert axe_violations(page) == []
    assert (asked.result.code, asked.result.err) == (0, "")
    assert asked.machine.inbox() == []
    look_at_devices(page)
    row = devices(page).filter(has_text="pottery shed")
    expect(row).to_contain_text("Command line")
    row.get_by_role("button", name=re.compile("^Remove pottery shed")).click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(row).to_be_hidden(timeout=AT_THE_GATE)
    assert axe_violations(page) == []
    assert "This device was removed" in asked.machine.run("inbox").failed().err
    with noted.account as account:
        assert "pottery shed" not in {device.label for device in account.keyring.devices}
    secrets = [asked.machine.profile.secrets().identity, "AGE-SECRET-KEY"]
    assert [secret for secret in secrets if secret in page.evaluate(AT_REST)] == []


@pytest.mark.long  # the terminal's side is told in tests/cli, and each screen in the gallery
def test_no_is_no_and_yes_can_be_taken_back(house: Server, visitors: Visitors, noted: Person) -> None:
    visitor = visitors.arrive(house)
    visitor.witness.allow("410.*/pairings")
    page = visitor.open("/people")
    page.get_by_role("link", name="I have one: sign in").wait_for()
    with asking(noted, visitor, "refused", label="somebody else") as asked:
        page.goto(asked.address)  # who is outside signs in first, and comes back
        sign_in(page, noted.name, noted.passphrase)
        expect(page.get_by_role("heading", name=asked.label)).to_be_visible(timeout=AT_THE_GATE)
        assert re.search("/pair$", page.url)
        page.get_by_role("button", name="Turn it down").click()
        expect(page.get_by_text("somebody else was turned down.")).to_be_visible()
    assert "The pairing was refused" in asked.result.failed().err
    with asking(noted, visitor, "undone", label="too quick") as asked:
        follow(page, asked)
        page.get_by_role("button", name="Let it in").click()
        page.get_by_role("button", name="Take it back").click()
        expect(page.get_by_text("too quick was removed again.")).to_be_visible(timeout=AT_THE_GATE)
        assert axe_violations(page) == []
    asked.result.failed()
    with noted.account as account:
        assert "too quick" not in {device.label for device in account.keyring.devices}
    for fragment, words in (
        ("nonsense", "This address asks for nothing."),
        (asked.address.partition("#")[2], "This request is over."),
        ("a" * 16 + "." + asked.address.rpartition(".")[2], "This request is over."),
        (f"{'a' * 16}.age1{'q' * 58}", "This address asks for nothing."),
    ):
        page.goto(f"{visitor.url}/pair#{fragment}")
        expect(page.get_by_role("alert").filter(has_text=words)).to_be_visible()
        assert page.url == f"{visitor.url}/pair"
    assert axe_violations(page) == []


@pytest.mark.long
def test_a_removed_browser_is_told_so_and_its_film_can_still_be_saved(
    house: Server, visitors: Visitors, noted: Person, tmp_path: Path
) -> None:
    """All the others are removed from the command line; what was not sent is saved as an ordinary .mp4."""
    visitor = visitors.arrive(house, permissions=["camera", "microphone"])
    visitor.witness.allow("401")
    page = signed_in(visitor, noted)
    other = visitors.arrive(house)
    other.witness.allow("401")
    untouched = signed_in(other, noted)
    page.goto(f"{visitor.url}/record")
    record(page)
    noted.ok("sessions", "--end-others", RESTANTE_PASSPHRASE=noted.passphrase)
    expect(page).to_have_url(re.compile("/sign-in$"), timeout=AT_THE_GATE)
    expect(page.get_by_role("alert")).to_contain_text("This device was removed.")
    assert axe_violations(page) == []
    expect(untouched).to_have_url(re.compile("/sign-in$"), timeout=AT_THE_GATE)
    expect(untouched.get_by_role("alert")).to_contain_text("This device was removed.")
    expect(untouched.get_by_role("link", name="What was not sent")).to_be_hidden()
    page.get_by_role("link", name="What was not sent").click()
    expect(page.get_by_role("heading", name="Not sent from here")).to_be_visible()
    assert axe_violations(page) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as .mp4").click()
    film = tmp_path / "left.mp4"
    download.value.save_as(film)
    assert Judged(film).codecs == ["h264", "aac"]
    assert Judged(film).duration_s > 0.5
    page.reload()
    expect(page.get_by_text("Nothing that was not sent lies here.")).to_be_visible()
    assert noted.ok("sessions", "--json").json[0]["current"]


@pytest.mark.long  # that a cleared browser has its people again is part of the first test of passkeys
def test_a_browser_whose_storage_was_cleared_has_everything_again_after_a_sign_in(
    house: Server, visitors: Visitors, noted: Person, tmp_path: Path
) -> None:
    """The browser evicts all that it kept: mail, people, what was seen and the settings come back."""
    friend = Person(new_name("friend"), tmp_path, house.url).sign_up()
    friend.send(noted.name, small_clip(tmp_path), "--caption", "Still there")
    visitor = visitors.arrive(house)
    visitor.witness.allow("401|404.*/state/|412.*/state/")
    page = signed_in(visitor, noted)
    letter = page.get_by_role("listitem").filter(has_text="Still there")
    with stored(page, "contacts"):
        expect(letter).to_be_visible(timeout=AT_THE_GATE)
    page.get_by_role("link", name="Settings").first.click()
    with stored(page, "settings"):
        page.get_by_text("Night", exact=True).click()
    seen = noted.ok("inbox", "--json").json
    chromium = page.context.new_cdp_session(page)
    chromium.send("Storage.clearDataForOrigin", {"origin": visitor.url, "storageTypes": "all"})
    page.goto(f"{visitor.url}/inbox")
    expect(page.get_by_role("link", name="I have one: sign in")).to_be_visible(timeout=AT_THE_GATE)
    assert noted.name not in page.evaluate(AT_REST), "or nothing was cleared"
    page.get_by_role("link", name="I have one: sign in").click()
    sign_in(page, noted.name, noted.passphrase)
    arrived(page)
    expect(letter).to_be_visible(timeout=AT_THE_GATE)
    expect(letter).to_contain_text(friend.name)
    expect(page.get_by_role("alert")).to_be_hidden()
    page.get_by_role("link", name="People").first.click()
    expect(page.get_by_role("listitem").filter(has_text=friend.name)).to_be_visible()
    page.get_by_role("link", name="Settings").first.click()
    expect(page.get_by_role("radio", name="Night")).to_be_checked()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    assert [item["id"] for item in noted.ok("inbox", "--json").json] == [item["id"] for item in seen]
