"""Accounts in the browser: opened, signed in to and left, beside a command line that knows the same passphrase and code."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.api.people import new_name
from tests.cli.person import Person
from tests.e2e.browsing import Visitor, Visitors, axe_violations, offline_files, until_kept
from tests.e2e.mailbox import (
    AT_THE_GATE,
    arrived,
    choose_name,
    open_mailbox,
    prove,
    sign_in,
    written_code,
)
from tests.serving import Server

AT_REST = """async () => {
  const found = [];
  const walk = async (value, path) => {
    if (value instanceof CryptoKey) return found.push(value.extractable ? `${path}: EXTRACTABLE` : '');
    if (ArrayBuffer.isView(value)) value = value.buffer;
    if (value instanceof ArrayBuffer) return found.push(new TextDecoder('latin1').decode(value));
    if (value && typeof value === 'object') for (const key in value) await walk(value[key], `${path}.${key}`);
    else found.push(String(value));
  };
  for (const store of [localStorage, sessionStorage]) for (const key in store) await walk(store[key], key);
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise(resolve => { indexedDB.open(name).onsuccess = event => resolve(event.target.result) });
    for (const store of db.objectStoreNames) {
      const all = db.transaction(store).objectStore(store).getAll();
      await walk(await new Promise(resolve => { all.onsuccess = () => resolve(all.result) }), store);
    }
    db.close();
  }
  const folder = async (handle) => {
    for await (const [name, entry] of handle.entries()) {
      if (entry.kind === 'directory') await folder(entry);
      else await walk(await (await entry.getFile()).arrayBuffer(), name);
    }
  };
  await folder(await navigator.storage.getDirectory());
  for (const name of await caches.keys()) found.push(...(await (await caches.open(name)).keys()).map(one => one.url));
  return [...found, document.cookie, location.href].join('\\n');
}"""
"""All that script can find stored here, as text."""


def stored(page: Page, shard: str) -> AbstractContextManager[object]:
    """What is done inside changes an account's notes; it ends when the server has them."""
    return page.expect_response(
        lambda answer: answer.request.method == "PUT" and answer.ok and answer.url.endswith(f"/state/{shard}")
    )


@pytest.fixture(scope="module")
def noted(house: Server, tmp_path_factory: pytest.TempPathFactory) -> Person:
    """Somebody who opened a mailbox at the command line."""
    return Person(new_name("cli"), tmp_path_factory.mktemp("noted"), house.url).sign_up()


def test_the_way_to_a_mailbox_step_by_step(house: Server, visitors: Visitors) -> None:
    """Every step is accessible; whoever turns round leaves nothing behind; the code can be saved and shown again."""
    visitor, name = visitors.arrive(house), new_name("web")
    page = visitor.open("/")
    page.get_by_role("link", name="Open a mailbox").click()
    choose_name(page, name)
    first_code = written_code(page)
    page.goto(f"{visitor.url}/sign-up")
    assert name not in page.evaluate(AT_REST)
    choose_name(page, name)  # still free
    code = written_code(page)
    assert code != first_code
    assert axe_violations(page) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as file").click()
    assert download.value.suggested_filename == f"restante-{name}.txt"
    assert code in download.value.path().read_text().split("\n")
    page.get_by_role("button", name="I have written it down").click()
    assert axe_violations(page) == []
    first, second = page.get_by_label("of your recovery code").all()
    first.fill("0000")
    second.fill("0000")
    page.get_by_role("button", name="Finish").click()
    slip = page.get_by_role("alert")
    shown = re.fullmatch(r"That is not group (\d)\. Look again: it begins with (..)\.", slip.inner_text())
    assert shown
    assert code.split("-")[int(shown[1]) - 1].startswith(shown[2])
    page.get_by_role("button", name="Show me the code again").click()
    assert written_code(page) == code
    page.get_by_role("button", name="I have written it down").click()
    prove(page, code)
    arrived(page)
    assert axe_violations(page) == []


