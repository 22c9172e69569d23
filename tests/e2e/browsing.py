"""Debian's Chromium with a fake camera and microphone, and a witness for each visitor: what a page complained of.

A visitor is one browser profile. `Visitors.arrive` makes light ones that share one browser process; `Visitors.move_in`
gives one a process and a profile folder of its own, which survives being closed or killed.
"""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, BrowserType, ConsoleMessage, Page, Request

from tests.serving import ROOT, Server

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 60_000
"""How long something may take to come true on a machine that has much else to do."""
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-default-apps",
    # A renderer in reserve is started for each page that opens, and mostly for nothing.
    "--disable-features=OptimizationHints,MediaRouter,Translate,SpareRendererForSitePerProcess",
    "--metrics-recording-only",
]
FAKE_DEVICES = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
LOST_FRAME = re.compile("A VideoFrame was garbage collected without being closed")
"""Chromium says so now and then on a busy machine, of a frame on its way into a worker that ends. The take is whole."""
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
SHELL_KEPT = """async () => {
  await navigator.serviceWorker.ready;
  const names = await caches.keys();
  const kept = await Promise.all(names.map(async name => (await (await caches.open(name)).keys()).length));
  return kept.reduce((sum, count) => sum + count, 0);
}"""
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "device_scale_factor": 2}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}


def devices(*, picture: Path | None = None, sound: Path | None = None) -> list[str]:
    """Chromium's own test picture and beeps, or a .y4m/.mjpeg and a .wav."""
    files = [f"--use-file-for-fake-video-capture={picture}"] if picture else []
    return [*FAKE_DEVICES, *files, *([f"--use-file-for-fake-audio-capture={sound}"] if sound else [])]


def launch(chromium: BrowserType, *options: str) -> Browser:
    """A browser process for many visitors."""
    return chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *(options or devices())])


@dataclass
class Witness:
    """Collects what must not happen; `allow` names, by a pattern, what a test brings about on purpose."""

    origins: set[str]
    complaints: list[str] = field(default_factory=list)
    allowed: list[re.Pattern[str]] = field(default_factory=lambda: [LOST_FRAME])

    def allow(self, pattern: str) -> None:
        self.allowed.append(re.compile(pattern))

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda error: self._note(f"uncaught: {error.error}"))
        context.on("request", self._request)

    def assert_content(self) -> None:
        if self.complaints:
            raise AssertionError("a page complained:\n" + "\n".join(self.complaints))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._note(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _request(self, request: Request) -> None:
        if not request.url.startswith(("blob:", "data:", *(f"{origin}/" for origin in self.origins))):
            self._note(f"a request to elsewhere: {request.url}")

    def _note(self, complaint: str) -> None:
        if not any(pattern.search(complaint) for pattern in self.allowed):
            self.complaints.append(complaint)


@dataclass
class Visitor:
    """A browser profile at one house."""

    url: str
    context: BrowserContext
    witness: Witness

    def open(self, path: str = "/") -> Page:
        page = self.context.new_page()
        page.goto(self.url + path)
        return page


def address(server: Server, host: str = "localhost") -> str:
    """Where a browser finds the server."""
    return f"http://{host}:{server.port}"


@dataclass
class Visitors:
    """Makes visitors and, at the end, asks every witness."""

    chromium: BrowserType
    browser: Browser
    folder: Path
    contexts: list[BrowserContext] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)

    def arrive(self, server: Server, *, host: str = "localhost", **options: Any) -> Visitor:
        """A fresh profile in the shared browser; options as of `Browser.new_context`."""
        return self._watched(address(server, host), self.browser.new_context(**DESKTOP | options))

    def move_in(self, server: Server, name: str, *switches: str, **options: Any) -> Visitor:
        """The profile ``name`` in a browser process of its own; the same again when it comes back after `close`."""
        context = self.chromium.launch_persistent_context(
            self.folder / name,
            executable_path=CHROMIUM,
            args=[*QUIET, *(switches or devices())],
            **DESKTOP | options,
        )
        return self._watched(address(server), context)

    def leave(self) -> None:
        for context in self.contexts:
            context.close()
        for witness in self.witnesses:
            witness.assert_content()

    def _watched(self, url: str, context: BrowserContext) -> Visitor:
        context.set_default_timeout(PATIENCE_MS)
        witness = Witness({url})
        witness.watch(context)
        self.contexts.append(context)
        self.witnesses.append(witness)
        return Visitor(url, context, witness)


def policy_reports(server: Server) -> list[dict[str, str]]:
    """What browsers reported of our policies to this server, workers included."""
    lines = [json.loads(line) for line in server.log().splitlines() if '"policy-report"' in line]
    return [{name: line[name] for name in ("directive", "blocked")} for line in lines]


@contextmanager
def no_reports(server: Server) -> Iterator[Server]:
    """The server, which in the end must not have been told of anything that a policy held back."""
    yield server
    if reports := policy_reports(server):
        raise AssertionError(f"a policy held something back: {reports}")


def axe_violations(page: Page) -> list[str]:
    """What axe-core finds wrong on the page as it stands, one line for each."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes']]}" for one in found]


def offline_files(webapp: Path) -> list[str]:
    """All but the service worker itself and the pictures that only an installer wants."""
    paths = [path.relative_to(webapp).as_posix() for path in webapp.rglob("*") if path.is_file()]
    compressed = (".br", ".gz")
    return [
        path
        for path in paths
        if not path.endswith(compressed)
        and not re.match(
            r"\.vite/|icons/.*\.png\Z|sw\.js\Z|licenses\.md\Z|release\.note\Z|(?:guest|call)\.html\Z", path
        )
    ]


def until_kept(page: Page, count: int) -> None:
    """Asked again and again from here: `wait_for_function` takes the promise itself for a yes."""
    deadline = time.monotonic() + 30
    while page.evaluate(SHELL_KEPT) != count:
        assert time.monotonic() < deadline, "the app was not kept in time"
        page.wait_for_timeout(50)
