"""A guest link on a phone: from the address to something that can be pressed, and from the press to the first picture.

`python -m bench.guest_page` writes bench/guest_page.md. A phone-sized window, its processor slowed four times by Chromium itself, a
line of 10 Mbit/s with 50 ms to the server; each visit is a new browser that has nothing of the app.
"""

import os
import statistics
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from bench.measures.web_house import House
from tests.e2e.browsing import launch
from tests.serving import serving

VISITS, SLOWER, LATENCY_MS = 7, 4, 50
BYTES_PER_S = 10_000_000 / 8
TARGET_MS = 2_000
PAGE = Path(__file__).parent / "guest_page.md"
PHONE = {"width": 390, "height": 844}
BUTTON = (
    "() => [...document.querySelectorAll('main button')].some(one => one.textContent.trim() === 'Open it')"
)
OPEN = """() => {
  const pressed = performance.now();
  const look = () => {
    const video = document.querySelector('video');
    if (!video) return requestAnimationFrame(look);
    video.requestVideoFrameCallback((_, frame) => (globalThis.shownMs = frame.presentationTime - pressed));
    video.play().catch(() => undefined);
  };
  [...document.querySelectorAll('main button')].find(one => one.textContent.trim() === 'Open it').click();
  look();
}"""


def main() -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(serving(folder / "data"))
        house = House(folder, server, stack, stack.enter_context(sync_playwright()))
        ann = house.person("ann")
        film = house.film("film", seconds=60, bits=1_100_000)
        message = house.leave(ann, house.person("bob").name, film, "by link")
        made = ann.ok("link", "create", message, "--json").json
        browser = launch(house.playwright.chromium)
        path = made["url"].split("/", 3)[3]
        visits = [_visit(browser, f"{house.url}/{path}") for _ in range(VISITS + 1)][1:]
        browser.close()
    text = _page([there for there, _ in visits], [shown for _, shown in visits])
    PAGE.write_text(text)
    print(text)
    return 0


def _visit(browser: Browser, address: str) -> tuple[float, float]:
    """Milliseconds: navigation to the button, press to the first picture."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", {
        "offline": False, "latency": LATENCY_MS, "downloadThroughput": BYTES_PER_S, "uploadThroughput": BYTES_PER_S,
    })  # fmt: skip
    page.goto(address, wait_until="commit")
    page.wait_for_function(BUTTON, polling="raf")
    there = page.evaluate("performance.now()")
    page.evaluate(OPEN)
    page.wait_for_function("() => globalThis.shownMs !== undefined")
    shown = page.evaluate("shownMs")
    context.close()
    return there, shown


def _page(there: list[float], shown: list[float]) -> str:
    def row(what: str, figures: list[float]) -> str:
        middle = statistics.median(figures)
        verdict = "holds" if middle < TARGET_MS else "missed"
        return f"| {what} | {middle:.0f} | {max(figures):.0f} | {verdict} |"

    return "\n".join(
        [
            "# A guest link on a phone",
            "",
            f"Written by `python -m bench.guest_page` on {datetime.now(UTC):%Y-%m-%d}: {VISITS} visits, each with a new browser, its processor slowed",
            f"{SLOWER} times, 10 Mbit/s and {LATENCY_MS} ms to the server; a film of a minute; {os.cpu_count()} cores that the server and the browser share, load {os.getloadavg()[0]:.1f}.",
            f"Target: each < {TARGET_MS:,} ms.",
            "",
            "| what | median ms | worst ms | |",
            "| --- | --- | --- | --- |",
            row("address to the button", there),
            row("press to the first picture", shown),
            "",
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
