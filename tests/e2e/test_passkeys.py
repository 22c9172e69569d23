"""Mailboxes that open with a touch, in Chromium with a virtual authenticator; and the other ways in beside it."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.api.people import new_name
from tests.cli.person import Person
from tests.e2e.browsing import Visitor, Visitors, axe_violations
from tests.e2e.mailbox import AT_THE_GATE, arrived, prove, sign_in, written_code
from tests.e2e.passkeys import Authenticator, begin, open_by_touch, sign_in_by_touch, spellings
from tests.e2e.test_account import AT_REST, sign_out, stored
from tests.serving import Server


def settings(page: Page) -> None:
    page.get_by_role("link", name="Settings").first.click()
    expect(page.get_by_role("list", name="Ways in").get_by_text("Recovery code")).to_be_visible()


def told(page: Page, words: str) -> None:
    expect(page.get_by_role("status").filter(has_text=words)).to_be_visible(timeout=AT_THE_GATE)


def grow_stale(house: Server) -> None:
    """As if every session had shown five minutes ago who it is."""
    with closing(sqlite3.connect(house.data / "restante.sqlite3", timeout=30)) as database, database:
        assert database.execute("UPDATE sessions SET verified_at = 0").rowcount > 0


def test_a_touch_opens_a_mailbox_here_and_in_a_new_browser(
    house: Server, visitors: Visitors, tmp_path: Path
) -> None:
    """No name is asked for, everything is there, and the passkey's secret is nowhere that anybody could read."""
    visitor, name = visitors.arrive(house), new_name("touch")
    said: list[str] = []
    visitor.context.on("request", lambda request: said.append(f"{request.url} {request.post_data or ''}"))
    visitor.context.on("console", lambda message: said.append(message.text))
    page = visitor.open("/sign-up")
    chip = Authenticator.of(page)
    expect(page.get_by_role("button", name="Go on with a passkey")).to_be_visible()
    assert axe_violations(page) == []
    code = open_by_touch(page, name)
    assert [each["signCount"] for each in chip.credentials] == [1], "more than one touch"
    friend = Person(new_name("friend"), tmp_path, house.url).sign_up()
    page.get_by_role("link", name="People").first.click()
    page.get_by_label("Name on this server").fill(friend.name)
    with stored(page, "contacts"):
        page.get_by_role("button", name="Add", exact=True).click()
    chip.hide()
    sign_out(page)
    expect(page).to_have_url(re.compile("/sign-in$"))
    expect(page.get_by_label("Your name here")).to_have_attribute("autocomplete", "username webauthn")
    chip.hide(hidden=False)
    page.reload()  # chosen among what the browser offers, without the button
    arrived(page)
    chip.hide()
    sign_out(page)
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
    chip.forget_the_rest(page, visitor)
    page.goto(f"{visitor.url}/sign-in")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
    assert name not in page.evaluate(AT_REST)
    assert axe_violations(page) == []
    sign_in_by_touch(page, chip)
    arrived(page)
    page.get_by_role("link", name="People").first.click()
    expect(page.get_by_role("listitem").filter(has_text=friend.name)).to_be_visible()
    assert len(chip.credentials) == 1

    secret = chip.secret(page)
    needles = [*spellings(secret), code, code.replace("-", ""), "AGE-SECRET-KEY"]

    def found() -> list[str]:
        places = ["\n".join(said), page.evaluate(AT_REST), house.log(), page.content()]
        return [needle for needle in needles if any(needle in place for place in places)]

    assert any("clientDataJSON" in each for each in said), "the scan does not see what is posted"
    assert found() == []
    visitor.witness.allow("status of 4")
    for needle in needles[:3]:
        page.evaluate("body => fetch('/api/v1/passkeys/assertion', {method: 'POST', body})", needle)
    page.evaluate("text => localStorage.setItem('planted', text)", code)
    page.evaluate("query => fetch(`/api/v1/server?${query}`)", quote("AGE-SECRET-KEY"))
    assert found() == [*needles[:3], code, "AGE-SECRET-KEY"], "what was planted is not found"


