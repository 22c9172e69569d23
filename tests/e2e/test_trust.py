"""How sure people are of each other: compared and scanned numbers, links, new keys, a device in wrong hands."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Playwright, expect

from restante.signing import records
from tests.cli.person import Person
from tests.e2e.browsing import Visitors, axe_violations, devices
from tests.e2e.mailing import Inhabitant, eventually, letter, move_in, record, send, sent, sign_in, small_clip
from tests.footage import ffmpeg
from tests.serving import Server

GROUPS = 12
CONFLICT = r"status of (403|404|409|412)"
"""What a browser's console tells of refusals that a test brings about."""


@dataclass
class Street:
    """Ann and Claire have a browser each, Joseph a terminal; Claire's camera films what Ann's screen shows."""

    ann: Inhabitant
    claire: Inhabitant
    joseph: Person
    server: Server
    folder: Path
    visitors: Visitors


@pytest.fixture(scope="module")
def street(
    house: Server, playwright: Playwright, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Street]:
    folder = tmp_path_factory.mktemp("street")
    visitors = Visitors(playwright.chromium, browser, folder)
    ann, claire, joseph = (Person(name, folder, house.url).sign_up() for name in ("ann", "claire", "joseph"))
    at_ann = move_in(visitors, house, ann, devices())
    film = filmed(at_ann, folder)
    at_claire = move_in(visitors, house, claire, devices(picture=film))
    for one in (at_ann, at_claire):
        one.visitor.witness.allow(CONFLICT)
    yield Street(at_ann, at_claire, joseph, house, folder, visitors)
    visitors.leave()


@pytest.fixture(autouse=True)
def pages_end(street: Street) -> Iterator[None]:
    yield
    for context in (street.claire.visitor.context, street.ann.visitor.context):
        for page in context.pages[1:]:
            page.close()


def filmed(ann: Inhabitant, folder: Path) -> Path:
    """What a camera sees of the code that Ann's screen shows for Claire: small, turned, blurred, in noise."""
    page = ann.open("/people/claire")
    code, film = folder / "code.png", folder / "film.y4m"
    page.get_by_role("img", name="for claire to scan").screenshot(path=code)
    page.close()
    held = "scale=330:330,rotate=0.12:fillcolor=gray:ow=400:oh=400,pad=640:480:130:40:gray"
    seen = "gblur=sigma=0.8,noise=alls=10:allf=t,format=yuv420p"
    ffmpeg("-loop", "1", "-t", "2", "-i", code, "-vf", f"{held},{seen}", "-r", "12", film)
    return film


def number_on(page: Page) -> list[str]:
    """The safety number as it is read, and as a screen reader speaks it."""
    page.get_by_role("list", name="Your safety number with").wait_for()
    items = page.get_by_role("list", name="Your safety number with").locator("li")
    shown = [item.locator("span").first.inner_text() for item in items.all()]
    spoken = [item.locator("span").last.inner_text() for item in items.all()]
    assert spoken == [" ".join(group) for group in shown]
    return shown


def seal(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem").filter(has_text=f"@{name}")


def contact(person: Person, name: str) -> dict:
    (found,) = [each for each in person.ok("contacts", "--json").json if each["acct"] == f"{name}@localhost"]
    return found


def history(server: Server, name: str) -> list[records.Record]:
    with sqlite3.connect(server.data / "restante.sqlite3", timeout=10) as database:
        rows = database.execute(
            "SELECT record FROM account_records JOIN accounts ON accounts.id = account_id WHERE name = ? ORDER BY rev",
            (name,),
        )
        return [records.read(row) for (row,) in rows]


def answer_if_asked(page: Page, person: Person, done: Locator) -> None:
    """A change of the signing key may need to be shown once more who one is."""
    asked = page.get_by_role("dialog").get_by_label("Passphrase")
    expect(asked.or_(done).first).to_be_visible(timeout=30_000)
    if asked.is_visible():
        asked.fill(person.passphrase)
        page.get_by_role("dialog").get_by_role("button", name="It is me").click()
    done.wait_for()


def test_two_people_read_the_same_number_and_scan_it(street: Street) -> None:
    mine, theirs = street.claire.open("/people/ann"), street.ann.open("/people/claire")
    assert number_on(mine) == number_on(theirs)
    assert len(number_on(mine)) == GROUPS
    mine.get_by_text("Not verified yet.").wait_for()
    assert axe_violations(mine) == []
    mine.get_by_role("button", name="Scan their code").click()
    dialog = mine.get_by_role("dialog")
    dialog.get_by_text("The same.").wait_for()
    assert axe_violations(mine) == []
    dialog.get_by_role("button", name="They are the same").click()
    mine.get_by_text("ann is verified.").wait_for()
    mine.get_by_role("link", name="Back to your people").click()
    seal(mine, "ann").get_by_text("Verified in person").first.wait_for()
    assert axe_violations(mine) == []
    # What one side has compared is that side's knowledge, on all of its devices.
    eventually(lambda: contact(street.claire.cli, "ann")["trust"] == "verified")
    theirs.reload()
    theirs.get_by_text("Not verified yet.").wait_for()
    theirs.get_by_role("button", name="They are the same").click()
    theirs.get_by_text("claire is verified.").wait_for()
    theirs.get_by_role("button", name="Take the mark back").click()
    theirs.get_by_text("Not verified yet.").wait_for()


def test_somebody_elses_code_is_not_the_same(street: Street) -> None:
    page = street.claire.open("/people/joseph")
    number_on(page)
    page.get_by_role("button", name="Scan their code").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Not the same.").wait_for()
    dialog.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="They differ").click()
    page.get_by_text("somebody may sit between you").wait_for()
    page.get_by_text("Not verified yet.").wait_for()


