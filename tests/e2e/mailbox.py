"""What a person does at the gate of the web app: opens a mailbox, signs in, leaves; in English."""

import re
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from tests.e2e.browsing import Visitor

AT_THE_GATE = 30_000
"""Milliseconds that keys may take to be made on a busy machine."""
SIX_WORDS = re.compile(r"^\S+( \S+){5}$")


@dataclass(frozen=True)
class Mailbox:
    """What the person has noted on paper."""

    name: str
    passphrase: str
    code: str


def open_mailbox(visitor: Visitor, name: str, *, path: str = "/") -> tuple[Page, Mailbox]:
    """Signs up from the welcome page on, writing down what the screen shows, and arrives in the inbox."""
    page = visitor.open(path)
    page.get_by_role("link", name="Open a mailbox").click()
    passphrase = choose_name(page, name)
    code = written_code(page)
    page.get_by_role("button", name="I have written it down").click()
    prove(page, code)
    arrived(page)
    return page, Mailbox(name, passphrase, code)


def choose_name(page: Page, name: str) -> str:
    """Goes on with the six words that were made, which it returns; where passkeys come first, it prefers the words."""
    page.get_by_label("Your name here").fill(name)
    instead = page.get_by_role("button", name="Use a passphrase instead")
    expect(page.locator("output").or_(instead).first).to_be_visible()
    if instead.is_visible():
        instead.click()
    expect(page.locator("output")).to_have_text(SIX_WORDS)
    passphrase = page.locator("output").inner_text()
    page.get_by_role("button", name="Go on").click()
    return passphrase


def written_code(page: Page) -> str:
    """The recovery code as somebody would copy it onto paper."""
    page.get_by_role("heading", name="Write this down").wait_for(timeout=AT_THE_GATE)
    groups = page.get_by_role("list", name="Recovery code").locator("li").all_inner_texts()
    return "-".join(groups)


def prove(page: Page, code: str, *, button: str = "Finish") -> None:
    """Types the two groups that are asked for."""
    groups = code.split("-")
    for field in page.get_by_label("of your recovery code").all():
        label = page.locator(f"label[for='{field.get_attribute('id')}']").inner_text()
        field.fill(groups[int(label.split()[1]) - 1].lower())
    page.get_by_role("button", name=button).click()


def sign_in(page: Page, name: str, secret: str, *, by_code: bool = False, keep: bool = True) -> None:
    """Fills in the sign-in and sends it off."""
    page.get_by_label("Your name here").fill(name)
    if by_code:
        page.get_by_role("button", name="Use the recovery code").click()
    page.get_by_label("Recovery code" if by_code else "Passphrase").fill(secret)
    if not keep:
        page.get_by_label("keep me signed in").uncheck()
    page.get_by_role("button", name="Open my mailbox").click()


def arrived(page: Page) -> None:
    """In the inbox."""
    page.wait_for_url("**/inbox", timeout=AT_THE_GATE)
    expect(page).to_have_title(re.compile("Inbox · Restante"))
