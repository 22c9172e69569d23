"""Accounts in the browser: opened, signed in to and left, beside a command line that knows the same passphrase and code."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.api.people import new_name
from tests.cli.person import Person
from tests.e2e.browsing import Visitor, Visitors, axe_violations
from tests.e2e.mailbox import (
    AT_THE_GATE,
    Mailbox,
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


@pytest.fixture
def terminal(house: Server, tmp_path: Path) -> Callable[[Mailbox], Person]:
    """A command line of whoever has this mailbox."""

    def make(box: Mailbox) -> Person:
        return Person(box.name, tmp_path, house.url, "terminal", box.passphrase, box.code)

    return make


@pytest.fixture(scope="module")
def noted(house: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """Somebody who opened a mailbox at the command line."""
    yield Person(new_name("cli"), tmp_path_factory.mktemp("noted"), house.url).sign_up()


def test_a_mailbox_opened_in_the_browser_opens_at_the_command_line(
    house: Server, visitors: Visitors, terminal: Callable[[Mailbox], Person]
) -> None:
    """By what the screen showed, and nothing else: the six words, and the code."""
    page, box = open_mailbox(visitors.arrive(house), new_name("web"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing waits for you yet")
    person = terminal(box)
    assert person.ok("sign-in", box.name, "--server", house.url, RESTANTE_PASSPHRASE=box.passphrase)
    assert person.inbox() == []
    other = person.other_device("other")
    assert other.ok("sign-in", box.name, "--server", house.url, RESTANTE_RECOVERY_CODE=box.code.lower())
    assert other.inbox() == []


@pytest.mark.parametrize("by_code", [False, True], ids=["passphrase", "recovery code"])
def test_a_mailbox_opened_at_the_command_line_opens_in_the_browser(
    house: Server, visitors: Visitors, noted: Person, *, by_code: bool
) -> None:
    page = visitors.arrive(house).open("/sign-in")
    sign_in(page, noted.name, noted.recovery_code if by_code else noted.passphrase, by_code=by_code)
    arrived(page)
    page.reload()
    arrived(page)
    page.goto(f"{house.url.replace('127.0.0.1', 'localhost')}/people")
    expect(page.get_by_role("heading", name="People", level=1)).to_be_visible()
