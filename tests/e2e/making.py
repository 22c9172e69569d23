"""A page that makes drafts of files and of drafts, served by the real server in the app's place: web/tests/harness/making.html."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from restante.protocol.encoding import unb64
from tests.api.people import new_name, sign_up_form
from tests.building import build_into
from tests.e2e.browsing import Visitor, Visitors, no_reports
from tests.footage import Judged, decoded_frames
from tests.serving import Server, serving

PATH = "/making.html"
SIGN_UP = """async form => (await fetch('/api/v1/accounts', {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(form) })).status"""
UPLOAD_STATUS = """async id => {
  const asked = await fetch(`/api/v1/uploads/${id}`, { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } });
  return [asked.status, Number(asked.headers.get('upload-offset')), Number(asked.headers.get('upload-length'))];
}"""
GONE = r"status of (404|410).*/api/v1/uploads/"


@pytest.fixture(scope="module")
def maker_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real server; its web app is the harness page."""
    folder = tmp_path_factory.mktemp("making")
    pages = build_into(folder / "pages", "tests/harness/making.config.ts")
    with serving(folder / "data", TEST_WEBAPP=str(pages)) as server, no_reports(server):
        yield server


@dataclass
class Maker:
    """The page, and where files go that are judged."""

    page: Page
    folder: Path

    def ask(self, name: str, *arguments: Any) -> Any:
        return self.page.evaluate("([name, all]) => harness[name](...all)", [name, list(arguments)])

    def take(self, file: Path, **options: Any) -> Any:
        """Imports a file: the draft's id, or how it was refused."""
        self.page.set_input_files("#file", file)
        return self.ask("take", options)

    def take_ok(self, file: Path, **options: Any) -> str:
        draft = self.take(file, **options)
        assert isinstance(draft, str), draft
        return draft

    def plain(self, draft: str) -> Path:
        """The MP4 as it was sealed."""
        return self._kept(f"{draft}-plain.mp4", self.ask("plain", draft))

    def exported(self, draft: str) -> Path:
        """The file that a person would save."""
        return self._kept(f"{draft}.mp4", self.ask("exported", draft))

    def assert_empty(self) -> None:
        """Nothing was left of what was refused or cancelled."""
        assert self.ask("drafts") == []
        self.page.wait_for_function("async () => (await harness.spools()).length === 0")

    def _kept(self, name: str, data: str) -> Path:
        path = self.folder / name
        path.write_bytes(unb64(data))
        return path


def arrive(visitors: Visitors, server: Server, folder: Path) -> Maker:
    """A fresh browser profile with an account, at the page."""
    return settle(visitors.arrive(server), folder)


def settle(visitor: Visitor, folder: Path) -> Maker:
    """Opens the page with an account."""
    visitor.witness.allow("favicon")
    visitor.witness.allow(GONE)
    page = visitor.open(PATH)
    page.wait_for_function("() => 'harness' in globalThis")
    assert page.evaluate(SIGN_UP, sign_up_form(new_name(), client="web")) == 201
    return Maker(page, folder)


def assert_film(path: Path, *, duration_s: float, tolerance_s: float = 0.1) -> Judged:
    """H.264 and AAC of this length, every picture decodes, at least one key picture a second, nothing said of its origin."""
    judged = Judged(path)
    assert judged.codecs == ["h264", "aac"]
    assert judged.video["pix_fmt"] in {"yuv420p", "yuvj420p"}, (
        judged.video
    )  # drawn pictures use the full range
    assert (judged.audio["sample_rate"], judged.audio["channels"]) == ("48000", 1)
    assert abs(judged.duration_s - duration_s) <= tolerance_s, judged.duration_s
    assert decoded_frames(path) == len(judged.frame_times)
    assert judged.frame_times[0] == 0
    keys = [*judged.key_times, judged.duration_s]
    assert max(late - early for early, late in itertools.pairwise(keys)) <= 1.6
    assert judged.tags == {}
    return judged
