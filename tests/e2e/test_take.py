"""A take loses nothing: whatever dies in mid-recording, it is offered again, and its file is whole up to the last second.

The page is web/tests/harness/take.html, served by the real server in the app's place.
"""

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Error, Page

from restante.protocol.encoding import b64, unb64
from tests.api.parcels import make_parcel
from tests.api.people import new_client, new_name, sign_up_form
from tests.e2e.browsing import Visitor, Visitors, no_reports
from tests.serving import ROOT, Server, serving

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
EVICT = f"async id => {{ {TAKES} await takes.removeEntry(id, {{ recursive: true }}) }}"
SPOOLS = (
    f"async () => {{ {TAKES} const all = []; for await (const id of takes.keys()) all.push(id); return all }}"
)
NAMES: dict[BrowserContext, str] = {}
GONE = r"status of (404|410).*/api/v1/uploads/"
NETWORK = (
    "ERR_(INTERNET_DISCONNECTED|CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED)"
)


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package whose web app is the harness page; servers of it are the real ones otherwise."""
    folder = tmp_path_factory.mktemp("harness")
    package = folder / "restante"
    shutil.copytree(
        ROOT / "src" / "restante", package, ignore=shutil.ignore_patterns("webapp", "__pycache__")
    )
    web = ROOT / "web"
    config = ["-c", "tests/harness/take.config.ts", "--logLevel", "error"]
    target = ["--outDir", str(package / "server" / "webapp")]
    vite = [str(web / "node_modules" / ".bin" / "vite"), "build", *config, *target]
    subprocess.run(vite, cwd=web, check=True, timeout=180)
    return folder


@pytest.fixture
def house(harness: Path, tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "data", PYTHONPATH=str(harness)) as server, no_reports(server):
        yield server


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


def settle(visitors: Visitors, server: Server, name: str = "ann") -> tuple[Visitor, Page]:
    """A browser of its own with an account."""
    visitor = visitors.move_in(server, name)
    visitor.witness.allow("favicon")
    visitor.witness.allow(GONE)
    page = open_harness(visitor)
    sign_up(visitor, page)
    return visitor, page


def sign_up(visitor: Visitor, page: Page) -> None:
    NAMES[visitor.context] = new_name()
    assert page.evaluate(SIGN_UP, sign_up_form(NAMES[visitor.context], client="web")) == 201


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
    page.wait_for_function("async () => (await harness.drafts())[0]?.kind === 'interrupted'")
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


def test_a_take_is_kept_and_stored_while_it_is_recorded(
    house: Server, visitors: Visitors, tmp_path: Path
) -> None:
    _, page = settle(visitors, house)
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


def test_the_server_killed_in_mid_upload_costs_nothing(
    house: Server, visitors: Visitors, tmp_path: Path
) -> None:
    visitor, page = settle(visitors, house)
    visitor.witness.allow(NETWORK)
    take = ask(page, "start")
    until(page, "state.storedMs >= 1000")
    house.kill()
    state = until(page, "state.trouble === 'offline' && state.phase === 'recording'")
    until(page, f"state.keptMs >= {state['keptMs'] + 2000}")
    house.start(PYTHONPATH=house.env["PYTHONPATH"])
    assert ask(page, "stop") is None
    assert ask(page, "stored") is None
    draft = ask(page, "draft", take)
    assert page.evaluate(UPLOAD_STATUS, draft["upload"])[:2] == [200, draft["video"]["size"]]
    assert saved(page, take, tmp_path)["ms"] >= state["keptMs"] + 2000


def test_a_network_cut_in_mid_recording_is_waited_out(
    house: Server, visitors: Visitors, tmp_path: Path
) -> None:
    visitor, page = settle(visitors, house)
    visitor.witness.allow(NETWORK)
    take = ask(page, "start")
    until(page, "state.storedMs >= 1000")
    visitor.context.set_offline(True)
    cut = until(page, "state.trouble === 'offline'")
    until(page, f"state.keptMs >= {cut['keptMs'] + 1500}")
    assert ask(page, "stop") is None
    assert not ask(page, "state")["isStored"]
    visitor.context.set_offline(False)
    assert ask(page, "stored") is None
    assert saved(page, take, tmp_path)["ms"] >= cut["keptMs"] + 1500


def test_a_take_begun_without_a_network_is_uploaded_when_there_is_one(
    house: Server, visitors: Visitors, tmp_path: Path
) -> None:
    visitor, page = settle(visitors, house)
    visitor.witness.allow(NETWORK)
    ask(page, "start")
    ask(page, "discard")  # the browser has the worker's file from now on, as it has all of the app's
    visitor.context.set_offline(True)
    take = ask(page, "start")
    until(page, "state.keptMs >= 2000")
    assert ask(page, "stop") is None
    page.close()
    visitor.context.set_offline(False)
    page = open_harness(visitor)
    assert the_draft(page)["kind"] == "kept"
    assert ask(page, "bring", take) is None
    assert the_draft(page)["isStored"]
    assert saved(page, take, tmp_path)["ms"] >= 2000


def close_the_tab(page: Page) -> None:
    page.close()


def crash_the_renderer(page: Page) -> None:
    with page.expect_event("crash"), contextlib.suppress(Error):
        page.goto("chrome://crash")


@pytest.mark.parametrize("end", [close_the_tab, crash_the_renderer])
def test_a_take_cut_short_is_offered_again_but_for_its_last_second(
    house: Server, visitors: Visitors, tmp_path: Path, end: Callable[[Page], None]
) -> None:
    visitor, page = settle(visitors, house)
    ask(page, "start")
    media_ms = until(page, "state.mediaMs >= 3500 && state.storedMs > 0")["mediaMs"]
    end(page)
    again = open_harness(visitor)
    recovered(again, tmp_path, at_least_ms=media_ms - LAST_SECOND_MS)


def test_a_killed_browser_costs_no_more_than_the_last_second(
    house: Server, visitors: Visitors, tmp_path: Path
) -> None:
    visitor, page = settle(visitors, house)
    ask(page, "start")
    media_ms = until(page, "state.mediaMs >= 3500")["mediaMs"]
    kill_browser(tmp_path / "ann")
    visitor = visitors.move_in(house, "ann")
    visitor.witness.allow("favicon")
    visitor.witness.allow(GONE)
    again = open_harness(visitor)
    sign_up(visitor, again)  # the browser writes new cookies to the disk half a minute later
    recovered(again, tmp_path, at_least_ms=media_ms - LAST_SECOND_MS)


def kill_browser(profile: Path) -> None:
    """SIGKILL to the browser of this profile, which the profile's own lock names."""
    pid = int((profile / "SingletonLock").readlink().name.rpartition("-")[2])
    os.kill(pid, signal.SIGKILL)


