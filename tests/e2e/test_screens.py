"""Every screen in every state, as the gallery shows them: pictures, axe-core, and nothing wider than the window.

`RESTANTE_WRITE_SCREENS=1 pytest tests/e2e/test_screens.py` makes the pictures of docs/screens/ anew.
"""

import io
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, ViewportSize

from restante.server.edge.policies import PAGE
from tests.building import build_into
from tests.e2e.browsing import AXE, Witness, launch
from tests.serving import ROOT

SCREENS = (
    "welcome", "sign-up", "sign-in", "record", "review", "people", "with", "inbox", "drafts", "watch",
    "sent", "settings", "pair", "left-here", "link", "m", "told",
    "mine", "deletions", "call", "page", "archive", "group",
    "plan", "operator-link", "desk", "doctor", "entrance", "desk-people", "desk-work", "desk-record",
)  # fmt: skip
LISTS = ("people", "inbox", "sent")
PHONE = ViewportSize(width=390, height=844)
DESKTOP = ViewportSize(width=1280, height=800)
NARROW = ViewportSize(width=360, height=740)
ON_ITS_SIDE = ViewportSize(width=740, height=360)
PICTURES = ROOT / "docs" / "screens"
PICTURES_BYTES = 23_000_000
EVERYTHING = {"resultTypes": ["violations"], "preload": {"assets": ["media"]}}
"""No rule that runs reads the style sheets by itself."""
BY_NIGHT = ["color-contrast", "link-name", "landmark-unique", "heading-order", "page-has-heading-one"]
SHOW = """const show = async name => {
  const until = async holds => { while (!holds()) await new Promise(resolve => setTimeout(resolve)) };
  location.hash = name;
  await until(() => document.body.dataset.shown === name);
  await new Promise(requestAnimationFrame);
  await document.fonts.ready;
  const video = name.startsWith('record/') && document.querySelector('video');
  if (video) await until(() => video.readyState >= 2);
};"""
"""Changes to a state; the page stays the same."""
PAINTED = """async () => {
  const video = document.querySelector('video');
  if (video?.srcObject) await new Promise(done => video.requestVideoFrameCallback(done));
  for (let frames = 0; frames < 2; frames += 1) await new Promise(requestAnimationFrame);
}"""
"""Waits until the camera's picture is really on the screen."""
TOO_WIDE = f"""async names => {{
  {SHOW}
  const found = {{}};
  for (const name of names) {{
    await show(name);
    if (document.documentElement.scrollWidth <= innerWidth) continue;
    found[name] = [...document.querySelectorAll('body *')]
      .filter(one => !one.closest('svg') && one.getBoundingClientRect().right > innerWidth + 1)
      .map(one => `${{one.tagName}}.${{one.className}}`);
  }}
  return found;
}}"""
CONTROLS = """() => [...document.querySelectorAll('a[href], button, input, textarea, summary')]
  .map(one => [one, one.getBoundingClientRect()])
  .filter(([one, { x, y, right, bottom, width }]) =>
    one.checkVisibility() && width > 8 && x >= 0 && y >= 0 && right <= innerWidth && bottom <= innerHeight)
  .map(([one, { x, y, right, bottom }]) =>
    [one.outerHTML, [x, y, right, bottom], one.matches('.button') ? getComputedStyle(one).borderTopWidth : 'none'])"""
"""What can be used and lies in the window, with its place, and the edge of what is drawn as a button."""
VIOLATIONS = f"""async ([names, options]) => {{
  {SHOW}
  const found = [];
  for (const name of names) {{
    await show(name);
    const {{ violations }} = await axe.run(document, options);
    for (const {{ id, help, nodes }} of violations) found.push([name, id, help, nodes.map(node => node.target)]);
  }}
  return found;
}}"""
"""All that axe-core finds, or what it finds by some rules."""


@dataclass
class Gallery:
    """Where it hangs, and what the browser held back there."""

    url: str
    reports: list[str] = field(default_factory=list)

    def enter(self, page: Page, *, language: str = "en") -> list[str]:
        """Opens the list of what there is, and returns it."""
        page.goto(f"{self.url}?lang={language}")
        page.locator("a").first.wait_for()
        return page.locator("a").all_inner_texts()

    def show(self, page: Page, name: str) -> None:
        page.evaluate(f"async name => {{ {SHOW} await show(name) }}", name)


class _Handler(SimpleHTTPRequestHandler):
    """Serves under the very policy of the app's page."""

    def __init__(self, reports: list[str], *arguments: object, **options: object) -> None:
        self._reports = reports
        super().__init__(*arguments, **options)  # type: ignore[arg-type]

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", PAGE.decode())
        super().end_headers()

    def do_GET(self) -> None:
        if self.path == "/favicon.ico":
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()

    def do_POST(self) -> None:
        self._reports.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    hanging = Gallery("")
    pages = build_into(tmp_path_factory.mktemp("gallery"), "tests/screens/gallery.config.ts")
    handler = partial(_Handler, hanging.reports, directory=str(pages))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hanging.url = f"http://localhost:{server.server_address[1]}/gallery.html"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield hanging
    server.shutdown()
    thread.join()
    server.server_close()
    assert hanging.reports == []


