"""From the press of send to the recipient's open inbox, when the video has been uploaded already."""

from statistics import median

from playwright.sync_api import Page

from bench.harness.compare import Claim
from bench.harness.report import Result
from bench.measures.web_house import House
from tests.e2e.browsing import FAKE_DEVICES
from tests.e2e.mailing import choose, expect, record, sent

TRIALS = 10
MOST_MS = 1000
_CAPTION = "News number {:02}"
_PRESS = "button => { const at = Date.now(); button.click(); return at; }"


def arriving(house: House) -> Result:
    """A take of a second each; both browsers are on this machine and have one clock."""
    sender, recipient = house.person("paula"), house.person("victor")
    booth = house.signed_in(sender, house.url, *FAKE_DEVICES)
    inbox = house.signed_in(recipient, house.url)
    # A first one, by which they get to know each other and every part of the app is loaded.
    took = [_arrival(house, booth, inbox, recipient.name, number) for number in range(TRIALS + 1)][1:]
    claims = [
        Claim("send, until the open inbox shows it", "", median(took), min(took), "ms", most=MOST_MS),
    ]
    figures: list[tuple[str, ...]] = [
        (f"send until it is in the inbox, worst of {TRIALS}", f"{max(took):.0f} ms")
    ]
    return Result("arriving", "Live arrival", claims, ("", "median"), figures)


def _arrival(house: House, booth: Page, inbox: Page, name: str, number: int) -> float:
    caption = _CAPTION.format(number)
    arrived_at = expect(inbox, caption)
    booth.goto(f"{house.url}/record" + (f"?to={name}" if number else ""))
    record(booth)
    if not number:
        choose(booth, name)
    booth.get_by_label("A line to go with it").fill(caption)
    booth.wait_for_timeout(1500)  # the rest of the second is uploaded, and both pages settle
    pressed_at = float(booth.get_by_role("button", name=f"Send to {name}").evaluate(_PRESS))
    took_ms = arrived_at() - pressed_at
    sent(booth)
    if took_ms > MOST_MS:
        print(f"slow: message {number} took {took_ms:.0f} ms to the open inbox", flush=True)
    return took_ms
