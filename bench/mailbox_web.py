"""A mailbox of 10,000 messages in the browser: how soon it is there, new on a device and known to it.

`python -m bench.mailbox_web [--messages N]` writes bench/mailbox_web.md. Every message is sealed and signed by one of twenty senders as a client does it, its video excepted: they all lie beside one film that is
not fetched; the senders are among his people, as the device noted on which he played the others. Times are the page's own clock, from the beginning of the navigation (cold: from the press that opens the mailbox).
"""

import argparse
import os
import sqlite3
import statistics
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench.measures.web_house import House
from restante.client.record_chain import fetch_chain
from restante.crypto.age import X25519Identity
from restante.crypto.details import Details, Kind, Poster, Video, details_sha256, seal_details
from restante.crypto.envelopes import Message, Sender, seal_for_account
from restante.protocol.encoding import b64
from restante.protocol.ids import Prefix, new_id
from restante.protocol.limits import PART_BYTES
from restante.signing.records import Record
from tests.api.people import now_ms
from tests.cli.person import Person
from tests.serving import serving

SENDERS, ROUNDS, FIRST_ROWS = 20, 5, 12
UNPLAYED = 30
POSTER_BYTES = 8_000
PAGE = Path(__file__).parent / "mailbox_web.md"
ROWS = f"""() => document.querySelectorAll('main li a[href^="/watch/"]').length >= {FIRST_ROWS}"""
NOTE_ROWS = f"""() => {{
  const look = () => {{
    if (document.querySelectorAll('main li a[href^="/watch/"]').length >= {FIRST_ROWS}) globalThis.rowsMs = performance.now();
    else requestAnimationFrame(look);
  }};
  look();
}}"""
KEPT = """() => new Promise(resolve => {
  const asked = indexedDB.open('restante');
  asked.onsuccess = () => {
    const count = asked.result.transaction('index').objectStore('index').count();
    count.onsuccess = () => { asked.result.close(); resolve(count.result) };
  };
})"""
SEARCH = """async name => {
  const field = document.querySelector('input[type=search]');
  const begun = performance.now();
  field.value = name;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  await new Promise(requestAnimationFrame);
  await new Promise(resolve => setTimeout(resolve));
  return performance.now() - begun;
}"""


@dataclass
class Figures:
    """Milliseconds and mebibytes."""

    cold_rows: float = 0
    cold_all: float = 0
    warm_rows: list[float] = field(default_factory=list)
    searches: list[float] = field(default_factory=list)
    heap: list[float] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.mailbox_web", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    messages = parser.parse_args().messages
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(serving(folder / "data"))
        house = House(folder, server, stack, stack.enter_context(sync_playwright()))
        bob = house.person("bob")
        senders = [house.person(f"sender{number}") for number in range(SENDERS)]
        for person in senders:
            bob.ok("contacts", "add", person.name)
        _fill(server.data / "restante.sqlite3", senders, bob, messages)
        figures = _measured(house, bob, messages)
    text = _page(figures, messages)
    PAGE.write_text(text)
    print(text)
    return 0


def _fill(path: Path, senders: list[Person], bob: Person, messages: int) -> None:
    """Stores them an hour apart; all but the newest were fetched and played on another device."""
    with bob.account as account:
        record = fetch_chain(account.session, bob.name, account.acct)[-1]
    authors = []
    for person in senders:
        with person.account as account:
            authors.append(Sender(account.acct, person.name, account.keyring.signing_key))
    with sqlite3.connect(path, timeout=30) as database:
        ids = dict(database.execute("SELECT name, id FROM accounts"))
        begin_ms = now_ms() - messages * 3_600_000
        for number in range(messages):
            left = _Left(authors[number % SENDERS], begin_ms + number * 3_600_000, messages - number)
            _store(database, ids, record, left)


@dataclass(frozen=True)
class _Left:
    """A message in the making: who left it, when, and how many came since."""

    author: Sender
    at: int
    age: int


