"""How long a change of the camera takes in Debian's Chromium while it records: chosen by a person, and after the loss of one."""

import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

from bench.harness.compare import Claim
from bench.harness.report import Result
from tests.e2e.harness import build, served
from tests.e2e.recorder import kill_cameras, open_devices, recorder, start, stop, wait_media

TRIALS = 30
MOST_MS = 300
_SWITCH = "async id => { const began = performance.now(); await media.useCamera(id); return performance.now() - began }"
_LOSS = "() => { globalThis.lost = media.lostAt() }"
_TOOK = """async count => {
  const at = await globalThis.lost;
  while (media.told().filter(({ kind }) => kind === 'camera-switched').length < count) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return media.told().findLast(({ kind }) => kind === 'camera-switched').at - at;
}"""


def devices(_rounds: int) -> Result:
    """Thirty trials of each in one take; a switch ends with the new camera's first picture at the encoder, a loss with the news."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        out.mkdir()
        with served(build(Path(folder) / "pages"), out) as harness, sync_playwright() as playwright:
            with recorder(playwright, harness) as page:
                switches = _switches(page)
            with recorder(playwright, harness) as page:
                losses = _losses(page)
    claims = [
        Claim(
            "another camera is chosen, until its first picture",
            "",
            median(switches),
            min(switches),
            "ms",
            most=MOST_MS,
        ),
        Claim("a lost camera is replaced", "", median(losses), min(losses), "ms", most=MOST_MS),
    ]
    figures: list[tuple[str, ...]] = [
        ("chosen, worst of 30", f"{max(switches):.0f} ms"),
        ("lost, worst of 30", f"{max(losses):.0f} ms"),
    ]
    return Result("devices", "Cameras that change in a recording", claims, ("", ""), figures)


def _switches(page: Page) -> list[float]:
    first, _, third = (camera["id"] for camera in open_devices(page)["cameras"])
    start(page)
    took = []
    for trial in range(TRIALS):
        wait_media(page, 0.3)
        took.append(page.evaluate(_SWITCH, first if trial % 2 else third))
    stop(page, "switches")
    return took


def _losses(page: Page) -> list[float]:
    open_devices(page)
    start(page)
    took = []
    for trial in range(TRIALS):
        wait_media(page, 0.5)
        page.evaluate(_LOSS)
        kill_cameras(page)
        took.append(page.evaluate(_TOOK, trial + 1))
    stop(page, "losses")
    return took
