"""What people do with their mail in a browser, by the words on the screen; and who they are at the command line."""

import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.cli.person import Person
from tests.e2e.browsing import Visitor, Visitors, devices
from tests.footage import Judged, decoded_frames, ffmpeg, real
from tests.serving import Server

SPEECH = "Good morning Ann, this is a message for you. Call me when you are back from the mountains."
NETWORK = r"ERR_(INTERNET_DISCONNECTED|CONNECTION_\w+|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED|INCOMPLETE_CHUNKED_ENCODING|NETWORK_CHANGED|CONTENT_LENGTH_MISMATCH)"
NO_NOTES = r"status of (404|412).*/api/v1/account/state/"
"""A browser's console tells of each refusal, also of one that is expected: no notes yet, or newer ones of another window."""
_MUTE = {"ignore_default_args": ["--mute-audio"]}


def camera_and_microphone(folder: Path) -> list[str]:
    """Real footage and speech in the place of the devices."""
    picture, sound = folder / "camera.y4m", folder / "microphone.wav"
    if not picture.exists():
        clip = ["-ss", "1", "-t", "4", "-i", real("bigbuckbunny"), "-vf", "scale=480:270,fps=24", "-an"]
        ffmpeg(*clip, "-pix_fmt", "yuv420p", picture)
        subprocess.run(["espeak-ng", "-w", sound, SPEECH], check=True, timeout=30)
    return devices(picture=picture, sound=sound)


