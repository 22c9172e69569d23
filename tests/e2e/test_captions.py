"""Captions: from a file at the command line to the screen, and from the screen to a file; the film itself came from a file, too."""

import re
from pathlib import Path

from tests.cli.person import Person
from tests.e2e.browsing import Visitors
from tests.e2e.mailing import (
    assert_keeps,
    camera_and_microphone,
    eventually,
    move_in,
    send,
    sent,
    small_clip,
    watch,
)
from tests.serving import Server

SRT = "1\r\n00:00:00,000 --> 00:00:00,900\r\n<i>Good morning,</i>\r\nClaire & all.\r\n"
CUES = """() => [...document.querySelector('video').textTracks].flatMap(track => [...(track.cues ?? [])])
  .map(cue => [cue.startTime, cue.endTime, cue.text])"""


def test_captions_go_with_a_film_both_ways(house: Server, visitors: Visitors, tmp_path: Path) -> None:
    claire, joseph = (
        Person(f"{name}-captions", tmp_path, house.url).sign_up() for name in ("claire", "joseph")
    )
    clip, srt = small_clip(tmp_path), tmp_path / "words.srt"
    srt.write_bytes(SRT.encode())
    joseph.ok("send", claire.name, clip, "--caption", "Read along", "--captions", srt)
    at_home = move_in(visitors, house, claire, camera_and_microphone(tmp_path))

    page = at_home.open()
    watch(page, "Read along")
    page.wait_for_function(f"() => ({CUES})().length === 1")
    assert page.evaluate(CUES) == [[0, 0.9, "Good morning,\nClaire &amp; all."]]

    page.goto(page.url.split("/watch/")[0] + "/record")
    page.locator("input[type=file]").first.set_input_files(clip)
    page.wait_for_url("**/review/*")
    page.get_by_role("button", name="Captions").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What is said").fill("1\n00:00:05,000 --> 00:00:06,000\ntoo late")
    dialog.get_by_role("button", name="Keep the captions").click()
    dialog.get_by_text(re.compile("Line 2 begins after the end")).wait_for()
    dialog.locator("input[type=file]").set_input_files(srt)
    dialog.get_by_role("button", name="Keep the captions").click()
    dialog.wait_for(state="detached")
    send(page, joseph.name, caption="Read this")
    sent(page)

    eventually(joseph.inbox)
    joseph.ok("save", "1", "-o", tmp_path / "saved.mp4")
    assert_keeps(tmp_path / "saved.mp4", duration_s=1.2)
    words = (tmp_path / "saved.vtt").read_text(encoding="utf-8")
    assert words == "WEBVTT\n\n00:00:00.000 --> 00:00:00.900\nGood morning,\nClaire &amp; all.\n"