@pytest.mark.long
def test_ones_own_link_adds_one_elsewhere_and_a_forged_one_does_not(street: Street) -> None:
    page = street.claire.open("/people")
    link = page.locator("code").inner_text()
    told = street.joseph.ok("contacts", "add", link, "--json").json
    assert told["acct"] == "claire@localhost"
    theirs = street.joseph.ok("contacts", "--link").out.strip()
    path = theirs.removeprefix(street.joseph.url)
    opened = street.ann.visitor.open(path)
    opened.get_by_text("joseph is added.").wait_for()
    assert "#" not in opened.url
    assert axe_violations(opened) == []
    forged = street.ann.visitor.open(
        f"/add/claire@localhost#fp.{theirs[-22:]}"
    )  # Claire's name, Joseph's key
    forged.get_by_text("The server shows another key than the link names.").wait_for()
    half = street.ann.visitor.open(path.partition("#")[0])
    half.get_by_text("This link is not whole.").wait_for()


@pytest.mark.long
def test_a_link_waits_for_the_sign_in(street: Street) -> None:
    newcomer = Person("newcomer", street.folder, street.server.url).sign_up()
    path = street.joseph.ok("contacts", "--link").out.strip().removeprefix(street.joseph.url)
    visitor = street.visitors.arrive(street.server)
    visitor.witness.allow(CONFLICT)
    page = visitor.open(path)
    page.wait_for_url("**/")
    page.get_by_role("link", name=re.compile("sign in|I have one", re.IGNORECASE)).first.click()
    page.get_by_label("Your name here").fill(newcomer.name)
    page.get_by_label("Passphrase").fill(newcomer.passphrase)
    page.get_by_role("button", name="Open my mailbox").click()
    page.get_by_text("joseph is added.").wait_for()


@pytest.mark.long  # who follows whom is told in web/tests/crypto/rotation.test.ts
def test_a_key_that_the_old_one_signed_is_followed(street: Street) -> None:
    clip = small_clip(street.folder)
    street.joseph.send("claire", clip, "--caption", "Before the new key")
    page = street.claire.open()
    letter(page, "Before the new key").wait_for()
    page.goto(street.claire.visitor.url + "/people/joseph")
    before = number_on(page)
    page.get_by_role("button", name="They are the same").click()
    page.get_by_text("joseph is verified.").wait_for()
    street.joseph.ok("rotate", "--signing", RESTANTE_PASSPHRASE=street.joseph.passphrase)
    street.joseph.send("claire", clip, "--caption", "With the new key")
    page.goto(street.claire.visitor.url + "/inbox")
    letter(page, "With the new key").wait_for()
    letter(page, "Before the new key").wait_for()
    page.goto(street.claire.visitor.url + "/people/joseph")
    page.get_by_text("joseph has a new key, signed with the old one.").wait_for()
    assert number_on(page) != before
    page.get_by_role("link", name="Back to your people").click()
    seal(page, "joseph").get_by_text("New key, signed with the old one").wait_for()


