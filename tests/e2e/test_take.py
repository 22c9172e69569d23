"""A take loses nothing: whatever dies in mid-recording, it is offered again, and its file is whole up to the last second.

The page is web/tests/harness/take.html, served by the real server in the app's place.
"""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, Playwright

from restante.protocol.encoding import unb64
from tests.api.people import new_name, sign_up_form
from tests.building import build_into
from tests.e2e.browsing import Visitor, Visitors, no_reports
from tests.e2e.mailing import eventually
from tests.footage import Judged, decoded_frames
from tests.serving import Server, serving

PATH = "/take.html"
LAST_SECOND_MS = 1500
"""What may be missing after a crash: a fragment of a second, and its way from camera to disk on a busy machine."""
SIGN_UP = """async form => (await fetch('/api/v1/accounts', {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(form) })).status"""
UPLOAD_STATUS = """async id => {
  const asked = await fetch(`/api/v1/uploads/${id}`, { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } });
  return [asked.status, Number(asked.headers.get('upload-offset')), Number(asked.headers.get('upload-length'))];
}"""
TAKES = "const takes = await (await navigator.storage.getDirectory()).getDirectoryHandle('takes');"
SPOOLS = (
    f"async () => {{ {TAKES} const all = []; for await (const id of takes.keys()) all.push(id); return all }}"
)
GONE = r"status of (404|410).*/api/v1/uploads/"
NETWORK = (
    "ERR_(INTERNET_DISCONNECTED|CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED)"
)


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The harness page, which servers have in the web app's place; they are the real ones otherwise."""
    return build_into(tmp_path_factory.mktemp("harness"), "tests/harness/take.config.ts")


