"""Watching as people do: by keys, with captions, over a network that goes, from where they left, one video after the other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.cli.person import Person
from tests.e2e.browsing import Visitors, axe_violations
from tests.e2e.mailing import NETWORK, Inhabitant, letter, move_in, play, watch
from tests.footage import ffmpeg
from tests.serving import Server

SECONDS = 24
LIMIT_MS = 30_000
CAPTIONS = "WEBVTT\n\n00:00.000 --> 00:20.000\nThe goats are back\n"
TUNNEL = """(() => {
  globalThis.isInTunnel = true;
  const ask = globalThis.fetch;
  globalThis.fetch = async (address, options) => {
    if (!String(address).endsWith('/video') || !globalThis.isInTunnel) return ask(address, options);
    if (!new Headers(options.headers).get('range').startsWith('bytes=0-')) throw new TypeError('Failed to fetch');
    const answer = await ask(address, options);
    let left = 300_000;
    const broken = new TransformStream({
      transform(piece, way) {
        if (left > 0) way.enqueue(piece.subarray(0, left));
        else way.error(new TypeError('network error'));
        left -= piece.length;
      },
      flush: way => way.error(new TypeError('network error')),
    });
    return new Response(answer.body.pipeThrough(broken), { status: 206, headers: answer.headers });
  };
})()"""
"""The line breaks behind the first part of a video, and stays broken until somebody says otherwise."""
VIDEO = "document.querySelector('video')"


@dataclass
class Watching:
    """Ann watches in a browser what Joseph leaves from a terminal."""

    ann: Inhabitant
    joseph: Person
    film: Path
    captions: Path


@pytest.fixture(scope="module")
def watching(
    house: Server, playwright: Playwright, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watching]:
    folder = tmp_path_factory.mktemp("watching")
    visitors = Visitors(playwright.chromium, browser, folder)
    ann, joseph = (Person(name, folder, house.url).sign_up() for name in ("ann", "joseph"))
    captions = folder / "captions.vtt"
    captions.write_text(CAPTIONS)
    at_home = move_in(visitors, house, ann, [])
    at_home.visitor.witness.allow(NETWORK)
    yield Watching(at_home, joseph, film(folder), captions)
    visitors.leave()


def film(folder: Path) -> Path:
    """Long and heavy enough that it does not come at once over a slow line."""
    path = folder / "film.mp4"
    picture = ["-f", "lavfi", "-i", f"testsrc2=s=320x180:r=10:d={SECONDS},noise=alls=30:allf=t"]
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "28", "-pix_fmt", "yuv420p"]
    ffmpeg(*picture, "-f", "lavfi", "-i", f"sine=d={SECONDS}", *codec, "-c:a", "aac", path)
    return path


@pytest.fixture
def page(watching: Watching) -> Iterator[Page]:
    """Ann's inbox."""
    page = watching.ann.open()
    page.set_default_timeout(LIMIT_MS)
    yield page
    watching.ann.visitor.context.set_offline(False)
    page.close()


def shows(page: Page, condition: str) -> None:
    """Waits until something is true of the video element."""
    page.wait_for_function(f"() => {{ const video = {VIDEO}; return video !== null && ({condition}); }}")


@pytest.mark.long
def test_keys_move_it_and_the_list_of_keys_says_so(watching: Watching, page: Page) -> None:
    watching.joseph.send("ann", watching.film, "--caption", "By keys")
    watch(page, "By keys")
    assert page.evaluate(f"{VIDEO}.paused"), "nothing plays before a press"
    page.keyboard.press("k")
    shows(page, "!video.paused && video.currentTime > 0.2")
    page.keyboard.press("k")
    shows(page, "video.paused")
    at = page.evaluate(f"{VIDEO}.currentTime")
    page.keyboard.press("l")
    shows(page, f"Math.abs(video.currentTime - {at} - 10) < 0.5")
    page.keyboard.press("ArrowLeft")
    shows(page, f"Math.abs(video.currentTime - {at} - 5) < 0.5")
    page.keyboard.press("5")
    shows(page, f"Math.abs(video.currentTime - {SECONDS / 2}) < 0.5")
    page.keyboard.press("j")
    shows(page, f"Math.abs(video.currentTime - {SECONDS / 2} + 10) < 0.5")
    for _ in range(4):
        page.keyboard.press(">")
    shows(page, "video.playbackRate === 2 && video.preservesPitch")
    for _ in range(6):
        page.keyboard.press("<")
    shows(page, "video.playbackRate === 0.5 && video.preservesPitch")
    page.keyboard.press("m")
    shows(page, "video.muted")
    page.get_by_role("button", name="Sound on").click()
    shows(page, "!video.muted")
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement?.querySelector('video')")
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement === null")
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    keys.get_by_text("Captions on and off").wait_for()
    page.keyboard.press("Escape")
    keys.wait_for(state="detached")


@pytest.mark.long
def test_it_floats_over_other_windows_and_comes_back(watching: Watching, page: Page) -> None:
    watching.joseph.send("ann", watching.film, "--caption", "Beside the work")
    watch(page, "Beside the work")
    play(page)
    floating = page.get_by_role("button", name="Picture in picture")
    floating.click()
    page.wait_for_function(f"() => document.pictureInPictureElement === {VIDEO}")
    expect(floating).to_have_attribute("aria-pressed", "true")
    shows(page, "!video.paused && video.currentTime > 1")
    floating.click()
    page.wait_for_function("() => document.pictureInPictureElement === null")
    expect(floating).to_have_attribute("aria-pressed", "false")