@pytest.mark.long
def test_new_keys_by_hand_open_what_came_before_and_after(street: Street) -> None:
    clip = small_clip(street.folder)
    street.joseph.send("claire", clip, "--caption", "For the old keys")
    page = street.claire.open("/settings")
    page.get_by_role("button", name="New sealing key").click()
    page.get_by_text("The new key is in use.").wait_for()
    before = history(street.server, "claire")[-1]
    page.get_by_role("button", name="New signing key").click()
    answer_if_asked(page, street.claire.cli, page.get_by_text("Your new signing key is in use."))
    after = history(street.server, "claire")[-1]
    assert after.sign != before.sign
    assert axe_violations(page) == []
    street.joseph.send("claire", clip, "--caption", "For the new keys")
    page.get_by_role("link", name="Inbox").first.click()
    for caption in ("For the old keys", "For the new keys"):
        letter(page, caption).wait_for()
    listed = {item["caption"]: item["error"] for item in street.claire.cli.inbox()}
    assert (listed["For the old keys"], listed["For the new keys"]) == (None, None)
    street.claire.cli.send("joseph", clip, "--caption", "From the other device")
    assert street.joseph.inbox()[0]["error"] is None


@pytest.mark.long
def test_a_key_that_nobody_vouches_for_is_accepted_or_nothing_is_sent(street: Street) -> None:
    """Somebody lost everything, the operator made the name free, and it is somebody's again."""
    theo = Person("theo", street.folder, street.server.url).sign_up()
    page = street.claire.open("/people")
    page.get_by_label("Name on this server").fill("theo")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text("theo is added").wait_for()
    with sqlite3.connect(street.server.data / "restante.sqlite3", timeout=10) as database:
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("DELETE FROM accounts WHERE name = 'theo'")
    (street.folder / "again").mkdir()
    again = Person("theo", street.folder / "again", street.server.url).sign_up()
    booth = street.claire.open("/record?to=theo")
    record(booth)
    send(booth, "theo", caption="To whoever theo is")
    booth.get_by_text("theo has a new key.").wait_for()
    assert again.inbox() == []
    page.goto(street.claire.visitor.url + "/people")
    seal(page, "theo").get_by_text("New key").wait_for()
    booth.get_by_role("link", name="Compare with theo").click()
    booth.get_by_text("Compare before you trust it.").wait_for()
    assert axe_violations(booth) == []
    assert number_on(booth) == [
        word
        for word in again.run("contacts", "--verify", "claire").err.split()
        if re.fullmatch(r"\d{5}", word)
    ]
    booth.get_by_role("button", name="They are the same").click()
    booth.get_by_text("theo is verified.").wait_for()
    booth.go_back()
    booth.get_by_role("button", name="Try now").click()
    sent(booth)
    assert [item["caption"] for item in again.inbox()] == ["To whoever theo is"]
    assert theo.name == again.name


@pytest.mark.long
def test_a_device_in_wrong_hands_is_shut_out(street: Street) -> None:
    lost = street.ann.cli
    assert lost.run("inbox").code == 0
    page = street.ann.open("/settings")
    page.get_by_role("link", name="A device of mine is in wrong hands").click()
    before = history(street.server, "ann")[-1]
    page.get_by_role("button", name="Do this now: Sign out everywhere else").click()
    keys = page.get_by_role("button", name="Do this now: New keys")
    answer_if_asked(page, lost, keys)
    assert lost.run("inbox").code == 1
    assert axe_violations(page) == []
    page.reload()  # broken off, it goes on where it was
    keys.click()
    answer_if_asked(page, lost, page.get_by_role("button", name="Done", exact=True))
    after = history(street.server, "ann")[-1]
    assert (after.sign != before.sign, after.fields.enc[0].id != before.fields.enc[0].id) == (True, True)
    done = page.get_by_role("button", name="Done", exact=True)
    done.click()
    page.locator("li[aria-current=step]").get_by_role("link", name="People").wait_for()  # the next one's turn
    done.click()
    page.get_by_text("It is shut out.").wait_for()
    street.joseph.send("ann", small_clip(street.folder), "--caption", "Only for you")
    page.goto(street.ann.visitor.url + "/inbox")
    letter(page, "Only for you").wait_for()
    elsewhere = street.visitors.arrive(street.server).open("/sign-in")
    sign_in(elsewhere, lost)
    letter(elsewhere, "Only for you").wait_for()