def test_a_full_device_keeps_what_there_is(house: Server, visitors: Visitors, tmp_path: Path) -> None:
    visitor, page = settle(visitors, house)
    take = ask(page, "start")
    until(page, "state.keptMs >= 2000")
    devtools = visitor.context.new_cdp_session(page)
    used = devtools.send("Storage.getUsageAndQuota", {"origin": visitor.url})["usage"]
    devtools.send("Storage.overrideQuotaForOrigin", {"origin": visitor.url, "quotaSize": used + 20_000})
    state = until(page, "state.phase === 'kept'")
    assert (state["end"], state["code"]) == ("device-full", None)
    film = saved(page, take, tmp_path)
    assert film["ms"] == pytest.approx(state["keptMs"], abs=150)
    assert ask(page, "stored") is None


def test_what_the_browser_evicted_is_said_to_be_gone(house: Server, visitors: Visitors) -> None:
    visitor, page = settle(visitors, house)
    visitor.witness.allow(NETWORK)
    ask(page, "start")
    ask(page, "discard")  # the browser has the worker's file from now on, as it has all of the app's
    visitor.context.set_offline(True)
    take = ask(page, "start")
    until(page, "state.keptMs >= 1000")
    assert ask(page, "stop") is None
    page.close()
    visitor.context.set_offline(False)
    page = open_harness(visitor)
    page.evaluate(EVICT, take)
    assert the_draft(page)["kind"] == "evicted"
    assert ask(page, "drop", take) is None
    devtools = visitor.context.new_cdp_session(page)
    devtools.send("Storage.clearDataForOrigin", {"origin": visitor.url, "storageTypes": "all"})
    page.reload()
    page.wait_for_function("() => 'harness' in globalThis")
    assert ask(page, "drafts") == []


