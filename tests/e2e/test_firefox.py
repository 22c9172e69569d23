"""The main job in Firefox: recorded with two cameras, sent, watched, saved, under the same policies."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright

from tests.cli.person import Person
from tests.e2e.browsing import Visitors, offline_files, policy_reports, until_kept
from tests.e2e.firefox import SECOND_CAMERA, STAND_IN, firefox, saved
from tests.e2e.mailing import (
    NO_NOTES,
    assert_keeps,
    begin,
    eventually,
    kept,
    play,
    send,
    sent,
    sign_in,
    stop,
    watch,
)
from tests.e2e.recorder import shades
from tests.footage import Judged, loudness
from tests.serving import Server, serving


@dataclass
class Fox:
    """The browser, and where it saves."""

    browser: Browser
    visitors: Visitors
    folder: Path


@pytest.fixture(scope="module")
def fox(playwright: Playwright, house: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fox]:
    """It leaves before the house ends."""
    folder = tmp_path_factory.mktemp("fox")
    with firefox(playwright, folder) as browser:
        visitors = Visitors(playwright.firefox, browser, folder)
        yield Fox(browser, visitors, folder)
        visitors.leave()


def at_home(fox: Fox, server: Server, person: Person) -> Page:
    """Signs in and waits until the inbox is all there: a page that is left while it loads complains of that."""
    visitor = fox.visitors.arrive(server)
    visitor.witness.allow(NO_NOTES)
    visitor.context.add_init_script(STAND_IN)
    page = visitor.open("/sign-in")
    sign_in(page, person)
    page.get_by_role("heading", level=1).wait_for()
    return page


def test_the_main_job_in_firefox(fox: Fox, house: Server) -> None:
    claire, ann = (Person(name, fox.folder, house.url).sign_up() for name in ("claire", "ann"))
    booth = at_home(fox, house, claire)
    booth.get_by_role("link", name="Leave a video").first.click()
    camera = booth.get_by_label("Camera", exact=True)
    booth.get_by_role("button", name="3-2-1").click()
    begin(booth)
    camera.select_option(label=SECOND_CAMERA)
    booth.get_by_text("Still recording, in one piece.").wait_for()
    kept(booth, 2)
    message = stop(booth)
    play(booth)
    send(booth, "ann", caption="From Firefox")
    sent(booth)

    inbox = at_home(fox, house, ann)
    watch(inbox, "From Firefox")
    play(inbox, 1)
    eventually(lambda: claire.sent()[0]["state"] == "played")
    inbox.get_by_role("button", name="Save as .mp4").click()
    path = saved(fox.folder)
    (item,) = ann.inbox()
    assert item["id"] == message
    assert_keeps(
        path, duration_s=item["duration_s"], within_s=0.5
    )  # its pictures come late where the machine is busy
    assert Judged(path).size == (1280, 720)
    assert max(loudness(path)) > 100
    # The second camera is narrower: there are bars beside it.
    edge = shades(path, "40:360:0:0")
    assert edge[-1] < 20 < edge[0]


@pytest.mark.long
def test_firefox_holds_to_the_policies_and_tells(fox: Fox, webapp: Path, tmp_path: Path) -> None:
    """Else it would prove nothing that it had nothing to tell of all the rest."""
    with serving(tmp_path / "data") as server:
        visitor = fox.visitors.arrive(server)
        visitor.witness.allow("TrustedScript|Trusted Types|trusted-types")
        page = visitor.open("/")
        refused = page.evaluate(
            "() => { try { document.createElement('script').text = '1'; } catch (error) { return error.name; } }"
        )
        assert refused == "TypeError"
        # What a page still fetches when it is left is told as an error.
        until_kept(page, len(offline_files(webapp)))
        page.wait_for_load_state("networkidle")
        eventually(lambda: policy_reports(server))
        assert {report["directive"] for report in policy_reports(server)} == {"require-trusted-types-for"}
        page.close()
