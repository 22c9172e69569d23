"""A house for the measures of the web client: the real server, people with a browser each, and films that lie ready."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from unittest.mock import patch

from playwright.sync_api import Page, Playwright, sync_playwright

from restante.client import outgoing
from restante.media.convert import Converted
from tests.cli.person import Person
from tests.e2e.browsing import CHROMIUM, QUIET
from tests.e2e.mailing import sign_in
from tests.footage import ffmpeg, real
from tests.serving import ROOT, Server, serving

LOOP_S = 5
_PLAYS = "--autoplay-policy=no-user-gesture-required"


@dataclass(frozen=True, slots=True)
class Film:
    """A fragmented MP4 as the encoder makes them."""

    path: Path
    seconds: int
    type: str = 'video/mp4; codecs="avc1.64001f, mp4a.40.2"'


@dataclass
class House:
    """A running server with the web app of these sources."""

    folder: Path
    server: Server
    stack: ExitStack
    playwright: Playwright

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server.port}"

    def person(self, name: str) -> Person:
        return Person(name, self.folder, self.server.url).sign_up()

    def browser(
        self, name: str, *switches: str, service_workers: Literal["allow", "block"] = "allow"
    ) -> Page:
        """A fresh profile in a browser process of its own."""
        context = self.playwright.chromium.launch_persistent_context(
            self.folder / f"profile-{name}",
            executable_path=CHROMIUM,
            args=[*QUIET, _PLAYS, *switches],
            viewport={"width": 1280, "height": 800},
            service_workers=service_workers,
        )
        self.stack.callback(context.close)
        return context.pages[0]

    def signed_in(self, person: Person, url: str, *switches: str) -> Page:
        """A person's browser, at home behind this address."""
        page = self.browser(person.name, *switches)
        page.goto(f"{url}/sign-in")
        sign_in(page, person)
        return page

    def film(self, name: str, *, seconds: int, bits: int) -> Film:
        """Five seconds of a real film over and over, at so many bits a second, a key frame each second."""
        path, loop = self.folder / f"{name}.mp4", self.folder / f"{name}-loop.mp4"
        form = [
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-g",
            "24",
            "-keyint_min",
            "24",
            "-sc_threshold",
            "0",
        ]
        rate = ["-b:v", str(bits), "-maxrate", str(bits), "-bufsize", str(bits), "-pix_fmt", "yuv420p"]
        sound = ["-c:a", "aac", "-ar", "48000", "-ac", "1", "-b:a", "96k"]
        ffmpeg("-i", real("bigbuckbunny"), "-t", str(LOOP_S), "-r", "24", *form, *rate, *sound, loop)
        fragments = ["-movflags", "empty_moov+default_base_moof+frag_keyframe"]
        ffmpeg("-stream_loop", "-1", "-i", loop, "-t", str(seconds), "-c", "copy", *fragments, path)
        return Film(path, seconds)

    def leave(self, sender: Person, recipient: str, film: Film, caption: str) -> str:
        """Sends a film as it is, which spares the encoder; returns the message's id."""
        with patch.object(outgoing, "convert", _as_it_is(film)):
            return sender.send(recipient, film.path, "--caption", caption)


@contextmanager
def house() -> Iterator[House]:
    """Builds the web app and serves it; every browser that is opened ends with the house."""
    subprocess.run([ROOT / "tools" / "build-web"], check=True, capture_output=True, env=os.environ)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name,
        serving(Path(name) / "data") as server,
        sync_playwright() as playwright,
        ExitStack() as stack,
    ):
        yield House(Path(name), server, stack, playwright)


def _as_it_is(film: Film) -> Callable[..., Converted]:
    def convert(source: Path, sink: Callable[[bytes], object], **_: object) -> Converted:
        with source.open("rb") as file:
            while piece := file.read(1 << 18):
                sink(piece)
        return Converted(film.seconds * 1000, 1280, 720, film.type, None, damaged=False)

    return convert