def _store(database: sqlite3.Connection, ids: dict[str, int], record: Record, left: _Left) -> None:
    author, at, age = left.author, left.at, left.age
    key, upload = X25519Identity.generate(), new_id(Prefix.UPLOAD)
    video = Video(size=2_000_000, part=PART_BYTES, sha256=tuple(b64(os.urandom(32)) for _ in range(8)),
                  type='video/mp4; codecs="avc1.64001f, mp4a.40.2"', ms=20_000, w=640, h=360)  # fmt: skip
    poster = Poster(type="image/webp", data=b64(os.urandom(POSTER_BYTES)))
    details = seal_details(Details(video=video, caption=f"Number {age}", poster=poster), key)
    message = Message(id=new_id(Prefix.MESSAGE), kind=Kind.VIDEO, created_ms=at, key=key,
                      details_sha256=details_sha256(details), upload=upload)  # fmt: skip
    envelope = seal_for_account(message, author, record)
    sender, owner = ids[author.name or ""], ids["bob"]
    event = database.execute(
        "INSERT INTO events (account_id, kind, message_id, created_at) VALUES (?, 'message', ?, ?)",
        (owner, message.id, at),
    ).lastrowid
    database.execute(
        "INSERT INTO uploads (id, account_id, capability_sha256, length, created_at, finished_at, message_id)"
        " VALUES (?, ?, ?, 2000000, ?, ?, ?)",
        (upload, sender, os.urandom(32), at, at, message.id),
    )
    database.execute(
        "INSERT INTO messages (id, account_id, kind, upload_id, video_bytes, details, details_sha256, claim_hmac,"
        " request_sha256, received_at) VALUES (?, ?, 'video', ?, 2000000, ?, ?, ?, ?, ?)",
        (message.id, sender, upload, details, message.details_sha256, os.urandom(32), os.urandom(32), at),
    )
    played = None if age <= UNPLAYED else at
    database.execute(
        "INSERT INTO envelopes (message_id, account_id, box, envelope, received_at, change, fetched_at, played_at)"
        " VALUES (?, ?, 'inbox', ?, ?, ?, ?, ?)",
        (message.id, owner, envelope, at, event, at, played),
    )


def _measured(house: House, bob: Person, messages: int) -> Figures:
    figures = Figures()
    page = house.browser("bob")
    page.set_default_timeout(900_000)
    page.goto(f"{house.url}/sign-in")
    page.get_by_label("Your name here").fill(bob.name)
    page.get_by_label("Passphrase").fill(bob.passphrase)
    page.get_by_role("button", name="Open my mailbox").click()
    page.wait_for_url("**/inbox")
    begun = page.evaluate("performance.now()")
    page.evaluate(NOTE_ROWS)
    page.wait_for_function(ROWS)
    figures.cold_rows = page.evaluate("rowsMs") - begun
    figures.heap.append(_heap(page))
    while page.evaluate(KEPT) < messages:
        page.wait_for_timeout(250)
    figures.cold_all = page.evaluate("performance.now()") - begun
    figures.heap.append(_heap(page))
    page.wait_for_timeout(3_000)
    for _ in range(ROUNDS):
        page.add_init_script(f"({NOTE_ROWS})()") if not figures.warm_rows else None
        page.goto(f"{house.url}/inbox")
        page.wait_for_function("() => globalThis.rowsMs")
        figures.warm_rows.append(page.evaluate("rowsMs"))
        page.wait_for_timeout(2_000)
        figures.heap.append(_heap(page))
    figures.searches = [page.evaluate(SEARCH, f"sender{number}") for number in range(SENDERS)]
    figures.heap.append(_heap(page))
    return figures


def _heap(page: Page) -> float:
    devtools = page.context.new_cdp_session(page)
    devtools.send("HeapProfiler.collectGarbage")
    used: dict[str, Any] = devtools.send("Runtime.getHeapUsage")
    devtools.detach()
    return float(used["usedSize"]) / 2**20


def _page(figures: Figures, messages: int) -> str:
    warm, search = statistics.median(figures.warm_rows), figures.searches
    held = {True: "holds", False: "missed"}
    heap = ", ".join(f"{mebibytes:.0f}" for mebibytes in figures.heap)
    return "\n".join(
        [
            f"# A mailbox of {messages:,} messages in the browser",
            "",
            f"Written by `python -m bench.mailbox_web` on {datetime.now(UTC):%Y-%m-%d}: Debian's Chromium and the server on the same {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end.",
            "",
            "| what | figure | target |",
            "| --- | --- | --- |",
            f"| new device: the first {FIRST_ROWS} rows after the mailbox is open | {figures.cold_rows:.0f} ms | < 2,000 ms: {held[figures.cold_rows < 2_000]} |",
            f"| new device: all of it opened, verified and kept | {figures.cold_all / 1000:.0f} s | in the background |",
            f"| known device: the first {FIRST_ROWS} rows from the beginning of the navigation, median of {ROUNDS} | {warm:.0f} ms (worst {max(figures.warm_rows):.0f}) | < 1,000 ms: {held[warm < 1_000]} |",
            f"| search by person, median of {len(search)} | {statistics.median(search):.0f} ms (worst {max(search):.0f}) | < 200 ms: {held[max(search) < 200]} |",
            f"| the page's heap, MiB: at the first rows, with all, after each of {ROUNDS} loads, after the searches | {heap} | flat |",
            "",
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