def test_a_name_that_is_taken_and_a_poor_passphrase_are_told(
    house: Server, visitors: Visitors, noted: Person
) -> None:
    visitor = visitors.arrive(house)
    page = visitor.open("/sign-up")
    choose_name(page, noted.name)
    expect(page.get_by_role("alert")).to_contain_text("Somebody has this name", timeout=AT_THE_GATE)
    page.get_by_label("Your name here").fill(new_name("web"))
    page.get_by_role("button", name="Use my own").click()
    page.get_by_label("Your own passphrase").fill("aaaaaaaaaaaaaa")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("guess")
    assert axe_violations(page) == []


def test_a_server_that_takes_nobody_says_so(new_house: Callable[..., Server], visitors: Visitors) -> None:
    page = visitors.arrive(new_house(RESTANTE_SIGN_UP="closed")).open("/")
    expect(page.get_by_text("This server takes no new mailboxes.")).to_be_visible()
    expect(page.get_by_role("link", name="sign in")).to_be_visible()
    assert axe_violations(page) == []


def signed_in(visitor: Visitor, person: Person, *, path: str = "/sign-in", **how: bool) -> Page:
    page = visitor.open(path)
    sign_in(page, person.name, person.passphrase, **how)
    arrived(page)
    return page


@pytest.mark.long
def test_what_does_not_open_is_told_in_words(house: Server, visitors: Visitors, noted: Person) -> None:
    visitor = visitors.arrive(house)
    visitor.witness.allow("401.*/sign-in")
    page = visitor.open("/sign-in")
    page.get_by_label("Passphrase").wait_for()
    assert axe_violations(page) == []
    sign_in(page, noted.name, "some six words that are wrong")
    expect(page.get_by_role("alert")).to_be_visible(timeout=AT_THE_GATE)
    refused = page.get_by_role("alert").inner_text()
    sign_in(page, new_name("nobody"), "some six words that are wrong")
    expect(page.get_by_role("alert")).to_have_text(refused, timeout=AT_THE_GATE)
    assert axe_violations(page) == []
    slip = (
        noted.recovery_code[:-3] + ("0" if noted.recovery_code[-3] != "0" else "1") + noted.recovery_code[-2:]
    )
    sign_in(page, noted.name, slip, by_code=True)
    expect(page.get_by_role("alert")).to_contain_text("One sign of this code is off")
    page.get_by_label("Recovery code").fill(noted.recovery_code)
    page.get_by_role("button", name="Open my mailbox").click()
    arrived(page)


@pytest.mark.long
def test_a_device_that_is_not_ones_own_forgets_at_the_next_load(
    house: Server, visitors: Visitors, noted: Person
) -> None:
    visitor = visitors.arrive(house)
    page = signed_in(visitor, noted, keep=False)
    page.reload()
    page.get_by_role("link", name="I have one: sign in").wait_for()
    assert noted.name not in page.evaluate(AT_REST)


@pytest.fixture(scope="module")
def at_home(
    house: Server,
    playwright: Playwright,
    browser: Browser,
    noted: Person,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Visitor]:
    """A browser in which that person is signed in; for tests that leave it so."""
    visitors = Visitors(playwright.chromium, browser, tmp_path_factory.mktemp("at-home"))
    visitor = visitors.arrive(house)
    signed_in(visitor, noted).close()
    yield visitor
    visitors.leave()


@pytest.mark.long
def test_it_opens_without_a_network_and_goes_on_when_there_is_one(at_home: Visitor, webapp: Path) -> None:
    page = at_home.open("/inbox")
    arrived(page)
    until_kept(page, len(offline_files(webapp)))
    at_home.witness.allow("ERR_INTERNET_DISCONNECTED")
    at_home.context.set_offline(True)
    page.reload()
    arrived(page)
    page.keyboard.press("g")
    page.keyboard.press("p")
    expect(page.get_by_text("You are offline.")).to_be_visible()
    assert axe_violations(page) == []
    at_home.context.set_offline(False)
    expect(page.get_by_text("You are offline.")).to_be_hidden(timeout=AT_THE_GATE)


