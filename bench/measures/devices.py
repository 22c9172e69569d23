"""How long a change of the camera takes in Debian's Chromium while it records, and how soon a take's first bytes are there."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TypeVar

from playwright.sync_api import Error, Page, Playwright, sync_playwright

from bench.harness.compare import Claim
from bench.harness.report import Result
from tests.e2e.harness import Harness, build, served
from tests.e2e.recorder import kill_cameras, open_devices, recorder, start, stop, wait_media
from tests.footage import Judged

T = TypeVar("T")
TRIALS = 30
TAKES = 5
TAKE_S = 5
MOST_MS = 300
FIRST_BYTES_MS = 1600
LEAST_RATE = 28
PATIENCE_MS = 20_000

_SWITCH = """async id => {
  const began = performance.now();
  const found = await media.useCamera(id);
  return { ms: performance.now() - began, refused: found.refused ?? null };
}"""
_BEGIN_LOSS = "() => { globalThis.lost = media.lostAt(); globalThis.known = media.told().length; }"
_IS_REPLACED = (
    "() => media.told().slice(known).some(({ kind }) => kind === 'camera-switched' || kind === 'camera-back')"
)
_LOSS = """async () => {
  const news = media.told().slice(known).find(({ kind }) => kind === 'camera-switched' || kind === 'camera-back');
  const at = await Promise.race([lost, new Promise((resolve) => setTimeout(resolve, 1000))]);
  return at === undefined ? null : news.at - at;
}"""
_TOLD = "media.told().slice(globalThis.known ?? 0).map(({ kind, why, to }) => `${kind} ${why ?? ''} ${to?.label ?? ''}`)"
_START = (
    "async () => { const began = performance.now(); await media.start(); return performance.now() - began; }"
)


class TrialFailed(RuntimeError):
    """What was waited for did not come."""


def devices(_rounds: int) -> Result:
    """Thirty trials of each change in one take; a switch ends with the new camera's first picture at the encoder, a loss with the news."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        out.mkdir()
        with served(build(Path(folder) / "pages"), out) as harness, sync_playwright() as playwright:
            switches = _in_browser(playwright, harness, _switches)
            losses = _in_browser(playwright, harness, _losses)
            first_bytes, rates = zip(*_in_browser(playwright, harness, _takes), strict=True)
    claims = [
        _at_most("another camera is chosen, until its first picture", switches, MOST_MS),
        _at_most("a lost camera is replaced", losses, MOST_MS),
        _at_most("start of a take, until its first bytes are written", first_bytes, FIRST_BYTES_MS),
        Claim("pictures a second in a take", "", median(rates), max(rates), "/s", least=LEAST_RATE),
    ]
    figures: list[tuple[str, ...]] = [
        (f"chosen, worst of {TRIALS}", f"{max(switches):.0f} ms"),
        (f"lost, worst of {TRIALS}", f"{max(losses):.0f} ms"),
        (f"first bytes, worst of {TAKES}", f"{max(first_bytes):.0f} ms"),
    ]
    return Result("devices", "Cameras that change in a recording", claims, ("", ""), figures)


def _at_most(what: str, taken: tuple[float, ...] | list[float], most: float) -> Claim:
    return Claim(what, "", median(taken), min(taken), "ms", most=most)


def _in_browser(playwright: Playwright, harness: Harness, work: Callable[[Page, Path], T]) -> T:
    with recorder(playwright, harness, devices=4) as page:
        page.set_default_timeout(PATIENCE_MS)
        return work(page, harness.out)


def _switches(page: Page, _out: Path) -> list[float]:
    """Between two that give pictures as webcams do; those of the second and third of Chromium's are odd."""
    first, *_, other = (camera["id"] for camera in open_devices(page)["cameras"])
    start(page)
    took = []
    for trial in range(TRIALS):
        wait_media(page, 0.3)
        switch = page.evaluate(_SWITCH, first if trial % 2 else other)
        if switch["refused"]:
            raise TrialFailed(
                f"switch {trial + 1}: the camera is {switch['refused']}; told: {page.evaluate(_TOLD)}"
            )
        took.append(
            _noted(f"switch {trial + 1}: the new camera's first picture", switch["ms"], MOST_MS, page)
        )
    stop(page, "switches")
    return took


def _losses(page: Page, _out: Path) -> list[float]:
    open_devices(page)
    start(page)
    took = []
    for trial in range(TRIALS):
        wait_media(page, 0.5)
        page.evaluate(_BEGIN_LOSS)
        kill_cameras(page)
        what = f"loss {trial + 1}: another camera in place of the lost one"
        try:
            page.wait_for_function(_IS_REPLACED)
        except Error as error:
            raise TrialFailed(f"{what} did not come; told: {page.evaluate(_TOLD)}") from error
        took_ms = page.evaluate(_LOSS)
        if took_ms is None:
            raise TrialFailed(f"{what}: it did not end, yet was replaced; told: {page.evaluate(_TOLD)}")
        took.append(_noted(what, took_ms, MOST_MS, page))
    stop(page, "losses")
    return took


def _takes(page: Page, out: Path) -> list[tuple[float, float]]:
    """Milliseconds until the first bytes, and pictures a second, of each take."""
    taken = []
    for number in range(TAKES + 1):  # the first one also loads the worker and compiles
        open_devices(page)
        began_ms = page.evaluate(_START)
        wait_media(page, TAKE_S)
        first = stop(page, "take")["reaches"][0]
        judged = Judged(out / "take.mp4")
        first_ms = _noted(f"take {number}: the first bytes", began_ms + first["at"], FIRST_BYTES_MS, page)
        taken.append((first_ms, len(judged.frame_times) / judged.duration_s))
    return taken[1:]


def _noted(what: str, took_ms: float, most_ms: float, page: Page) -> float:
    """Tells, while it is measured, what took too long."""
    if took_ms > most_ms:
        print(f"slow: {what} took {took_ms:.0f} ms; told: {page.evaluate(_TOLD)}", flush=True)
    return took_ms
