"""Where sending is not open yet that is said before it hurts, nothing is lost, and an invite that comes later opens it."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.person import Person
from tests.e2e.browsing import Visitors, axe_violations
from tests.e2e.mailing import befriend, camera_and_microphone, move_in, record, send, sent
from tests.serving import ROOT, Server

BETA = """
[platforms.linux]
phase = "beta"
text.en = "Ask Bob."
[platforms.other]
phase = "open"
"""
INVITE = ("operator", "invites", "make", "--note", "for Claire", "--json")


@pytest.mark.long
def test_a_take_where_sending_is_not_open_is_kept_and_leaves_by_an_invite(
    new_house: Callable[..., Server], visitors: Visitors, tmp_path: Path
) -> None:
    house = new_house()
    claire, joseph = (Person(name, tmp_path, house.url).sign_up() for name in ("claire", "joseph"))
    at_home = move_in(visitors, house, claire, camera_and_microphone(tmp_path))
    at_home.visitor.witness.allow(r"status of 403.*/api/v1/messages")
    befriend(at_home, "joseph")
    (Path(house.data) / "availability.toml").write_text(BETA)

    page = at_home.open("/record")
    page.get_by_text("Not open yet: Linux").wait_for()
    page.get_by_text("Ask Bob. You can still record").wait_for()
    page.get_by_role("button", name="Tell me when it opens").click()
    page.get_by_text("You are told when it opens").wait_for()
    record(page)
    page.get_by_text("Not open yet: Linux").wait_for()
    send(page, "joseph", caption="From the beta")
    page.get_by_text("Sending is not open here yet.").wait_for()
    page.get_by_role("button", name=re.compile("^Don.t tell me$")).wait_for()
    assert joseph.inbox() == []

    command = [sys.executable, "-m", "restante.cli.main", *INVITE, "--data", str(house.data)]
    made = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    settings = at_home.open("/settings")
    settings.get_by_label("I have an invite").fill(json.loads(made.stdout)["code"])
    assert axe_violations(settings) == []
    settings.get_by_role("button", name="Use the invite").click()
    settings.get_by_text("It is open to you now.").wait_for()

    page.get_by_role("button", name="Try now").click()
    sent(page)
    assert [item["caption"] for item in joseph.inbox()] == ["From the beta"]
