"""A video that the browser reads from the bucket itself: under the page's policy, beside the service worker, without a cookie."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, Request

from tests import seaweed
from tests.cli.person import Person
from tests.e2e.browsing import Visitors, no_reports
from tests.e2e.mailing import assert_keeps, camera_and_microphone, move_in, play, save, watch
from tests.footage import talking_head
from tests.seaweed import Seaweed
from tests.serving import Server, serving

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    with seaweed.running(tmp_path_factory.mktemp("weed")) as found:
        yield found


@pytest.fixture(scope="module")
def direct(webapp: Path, weed: Seaweed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = weed.environment(prefix="/web") | {"RESTANTE_BLOB_READS": "direct"}
    data = tmp_path_factory.mktemp("direct") / "data"
    with serving(data, **env) as server, no_reports(server):
        yield server


def test_a_video_is_watched_and_kept_from_the_bucket(
    direct: Server, weed: Seaweed, playwright: Playwright, browser: Browser, tmp_path: Path
) -> None:
    visitors = Visitors(playwright.chromium, browser, tmp_path)
    ann, joseph = (Person(name, tmp_path, direct.url).sign_up() for name in ("ann", "joseph"))
    at_home = move_in(visitors, direct, ann, camera_and_microphone(tmp_path)).visitor
    bucket = f"http://127.0.0.1:{weed.port}"
    at_home.witness.origins.add(bucket)
    asked: list[Request] = []
    at_home.context.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - the driver marks what it is given
    moved: list[int] = []
    at_home.context.on(
        "response",
        lambda response: (
            moved.append(int(response.headers.get("content-length", "0")))
            if response.url.endswith("/video")
            else None
        ),
    )
    joseph.send("ann", talking_head(tmp_path), "--caption", "From the bucket")
    page = at_home.open()
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    watch(page, "From the bucket")
    play(page)
    assert_keeps(save(page, tmp_path / "saved.mp4"), duration_s=joseph.sent()[0]["duration_s"])
    there = [request for request in asked if request.url.startswith(f"{bucket}/")]
    assert there
    assert not any(request.all_headers().keys() & {"cookie", "authorization", "referer"} for request in there)
    assert moved
    assert sum(moved) < 20_000, "the server told where, and moved nothing"
    visitors.leave()