def devices_of(person: Person) -> int:
    with person.account as account:
        return len(account.keyring.devices)


def sign_out(page: Page, button: str = "Sign out here") -> None:
    page.get_by_role("link", name="Settings").first.click()
    page.get_by_role("button", name=button).click()
    page.get_by_role("dialog").get_by_role("button", name="Sign out", exact=True).click()


def test_signing_out_forgets_the_account_in_every_tab(
    house: Server, visitors: Visitors, noted: Person
) -> None:
    visitor = visitors.arrive(house)
    page = signed_in(visitor, noted)
    other = visitor.open("/people")
    expect(other.get_by_role("heading", name="People", level=1)).to_be_visible()
    devices = devices_of(noted)
    sign_out(page)
    expect(page).to_have_url(re.compile("/sign-in$"))
    expect(page.get_by_label("Your name here")).to_have_value(noted.name)
    expect(other).to_have_url(re.compile("/sign-in$"))
    page.goto(f"{visitor.url}/inbox")
    expect(page.get_by_role("link", name="I have one: sign in")).to_be_visible()
    assert noted.name not in page.evaluate(AT_REST)
    assert devices_of(noted) == devices - 1


@pytest.mark.long
def test_one_other_session_can_be_ended_and_all_of_them(
    house: Server, visitors: Visitors, tmp_path: Path
) -> None:
    """Signing out everywhere reaches the command line and other browsers."""
    person = Person(new_name("cli"), tmp_path, house.url).sign_up()
    here, there = visitors.arrive(house), visitors.arrive(house)
    page, far = signed_in(here, person), signed_in(there, person)
    there.witness.allow("401")
    page.get_by_role("link", name="Settings").first.click()
    terminal = page.get_by_role("listitem").filter(has_text="Command line")
    terminal.get_by_role("button", name=re.compile("^Remove ")).click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(terminal).to_be_hidden(timeout=AT_THE_GATE)
    assert axe_violations(page) == []
    person.run("inbox").failed()
    other = person.other_device("other")
    other.ok("sign-in", person.name, "--server", house.url, RESTANTE_PASSPHRASE=person.passphrase)
    assert other.inbox() == []
    sign_out(page, "Sign out everywhere")
    expect(page).to_have_url(re.compile("/sign-in$"))
    assert other.run("inbox").code != 0
    far.reload()
    # Told so, or already forgotten when it loads anew: then it is like any new browser.
    expect(far).to_have_url(re.compile("/(sign-in)?$"), timeout=AT_THE_GATE)
    far.goto(f"{there.url}/sign-in")
    sign_in(far, person.name, person.recovery_code, by_code=True)
    arrived(far)


@pytest.mark.long
def test_people_are_added_by_name_and_stay_on_every_device(
    house: Server, visitors: Visitors, at_home: Visitor, noted: Person, tmp_path: Path
) -> None:
    friend = Person(new_name("friend"), tmp_path, house.url).sign_up()
    at_home.witness.allow("404.*/records")
    page = at_home.open("/people")
    page.get_by_label("Name on this server").fill(f"@{friend.name.upper()}")
    with stored(page, "contacts"):
        page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("status")).to_contain_text(friend.name)
    page.get_by_label("Name on this server").fill("nobody-of-this-name")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_contain_text("nobody-of-this-name")
    assert axe_violations(page) == []
    second = signed_in(visitors.arrive(house), noted)
    second.get_by_role("link", name="People").first.click()
    row = second.get_by_role("listitem").filter(has_text=friend.name)
    row.get_by_role("button", name=re.compile("Remove")).click()
    with stored(second, "contacts"):
        second.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(row).to_be_hidden()
    page.get_by_role("link", name="Sent").first.click()
    page.get_by_role("link", name="People").first.click()
    expect(page.get_by_role("listitem").filter(has_text=friend.name)).to_be_hidden()