@pytest.fixture(scope="module")
def house(harness: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("house") / "data"
    with serving(data, TEST_WEBAPP=str(harness)) as server, no_reports(server):
        yield server


@pytest.fixture(scope="module")
def at_home(
    house: Server, playwright: Playwright, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visitor]:
    """A browser of its own with an account."""
    visitors = Visitors(playwright.chromium, browser, tmp_path_factory.mktemp("at-home"))
    visitor = settle(visitors, house)
    yield visitor
    visitors.leave()


@pytest.fixture
def ann(at_home: Visitor) -> Iterator[Visitor]:
    """Begins with no window but an empty one, and with nothing stored but her cookie."""
    yield at_home
    at_home.context.set_offline(False)
    blank, *windows = at_home.context.pages
    for window in windows:
        window.close()
    devtools = at_home.context.new_cdp_session(blank)
    kinds = "file_systems,indexeddb,local_storage,cache_storage"
    devtools.send("Storage.clearDataForOrigin", {"origin": at_home.url, "storageTypes": kinds})
    devtools.detach()


def ask(page: Page, name: str, *arguments: Any) -> Any:
    return page.evaluate("([name, all]) => harness[name](...all)", [name, list(arguments)])


def until(page: Page, condition: str, *, within_s: float = 30) -> dict[str, Any]:
    """Waits for what is said of the take's state, and gives the state."""
    page.wait_for_function(f"() => (state => {condition})(harness.state())", timeout=within_s * 1000)
    state: dict[str, Any] = ask(page, "state")
    return state


def open_harness(visitor: Visitor) -> Page:
    page = visitor.open(PATH)
    page.wait_for_function("() => 'harness' in globalThis")
    return page


def settle(visitors: Visitors, server: Server, name: str = "ann") -> Visitor:
    """A browser of its own with a new account: after a crash it may have forgotten its cookie."""
    visitor = visitors.move_in(server, name)
    visitor.witness.allow("favicon")
    visitor.witness.allow(GONE)
    page = open_harness(visitor)
    assert page.evaluate(SIGN_UP, sign_up_form(new_name(), client="web")) == 201
    page.close()
    return visitor


def saved(page: Page, take: str, folder: Path) -> dict[str, Any]:
    """The take as the file that a person would save, judged by ffprobe and ffmpeg."""
    path = folder / f"{take}.mp4"
    path.write_bytes(unb64(ask(page, "exported", take)))
    return judged(path)


def judged(path: Path) -> dict[str, Any]:
    shown = ["-show_entries", "format=duration:stream=codec_name,nb_read_frames", "-count_frames"]
    probe = ["ffprobe", "-v", "error", *shown, "-of", "json", str(path)]
    facts = json.loads(subprocess.run(probe, check=True, capture_output=True).stdout)
    as_it_is = ["-vsync", "0", "-enc_time_base", "-1", "-f", "null", "-"]
    decode = ["ffmpeg", "-v", "error", "-i", str(path), *as_it_is]
    assert subprocess.run(decode, check=True, capture_output=True).stderr == b""
    streams = {stream["codec_name"]: int(stream["nb_read_frames"]) for stream in facts["streams"]}
    assert set(streams) == {"h264", "aac"}
    return {"ms": float(facts["format"]["duration"]) * 1000, "frames": streams["h264"]}


def the_draft(page: Page) -> dict[str, Any]:
    (draft,) = ask(page, "drafts")
    found: dict[str, Any] = draft
    return found


def recovered(page: Page, folder: Path, *, at_least_ms: float) -> str:
    """The interrupted take is offered, made whole, and is as long as it was when it was cut short."""
    # Asked again and again from here: `wait_for_function` takes the promise itself for a yes.
    eventually(lambda: [draft["kind"] for draft in ask(page, "drafts")] == ["interrupted"])
    interrupted = the_draft(page)["id"]
    before = ask(page, "draft", interrupted)
    take: str = ask(page, "recover", interrupted)
    assert isinstance(take, str), take
    film = saved(page, take, folder)
    assert film["ms"] >= at_least_ms
    draft = the_draft(page)
    assert (draft["id"], draft["kind"]) == (take, "kept")
    after = ask(page, "draft", take)
    assert take != interrupted
    assert after["messageKey"] != before["messageKey"]
    assert after["poster"] == "image/webp"
    assert after["video"]["ms"] == pytest.approx(film["ms"], abs=150)
    assert ask(page, "bring", take) is None
    fresh = ask(page, "draft", take)
    assert fresh["isStored"]
    assert fresh["upload"] != before["upload"]
    size = fresh["video"]["size"]
    assert page.evaluate(UPLOAD_STATUS, fresh["upload"]) == [200, size, size]
    if before["upload"]:
        ask(page, "takeBack")
        assert page.evaluate(UPLOAD_STATUS, before["upload"])[0] in {404, 410}
    return take


def test_a_take_is_kept_and_stored_while_it_is_recorded(ann: Visitor, tmp_path: Path) -> None:
    page = open_harness(ann)
    take = ask(page, "start")
    state = until(page, "state.storedMs >= 1000")
    assert state["phase"] == "recording"
    assert state["storedMs"] <= state["keptMs"] <= state["mediaMs"]
    assert ask(page, "stop") is None
    ended_ms = until(page, "state.phase === 'kept'")["keptMs"]
    assert ask(page, "stored") is None
    assert until(page, "state.isStored")["percent"] == 100
    draft = ask(page, "draft", take)
    assert page.evaluate(UPLOAD_STATUS, draft["upload"]) == [
        200,
        draft["video"]["size"],
        draft["video"]["size"],
    ]
    assert draft["poster"] in {"image/webp", "image/jpeg"}
    assert saved(page, take, tmp_path)["ms"] == pytest.approx(ended_ms, abs=150)


def test_a_take_begun_without_a_network_is_uploaded_when_there_is_one(ann: Visitor, tmp_path: Path) -> None:
    page = open_harness(ann)
    ann.witness.allow(NETWORK)
    ask(page, "start")
    ask(page, "discard")  # the browser has the worker's file from now on, as it has all of the app's
    ann.context.set_offline(True)
    take = ask(page, "start")
    until(page, "state.keptMs >= 1000")
    assert ask(page, "stop") is None
    page.close()
    ann.context.set_offline(False)
    page = open_harness(ann)
    assert the_draft(page)["kind"] == "kept"
    assert ask(page, "bring", take) is None
    assert the_draft(page)["isStored"]
    assert saved(page, take, tmp_path)["ms"] >= 1000


def test_what_happens_to_the_devices_is_in_the_takes_record(ann: Visitor, tmp_path: Path) -> None:
    page = open_harness(ann)
    take = ask(page, "start")
    until(page, "state.mediaMs >= 500 && state.size")
    ask(page, "unplug")
    eventually(lambda: ask(page, "draft", take)["events"])
    ask(page, "pause")
    paused_ms = until(page, "state.isPaused")["mediaMs"]
    page.wait_for_timeout(700)
    ask(page, "resume")
    until(page, f"state.mediaMs >= {paused_ms + 500}")
    assert ask(page, "stop") is None
    (event,) = [each for each in ask(page, "draft", take)["events"] if each["kind"].startswith("camera")]
    assert (event["kind"], event["why"]) == ("camera-switched", "unplugged")
    assert 0 < event["ms"] <= paused_ms + 200
    film = saved(page, take, tmp_path)
    assert film["ms"] == pytest.approx(ask(page, "state")["keptMs"], abs=150)


SET_THE_CLOCK = """days => {
  const moved = days * 86_400_000, Native = (globalThis.TrueDate ??= Date);
  globalThis.Date = class extends Native {
    constructor(...given) { super(...(given.length ? given : [Native.now() + moved])); }
    static now() { return Native.now() + moved; }
  };
}"""
"""What code sees of a system clock that somebody sets; the monotonic one goes on."""


@pytest.mark.long
def test_a_clock_that_is_set_meanwhile_changes_nothing_of_a_take(ann: Visitor, tmp_path: Path) -> None:
    page = open_harness(ann)
    take = ask(page, "start")
    media_ms = until(page, "state.mediaMs >= 1000")["mediaMs"]
    truly_ms = page.evaluate("performance.now()")
    for days in (400, -400):
        for realm in (page, *page.workers):
            realm.evaluate(SET_THE_CLOCK, days)
        until(page, f"state.mediaMs >= {ask(page, 'state')['mediaMs'] + 1000}")
    passed_ms = page.evaluate("performance.now()") - truly_ms
    assert ask(page, "state")["mediaMs"] - media_ms == pytest.approx(passed_ms, abs=400)
    assert ask(page, "stop") is None
    assert ask(page, "stored") is None
    film = saved(page, take, tmp_path)
    assert film["ms"] == pytest.approx(ask(page, "state")["keptMs"], abs=150)
    times = Judged(tmp_path / f"{take}.mp4").frame_times
    assert max(after - before for before, after in pairwise(times)) < 0.5
    page.evaluate(SET_THE_CLOCK, -800)
    assert (the_draft(page)["id"], the_draft(page)["kind"]) == (take, "kept")


@pytest.mark.long
def test_a_browser_without_an_encoder_records_all_the_same(ann: Visitor, tmp_path: Path) -> None:
    page = open_harness(ann)
    ask(page, "hideEncoder")
    take = ask(page, "start")
    until(page, "state.keptMs >= 1000")
    assert ask(page, "stop") is None
    assert ask(page, "stored") is None
    draft = ask(page, "draft", take)
    assert "avc1" in draft["video"]["type"]
    path = tmp_path / "resort.mp4"
    path.write_bytes(unb64(ask(page, "exported", take)))
    assert Judged(path).duration_s >= 1
    assert decoded_frames(path) == len(Judged(path).frame_times) > 10


@pytest.mark.long
def test_a_worker_that_fails_leaves_a_draft_and_says_so(ann: Visitor, tmp_path: Path) -> None:
    page = open_harness(ann)
    ask(page, "watchWorkers")
    ask(page, "start")
    media_ms = until(page, "state.keptMs >= 1000")["mediaMs"]
    ask(page, "failWorker")
    state = until(page, "state.phase === 'failed'")
    assert state["code"] == "interrupted"
    recovered(page, tmp_path, at_least_ms=min(state["keptMs"], media_ms) - LAST_SECOND_MS)


BREAKING = {
    "the spool": """() => {
      FileSystemSyncAccessHandle.prototype.write = () => { throw new DOMException('', 'InvalidStateError') };
    }""",
    "the crypto": """() => {
      const refuse = () => Promise.reject(new DOMException('', 'OperationError'));
      Object.assign(SubtleCrypto.prototype, { encrypt: refuse, digest: refuse });
    }""",
}


@pytest.mark.parametrize("part", ["the spool", pytest.param("the crypto", marks=pytest.mark.long)])
def test_a_part_of_the_worker_that_fails_ends_in_a_kept_draft(
    ann: Visitor, tmp_path: Path, part: str
) -> None:
    ann.witness.allow("the take ended early")
    page = open_harness(ann)
    ask(page, "start")
    kept_ms = until(page, "state.keptMs >= 1500")["keptMs"]
    page.workers[-1].evaluate(BREAKING[part])
    state = until(page, "state.phase === 'failed'")
    assert state["code"] in {"interrupted", "storage-unavailable"}
    recovered(page, tmp_path, at_least_ms=kept_ms - 150)


def close_the_tab(page: Page) -> None:
    page.close()


def crash_the_renderer(page: Page) -> None:
    with page.expect_event("crash"), contextlib.suppress(Error):
        page.goto("chrome://crash")


@pytest.mark.parametrize("end", [pytest.param(close_the_tab, marks=pytest.mark.long), crash_the_renderer])
def test_a_take_cut_short_is_offered_again_but_for_its_last_second(
    ann: Visitor, tmp_path: Path, end: Callable[[Page], None]
) -> None:
    page = open_harness(ann)
    ask(page, "start")
    media_ms = until(page, "state.mediaMs >= 3000 && state.storedMs > 0")["mediaMs"]
    end(page)
    recovered(open_harness(ann), tmp_path, at_least_ms=media_ms - LAST_SECOND_MS)


def test_a_killed_browser_costs_no_more_than_the_last_second(
    house: Server, visitors: Visitors, tmp_path: Path
) -> None:
    page = open_harness(settle(visitors, house))
    ask(page, "start")
    media_ms = until(page, "state.mediaMs >= 3000")["mediaMs"]
    kill_browser(tmp_path / "ann")
    again = open_harness(settle(visitors, house))
    recovered(again, tmp_path, at_least_ms=media_ms - LAST_SECOND_MS)


def kill_browser(profile: Path) -> None:
    """SIGKILL to the browser of this profile, which the profile's own lock names."""
    pid = int((profile / "SingletonLock").readlink().name.rpartition("-")[2])
    os.kill(pid, signal.SIGKILL)


@pytest.mark.long
def test_a_full_device_keeps_what_there_is(ann: Visitor, tmp_path: Path) -> None:
    page = open_harness(ann)
    take = ask(page, "start")
    until(page, "state.keptMs >= 1000")
    devtools = ann.context.new_cdp_session(page)
    used = devtools.send("Storage.getUsageAndQuota", {"origin": ann.url})["usage"]
    devtools.send("Storage.overrideQuotaForOrigin", {"origin": ann.url, "quotaSize": used + 20_000})
    # The browser books room for an open file by the megabyte: what is booked is filled first, slowly where the pictures are small.
    state = until(page, "state.phase === 'kept'", within_s=180)
    assert (state["end"], state["code"]) == ("device-full", None)
    film = saved(page, take, tmp_path)
    assert film["ms"] == pytest.approx(state["keptMs"], abs=150)
    assert ask(page, "stored") is None


@pytest.mark.long
def test_a_draft_belongs_to_one_tab_and_discarded_leaves_nothing_here_nor_there(ann: Visitor) -> None:
    page = open_harness(ann)
    take = ask(page, "start")
    until(page, "state.storedMs > 0")
    other = open_harness(ann)
    assert the_draft(other)["kind"] == "elsewhere"
    for verb in ("recover", "bring", "drop"):
        assert ask(other, verb, take) == {"code": "busy"}
    upload = ask(page, "draft", take)["upload"]
    ask(page, "discard")
    assert ask(page, "state")["phase"] == "discarded"
    assert ask(page, "drafts") == ask(other, "drafts") == []
    assert page.evaluate(UPLOAD_STATUS, upload)[0] in {404, 410}
    assert page.evaluate(SPOOLS) == []
