"""Whatever breaks, a sentence says so with a way out, and nothing is lost."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright

from restante.client.account import Account
from restante.client.downloads import plaintext
from restante.client.incoming import Mailbox
from restante.client.opened import Message
from tests.anomaly.canaries import Canary, Place, Search
from tests.anomaly.mainjob import of_account, of_message, of_ways_in, pieces
from tests.cli.person import Person
from tests.cli.test_damage import damage, flip, upload_of
from tests.e2e.browsing import Visitors
from tests.e2e.mailing import (
    NETWORK,
    Inhabitant,
    befriend,
    begin,
    camera_and_microphone,
    eventually,
    kept,
    letter,
    move_in,
    play,
    record,
    send,
    sent,
    small_clip,
    stop,
    stored,
    watch,
)
from tests.footage import ffmpeg
from tests.serving import Server
from tests.stored import change
from tests.stored import stored as bytes_of

TAKES = "const takes = await (await navigator.storage.getDirectory()).getDirectoryHandle('takes');"
EVICT = f"async id => {{ {TAKES} await takes.removeEntry(id, {{ recursive: true }}) }}"
FAST_CLOCK = """(() => {
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (order, ...more) {
    if (order?.type === 'record') order.options.clockRate = 60;
    return post.call(this, order, ...more);
  };
})()"""
"""The recorder's own hook for tests: media time runs sixty times as fast."""
DUMP = """async () => {
  const texts = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), document.cookie];
  const bytes = value => {
    if (value instanceof Uint8Array) texts.push(new TextDecoder('latin1').decode(value));
    else if (typeof value === 'string') texts.push(value);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(bytes);
  };
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise(done => (indexedDB.open(name).onsuccess = event => done(event.target.result)));
    for (const store of db.objectStoreNames) {
      const all = db.transaction(store).objectStore(store).getAll();
      bytes(await new Promise(done => (all.onsuccess = () => done(all.result))));
    }
    db.close();
  }
  const walk = async folder => {
    for await (const entry of folder.values()) {
      if (entry.kind === 'directory') await walk(entry);
      else texts.push(new TextDecoder('latin1').decode(await (await entry.getFile()).arrayBuffer()));
    }
  };
  await walk(await navigator.storage.getDirectory());
  return texts;
}"""


DUMP_MORE = """async () => {
  const texts = [location.href, document.referrer, document.title, window.name, JSON.stringify(history.state)];
  texts.push(...performance.getEntries().map(({ name }) => name));
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      texts.push(request.url, new TextDecoder('latin1').decode(await (await cache.match(request)).arrayBuffer()));
    }
  }
  return texts;
}"""
"""What a page shows of itself to extensions and to whoever looks over a shoulder; and what the service worker keeps."""


@dataclass
class Pair:
    """Claire in a browser, Joseph at a terminal, on a server that may be harmed."""

    server: Server
    claire: Inhabitant
    joseph: Person
    profile: Path
    """Where the browser keeps what it keeps."""
    secrets: list[bytes] = field(default_factory=list)
    """What must lie open nowhere."""


