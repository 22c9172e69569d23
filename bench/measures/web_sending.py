"""From stop to the first picture in the recipient's browser, over a narrow uplink; beside uploading after the recording.

The clock is the real one, since the uplink is. The peer is the same client and the same take, whose upload is withheld
until the recording ends.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import Page

from bench.harness.compare import RATIO, Claim
from bench.harness.line import MBIT, Line, line
from bench.harness.report import Result
from bench.measures.web_house import House
from restante.client.incoming import Mailbox
from tests.cli.person import Person
from tests.e2e.browsing import devices
from tests.e2e.mailing import begin, choose, record
from tests.footage import ffmpeg, real

SECONDS = 60
UPLINK = 2 * MBIT
MOST_ROUNDS = 2
"""A round takes four minutes."""
LATER_S = 5
TOGETHER = "stop and send together"
LATER = f"send {LATER_S} s after stop"
AFTERWARDS = "uploaded after the recording"
_CREATION = b"POST /api/v1/uploads "

_STOP = """together => {
  globalThis.moments = {};
  globalThis.press = () => {
    const button = [...document.querySelectorAll("button")].find((one) => one.innerText.startsWith("Send to "));
    if (!button || button.disabled || moments.sentMs) return false;
    moments.sentMs = Date.now();
    button.click();
    return true;
  };
  if (together) {
    const looking = new MutationObserver(() => press() && looking.disconnect());
    looking.observe(document.body, { subtree: true, childList: true, attributes: true });
  }
  moments.stoppedMs = Date.now();
  [...document.querySelectorAll("button")].find((one) => /^Stop$/.test(one.ariaLabel ?? one.innerText.trim())).click();
}"""

AWAIT_NEWS = """() => {
  const links = () => [...document.querySelectorAll("a[href^='/watch/']")];
  const known = new Set(links().map((link) => link.pathname));
  globalThis.news = {};
  const look = () => {
    const link = links().find((one) => !known.has(one.pathname));
    if (link && !news.arrivedMs) {
      news.arrivedMs = Date.now();
      link.click();
    }
    const video = news.arrivedMs && document.querySelector("video");
    if (!video || news.video) return;
    news.video = video;
    video.requestVideoFrameCallback(() => (news.shownMs = Date.now()));
    video.play().catch(() => undefined);
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


@dataclass(frozen=True, slots=True)
class Take:
    """Time until the message stood in the recipient's list and until its first picture was shown, and its rate."""

    arrived_ms: float
    shown_ms: float
    mbits: float


def sending(house: House, rounds: int) -> Result:
    """A minute of real footage, again and again."""
    with line(house.server.port, up=UPLINK) as uplink:
        street = _Street(house, uplink)
        ways: dict[str, Callable[[], Take]] = {
            TOGETHER: street.take,
            LATER: lambda: street.take(wait_s=LATER_S),
            AFTERWARDS: lambda: street.take(withheld=True),
        }
        count = min(rounds, MOST_ROUNDS)
        taken: dict[str, list[Take]] = {name: [] for name in ways}
        for _ in range(count):
            for name, way in ways.items():
                taken[name].append(way())
    for peer in taken[AFTERWARDS]:
        least_ms = peer.mbits * SECONDS / (UPLINK / MBIT) * 1000
        assert peer.shown_ms > 0.9 * least_ms, "more went through the line than it is wide"
    told = f"{SECONDS} s over 2 Mbit/s up ({count} takes)"
    claims = [
        _claim(f"{told}: {TOGETHER}, until it plays", taken[TOGETHER], 2000),
        _claim(f"{told}: {LATER}, until it plays", taken[LATER], 1000),
    ]
    pairs = zip(taken[AFTERWARDS], taken[TOGETHER], strict=True)
    ratios = [peer.shown_ms / ours.shown_ms for peer, ours in pairs]
    claims.append(Claim(f"{told}: {TOGETHER}, sooner", AFTERWARDS, median(ratios), max(ratios), RATIO))
    figures = [line for name, takes in taken.items() for line in _figures(name, takes)]
    return Result("sending", "Sending in the browser", claims, ("", "median"), figures)


def _claim(what: str, takes: list[Take], most: float) -> Claim:
    shown = [take.shown_ms for take in takes]
    return Claim(what, "", median(shown), min(shown), "ms", most=most)


def _figures(name: str, takes: list[Take]) -> list[tuple[str, ...]]:
    return [
        (f"{name}: in the recipient's list", f"{median(take.arrived_ms for take in takes):.0f} ms"),
        (f"{name}: first picture there", f"{median(take.shown_ms for take in takes):.0f} ms"),
        (f"{name}: what was recorded", f"{median(take.mbits for take in takes):.2f} Mbit/s"),
    ]


class _Street:
    """One who records over the narrow line, and one who has the inbox open on a wide one."""

    def __init__(self, house: House, uplink: Line) -> None:
        self._uplink = uplink
        sender, recipient = house.person("claire"), house.person("ann")
        self._recipient: Person = recipient
        self._booth = house.signed_in(sender, uplink.url, *_footage(house))
        self._inbox = house.signed_in(recipient, house.url)
        self._house = house
        self._meet()

    def _meet(self) -> None:
        """A first message, so that they know each other and every part of the app has been loaded once."""
        self._inbox.evaluate(AWAIT_NEWS)
        self._booth.goto(f"{self._uplink.url}/record")
        record(self._booth)
        choose(self._booth, self._recipient.name)
        self._booth.get_by_role("button", name="Send to ann").click()
        _shown(self._inbox)

    def take(self, *, wait_s: float = 0, withheld: bool = False) -> Take:
        self._inbox.goto(f"{self._house.url}/inbox")
        self._inbox.locator("a[href^='/watch/']").first.wait_for()
        self._inbox.evaluate(AWAIT_NEWS)
        self._uplink.withheld = _CREATION if withheld else None
        self._booth.goto(f"{self._uplink.url}/record?to={self._recipient.name}")
        begin(self._booth)
        self._booth.wait_for_timeout((SECONDS - 1) * 1000)
        self._booth.evaluate(_STOP, wait_s == 0)
        self._uplink.withheld = None
        if wait_s:
            self._booth.wait_for_timeout(wait_s * 1000)
            assert self._booth.evaluate("press()"), "there is no button to send with"
        news = _shown(self._inbox)
        moments = self._booth.evaluate("moments")
        begun_ms = moments["sentMs"] if wait_s else moments["stoppedMs"]
        return Take(news["arrivedMs"] - begun_ms, news["shownMs"] - begun_ms, self._mbits())

    def _mbits(self) -> float:
        """Of the newest message."""
        with self._recipient.account as account:
            video = Mailbox(account).find("1").require().details.video
        assert video is not None
        return video.size * 8 / 1000 / video.ms


def _shown(page: Page) -> dict[str, float]:
    """Waits until the first picture of what came was on the screen."""
    page.wait_for_function("() => news.shownMs", timeout=180_000)
    arrived, shown = page.evaluate("[news.arrivedMs, news.shownMs]")
    return {"arrivedMs": float(arrived), "shownMs": float(shown)}


def _footage(house: House) -> list[str]:
    """A real film in the camera's place, at a size that is recorded at about 1 Mbit/s."""
    picture, sound = house.folder / "camera.y4m", house.folder / "microphone.wav"
    clip: list[str | Path] = ["-i", real("bigbuckbunny"), "-t", "5"]
    ffmpeg(*clip, "-vf", "scale=960:540,fps=24", "-an", "-pix_fmt", "yuv420p", picture)
    ffmpeg(*clip, "-vn", "-ac", "1", "-ar", "48000", sound)
    return devices(picture=picture, sound=sound)