def test_a_draft_belongs_to_one_tab_at_a_time(house: Server, visitors: Visitors) -> None:
    visitor, page = settle(visitors, house)
    take = ask(page, "start")
    until(page, "state.keptMs >= 1000")
    other = open_harness(visitor)
    assert the_draft(other)["kind"] == "elsewhere"
    for verb in ("recover", "bring", "drop"):
        assert ask(other, verb, take) == {"code": "busy"}
    ask(page, "discard")
    assert ask(other, "drafts") == []


def test_a_discarded_take_leaves_nothing_here_nor_there(house: Server, visitors: Visitors) -> None:
    _, page = settle(visitors, house)
    take = ask(page, "start")
    until(page, "state.storedMs > 0")
    upload = ask(page, "draft", take)["upload"]
    ask(page, "discard")
    assert ask(page, "state")["phase"] == "discarded"
    assert ask(page, "drafts") == []
    assert page.evaluate(UPLOAD_STATUS, upload)[0] in {404, 410}
    assert page.evaluate(SPOOLS) == []


def parts_for(*names: str) -> dict[str, Any]:
    parcel = make_parcel(*names)
    return {
        "details": b64(parcel.details),
        "envelopes": {name: b64(data) for name, data in parcel.envelopes.items()},
        "sent": b64(parcel.sent),
        "digest": parcel.message["details_sha256"],
    }


def test_a_send_without_a_network_goes_on_after_a_reload_and_is_one_message(
    house: Server, visitors: Visitors
) -> None:
    visitor, page = settle(visitors, house)
    visitor.witness.allow(NETWORK)
    grace = new_name()
    with new_client(house.url) as anyone:
        assert anyone.post("/api/v1/accounts", json=sign_up_form(grace)).status_code == 201
    take = ask(page, "start")
    until(page, "state.keptMs >= 1000")
    visitor.context.set_offline(True)
    assert ask(page, "stop") is None
    parts = parts_for(grace)
    page.evaluate("([id, to, parts]) => void harness.send(id, to, parts)", [take, [grace], parts])
    page.wait_for_function("() => harness.sendings().some(state => state.trouble === 'offline')")
    page.close()
    visitor.context.set_offline(False)
    page = open_harness(visitor)
    assert the_draft(page)["kind"] == "sending"
    assert ask(page, "resumeSending", take, parts) is None
    assert [state["kind"] for state in ask(page, "sendings")][-1] == "sent"
    sent = page.evaluate(
        "async () => (await (await fetch('/api/v1/sent')).json()).items.map(item => item.id)"
    )
    assert sent == [take]
    assert ask(page, "drafts") == []


LEAVE = """async ([form, key]) => {
  const body = new FormData();
  for (const [name, type, text] of form) {
    const bytes = Uint8Array.from(atob(text), each => each.charCodeAt(0));
    body.append(name, new Blob([bytes], { type }));
  }
  const headers = { 'idempotency-key': key };
  return (await fetch('/api/v1/messages', { method: 'POST', headers, body })).status;
}"""


def leave_to_oneself(page: Page) -> str:
    parcel = make_parcel(NAMES[page.context])
    form = [[name, kind, base64.b64encode(data).decode()] for name, (_, data, kind) in parcel.files()]
    assert page.evaluate(LEAVE, [form, parcel.id]) == 201
    return parcel.id


def test_eight_tabs_hold_one_live_channel_and_all_hear(house: Server, visitors: Visitors) -> None:
    visitor, page = settle(visitors, house)
    tabs = [page, *(open_harness(visitor) for _ in range(7))]
    for tab in tabs:
        ask(tab, "listen")
    for tab in tabs:
        tab.wait_for_function("() => harness.live().state === 'live'")
    assert sum(ask(tab, "live")["leads"] for tab in tabs) == 1
    heard = "ids => ids.every(id => harness.live().heard.some(each => each.id === id))"
    first = leave_to_oneself(page)
    for tab in tabs:
        tab.wait_for_function(heard, arg=[first], timeout=2000)
    next(tab for tab in tabs if ask(tab, "live")["leads"]).close()
    rest = [tab for tab in tabs if not tab.is_closed()]
    rest[0].wait_for_function("() => harness.live().state === 'live'")
    second = leave_to_oneself(rest[0])
    for tab in rest:
        tab.wait_for_function(heard, arg=[first, second], timeout=2000)
    assert sum(ask(tab, "live")["leads"] for tab in rest) == 1