@pytest.mark.long
def test_settings_hold_and_reach_the_other_devices(house: Server, visitors: Visitors, tmp_path: Path) -> None:
    person = Person(new_name("cli"), tmp_path, house.url).sign_up()
    page = signed_in(visitors.arrive(house), person)
    page.get_by_role("link", name="Settings").first.click()
    with stored(page, "settings"):
        page.get_by_text("Night", exact=True).click()
    with stored(page, "settings"):
        page.get_by_text("Français").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Réglages")
    assert page.locator("html").get_attribute("lang") == "fr"
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Réglages")
    second = visitors.arrive(house).open("/sign-in")
    sign_in(second, person.name, person.passphrase)
    second.wait_for_url("**/inbox", timeout=AT_THE_GATE)
    expect(second.locator("html")).to_have_attribute("lang", "fr", timeout=AT_THE_GATE)
    assert second.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


@pytest.mark.long
def test_a_mailbox_opened_at_the_command_line_opens_in_the_browser(
    house: Server, visitors: Visitors, noted: Person
) -> None:
    """By the passphrase; a link into the house waits for the sign-in."""
    visitor = visitors.arrive(house)
    page = visitor.open("/settings")
    page.get_by_role("link", name="I have one: sign in").click()
    sign_in(page, noted.name, noted.passphrase)
    page.wait_for_url("**/settings", timeout=AT_THE_GATE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Settings")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Settings")
    page.goto(f"{visitor.url}/no/such/place")
    expect(page.get_by_role("heading", name="There is nothing at this address.")).to_be_visible()
    assert axe_violations(page) == []
    page.get_by_role("link", name="Inbox").click()
    arrived(page)


def test_keys_lead_through_the_house_and_the_focus_follows(at_home: Visitor) -> None:
    page = at_home.open("/inbox")
    arrived(page)
    for keys, path, title in (
        ("gp", "/people", "People"),
        ("gs", "/sent", "Sent"),
        ("gi", "/inbox", "Inbox"),
    ):
        for key in keys:
            page.keyboard.press(key)
        page.wait_for_url(f"**{path}")
        expect(page).to_have_title(re.compile(title))
        expect(page.locator("#page")).to_be_focused()
    page.go_back()
    page.wait_for_url("**/sent")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("n")
    expect(page).to_have_title(re.compile("Leave a video"))
    page.keyboard.press("Escape")
    page.wait_for_url("**/sent")


@pytest.mark.long
def test_a_mailbox_opened_in_the_browser_opens_at_the_command_line(
    house: Server, visitors: Visitors, tmp_path: Path
) -> None:
    """By what the screen showed, the six words or the code; and no key lies in clear on the device, or travels."""
    visitor = visitors.arrive(house)
    sent: list[str] = []
    visitor.context.on("request", lambda request: sent.append(f"{request.url} {request.post_data or ''}"))
    page, box = open_mailbox(visitor, new_name("web"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing waits for you yet")
    person = Person(box.name, tmp_path, house.url, "terminal", box.passphrase, box.code)
    assert person.ok("sign-in", box.name, "--server", house.url, RESTANTE_PASSPHRASE=box.passphrase)
    assert person.inbox() == []
    other = person.other_device("other")
    assert other.ok("sign-in", box.name, "--server", house.url, RESTANTE_RECOVERY_CODE=box.code.lower())
    assert other.inbox() == []
    page.reload()  # whoever is still at home has everything stored
    arrived(page)
    stored_here = page.evaluate(AT_REST)
    assert box.name in stored_here, "the scan does not see what is there"
    assert "EXTRACTABLE" not in stored_here
    with person.account as account:
        keyring = account.keyring
    secrets = [
        box.passphrase,
        box.code,
        box.code.replace("-", ""),
        "AGE-SECRET-KEY",
        '"sign"',
        keyring.sign,
        keyring.state,
        *(entry.identity for entry in keyring.enc),
    ]
    for place in (stored_here, "\n".join(sent), house.log(), page.content()):
        assert [secret for secret in secrets if str(secret) in place] == []