def small_clip(folder: Path) -> Path:
    """A video of 1.2 s with sound, for tests that are about something else."""
    path = folder / "clip.mp4"
    if not path.exists():
        tracks = [
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=320x240:r=25:d=1.2",
            "-f",
            "lavfi",
            "-i",
            "sine=f=440:d=1.2",
        ]
        ffmpeg(*tracks, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", path)
    return path


@dataclass
class Inhabitant:
    """Somebody at home in a browser; `cli` is the same account at the command line."""

    name: str
    visitor: Visitor
    cli: Person

    def open(self, path: str = "/inbox") -> Page:
        page = self.visitor.open(path)
        page.locator("main").first.wait_for()
        return page


def move_in(visitors: Visitors, server: Server, cli: Person, devices: list[str]) -> Inhabitant:
    """Signs in, in a browser of one's own that is to be trusted."""
    visitor = visitors.move_in(server, cli.name, *devices, **_MUTE)
    visitor.witness.allow(NO_NOTES)
    page = visitor.open("/sign-in")
    sign_in(page, cli)
    page.close()
    return Inhabitant(cli.name, visitor, cli)


def sign_in(page: Page, person: Person) -> None:
    page.get_by_label("Your name here").fill(person.name)
    page.get_by_label("Passphrase").fill(person.passphrase)
    page.get_by_role("button", name="Open my mailbox").click()
    page.wait_for_url("**/inbox")


def befriend(inhabitant: Inhabitant, *names: str) -> None:
    """Adds people, so that they can be chosen without a network."""
    page = inhabitant.open("/people")
    for name in names:
        page.get_by_label("Name on this server").fill(name)
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_text(f"{name} is added").wait_for()
    page.close()


def begin(page: Page) -> None:
    """Starts to record, and waits until something of it is kept."""
    page.get_by_role("button", name="Record", exact=True).click()
    kept(page, 1)


def kept(page: Page, seconds: int) -> None:
    """Waits until so much is kept on this device, by the truth line."""
    page.wait_for_function(
        """seconds => {
          const words = document.querySelector('main')?.innerText ?? '';
          const [, kept] = /of (\\d:\\d\\d) stored/.exec(words) ?? /(\\d:\\d\\d) kept/.exec(words) ?? [];
          const [minutes, rest] = (kept ?? '0:00').split(':').map(Number);
          return minutes * 60 + rest >= seconds;
        }""",
        arg=seconds,
    )


def stored(page: Page, seconds: int) -> None:
    """Waits until so much is stored on the server, by the truth line."""
    page.wait_for_function(
        """seconds => {
          const words = document.querySelector('main')?.innerText ?? '';
          const [, told] = /(\\d:\\d\\d) of (?:it|\\d:\\d\\d) stored/.exec(words) ?? [];
          const [, whole] = /(\\d:\\d\\d) of it stored/.exec(words) ?? [];
          const [minutes, rest] = (whole ?? told ?? '0:00').split(':').map(Number);
          return minutes * 60 + rest >= seconds;
        }""",
        arg=seconds,
    )


def stop(page: Page) -> str:
    """Stops and waits for the review. Returns the draft's id, which the message will have."""
    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_url("**/review/*")
    page.get_by_label("A line to go with it").wait_for()
    return page.url.rsplit("/", 1)[1]


def record(page: Page, seconds: int = 1) -> str:
    begin(page)
    kept(page, seconds)
    return stop(page)


def choose(page: Page, *names: str) -> None:
    """Picks recipients; who is not known yet is added."""
    page.get_by_role("button", name=re.compile("Who is it for|^Add$")).first.click()
    dialog = page.get_by_role("dialog")
    for name in names:
        known = dialog.get_by_role("checkbox", name=re.compile(rf"\b{name}\b"))
        if known.count():
            known.check()
            continue
        dialog.get_by_label("Name on this server").fill(name)
        dialog.get_by_role("button", name="Add", exact=True).click()
        dialog.get_by_text(f"{name} is added").wait_for()
    dialog.get_by_role("button", name="Done").click()


def send(page: Page, *names: str, caption: str) -> None:
    """Addresses the take that is being looked at, and presses send."""
    choose(page, *names)
    page.get_by_label("A line to go with it").fill(caption)
    page.get_by_role("button", name=re.compile("^Send to ")).click()


def sent(page: Page) -> None:
    """Waits until the server has it; fails with what the page says instead."""
    try:
        page.get_by_role("heading", name=re.compile("^It waits for ")).wait_for()
    except PlaywrightTimeout:
        raise AssertionError(f"It was to wait for somebody, but: {page.inner_text('main')}") from None


def letter(page: Page, caption: str) -> Locator:
    """The list's entry with this line."""
    return page.get_by_role("listitem").filter(has_text=caption)


def watch(page: Page, caption: str) -> None:
    """Opens a message of the list and waits until it can be played."""
    letter(page, caption).get_by_role("link").click()
    page.wait_for_url("**/watch/*")
    page.get_by_role("button", name="Save as .mp4").wait_for()


def play(page: Page, until_s: float = 0.5) -> None:
    """Presses play and waits until so much was really shown."""
    page.get_by_role("button", name=re.compile("^Play the video|^Play")).first.click()
    page.wait_for_function("at => document.querySelector('video')?.currentTime >= at", arg=until_s)


def save(page: Page, path: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as .mp4").click()
    download.value.save_as(path)
    return path


def assert_keeps(path: Path, *, duration_s: float, within_s: float = 0.15) -> None:
    """Asserts an ordinary .mp4 of that length that decodes without a word."""
    judged = Judged(path)
    assert judged.codecs == ["h264", "aac"]
    for length in (judged.duration_s, float(judged.video["duration"]), float(judged.audio["duration"])):
        assert abs(length - duration_s) <= within_s, f"{length} s instead of {duration_s} s"
    assert decoded_frames(path) == len(judged.frame_times)


NOTE_ARRIVAL = """caption => {
  globalThis.arrived = null;
  const looking = new MutationObserver(() => {
    if (!document.body.innerText.includes(caption)) return;
    globalThis.arrived = Date.now();
    looking.disconnect();
  });
  looking.observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def expect(page: Page, caption: str) -> Callable[[], float]:
    """Lets a page note when a line appears on it; the returned function waits for that: Unix milliseconds."""
    page.evaluate(NOTE_ARRIVAL, caption)
    return lambda: float(page.wait_for_function("() => globalThis.arrived").json_value())


def eventually(holds: Callable[[], Any], within_s: float = 30) -> Any:
    """Waits for something to become true, and returns it."""
    deadline = time.monotonic() + within_s
    while not (told := holds()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
    return told