@pytest.mark.long
def test_a_passkey_that_cannot_unlock_signs_in_beside_a_passphrase(
    house: Server, visitors: Visitors, tmp_path: Path
) -> None:
    visitor, name = visitors.arrive(house), new_name("plain")
    page = visitor.open("/sign-up")
    chip = Authenticator.of(page, hasPrf=False)
    begin(page, name)
    code = written_code(page)
    page.get_by_role("button", name="I have written it down").click()
    prove(page, code, button="Go on")
    told(page, "But it cannot unlock what is sealed")
    assert axe_violations(page) == []
    words = page.locator("output").inner_text()
    page.get_by_role("button", name="Finish").click()
    arrived(page)
    settings(page)
    expect(page.get_by_role("list", name="Ways in")).to_contain_text("Signs in only; the passphrase unlocks.")
    chip.hide()
    sign_out(page)
    sign_in_by_touch(page, chip)
    told(page, f"so {name} needs the passphrase")
    assert axe_violations(page) == []
    page.get_by_label("Passphrase").fill("some six words that are wrong")
    page.get_by_role("button", name="Open my mailbox").click()
    expect(page.get_by_role("alert")).to_contain_text("That does not open it", timeout=AT_THE_GATE)
    page.get_by_label("Passphrase").fill(words)
    page.get_by_role("button", name="Open my mailbox").click()
    arrived(page)
    terminal = Person(name, tmp_path, house.url)
    assert terminal.ok("sign-in", name, "--server", house.url, RESTANTE_PASSPHRASE=words)


@pytest.mark.long
def test_a_key_that_cannot_tell_who_holds_it_is_told_in_words(house: Server, visitors: Visitors) -> None:
    """The mailbox can still be opened, by a passphrase; and a touch that fails costs nothing."""
    visitor, name = visitors.arrive(house), new_name("unseen")
    page = visitor.open("/sign-up")
    chip = Authenticator.of(page, hasUserVerification=False, isUserVerified=False)
    begin(page, name)
    code = written_code(page)
    page.get_by_role("button", name="I have written it down").click()
    prove(page, code, button="Go on")
    expect(page.get_by_role("alert")).to_contain_text(
        re.compile("cannot tell that it is you|There was no touch"), timeout=AT_THE_GATE
    )
    assert axe_violations(page) == []
    assert chip.credentials == []
    page.get_by_role("button", name="Use a passphrase instead").click()
    expect(page.locator("output")).to_have_text(re.compile(r"^\S+( \S+){5}$"))
    page.get_by_role("button", name="Finish").click()
    arrived(page)
    sign_out(page)
    expect(page.get_by_label("Your name here")).to_have_value(name)
    chip.lose()
    finger = chip.another()
    finger.verify(verified=False)
    finger.hide()
    sign_in_by_touch(page, finger)
    expect(page.get_by_role("alert")).to_contain_text("There was no touch", timeout=AT_THE_GATE)


@pytest.fixture
def at_home(house: Server, visitors: Visitors, tmp_path: Path) -> tuple[Visitor, Page, Person]:
    """Somebody who came with a passphrase, from the command line."""
    person = Person(new_name("cli"), tmp_path, house.url).sign_up()
    visitor = visitors.arrive(house)
    page = visitor.open("/sign-in")
    sign_in(page, person.name, person.passphrase)
    arrived(page)
    return visitor, page, person


@pytest.mark.long
def test_passkeys_are_added_named_and_removed(house: Server, at_home: tuple[Visitor, Page, Person]) -> None:
    visitor, page, person = at_home
    visitor.witness.allow("status of 403.*ways-in")
    phone = Authenticator.of(page)
    settings(page)
    page.get_by_role("button", name="Add a passkey").click()
    told(page, "Your passkey is added")
    page.get_by_role("button", name=re.compile("Rename")).click()
    page.get_by_label("What you call it").fill("My phone")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    told(page, "It has its new name")
    assert axe_violations(page) == []
    phone.hide()
    stick = phone.another(transport="usb")
    grow_stale(house)
    page.get_by_role("button", name="Add a passkey").click()
    dialog = page.get_by_role("dialog", name="Is it you?")
    expect(dialog).to_be_visible(timeout=AT_THE_GATE)
    assert axe_violations(page) == []
    dialog.get_by_label("Passphrase").fill(person.passphrase)
    dialog.get_by_role("button", name="It is me").click()
    told(page, "Your passkey is added")
    assert [len(chip.credentials) for chip in (phone, stick)] == [1, 1]
    with person.account as account:
        labels = sorted(method.label for method in account.keyring.unlock if method.type == "passkey")
    assert labels == ["Chrome, Linux", "My phone"]
    stick.hide()
    sign_out(page)
    sign_in_by_touch(page, stick)  # the phone lies elsewhere
    arrived(page)
    settings(page)
    page.get_by_role("button", name="Remove: My phone").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    told(page, "It is removed")
    expect(page.get_by_role("list", name="Ways in")).not_to_contain_text("My phone")
    stick.hide()
    sign_out(page)
    stick.lose()
    visitor.witness.allow("status of 400.*sign-in/passkey")
    sign_in_by_touch(page, phone)
    expect(page.get_by_role("alert")).to_contain_text("The passkey did not open it", timeout=AT_THE_GATE)


