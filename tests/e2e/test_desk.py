"""The operator's desk in a browser, on a phone and on a desktop: what was reported, who may come in, and what of it is noted."""

import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from restante.server.commands.office import in_database
from restante.server.operators import service as operators
from tests.api.people import new_name
from tests.cli.person import Person
from tests.e2e.browsing import DESKTOP, PHONE, Visitors
from tests.e2e.mailbox import open_mailbox
from tests.e2e.mailing import NO_NOTES, eventually, small_clip
from tests.e2e.passkeys import Authenticator, open_by_touch
from tests.e2e.test_passkeys import grow_stale
from tests.serving import Server

WINDOWS = {"user-agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"}


def run_the_server(house: Server, page: Page, url: str) -> None:
    """Shows the link that only the server's terminal prints."""
    now_ms = time.time_ns() // 1_000_000
    link = in_database(house.data, lambda connection: operators.make_link(connection, now_ms=now_ms))
    page.goto(f"{url}{operators.PATH}{link}")
    page.get_by_role("button", name="Run this server").click()
    page.get_by_text("You run this server.").wait_for()


def go(page: Page, name: str) -> None:
    """By the links of the desk; nothing may stand beside a phone's screen."""
    page.get_by_role("navigation", name=re.compile("^Operator.s desk$")).get_by_role(
        "link", name=name
    ).click()
    page.get_by_role("heading", name=name, level=1).wait_for()
    fits(page)


def fits(page: Page) -> None:
    size: Any = page.viewport_size
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def open_decision(page: Page, sender: str) -> None:
    page.get_by_role("listitem").filter(has_text=f"{sender}, reported by").get_by_role(
        "button", name="Decide"
    ).click()


def test_an_operator_opens_a_report_bans_lifts_and_switches(
    house: Server, visitors: Visitors, tmp_path: Path
) -> None:
    bob, eve = (Person(new_name(name), tmp_path, house.url).sign_up() for name in ("bob", "eve"))
    sent = eve.send(bob.name, small_clip(tmp_path), "--caption", "You will be sorry")
    bob.ok("report", sent, "--reason", "harassment", "--note", "Again and again", "--yes")

    visitor = visitors.arrive(house, **PHONE)
    visitor.witness.allow(NO_NOTES)
    visitor.witness.allow("status of (403|404).*/api/v1/operator/")
    page = visitor.open("/sign-up")
    Authenticator.of(page)
    open_by_touch(page, new_name("ada"))
    page.goto(f"{visitor.url}/operator")
    page.get_by_text("This is for who runs the server.").wait_for()
    run_the_server(house, page, visitor.url)
    page.get_by_role("link", name=re.compile("^Operator.s desk$")).click()
    page.get_by_text("Mailboxes", exact=True).wait_for()
    fits(page)

    open_decision(page, eve.name)
    grow_stale(house)
    page.get_by_role("button", name="Open this message").click()
    asked = page.get_by_role("dialog", name="Is it you?")
    expect(asked).to_contain_text("This opens what somebody else received.")
    asked.get_by_role("button", name="Close").click()
    expect(page.get_by_text("You will be sorry")).to_have_count(0)
    refresh_verification(house)
    page.get_by_role("button", name="Open this message").click()
    expect(page.get_by_text("You will be sorry")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Play")).first.click()
    eventually(lambda: page.evaluate("document.querySelector('video')?.currentTime > 0"))
    page.get_by_label("Your reason").fill("Threats")
    page.get_by_role("button", name=f"Stop {eve.name} from sending").click()
    page.get_by_text("No report waits.").wait_for()
    # Who is stopped is put out, within the five seconds for which a session is remembered.
    eventually(lambda: "not signed in" in eve.run("inbox").err)

    page.set_viewport_size(DESKTOP["viewport"])
    go(page, "What operators did")
    acts = page.get_by_role("list", name="What operators did").get_by_role("listitem")
    expect(acts).to_have_text(
        [re.compile("Stopped an account.*Threats"), re.compile("Opened a reported message")]
    )
    assert "Stopped" in looked_up(page, eve.name)
    go(page, "Work beside")

    go(page, "Operator\u2019s desk")
    page.get_by_role("switch", name="Show those that were decided, too").check()
    open_decision(page, eve.name)
    page.get_by_label("Your reason").fill("It was a quotation")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_label("Your reason")).to_have_value("")
    wait_for_state(house, "dismissed")
    assert "Stopped" not in looked_up(page, eve.name)

    page.set_viewport_size(PHONE["viewport"])
    go(page, "Who may come in")
    page.get_by_label("Country or platform").select_option("Windows")
    page.get_by_label("What it is to be").select_option("Later")
    page.get_by_role("button", name="Add this switch").click()
    apply = page.get_by_role("button", name="Put it in force")
    expect(apply).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Look at what people would see").click()
    page.get_by_text("Now: open. Then: Later.").wait_for()
    assert is_open(house)
    apply.click()
    page.get_by_role("listitem").filter(has_text="switched; the file says: Open").wait_for()
    assert not is_open(house)
    fits(page)
    page.get_by_role("button", name="As the file says: Windows").click()
    page.get_by_role("button", name="Look at what people would see").click()
    apply.click()
    expect(page.get_by_role("listitem").filter(has_text="switched")).to_have_count(0)
    assert is_open(house)


