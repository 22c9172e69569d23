"""Every screen in every state, as the gallery shows them: pictures, axe-core, and nothing wider than the window.

`RESTANTE_WRITE_SCREENS=1 pytest tests/e2e/test_screens.py` makes the pictures of docs/screens/ anew.
"""

import fcntl
import hashlib
import io
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, ViewportSize

from restante.server.edge.policies import PAGE
from tests.e2e.browsing import AXE, Witness, launch
from tests.serving import ROOT

SCREENS = (
    "welcome", "sign-up", "sign-in", "record", "review", "people", "inbox", "drafts", "watch", "sent",
    "settings",
)  # fmt: skip
LISTS = ("people", "inbox", "sent")
PHONE = ViewportSize(width=390, height=844)
DESKTOP = ViewportSize(width=1280, height=800)
NARROW = ViewportSize(width=360, height=740)
ON_ITS_SIDE = ViewportSize(width=740, height=360)
PICTURES = ROOT / "docs" / "screens"
PICTURES_BYTES = 6_000_000
SOURCES = (
    "src/ui",
    "src/screens",
    "src/gallery",
    "messages",
    "gallery.html",
    "tests/screens/gallery.config.ts",
)
BY_NIGHT = ("color-contrast", "link-name", "landmark-unique", "heading-order", "page-has-heading-one")
TOO_WIDE = """() => [...document.querySelectorAll('body *')]
  .filter(one => !one.closest('svg') && one.getBoundingClientRect().right > innerWidth + 1)
  .map(one => `${one.tagName}.${one.className}`)"""


def _gallery() -> Path:
    """Builds the gallery, unless it was built from the same sources."""
    web, out = ROOT / "web", ROOT / ".dev" / "gallery"
    out.parent.mkdir(exist_ok=True)
    with (out.parent / "gallery.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        files = sorted(
            path for name in SOURCES for path in [web / name, *(web / name).rglob("*")] if path.is_file()
        )
        stamp = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
        kept = out.parent / "gallery.stamp"
        if not (kept.exists() and kept.read_text() == stamp and (out / "gallery.html").exists()):
            command = [str(web / "node_modules/.bin/vite"), "build", "-c", "tests/screens/gallery.config.ts"]
            options = ["--outDir", str(out), "--emptyOutDir", "--logLevel", "error"]
            subprocess.run([*command, *options], cwd=web, check=True, timeout=100)
            kept.write_text(stamp)
    return out


@dataclass
class Gallery:
    """Where it hangs, and what the browser held back there."""

    url: str
    reports: list[str] = field(default_factory=list)

    def enter(self, page: Page, screen: str = "", *, language: str = "en") -> list[str]:
        """Opens the list of what there is and returns the screen's states."""
        page.goto(f"{self.url}?lang={language}")
        page.locator("a").first.wait_for()
        shown = page.locator("a").all_inner_texts()
        return [name for name in shown if name.startswith(f"{screen}/")]

    def show(self, page: Page, name: str) -> None:
        """Changes to a state; the page stays the same."""
        page.evaluate("name => { location.hash = name }", name)
        page.wait_for_function("name => document.body.dataset.shown === name", arg=name)
        page.evaluate("document.fonts.ready.then(() => undefined)")
        if name.startswith("record/") and page.locator("video").count():
            page.wait_for_function("document.querySelector('video').readyState >= 2")


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
def gallery() -> Iterator[Gallery]:
    hanging = Gallery("")
    handler = partial(_Handler, hanging.reports, directory=str(_gallery()))
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
def viewing(browser: Browser, gallery: Gallery, size: ViewportSize) -> Iterator[Page]:
    """A page in which nothing may be complained of."""
    context = browser.new_context(
        viewport=size,
        locale="en-GB",
        timezone_id="Europe/Paris",
        reduced_motion="reduce",
        color_scheme="light",
    )
    witness = Witness({gallery.url.removesuffix("/gallery.html")})
    witness.watch(context)
    yield context.new_page()
    context.close()
    witness.assert_content()