@pytest.mark.long
def test_a_new_passphrase_and_a_new_code_end_the_old_ones(
    house: Server, at_home: tuple[Visitor, Page, Person]
) -> None:
    visitor, page, person = at_home
    visitor.witness.allow("status of 403.*ways-in")
    settings(page)
    grow_stale(house)
    page.get_by_role("button", name="Change", exact=True).click()
    dialog = page.get_by_role("dialog", name="A new passphrase")
    expect(dialog.locator("output")).to_have_text(re.compile(r"^\S+( \S+){5}$"))
    assert axe_violations(page) == []
    words = dialog.locator("output").inner_text()
    dialog.get_by_role("button", name="Save").click()
    dialog = page.get_by_role("dialog", name="Is it you?")
    dialog.get_by_role("button", name="Use the recovery code").click()
    dialog.get_by_label("Recovery code").fill(person.recovery_code)
    dialog.get_by_role("button", name="It is me").click()
    told(page, "Your new passphrase holds")
    page.get_by_role("link", name="New code").click()
    code = written_code(page)
    assert code != person.recovery_code
    assert axe_violations(page) == []
    page.get_by_role("button", name="I have written it down").click()
    prove(page, code)
    told(page, "Your new code holds")
    signed_in = ("sign-in", person.name, "--server", house.url)
    for device, env in (
        ("words", {"RESTANTE_PASSPHRASE": person.passphrase}),
        ("code", {"RESTANTE_RECOVERY_CODE": person.recovery_code}),
    ):
        person.other_device(f"old-{device}").run(*signed_in, **env).failed()
    for device, env in (
        ("words", {"RESTANTE_PASSPHRASE": words}),
        ("code", {"RESTANTE_RECOVERY_CODE": code}),
    ):
        assert person.other_device(f"new-{device}").ok(*signed_in, **env)
    person.ok("inbox")  # this device had a key of its own


@pytest.mark.long
def test_who_lost_the_passkey_comes_back_by_the_code_and_makes_another(
    house: Server, visitors: Visitors
) -> None:
    visitor, name = visitors.arrive(house), new_name("lost")
    page = visitor.open("/sign-up")
    lost = Authenticator.of(page)
    code = open_by_touch(page, name)
    lost.hide()
    sign_out(page)
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
    lost.lose()
    fresh = lost.another()
    fresh.hide()
    sign_in(page, name, code, by_code=True)
    arrived(page)
    told(page, "You came in by the recovery code")
    assert axe_violations(page) == []
    page.get_by_role("button", name="Do it now").click()
    expect(page.get_by_role("list", name="Ways in").get_by_text("Recovery code")).to_be_visible()
    fresh.hide(hidden=False)
    page.get_by_role("button", name="Add a passkey").click()
    told(page, "Your passkey is added")
    page.get_by_role("link", name="New code").click()
    new_code = written_code(page)
    page.get_by_role("button", name="I have written it down").click()
    prove(page, new_code)
    told(page, "Your new code holds")
    expect(page.get_by_text("You came in by the recovery code")).to_be_hidden()
    assert len(fresh.credentials) == 1
    fresh.hide()
    sign_out(page)
    sign_in_by_touch(page, fresh)
    arrived(page)
    fresh.hide()
    sign_out(page)
    visitor.witness.allow("status of 401.*/sign-in")
    sign_in(page, name, code, by_code=True)
    expect(page.get_by_role("alert")).to_contain_text("That does not open it", timeout=AT_THE_GATE)


def test_a_bare_address_offers_the_passphrase_only(house: Server, visitors: Visitors) -> None:
    by_name, by_number = visitors.arrive(house), visitors.arrive(house, host="127.0.0.1")
    for path, offered in (("/sign-up", "Go on with a passkey"), ("/sign-in", "Sign in with a passkey")):
        expect(by_name.open(path).get_by_role("button", name=offered)).to_be_visible()
        page = by_number.open(path)
        if path == "/sign-up":
            expect(page.locator("output")).to_have_text(re.compile(r"^\S+( \S+){5}$"))
        else:
            page.get_by_label("Passphrase").wait_for()
            page.wait_for_load_state("networkidle")
        expect(page.get_by_role("button", name=re.compile("passkey"))).to_have_count(0)