@pytest.fixture(scope="module")
def big_letters(playwright: Playwright) -> Iterator[Browser]:
    """A browser whose reader has set text to 200 %."""
    running = launch(playwright.chromium, "--blink-settings=defaultFontSize=32")
    yield running
    running.close()


@contextmanager
def viewing(browser: Browser, gallery: Gallery, size: ViewportSize, **options: Any) -> Iterator[Page]:
    """A page in which nothing may be complained of."""
    context = browser.new_context(
        viewport=size, locale="en-GB", timezone_id="Europe/Paris", reduced_motion="reduce",
        **{"color_scheme": "light"} | options,
    )  # fmt: skip
    witness = Witness({gallery.url.removesuffix("/gallery.html")})
    witness.watch(context)
    yield context.new_page()
    context.close()
    witness.assert_content()


@dataclass(frozen=True)
class Walk:
    """A page that goes from state to state, and the names of all of them."""

    page: Page
    names: list[str]

    def of(self, screen: str) -> list[str]:
        return [name for name in self.names if name.startswith(f"{screen}/")]

    def typical(self, screen: str) -> list[str]:
        """The screen as it is most of the time."""
        ready = f"{screen}/ready"
        return [ready] if ready in self.names else self.of(screen)[:1]


@contextmanager
def walking(
    browser: Browser, gallery: Gallery, size: ViewportSize, language: str = "en", **options: Any
) -> Iterator[Walk]:
    with viewing(browser, gallery, size, **options) as page:
        yield Walk(page, gallery.enter(page, language=language))


@pytest.fixture(scope="module")
def by_day(browser: Browser, gallery: Gallery) -> Iterator[Walk]:
    """On a phone."""
    with walking(browser, gallery, PHONE) as walk:
        walk.page.evaluate(AXE.read_text())
        yield walk


@pytest.fixture(scope="module")
def by_night(browser: Browser, gallery: Gallery) -> Iterator[Walk]:
    """On a desktop."""
    with walking(browser, gallery, DESKTOP, color_scheme="dark") as walk:
        walk.page.evaluate(AXE.read_text())
        yield walk


@pytest.fixture(scope="module")
def tight(browser: Browser, big_letters: Browser, gallery: Gallery) -> Iterator[dict[str, Walk]]:
    """The smallest phone, and text at 200 %, both in French."""
    with ExitStack() as stack:
        yield {
            "upright": stack.enter_context(walking(browser, gallery, NARROW, "fr")),
            "big letters": stack.enter_context(walking(big_letters, gallery, PHONE, "fr")),
        }


def test_every_screen_hangs_in_its_five_states(by_day: Walk) -> None:
    shown = {screen: by_day.of(screen) for screen in SCREENS}
    assert sum(map(len, shown.values())) == len(by_day.names)
    for screen in LISTS:
        needed = {f"{screen}/{state}" for state in ("empty", "loading", "ready", "failed", "offline")}
        assert needed <= set(shown[screen])


@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing(by_day: Walk, by_night: Walk, screen: str) -> None:
    """On a phone by day, and on a desktop by night, where only colours and the other bar differ."""
    night = EVERYTHING | {"runOnly": BY_NIGHT}
    assert by_day.page.evaluate(VIOLATIONS, [by_day.of(screen), EVERYTHING]) == []
    assert by_night.page.evaluate(VIOLATIONS, [by_night.typical(screen), night]) == []


@pytest.mark.long
def test_axe_finds_nothing_in_any_state_by_night(by_night: Walk) -> None:
    assert by_night.page.evaluate(VIOLATIONS, [by_night.names, EVERYTHING | {"runOnly": BY_NIGHT}]) == []


@pytest.mark.long
def test_axe_finds_nothing_in_any_state_in_french(browser: Browser, gallery: Gallery) -> None:
    with walking(browser, gallery, PHONE, "fr") as walk:
        walk.page.evaluate(AXE.read_text())
        assert walk.page.evaluate(VIOLATIONS, [walk.names, EVERYTHING]) == []


@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_is_wider_than_the_window(tight: dict[str, Walk], screen: str) -> None:
    upright, big = tight["upright"], tight["big letters"]
    assert upright.page.evaluate(TOO_WIDE, upright.of(screen)) == {}
    assert big.page.evaluate(TOO_WIDE, big.typical(screen)) == {}


