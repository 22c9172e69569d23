"""Two sorts of house for the browser tests, one browser, and visitors that leave no complaint behind."""

import functools
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.e2e.browsing import PATIENCE_MS, Visitors, launch, no_reports
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


HERE = Path(__file__).parent
expect.set_options(timeout=PATIENCE_MS)
_open = ExitStack()
"""The driver and the shared browser, from the first test here that needs them to the last in a row."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(300))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    """Ends the driver before a test of another room: while it runs there is an event loop in this thread, which those cannot bear."""
    yield
    if nextitem is None or HERE not in nextitem.path.parents:
        _open.close()
        _started.cache_clear()


@functools.cache
def _started() -> tuple[Playwright, Browser]:
    running = _open.enter_context(sync_playwright())
    browser = launch(running.chromium)
    _open.callback(browser.close)
    return running, browser


@pytest.fixture(scope="module")
def playwright() -> Playwright:
    return _started()[0]


@pytest.fixture(scope="module")
def browser() -> Browser:
    """Debian's Chromium, shared by light visitors."""
    return _started()[1]


@pytest.fixture
def visitors(playwright: Playwright, browser: Browser, tmp_path: Path) -> Iterator[Visitors]:
    """Makes visitors; after the test none may have seen an error, a warning or a request to elsewhere."""
    made = Visitors(playwright.chromium, browser, tmp_path)
    yield made
    made.leave()
