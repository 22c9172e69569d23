"""Watching in the browser: the first picture over a narrow downlink, and the whole of a large message beside the Python client."""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from playwright.sync_api import Page

from bench.harness.compare import Claim, Sample, faster, interleave
from bench.harness.line import MBIT, Line, line
from bench.harness.report import Result
from bench.measures.web_house import House
from tests.cli.person import Person
from tests.e2e.mailing import letter

DOWNLINK = 10 * MBIT
FIRST_MS = 1000
SECONDS = 178
"""A little less than three minutes, so that the end of the sound is within them, too."""
WEB, PYTHON = "web client", "Python client"
_LONG, _LARGE = "Three minutes, copy {}", "Forty megabytes"

_OPEN = """link => {
  globalThis.view = { clickedMs: performance.now() };
  const looking = new MutationObserver(() => {
    const video = document.querySelector("video");
    if (!video) return;
    looking.disconnect();
    view.readyMs = performance.now();
    video.requestVideoFrameCallback((_, frame) => (view.shownMs = frame.presentationTime));
    video.play().catch(() => undefined);
  });
  looking.observe(document.body, { subtree: true, childList: true });
  link.click();
}"""


def watching(house: House, rounds: int) -> Result:
    """The same recipient, first over 10 Mbit/s, then with nothing in the way."""
    sender, recipient = house.person("joseph"), house.person("mina")
    long = house.film("long", seconds=SECONDS, bits=1_100_000)
    large = house.film("large", seconds=SECONDS, bits=1_700_000)
    for number in range(rounds + 1):
        house.leave(sender, recipient.name, long, _LONG.format(number))
    message = house.leave(sender, recipient.name, large, _LARGE)
    with line(house.server.port, down=DOWNLINK) as downlink:
        page = house.signed_in(recipient, downlink.url)
        views = [_first_picture(page, downlink, _LONG.format(number)) for number in range(rounds + 1)][1:]
        downlink.down.rate = None
        samples = interleave(
            {
                WEB: _saving(page, f"{downlink.url}/watch/{message}", large.path.stat().st_size),
                PYTHON: _fetching(house, recipient, message, large.path.stat().st_size),
            },
            rounds,
        )
    shown = [view["shownMs"] - view["clickedMs"] for view in views]
    opened = [view["readyMs"] - view["clickedMs"] for view in views]
    saved = [sample.wall_s * 1000 for sample in samples[WEB]]
    first = f"3 minutes at 10 Mbit/s down ({rounds} views): click to first picture"
    whole = "40 MB fetched, verified and saved"
    claims = [
        Claim(first, "", median(shown), min(shown), "ms", most=FIRST_MS),
        Claim(whole, "", median(saved), min(saved), "ms"),
        faster(whole, samples, WEB, PYTHON),
    ]
    figures: list[tuple[str, ...]] = [
        ("click to a player on the screen", f"{median(opened):.0f} ms"),
        ("weight of three minutes", f"{long.path.stat().st_size / 1e6:.1f} MB"),
        *(
            (f"{whole}, {name}", f"{median(one.wall_s for one in taken) * 1000:.0f} ms")
            for name, taken in samples.items()
        ),
    ]
    return Result("watching", "Watching in the browser", claims, ("", "median"), figures)


def _first_picture(page: Page, downlink: Line, caption: str) -> dict[str, float]:
    """Comes back to the inbox, lets it settle, and opens a message for the first time."""
    page.goto(f"{downlink.url}/inbox")
    link = letter(page, caption).get_by_role("link")
    link.wait_for()
    page.wait_for_timeout(1500)
    link.evaluate(_OPEN)
    page.wait_for_function("() => view.shownMs", timeout=60_000)
    view = page.evaluate("({ ...view })")
    return {name: float(at) for name, at in view.items()}


def _saving(page: Page, address: str, size: int) -> Callable[[], Sample]:
    """From the click on save to the file: all of it fetched, verified, decrypted and put into order."""

    def turn() -> Sample:
        page.goto(address)
        save = page.get_by_role("button", name="Save as .mp4")
        save.wait_for()
        page.evaluate("document.querySelector('video')?.remove()")
        page.wait_for_timeout(1500)
        started_s = time.perf_counter()
        with page.expect_download(timeout=120_000) as download:
            save.click()
        path = Path(download.value.path())
        wall_s = time.perf_counter() - started_s
        assert path.stat().st_size > 0.95 * size, "the file is not whole"
        return Sample(size, wall_s, 0)

    return turn


def _fetching(house: House, recipient: Person, message: str, size: int) -> Callable[[], Sample]:
    def turn() -> Sample:
        path = house.folder / "fetched.mp4"
        path.unlink(missing_ok=True)
        started_s = time.perf_counter()
        recipient.ok("save", message, "-o", path)
        wall_s = time.perf_counter() - started_s
        assert path.stat().st_size > 0.95 * size, "the file is not whole"
        return Sample(size, wall_s, 0)

    return turn