@pytest.mark.long
def test_nothing_is_wider_than_the_window_in_any_state_with_big_letters(tight: dict[str, Walk]) -> None:
    big = tight["big letters"]
    assert big.page.evaluate(TOO_WIDE, big.names) == {}


@pytest.mark.long
def test_nothing_is_wider_than_a_phone_on_its_side(browser: Browser, gallery: Gallery) -> None:
    with walking(browser, gallery, ON_ITS_SIDE) as walk:
        assert walk.page.evaluate(TOO_WIDE, walk.names) == {}


def test_the_whole_page_is_in_the_chosen_language(browser: Browser, gallery: Gallery) -> None:
    with viewing(browser, gallery, DESKTOP) as page:
        gallery.enter(page, language="fr")
        gallery.show(page, "settings/ready")
        assert page.locator("html").get_attribute("lang") == "fr"
        assert page.get_by_role("heading", level=1).inner_text() == "Réglages"
        assert (
            page.get_by_role("navigation").first.get_by_role("link").first.inner_text().startswith("Reçues")
        )


def test_keys_open_the_list_of_keys_and_escape_closes_it(browser: Browser, gallery: Gallery) -> None:
    with viewing(browser, gallery, DESKTOP) as page:
        gallery.enter(page)
        gallery.show(page, "inbox/ready")
        page.keyboard.press("?")
        dialog = page.get_by_role("dialog", name="Keys")
        dialog.wait_for()
        page.keyboard.press("Escape")
        dialog.wait_for(state="detached")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.type") == "search"
        page.keyboard.type("mina")
        assert page.get_by_role("heading", level=2).first.inner_text().startswith("Mina")
        assert page.get_by_role("link", name="Ann Adeyemi, 1 minute").count() == 0


def test_every_screen_can_be_walked_by_the_tab_key_alone(browser: Browser, gallery: Gallery) -> None:
    with viewing(browser, gallery, DESKTOP) as page:
        gallery.enter(page)
        gallery.show(page, "review/ready")
        wanted = page.locator("a[href]:visible, button:visible, input:visible, textarea:visible").count()
        reached = set()
        for _ in range(wanted + 5):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.outerHTML"))
            if page.evaluate("document.activeElement !== document.body"):
                assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        assert len(reached) >= wanted - 1


@pytest.mark.parametrize("theme", ["dark", pytest.param("light", marks=pytest.mark.long)])
def test_controls_stand_out_in_forced_colours(browser: Browser, gallery: Gallery, theme: str) -> None:
    """Where a reader's own colours take the place of ours, a button still has an edge, and nothing is drawn in its ground's colour."""
    states = (
        "sign-in/ready",
        "sign-up/code",
        "inbox/ready",
        "review/ready",
        "people/ready",
        "settings/ready",
    )
    with walking(browser, gallery, PHONE, forced_colors="active", color_scheme=theme) as walk:
        for name in states:
            gallery.show(walk.page, name)
            picture = Image.open(io.BytesIO(walk.page.screenshot())).convert("L")
            found = walk.page.evaluate(CONTROLS)
            assert len(found) > 3
            assert [label for label, _, edge in found if edge == "0px"] == []
            for label, box, _ in found:
                darkest, brightest = picture.crop(box).getextrema()
                assert brightest - darkest > 100, f"{name}: {label}"


def pictured(name: str) -> list[tuple[Path, ViewportSize, str]]:
    stem = name.replace("/", "-")
    sizes = (("phone", PHONE), ("desktop", DESKTOP))
    return [
        (PICTURES / f"{stem}-{word}-{theme}.webp", size, theme)
        for word, size in sizes
        for theme in ("light", "dark")
    ]


@pytest.mark.parametrize("screen", SCREENS)
def test_every_state_has_its_pictures(browser: Browser, gallery: Gallery, by_day: Walk, screen: str) -> None:
    wanted = {path.name for name in by_day.of(screen) for path, _, _ in pictured(name)}
    longer = tuple(f"{other}-" for other in SCREENS if other.startswith(f"{screen}-"))
    there = [path for path in PICTURES.glob(f"{screen}-*.webp") if not path.name.startswith(longer)]
    if os.environ.get("RESTANTE_WRITE_SCREENS"):
        for path in there:
            path.unlink()
        with walking(browser, gallery, PHONE) as walk:
            there = [each for name in walk.of(screen) for each in write_pictures(walk.page, gallery, name)]
    assert {path.name for path in there} == wanted


def write_pictures(page: Page, gallery: Gallery, name: str) -> list[Path]:
    PICTURES.mkdir(exist_ok=True)
    for path, size, theme in pictured(name):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        gallery.show(page, name)
        page.evaluate(PAINTED)
        Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(path, quality=50, method=6)
    return [path for path, _, _ in pictured(name)]


def test_the_pictures_stay_small() -> None:
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) < PICTURES_BYTES