@pytest.mark.long
def test_captions_are_shown_and_the_choice_is_remembered(watching: Watching, page: Page) -> None:
    watching.joseph.send("ann", watching.film, "--caption", "With words", "--captions", watching.captions)
    watch(page, "With words")
    play(page)
    words = page.get_by_text("The goats are back", exact=True)
    words.wait_for()
    switch = page.get_by_role("button", name="Captions")
    assert switch.get_attribute("aria-pressed") == "true"
    assert axe_violations(page) == []
    page.keyboard.press("c")
    words.wait_for(state="detached")
    page.reload()
    switch.wait_for()
    assert switch.get_attribute("aria-pressed") == "false"
    switch.click()
    play(page)
    words.wait_for()


@pytest.mark.long
def test_the_system_is_told_what_plays_and_its_keys_are_heard(watching: Watching, page: Page) -> None:
    page.add_init_script(
        """(() => {
          globalThis.handlers = {};
          const set = MediaSession.prototype.setActionHandler;
          MediaSession.prototype.setActionHandler = function (action, handler) {
            globalThis.handlers[action] = handler;
            return set.call(this, action, handler);
          };
        })()"""
    )
    page.reload()
    watching.joseph.send("ann", watching.film, "--caption", "Only for Ann")
    watch(page, "Only for Ann")
    play(page)
    page.wait_for_function("() => navigator.mediaSession.playbackState === 'playing'")
    assert page.evaluate("navigator.mediaSession.metadata.title") == "Video: joseph"
    assert "Only for Ann" not in page.evaluate(
        "[navigator.mediaSession.metadata].map(({title, artist, album}) => title + artist + album).join()"
    )
    page.evaluate("handlers.pause({ action: 'pause' })")
    shows(page, "video.paused")
    page.evaluate("handlers.seekto({ action: 'seekto', seekTime: 9 })")
    shows(page, "Math.abs(video.currentTime - 9) < 0.5")
    page.evaluate("handlers.play({ action: 'play' })")
    shows(page, "!video.paused")


def test_it_goes_on_where_it_was_left_and_begins_anew_when_asked(watching: Watching, page: Page) -> None:
    message = watching.joseph.send("ann", watching.film, "--caption", "In two goes")
    watch(page, "In two goes")
    play(page)
    page.keyboard.press("5")
    shows(page, f"video.currentTime >= {SECONDS / 2} && !video.seeking && video.readyState >= 2")
    page.keyboard.press("k")
    shows(page, "video.paused")
    page.get_by_role("link", name="Inbox").first.click()
    letter(page, "In two goes").wait_for()
    again = watching.ann.open(f"/watch/{message}")
    again.get_by_text(re.compile(r"^Goes on at 0:1[1-4]")).wait_for(timeout=LIMIT_MS)
    play(again, until_s=SECONDS / 2)
    again.get_by_role("button", name="From the start").click()
    shows(again, "video.currentTime < 5")
    again.close()


@pytest.mark.long
def test_the_next_one_is_offered_at_the_end_and_begins_at_a_press(watching: Watching, page: Page) -> None:
    watching.joseph.send("ann", watching.film, "--caption", "The first part")
    watching.joseph.send("ann", watching.film, "--caption", "The second part")
    watch(page, "The first part")
    play(page)
    page.evaluate(f"{VIDEO}.currentTime = {SECONDS} - 0.6")
    page.get_by_text("That is all of it.").wait_for()
    page.get_by_text(re.compile("^Next: joseph, 0:2")).wait_for()
    page.get_by_role("button", name="Watch it").click()
    expect(page.get_by_text("The second part")).to_be_visible(timeout=LIMIT_MS)
    shows(page, "!video.paused && video.currentTime > 0.1 && video.currentTime < 20")
    assert "?" not in page.url


def test_a_video_that_was_fetched_plays_without_the_network(watching: Watching, page: Page) -> None:
    """And one that was not says what it needs."""
    watching.joseph.send("ann", watching.film, "--caption", "To keep")
    watching.joseph.send("ann", watching.film, "--caption", "Not looked at")
    watch(page, "To keep")
    play(page)
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    page.get_by_role("link", name="Inbox").first.click()
    letter(page, "Not looked at").wait_for()
    watching.ann.visitor.context.set_offline(True)
    page.reload()
    kept = letter(page, "To keep")
    kept.get_by_text("On this device.").wait_for()
    letter(page, "Not looked at").get_by_text("Needs the network.").wait_for()
    watch(page, "To keep")
    play(page, until_s=1)
    page.keyboard.press("9")
    shows(page, f"video.currentTime > {SECONDS * 0.9} && !video.seeking && video.readyState >= 2")


@pytest.mark.long  # the player itself: test_media.py, where the line comes back
def test_the_network_goes_while_it_plays_and_it_goes_on_by_itself(watching: Watching, page: Page) -> None:
    watching.joseph.send("ann", watching.film, "--caption", "Through the tunnel")
    page.add_init_script(TUNNEL)
    page.reload()
    watch(page, "Through the tunnel")
    page.keyboard.press("k")
    held = page.get_by_text("No connection just now. It goes on by itself.")
    held.wait_for()
    shows(page, "video.buffered.length > 0")
    page.evaluate("isInTunnel = false")
    shows(page, f"!video.paused && video.buffered.end(video.buffered.length - 1) > {SECONDS - 1}")
    held.wait_for(state="hidden")
