"""The first run in a browser: the link of the terminal outlives a sign-up, makes an operator once, and is not in the address bar."""

import json
import re
import subprocess
import sys
from collections.abc import Callable

from tests.e2e.browsing import PHONE, Visitors, axe_violations
from tests.e2e.mailbox import choose_name, prove, written_code
from tests.e2e.mailing import NO_NOTES
from tests.serving import ROOT, Server


def test_whoever_opens_the_first_link_runs_the_server(
    new_house: Callable[..., Server], visitors: Visitors
) -> None:
    server = new_house()
    (link,) = re.findall(rf"http://localhost:{server.port}(/operator/link#\S{{43}})", server.log())
    visitor = visitors.arrive(server, **PHONE)
    visitor.witness.allow(NO_NOTES)
    page = visitor.open(link)
    page.get_by_role("link", name="Open a mailbox").click()
    choose_name(page, "ada")
    code = written_code(page)
    page.get_by_role("button", name="I have written it down").click()
    prove(page, code)
    page.get_by_role("heading", name="Your server is up").wait_for()
    assert page.url == f"{visitor.url}/operator/link"
    assert axe_violations(page) == []
    page.get_by_role("button", name="Run this server").click()
    page.get_by_text("You run this server.").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.get_by_role("link", name=re.compile("^Operator.s desk$")).get_attribute("href") == "/operator"
    page.get_by_role("link", name="Settings", exact=True).first.click()
    page.get_by_role("link", name="How this server is").wait_for()
    assert page.get_by_role("link", name="What you may send").count() == 0, "there are no plans here"
    command = [sys.executable, "-m", "restante.cli.main", "operator", "operators", "--json"]
    listed = subprocess.run(
        [*command, "--data", server.data], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert [each["name"] for each in json.loads(listed.stdout)] == ["ada"]
    visitor.witness.allow("status of 410")
    again = visitor.context.new_page()
    again.goto(visitor.url + link)
    again.get_by_role("button", name="Run this server").click()
    again.get_by_text("You run this server.").wait_for()