@pytest.fixture(scope="module")
def pair(
    house: Server, playwright: Playwright, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    visitors = Visitors(playwright.chromium, browser, folder)
    claire, joseph = (Person(name, folder, house.url).sign_up() for name in ("claire", "joseph"))
    at_home = move_in(visitors, house, claire, camera_and_microphone(folder))
    at_home.visitor.witness.allow(NETWORK)
    at_home.visitor.witness.allow(r"status of (404|410).*/api/v1/uploads/")
    at_home.visitor.witness.allow(r"status of 416.*/video")
    befriend(at_home, "joseph")
    pair = Pair(house, at_home, joseph, folder / "claire")
    yield pair
    visitors.leave()  # what a browser had in mind, it writes now
    assert_nowhere(pair.secrets, {"profile": files_of(pair.profile)})


@pytest.fixture
def page(pair: Pair) -> Iterator[Callable[[str], Page]]:
    """Opens windows that are closed again after the test."""
    opened: list[Page] = []

    def visit(path: str) -> Page:
        opened.append(pair.claire.open(path))
        return opened[-1]

    yield visit
    pair.claire.visitor.context.set_offline(False)
    for each in opened:
        each.close()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds that do not compress well: several parts."""
    path = tmp_path_factory.mktemp("clip") / "long.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc2=s=480x270:r=25:d=6,noise=alls=60:allf=t"]
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "24", "-pix_fmt", "yuv420p"]
    ffmpeg(*picture, "-f", "lavfi", "-i", "sine=d=6", *codec, "-c:a", "aac", path)
    return path


def files_of(folder: Path) -> list[bytes]:
    """What lies in a folder that is in use."""
    found = []
    for path in folder.rglob("*"):
        with suppress(OSError):
            found.append(path.read_bytes())
    return found


def assert_nowhere(secrets: list[bytes], places: dict[str, list[bytes]]) -> None:
    for place, found in places.items():
        assert found, place
        for data in found:
            assert [secret for secret in secrets if secret in data] == [], place
            assert re.search(rb"AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]{40}", data) is None, place


def received(person: Person, caption: str) -> dict:
    def found() -> list[dict]:
        return [item for item in person.inbox() if item["caption"] == caption]

    (item,) = eventually(found)
    return item


def test_the_server_killed_in_mid_upload(pair: Pair, page: Callable[[str], Page]) -> None:
    booth = page("/record")
    begin(booth)
    stored(booth, 1)
    pair.server.kill()
    booth.get_by_text("No connection just now.").wait_for()
    booth.get_by_text("Go on talking: it is all kept here and sent later by itself.").wait_for()
    kept(booth, 3)
    stop(booth)
    pair.server.start()
    send(booth, "joseph", caption="In spite of the crash")
    sent(booth)
    assert received(pair.joseph, "In spite of the crash")["duration_s"] >= 3


@pytest.mark.long
def test_the_network_cut_in_mid_recording_and_the_window_closed(
    pair: Pair, page: Callable[[str], Page]
) -> None:
    """Sent without a network, the window closed: it goes by itself when both are back."""
    booth = page("/record")
    begin(booth)
    stored(booth, 1)
    pair.claire.visitor.context.set_offline(True)
    booth.get_by_text("No connection just now.").wait_for()
    kept(booth, 3)
    stop(booth)
    play(booth)
    send(booth, "joseph", caption="Cut in two")
    booth.get_by_text(re.compile("^On its way: ")).wait_for()
    booth.get_by_text("No connection just now.").wait_for()
    booth.close()
    pair.claire.visitor.context.set_offline(False)
    assert "Cut in two" not in [item["caption"] for item in pair.joseph.inbox()]
    again = page("/sent")
    letter(again, "Cut in two").wait_for()  # one message, although it was begun twice
    assert received(pair.joseph, "Cut in two")["duration_s"] >= 3


@pytest.mark.long
def test_three_minutes_are_the_whole_tape(pair: Pair, page: Callable[[str], Page]) -> None:
    booth = page("/record")
    booth.evaluate(FAST_CLOCK)
    booth.get_by_role("button", name="Record", exact=True).click()
    booth.get_by_text("Three minutes: that is the whole tape.").wait_for()
    booth.get_by_text("3:00", exact=True).first.wait_for()
    booth.get_by_role("button", name="Look at it").click()
    booth.get_by_text(re.compile("/ 3:00$")).wait_for()
    send(booth, "joseph", caption="To the last word")
    sent(booth)
    length_s = received(pair.joseph, "To the last word")["duration_s"]
    assert 179.5 <= length_s <= 180.05


@pytest.mark.long
def test_what_the_browser_cleared_is_said(pair: Pair, page: Callable[[str], Page]) -> None:
    booth = page("/record")
    pair.claire.visitor.context.set_offline(True)
    begin(booth)
    draft = stop(booth)
    booth.goto("about:blank")
    pair.claire.visitor.context.set_offline(False)
    inbox = page("/settings")
    eventually(
        lambda: inbox.evaluate(
            f"async id => {{ try {{ await ({EVICT})(id); return true }} catch {{ return false }} }}", draft
        )
    )
    review = page(f"/review/{draft}")
    review.get_by_text("The browser has cleared this video from the device.").wait_for()
    review.get_by_role("button", name="Delete it").click()
    review.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    review.wait_for_url("**/inbox")


@pytest.mark.long
def test_damage_on_the_servers_disk(
    pair: Pair, page: Callable[[str], Page], clip: Path, long_clip: Path
) -> None:
    """Found before anything wrong is shown; said in words that fit; what is whole is not affected."""
    spoilt = {
        name: pair.joseph.send("claire", clip, "--caption", name)
        for name in ("first part", "details", "envelope", "empty")
    }
    spoilt["last part"] = pair.joseph.send("claire", long_clip, "--caption", "last part")
    pair.joseph.send("claire", clip, "--caption", "all is well")
    uploads = {name: upload_of(pair.server, message) for name, message in spoilt.items()}
    flip(pair.server, uploads["first part"], 300)
    flip(pair.server, uploads["last part"], -100)
    change(pair.server, uploads["empty"], b"")
    damage(pair.server, spoilt["details"], "messages", "details", "id")
    damage(pair.server, spoilt["envelope"], "envelopes", "envelope", "message_id")
    window = page("/inbox")
    letter(window, "all is well").wait_for()
    assert letter(window, "This video was changed on its way.").count() == 2
    for name in ("details", "envelope"):
        broken = page(f"/watch/{spoilt[name]}")
        broken.get_by_text("So we do not show it.").wait_for()
        assert broken.get_by_role("button", name="Save as .mp4").count() == 0
    first = page(f"/watch/{spoilt['first part']}")
    first.get_by_text("Part of this video was changed on its way.").wait_for()
    empty = page(f"/watch/{spoilt['empty']}")
    empty.get_by_text("This video is cut off.").wait_for()
    last = page(f"/watch/{spoilt['last part']}")
    last.get_by_text(re.compile(r"^We stopped at 0:0[1-5]\.")).wait_for()
    play(last)
    last.get_by_role("button", name="Save as .mp4").click()
    last.get_by_text("Part of this video was changed on its way.").wait_for()
    change(pair.server, uploads["last part"], bytes_of(pair.server, uploads["last part"])[:-100_000])
    last.reload()
    last.get_by_text(re.compile(r"^Cut off at 0:0[1-5]\.")).wait_for()
    watch(window, "all is well")
    play(window)


def test_a_video_that_is_gone(pair: Pair, page: Callable[[str], Page], clip: Path) -> None:
    """Taken back while its recipient looks at the list: it leaves the list, and an old link says so."""
    pair.claire.visitor.witness.allow(r"status of (404|410).*/api/v1/messages/")
    message = pair.joseph.send("claire", clip, "--caption", "Taken back")
    window = page("/inbox")
    letter(window, "Taken back").wait_for()
    pair.joseph.ok("delete", message, "--for-everyone")
    letter(window, "Taken back").wait_for(state="detached")
    old = page(f"/watch/{message}")
    old.get_by_text("This video is no longer there.").wait_for()


def secrets_of(account: Account, person: Person, message: Message) -> list[Canary]:
    """Everything secret of somebody who has sent a message; what a server is told for a moment is not among it."""
    content = b"".join(plaintext(account.session, message))
    all_of_it = [
        *of_account(account),
        *of_ways_in(account, person.name, person.passphrase, person.recovery_code),
        *of_message(message),
        *pieces("video", content),
    ]
    assert len({canary.kind for canary in all_of_it}) >= 12
    return [canary for canary in all_of_it if not canary.told]


def assert_in_no_spelling(canaries: list[Canary], watched: str, places: dict[str, list[bytes]]) -> None:
    """In whichever way it could have been written. The control: the id of the message that is watched, which is no secret."""
    control = Canary("control", watched.encode())
    search = Search([*canaries, control])
    hits = search.hits(
        Place(f"{name} {number}", data) for name, found in places.items() for number, data in enumerate(found)
    )
    assert {hit.kind for hit in hits} == {"control"}, [hit for hit in hits if hit.kind != "control"]
    seen = {hit.place.split()[0] for hit in hits}
    assert seen >= {"asked", "kept", "server", "shown"}, seen


def test_no_secret_lies_open(pair: Pair, page: Callable[[str], Page], clip: Path) -> None:
    """Neither keys nor what was written are in a request, a log, the server's data, or this browser's storage in clear.

    Nor in any file of the browser's profile: its own memory of forms, passwords and open windows among them.
    """
    caption = "Kanarienvogel 7319"
    asked: list[bytes] = []
    headers: list[bytes] = []
    complained: list[bytes] = [b"nothing yet"]
    context = pair.claire.visitor.context
    context.on(
        "request",
        lambda request: asked.append(request.url.encode() + b" " + (request.post_data_buffer or b"")),
    )
    context.on("request", lambda request: headers.append(repr(request.headers).encode()))
    context.on("console", lambda message: complained.append(message.text.encode()))
    booth = page("/record")
    message = record(booth)
    booth.get_by_label("A line to go with it").fill(caption)
    booth.get_by_role(
        "link", name="Inbox"
    ).first.click()  # now a browser notes what was typed, to restore its windows
    booth.get_by_role("button", name="Look at it").click()
    send(booth, "joseph", caption=caption)
    sent(booth)
    answer = pair.joseph.send("claire", clip, "--caption", f"{caption} back")
    window = page("/inbox")
    letter(window, f"{caption} back").wait_for()
    watch(window, f"{caption} back")
    play(window)
    kept_here = [text.encode("latin1", "replace") for text in window.evaluate(DUMP)]
    shown = [text.encode("latin1", "replace") for text in window.evaluate(DUMP_MORE)]
    with closing(sqlite3.connect(pair.server.data / "restante.sqlite3")) as database:
        database.execute("PRAGMA wal_checkpoint")
    with pair.claire.cli.account as account:
        found = Mailbox(account).find(message).require()
        key = str(found.opened.fields.key)
        keyring = account.keyring
        canaries = secrets_of(account, pair.claire.cli, found)
    assert key.startswith("AGE-SECRET-KEY-1")
    assert sum(map(len, kept_here)) > 1000
    places = {
        "asked": asked,
        "kept here": kept_here,
        "profile": files_of(pair.profile),
        "server": files_of(pair.server.data),
        "log": [pair.server.log_path.read_bytes()],
        "headers": headers,
        "console": complained,
        "shown and cached": shown,
    }
    assert_in_no_spelling([*canaries, Canary("caption", caption.encode())], answer, places)
    assert any(b"claire" in data for data in places["profile"]), "the scan does not see what is there"
    own = (pair.claire.cli.passphrase, pair.claire.cli.recovery_code, keyring.sign, keyring.state)
    texts = (caption, key, *own)
    pair.secrets.extend(text.encode(coding) for text in texts for coding in ("utf-8", "utf-16-le"))
    assert_nowhere(pair.secrets, places)
