"""“What this server knows”: the page says of this account what the rows of the database say."""

import re
import sqlite3
from pathlib import Path

from tests.cli.person import Person
from tests.e2e.browsing import Visitors, axe_violations
from tests.e2e.mailbox import sign_in
from tests.e2e.mailing import NETWORK, NO_NOTES, small_clip
from tests.serving import Server


def test_the_page_tells_what_the_rows_tell(house: Server, visitors: Visitors, tmp_path: Path) -> None:
    dora, emil = (Person(name, tmp_path, house.url).sign_up() for name in ("dora", "emil"))
    for _ in range(2):
        dora.send("emil", small_clip(tmp_path))
    emil.send("dora", small_clip(tmp_path))
    visitor = visitors.arrive(house)
    visitor.witness.allow(NO_NOTES)
    visitor.witness.allow(NETWORK)
    page = visitor.open("/sign-in")
    sign_in(page, "dora", dora.passphrase)
    page.wait_for_url("**/inbox")
    page.get_by_role("link", name="Settings").first.click()
    page.get_by_role("link", name="See what it has about you").click()
    page.wait_for_url("**/known")
    page.get_by_role("listitem").filter(has_text="emil").filter(has_text="you left 2, they left 1").wait_for()
    with sqlite3.connect(house.data / "restante.sqlite3", timeout=10) as database:
        (sessions,) = database.execute(
            "SELECT count(*) FROM sessions JOIN accounts ON accounts.id = account_id WHERE name = 'dora'"
        ).fetchone()
    signed_in = page.get_by_role("listitem").filter(has_text="Where you are signed in").inner_text()
    assert re.search(rf"\b{sessions} entries\b", signed_in), signed_in
    assert sessions == 2
    page.get_by_text("Network addresses: none kept").wait_for()
    assert axe_violations(page) == []
    visitor.context.set_offline(True)
    page.reload()
    page.get_by_text("own count, so it needs the network.").wait_for()