@pytest.mark.long
def test_on_a_bare_address_a_passphrase_is_enough_and_elsewhere_a_passkey_is_asked_for(
    house: Server, visitors: Visitors
) -> None:
    bare = visitors.arrive(house, host="127.0.0.1")
    bare.witness.allow(NO_NOTES)
    page, mailbox = open_mailbox(bare, new_name("carl"))
    run_the_server(house, page, bare.url)
    page.goto(f"{bare.url}/operator")
    page.get_by_text("Mailboxes", exact=True).wait_for()

    named = visitors.arrive(house)
    named.witness.allow(NO_NOTES)
    named.witness.allow("status of 403.*/api/v1/operator/")
    there = named.open("/sign-in")
    there.get_by_label("Your name here").fill(mailbox.name)
    there.get_by_label("Passphrase").fill(mailbox.passphrase)
    there.get_by_role("button", name="Open my mailbox").click()
    there.wait_for_url("**/inbox")
    there.goto(f"{named.url}/operator")
    there.get_by_text("Add a passkey to your ways in").wait_for()
    expect(there.get_by_text("Mailboxes", exact=True)).to_have_count(0)


def wait_for_state(house: Server, state: str) -> None:
    """Until a report is so in the server's own books."""
    asked = "SELECT count(*) FROM reports WHERE state = ?"
    deadline_s = time.monotonic() + 30
    with closing(sqlite3.connect(house.data / "restante.sqlite3", timeout=30)) as database:
        while not database.execute(asked, (state,)).fetchone()[0]:
            assert time.monotonic() < deadline_s
            time.sleep(0.05)


def looked_up(page: Page, name: str) -> str:
    """What the list of people says of somebody."""
    go(page, "People")
    page.get_by_label("Part of a name").fill(name[1:])
    page.get_by_role("button", name="Search").click()
    rows = page.get_by_role("list", name="People").get_by_role("listitem")
    expect(rows).to_have_count(1)
    return rows.inner_text()


def is_open(house: Server) -> bool:
    return bool(httpx.get(f"{house.url}/api/v1/availability", headers=WINDOWS).json()["allowed"])


def refresh_verification(house: Server) -> None:
    """As if every session had shown just now who it is."""
    with closing(sqlite3.connect(house.data / "restante.sqlite3", timeout=30)) as database, database:
        database.execute("UPDATE sessions SET verified_at = ?", (time.time_ns() // 1_000_000,))