def violations(page: Page, *rules: str) -> list[str]:
    """All that axe-core finds, or what it finds by some rules."""
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes']]}" for one in found]


def test_every_screen_hangs_in_its_five_states(browser: Browser, gallery: Gallery) -> None:
    with viewing(browser, gallery, PHONE) as page:
        shown = {screen: gallery.enter(page, screen) for screen in SCREENS}
        assert sum(map(len, shown.values())) == page.locator("a").count()
    for screen in LISTS:
        needed = {f"{screen}/{state}" for state in ("empty", "loading", "ready", "failed", "offline")}
        assert needed <= set(shown[screen])


@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing(browser: Browser, gallery: Gallery, screen: str) -> None:
    """On a phone by day, and on a desktop by night, where only colours and the other bar differ."""
    axe = AXE.read_text()
    found: list[str] = []
    with viewing(browser, gallery, PHONE) as page:
        names = gallery.enter(page, screen)
        page.evaluate(axe)
        for name in names:
            page.set_viewport_size(PHONE)
            page.emulate_media(color_scheme="light")
            gallery.show(page, name)
            found += [f"{name} by day: {one}" for one in violations(page)]
            page.set_viewport_size(DESKTOP)
            page.emulate_media(color_scheme="dark")
            found += [f"{name} by night: {one}" for one in violations(page, *BY_NIGHT)]
    assert found == []


@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_is_wider_than_the_window(
    browser: Browser, big_letters: Browser, gallery: Gallery, screen: str
) -> None:
    """On the smallest phone, upright and on its side, in French; and with text at 200 %."""
    found: dict[str, list[str]] = {}
    looks = (
        (browser, NARROW, "fr"),
        (browser, ON_ITS_SIDE, "en"),
        (big_letters, PHONE, "fr"),
    )
    for reader, size, language in looks:
        with viewing(reader, gallery, size) as page:
            for name in gallery.enter(page, screen, language=language):
                gallery.show(page, name)
                if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    found[f"{name} {size['width']} {language}"] = page.evaluate(TOO_WIDE)
    assert found == {}


def test_the_whole_page_is_in_the_chosen_language(browser: Browser, gallery: Gallery) -> None:
    with viewing(browser, gallery, DESKTOP) as page:
        gallery.enter(page, language="fr")
        gallery.show(page, "settings/ready")
        assert page.locator("html").get_attribute("lang") == "fr"
        assert page.get_by_role("heading", level=1).inner_text() == "Réglages"
        assert page.get_by_role("navigation").first.get_by_role("link").first.inner_text() == "Reçues"


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


def pictured(name: str) -> list[tuple[Path, ViewportSize, str]]:
    stem = name.replace("/", "-")
    sizes = (("phone", PHONE), ("desktop", DESKTOP))
    return [
        (PICTURES / f"{stem}-{word}-{theme}.webp", size, theme)
        for word, size in sizes
        for theme in ("light", "dark")
    ]


@pytest.mark.parametrize("screen", SCREENS)
def test_every_state_has_its_pictures(browser: Browser, gallery: Gallery, screen: str) -> None:
    writing = bool(os.environ.get("RESTANTE_WRITE_SCREENS"))
    with viewing(browser, gallery, PHONE) as page:
        wanted = [picture for name in gallery.enter(page, screen) for picture in pictured(name)]
        if writing:
            write_pictures(page, gallery, screen)
    assert [path.name for path, _, _ in wanted if not path.exists()] == []
    longer = tuple(f"{other}-" for other in SCREENS if other.startswith(f"{screen}-"))
    there = {
        path for path in PICTURES.glob(f"{screen}-*.webp") if not (longer and path.name.startswith(longer))
    }
    assert {path.name for path in there} == {path.name for path, _, _ in wanted}


def write_pictures(page: Page, gallery: Gallery, screen: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    for old in PICTURES.glob(f"{screen}-*.webp"):
        old.unlink()
    for name in gallery.enter(page, screen):
        for path, size, theme in pictured(name):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            gallery.show(page, name)
            Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(path, quality=60, method=6)


def test_the_pictures_stay_small() -> None:
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) < PICTURES_BYTES
