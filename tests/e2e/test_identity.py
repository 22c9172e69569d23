"""A mailbox and who its owner is at the operator's provider, in a browser: linked, found by it, opened by nothing of it, unlinked."""

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from restante.server.admission.provider import RETURN
from restante.server.sessions.actor import COOKIE
from tests.api.people import new_name
from tests.api.test_admission import LIBRARYS_OWN
from tests.e2e.browsing import DESKTOP, PHONE, Visitor, Visitors, axe_violations, no_reports
from tests.e2e.mailbox import arrived, open_mailbox
from tests.serving import Server, free_port

ANN = "ann@works.example"


@dataclass(frozen=True)
class Works:
    """A house, and the provider that its operator asks."""

    house: Server
    provider: str

    def arrive(self, visitors: Visitors, **options: object) -> Visitor:
        """Somebody who may go to the provider; its style sheet from elsewhere stays away."""
        visitor = visitors.arrive(self.house, **options)
        visitor.witness.allow(f"(request to elsewhere|{re.escape(self.provider)}).*")
        visitor.context.route(re.compile("^https:"), _styled_by_nobody)
        return visitor


def _styled_by_nobody(route: Route) -> None:
    route.fulfill(body="", content_type="text/css")


@pytest.fixture
def works(webapp: Path, tmp_path: Path) -> Iterator[Works]:
    with warnings.catch_warnings(record=True):
        from oidc_provider_mock import run_server_in_thread  # noqa: PLC0415 - it warns when it is loaded
    port = free_port()
    origin = f"http://localhost:{port}"
    with run_server_in_thread(require_client_registration=True) as server:
        issuer = f"http://localhost:{server.server_port}"
        body = {"redirect_uris": [f"{origin}{RETURN}"]}
        client = httpx.post(f"{issuer}/oauth2/clients", json=body, trust_env=False).json()
        env = {
            "RESTANTE_ORIGINS": origin,
            "RESTANTE_OIDC_ISSUER": issuer,
            "RESTANTE_OIDC_CLIENT": client["client_id"],
            "RESTANTE_OIDC_SECRET": client["client_secret"],
            "RESTANTE_OIDC_NAME": "The Works",
        }
        house = Server(tmp_path / "data", env, port)
        try:
            with no_reports(house.start()):
                yield Works(house, issuer)
        finally:
            house.kill()


def log_in(page: Page, works: Works, who: str) -> None:
    """What the person does at the provider."""
    page.wait_for_url(f"{works.provider}/**")
    page.get_by_placeholder("sub").fill(who)
    page.get_by_role("button", name="Authorize", exact=True).click()


def assert_fine(page: Page) -> None:
    """For everybody, and on a phone as well."""
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size["viewport"])
        assert page.evaluate("document.documentElement.scrollWidth") <= size["viewport"]["width"]
        assert axe_violations(page) == []


@pytest.mark.long
@LIBRARYS_OWN
def test_a_mailbox_is_linked_in_the_settings_found_at_the_next_sign_in_and_unlinked(
    works: Works, visitors: Visitors
) -> None:
    here = works.arrive(visitors)
    page, ann = open_mailbox(here, new_name("ann"))
    page.goto(f"{here.url}/settings")
    page.get_by_role("link", name="Who you are at The Works").click()
    page.get_by_role("link", name="Go to The Works").click()
    log_in(page, works, ANN)
    page.get_by_text(f"Link the mailbox {ann.name} to who you are there?").wait_for()
    assert "ticket" not in page.evaluate("location.href"), "what proves it stays in nobody's history"
    assert_fine(page)

    there = works.arrive(visitors)
    other = there.open("/sign-in")
    other.get_by_role("link", name="Find my mailbox through The Works").click()
    log_in(other, works, ANN)
    other.wait_for_url("**/sign-up*")  # the control: a proof alone links nothing

    page.get_by_role("button", name="Link it").click()
    page.get_by_text("It is linked.").wait_for()
    assert_fine(page)
    page.reload()
    page.get_by_text("Linked:").wait_for()

    other.goto(f"{there.url}/sign-in")
    other.get_by_role("link", name="Find my mailbox through The Works").click()
    log_in(other, works, ANN)
    expect(other.get_by_label("Your name here")).to_have_value(ann.name)
    assert COOKIE not in {cookie["name"] for cookie in there.context.cookies()}, "it signs nobody in"
    other.get_by_label("Passphrase").fill(ann.passphrase)
    other.get_by_role("button", name="Open my mailbox").click()
    arrived(other)
    assert COOKIE in {cookie["name"] for cookie in there.context.cookies()}, "the control"

    page.get_by_role("button", name="Unlink The Works").click()
    page.get_by_text("The Works finds no mailbox of yours any more.").wait_for()
    expect(page.get_by_role("link", name="Go to The Works")).to_be_visible()
