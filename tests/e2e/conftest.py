"""Two sorts of house for the browser tests, one browser, and visitors that leave no complaint behind."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.e2e.browsing import Visitors, launch, no_reports
from tests.serving import ROOT, Server, serving


@pytest.fixture(scope="session")
def webapp() -> Path:
    """The web app, built from the sources as they are."""
    subprocess.run([ROOT / "tools" / "build-web"], check=True, capture_output=True)
    return ROOT / "src" / "restante" / "server" / "webapp"


@pytest.fixture(scope="module")
def house(webapp: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the web app, for the tests of one file; each makes accounts of its own."""
    with serving(tmp_path_factory.mktemp("house") / "data") as server, no_reports(server):
        yield server


@pytest.fixture
def new_house(webapp: Path, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Makes servers of a test's own, to be stopped, killed, damaged; keyword arguments are environment variables."""
    with ExitStack() as stack:
        count = 0

        def make(**env: str) -> Server:
            nonlocal count
            count += 1
            return stack.enter_context(
                no_reports(stack.enter_context(serving(tmp_path / f"house{count}", **env)))
            )

        yield make


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """The driver, for one file: while it runs there is an event loop in this thread, which tests of other rooms cannot bear."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium, shared by light visitors."""
    running = launch(playwright.chromium)
    yield running
    running.close()


@pytest.fixture
def visitors(playwright: Playwright, browser: Browser, tmp_path: Path) -> Iterator[Visitors]:
    """Makes visitors; after the test none may have seen an error, a warning or a request to elsewhere."""
    made = Visitors(playwright.chromium, browser, tmp_path)
    yield made
    made.leave()
