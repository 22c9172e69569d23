"""The web client in Debian's Chromium against the real server: sending, watching, news that arrives, and what the first visit loads."""

from playwright.sync_api import Page, Request

from bench.harness.compare import Claim
from bench.harness.report import Result
from bench.measures.recorder import recorder
from bench.measures.web_arrival import arriving
from bench.measures.web_house import House, house
from bench.measures.web_sending import sending
from bench.measures.web_watching import watching
from tests.e2e.mailing import sign_in
from tests.serving import ROOT

MOST_SCRIPT_KB = 160
_ASSETS = ROOT / "src" / "restante" / "server" / "webapp" / "assets"


def web(rounds: int) -> Result:
    """All of it in one table; what takes minutes a turn has fewer of them, which its line tells."""
    with house() as running:
        parts = [sending(running, rounds)]
    with house() as running:
        parts += [watching(running, rounds), loading(running), arriving(running)]
    parts.append(recorder(rounds))
    claims = [claim for part in parts for claim in part.claims]
    figures = [line for part in parts for line in part.figures]
    return Result("web", "The web client in Debian's Chromium", claims, ("", "median"), figures)


def loading(running: House) -> Result:
    """Bytes of the first visit, as they came over the line; they are the same every time.

    Without the service worker, which fetches the rest of the app in the background and would then weigh nothing.
    """
    page = running.browser("visitor", service_workers="block")
    weights = Weights(page)
    page.goto(f"{running.url}/", wait_until="networkidle")
    page.get_by_role("link", name="Open a mailbox").wait_for()
    welcome = weights.so_far()
    page.goto(f"{running.url}/sign-in")
    sign_in(page, running.person("visitor"))
    page.wait_for_timeout(2000)
    inbox = weights.so_far()
    claims = [_claim("the welcome page", welcome), _claim("sign-in and inbox, all until then", inbox)]
    figures: list[tuple[str, ...]] = [
        ("first visit, all of the welcome page", f"{sum(welcome.values()) / 1000:.1f} KB"),
        ("first visit, all until the inbox stands", f"{sum(inbox.values()) / 1000:.1f} KB"),
        ("scripts of the whole app", f"{_all_scripts() / 1000:.1f} KB"),
    ]
    return Result("loading", "What the first visit loads", claims, ("", "median"), figures)


class Weights:
    """Bytes of the bodies that a page has loaded, by the kind of the resource; what a cache gave weighs nothing."""

    def __init__(self, page: Page) -> None:
        self._done: list[Request] = []
        page.context.on("requestfinished", self._note)

    def so_far(self) -> dict[str, int]:
        weights: dict[str, int] = {}
        for request in self._done:
            size = max(0, request.sizes()["responseBodySize"])
            weights[request.resource_type] = weights.get(request.resource_type, 0) + size
        return weights

    def _note(self, request: Request) -> None:
        self._done.append(request)


def _claim(what: str, weights: dict[str, int]) -> Claim:
    scripts = weights["script"] / 1000
    return Claim(f"first visit, scripts of {what}", "", scripts, scripts, "KB", most=MOST_SCRIPT_KB)


def _all_scripts() -> int:
    """Compressed where there is a compressed form: what a service worker fetches in the background."""
    return sum(
        min((path.stat().st_size for path in _ASSETS.glob(f"{script.name}*")), default=0)
        for script in _ASSETS.glob("*.js")
    )
