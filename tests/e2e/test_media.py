"""Recording, playing and saving in Debian's Chromium, under the app's own policies; ffmpeg and ffprobe are the judges."""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright

from restante.media.convert import Shorten, convert
from tests.e2e.browsing import CHROMIUM, QUIET
from tests.e2e.harness import Harness, build, served
from tests.e2e.recorder import beep_times, flash_times
from tests.footage import Judged, boxes, brightness, decoded_frames, ffmpeg, loudness, real, talking_head

_FAKE = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=fps=30,device-count=2"]
_SMALL = {"width": 640, "height": 360}
_SIMULATED = {"seconds": 6, "fps": 15, "width": 320, "height": 240}


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def harness(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with served(pages, tmp_path_factory.mktemp("out")) as running:
        yield running
    assert [report for report in running.reports if "eval|1" not in report] == []


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    running = launch(playwright, *_FAKE)
    yield running
    running.close()


@pytest.fixture
def page(chromium: Browser, harness: Harness) -> Iterator[Page]:
    """The harness, with Chromium's own test picture and beeps."""
    page = chromium.new_page()
    page.goto(f"{harness.url}/media.html")
    yield page
    page.close()


@pytest.fixture
def open_page(playwright: Playwright, harness: Harness) -> Iterator[Callable[..., Page]]:
    """Opens the harness in a browser of its own, whose devices the arguments choose."""
    browsers = []

    def start(*devices: str) -> Page:
        browsers.append(launch(playwright, *_FAKE, *devices))
        page = browsers[-1].new_page()
        page.goto(f"{harness.url}/media.html")
        return page

    yield start
    for browser in browsers:
        browser.close()


def launch(playwright: Playwright, *options: str) -> Browser:
    """A browser that is not mute, as the one for all the other tests is: recorded sound would be silence."""
    return playwright.chromium.launch(
        executable_path=CHROMIUM, args=[*QUIET, *options], ignore_default_args=["--mute-audio"]
    )


def record(page: Page, name: str, seconds: float) -> dict:
    opened = page.evaluate("wish => media.open(wish)", _SMALL)
    assert "refused" not in opened, opened
    assert page.evaluate("media.start()")["kind"] == "started"
    time.sleep(seconds)
    done = page.evaluate("name => media.stop(name)", name)
    assert done["kind"] == "done", done
    return done


@pytest.fixture(scope="module")
def simulated(chromium: Browser, harness: Harness) -> Path:
    """Twenty seconds of flashes and beeps, about a megabyte."""
    page = chromium.new_page()
    page.goto(f"{harness.url}/media.html")
    simulation = {**_SIMULATED, "seconds": 20, "isBusy": True, "paceMs": 12}
    done = page.evaluate("given => media.simulate('twenty', given)", simulation)
    page.close()
    assert done["kind"] == "done", done
    return harness.out / "twenty.mp4"


@pytest.fixture(scope="module")
def three_minutes(chromium: Browser, harness: Harness) -> dict:
    """A take that runs to the limit, by a clock of its own."""
    page = chromium.new_page()
    page.goto(f"{harness.url}/media.html")
    simulation = {**_SIMULATED, "seconds": 183, "fps": 5, "width": 160, "height": 120}
    done = page.evaluate("given => media.simulate('limit', given)", simulation)
    page.close()
    return done


def assert_plays(path: Path, *, duration_s: float, tolerance_s: float = 0.1) -> Judged:
    """Asserts H.264 and AAC-LC of the right length that decode without a word, and returns the rest of the facts."""
    judged = Judged(path)
    assert judged.codecs == ["h264", "aac"]
    assert (judged.audio["profile"], judged.audio["sample_rate"], judged.audio["channels"]) == (
        "LC",
        "48000",
        1,
    )
    assert judged.video["pix_fmt"] in {"yuv420p", "yuvj420p"}
    for length in (judged.duration_s, float(judged.video["duration"]), float(judged.audio["duration"])):
        assert abs(length - duration_s) <= tolerance_s, f"{length} s instead of {duration_s} s"
    assert decoded_frames(path) == len(judged.frame_times)
    return judged


def wait_for(page: Page, condition: str, timeout_s: float = 60) -> dict:
    """Waits until something is true of what the player shows, and returns all of that."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        is_so, seen = page.evaluate(f"(seen => [{condition}, seen])(media.seen())")
        if is_so:
            return seen
        time.sleep(0.05)
    raise AssertionError(f"not in {timeout_s} s: {condition}; seen {seen}")


@pytest.mark.long
def test_records_real_footage_with_speech(
    open_page: Callable[..., Page], harness: Harness, tmp_path: Path
) -> None:
    camera, microphone = tmp_path / "camera.mjpeg", tmp_path / "speech.wav"
    head = talking_head(tmp_path)
    ffmpeg("-i", real("bigbuckbunny"), "-t", "4", "-vf", "scale=640:360", "-r", "30", "-q:v", "4", camera)
    ffmpeg("-i", head, "-vn", "-ar", "48000", "-ac", "1", microphone)
    page = open_page(
        f"--use-file-for-fake-video-capture={camera}", f"--use-file-for-fake-audio-capture={microphone}"
    )
    done = record(page, "footage", 4)
    result, path = done["result"], harness.out / "footage.mp4"
    judged = assert_plays(path, duration_s=result["ms"] / 1000)
    assert 3.5 < judged.duration_s < 6
    assert judged.size == (result["width"], result["height"]) == (640, 360)
    assert 'codecs="avc1.' in result["type"]
    assert "mp4a.40.2" in result["type"]
    assert result["plainBytes"] == path.stat().st_size
    assert max(loudness(path)) > 10_000
    assert len(set(brightness(path))) > 2
    assert page.evaluate("Math.max(...media.levels().map(({ rms }) => rms))") > 0.02
    assert page.evaluate("media.losses()") == []


def test_fragments_come_every_second_and_are_told(page: Page, harness: Harness) -> None:
    done = record(page, "fragments", 4)
    types = [kind for kind, _, _ in boxes((harness.out / "fragments.mp4").read_bytes())]
    assert types[:2] == ["ftyp", "moov"]
    assert types[2:] == [*["moof", "mdat"] * ((len(types) - 3) // 2), "mfra"]
    reaches = done["reaches"][:-1]
    assert len(reaches) >= 3
    assert reaches[0]["at"] < 3500
    assert all(0.7 < (after["ms"] - before["ms"]) / 1000 < 1.3 for before, after in pairwise(reaches))
    assert all(reach["at"] - reach["ms"] < 2000 for reach in reaches), "told as they come, not at the end"
    judged = Judged(harness.out / "fragments.mp4")
    assert all(0.02 <= after - before < 1 for before, after in pairwise(judged.frame_times))
    # One in every second; a device that does not keep up has another where its pictures become smaller.
    assert {round(time) for time in judged.key_times} == set(range(len(set(map(int, judged.frame_times)))))


def test_poster_is_a_small_webp_that_shows_something(page: Page, harness: Harness) -> None:
    done = record(page, "poster", 1.5)
    poster = harness.out / "poster.webp"
    assert done["result"]["poster"] == "image/webp"
    assert 200 < poster.stat().st_size <= 24_576
    pixels = ffmpeg("-i", poster, "-pix_fmt", "gray", "-f", "rawvideo", "-")
    assert len(set(pixels)) > 20


def test_flash_and_beep_stay_together(open_page: Callable[..., Page], harness: Harness) -> None:
    page = open_page("--autoplay-policy=no-user-gesture-required")
    page.evaluate("media.beepAndFlash()")
    record(page, "sync", 5)
    path = harness.out / "sync.mp4"
    flashes, beeps = flash_times(path), beep_times(path)
    assert len(flashes) >= 4
    for flash in flashes[1:]:
        beep = min(beeps, key=lambda time: abs(time - flash))
        assert abs(beep - flash) <= 0.08, (flashes, beeps)


@pytest.mark.long
def test_simulated_devices_stay_in_step(simulated: Path) -> None:
    judged = assert_plays(simulated, duration_s=19.5, tolerance_s=0.6)
    flashes, beeps = flash_times(simulated), beep_times(simulated)
    assert len(flashes) >= 18
    distances = [abs(min(beeps, key=lambda beep: abs(beep - flash)) - flash) for flash in flashes[1:-1]]
    assert max(distances) <= 0.08, (flashes, beeps)
    assert judged.frame_times[0] == 0


def test_take_ends_at_the_limit_and_is_kept(three_minutes: dict, harness: Harness) -> None:
    assert three_minutes["end"] == "limit"
    assert 179_900 <= three_minutes["result"]["ms"] <= 180_050
    judged = assert_plays(harness.out / "limit.mp4", duration_s=180, tolerance_s=0.05)
    assert judged.frame_times[-1] < 180


@pytest.mark.long
@pytest.mark.parametrize("device", ["camera", "microphone"])
def test_silent_device_stalls_nothing(page: Page, harness: Harness, device: str) -> None:
    simulation = {**_SIMULATED, "seconds": 5, "paceMs": 66, f"{device}Silent": [1.5, 3.5]}
    done = page.evaluate("given => media.simulate('silent', given)", simulation)
    reaches = [reach["ms"] for reach in done["reaches"]]
    assert all(after - before < 1600 for before, after in pairwise(reaches)), reaches
    judged = assert_plays(
        harness.out / "silent.mp4", duration_s=done["result"]["ms"] / 1000, tolerance_s=0.15
    )
    assert all(after - before < 0.6 for before, after in pairwise(judged.frame_times))
    if device == "microphone":
        beeps = beep_times(harness.out / "silent.mp4")
        flashes = flash_times(harness.out / "silent.mp4")
        assert abs(beeps[-1] - flashes[-1]) <= 0.1, (beeps, flashes)


@pytest.mark.long
def test_small_budget_ends_the_take_and_keeps_it(page: Page, harness: Harness) -> None:
    simulation = {**_SIMULATED, "isBusy": True}
    options = {"budgetBytes": (2 << 20) + 50_000}
    done = page.evaluate("given => media.simulate('budget', ...given)", [simulation, options])
    assert done["end"] == "full"
    assert_plays(harness.out / "budget.mp4", duration_s=done["result"]["ms"] / 1000, tolerance_s=0.15)


@pytest.mark.long
def test_full_device_keeps_what_was_written(page: Page, harness: Harness) -> None:
    page.evaluate("wish => media.open(wish)", _SMALL)
    page.evaluate("media.start({ refuseAfterBytes: 250000 })")
    assert page.evaluate("media.ended()")["end"] == "sink"
    done = page.evaluate("media.stop('full')")
    assert done["kind"] == "done", done
    assert done["result"]["ms"] > 800
    kept = page.evaluate("media.cut('full.mp4', 250000, 'kept.mp4')")
    assert kept["ms"] == done["result"]["ms"]
    assert_plays(harness.out / "kept.mp4", duration_s=kept["ms"] / 1000, tolerance_s=0.1)


@pytest.mark.long
def test_pause_leaves_no_gap(page: Page, harness: Harness) -> None:
    page.evaluate("wish => media.open(wish)", _SMALL)
    page.evaluate("media.start()")
    time.sleep(1.5)
    page.evaluate("media.order('pause')")
    time.sleep(2)
    page.evaluate("media.order('resume')")
    time.sleep(1.5)
    done = page.evaluate("media.stop('pause')")
    assert 2500 < done["result"]["ms"] < 4900, "without the two seconds"
    judged = assert_plays(harness.out / "pause.mp4", duration_s=done["result"]["ms"] / 1000)
    assert all(after - before < 1 for before, after in pairwise(judged.frame_times))


@pytest.mark.long
def test_second_take_from_the_same_capture(page: Page, harness: Harness) -> None:
    record(page, "first", 1.2)
    assert page.evaluate("media.start()")["kind"] == "started"
    time.sleep(1.2)
    done = page.evaluate("media.stop('second')")
    assert_plays(harness.out / "second.mp4", duration_s=done["result"]["ms"] / 1000)
    assert done["result"]["ms"] < 3000


def test_stop_before_the_first_picture_is_refused_in_words(page: Page) -> None:
    page.evaluate("wish => media.open(wish)", _SMALL)
    page.evaluate("void media.start()")
    assert page.evaluate("media.stop('nothing')") == {"kind": "failed", "code": "no-picture"}


def test_each_refusal_has_its_reason(page: Page) -> None:
    reasons = {
        "NotAllowedError": "denied",
        "NotFoundError": "none",
        "OverconstrainedError": "none",
        "NotReadableError": "busy",
        "AbortError": "busy",
        "SecurityError": "insecure",
    }
    for name, code in reasons.items():
        refuse = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', name))"
        page.evaluate(f"name => {{ {refuse} }}", name)
        assert page.evaluate("wish => media.open(wish)", _SMALL) == {"refused": code}


@pytest.mark.long
def test_camera_alone_is_enough(page: Page, harness: Harness) -> None:
    page.evaluate(
        """() => {
          const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          navigator.mediaDevices.getUserMedia = (wish) =>
            wish.audio ? Promise.reject(new DOMException("", "NotFoundError")) : ask(wish);
        }"""
    )
    done = record(page, "mute", 2)
    assert_plays(harness.out / "mute.mp4", duration_s=done["result"]["ms"] / 1000)
    assert max(loudness(harness.out / "mute.mp4")) < 10


@pytest.mark.long
def test_without_track_processor_the_played_picture_is_taken(page: Page, harness: Harness) -> None:
    page.evaluate("delete globalThis.MediaStreamTrackProcessor")
    done = record(page, "played", 3)
    judged = assert_plays(
        harness.out / "played.mp4", duration_s=done["result"]["ms"] / 1000, tolerance_s=0.15
    )
    assert len(judged.frame_times) > 40


@pytest.mark.long
def test_a_hidden_page_whose_picture_is_painted_no_more_still_takes_some(
    page: Page, harness: Harness
) -> None:
    page.evaluate(
        """() => {
          delete globalThis.MediaStreamTrackProcessor;
          HTMLVideoElement.prototype.requestVideoFrameCallback = () => 0;
          Object.defineProperty(document, "hidden", { get: () => true });
        }"""
    )
    record(page, "hidden", 3)
    frames = set(brightness(harness.out / "hidden.mp4"))
    assert len(frames) > 2, "the clock of the fake camera turns"
    assert page.evaluate("media.losses()") == []


@pytest.mark.long
def test_last_resort_records_too(page: Page, harness: Harness) -> None:
    page.evaluate("wish => media.open(wish)", _SMALL)
    done = page.evaluate("media.recordByFallback('resort', 4)")
    result, path = done["result"], harness.out / "resort.mp4"
    assert 3000 < result["ms"] < 5500
    assert (result["width"], result["height"]) == Judged(path).size
    assert result["poster"] == "image/webp"
    assert decoded_frames(path) == len(Judged(path).frame_times) > 40
    assert page.evaluate("media.save('resort.mp4', 'resort-saved.mp4')")["type"] == "video/mp4"
    assert decoded_frames(harness.out / "resort-saved.mp4") == decoded_frames(path)


def test_eval_is_forbidden_in_the_worker(page: Page) -> None:
    assert page.evaluate("media.isEvalForbidden()") == {"kind": "eval", "forbidden": True}


def test_plays_before_the_rest_has_come(page: Page, simulated: Path) -> None:
    size = simulated.stat().st_size
    page.evaluate("([size]) => media.play('twenty.mp4', 19600, { bytesPerS: size / 8 })", [size])
    seen = wait_for(page, "seen.totalVideoFrames > 5")
    assert seen["read"] < size * 0.35
    assert seen["states"] == ["playing"]
    assert seen["duration"] == pytest.approx(19.6, abs=0.1)
    seen = wait_for(page, "seen.states.includes('complete')")
    assert seen["states"] == ["playing", "complete"]


def test_seeks_into_what_has_not_come(page: Page, simulated: Path) -> None:
    size = simulated.stat().st_size
    page.evaluate("([size]) => media.play('twenty.mp4', 19600, { bytesPerS: size / 10 })", [size])
    wait_for(page, "seen.totalVideoFrames > 2")
    page.evaluate("media.seek(15.2)")
    seen = wait_for(page, "seen.currentTime > 15.4 && !seen.seeking")
    assert seen["read"] < size * 0.75
    page.evaluate("media.seek(8)")
    wait_for(page, "seen.currentTime > 8.2 && seen.currentTime < 12 && !seen.seeking")
    seen = wait_for(page, "seen.states.includes('complete')")
    assert seen["read"] < size * 2


@pytest.mark.parametrize("piece_bytes", [7777, pytest.param(65_536, marks=pytest.mark.long)])
def test_plays_to_its_exact_end_however_the_bytes_come(page: Page, simulated: Path, piece_bytes: int) -> None:
    length_s = Judged(simulated).duration_s
    page.evaluate("line => media.play('twenty.mp4', 25000, line)", {"pieceBytes": piece_bytes})
    wait_for(page, "seen.states.at(-1) === 'complete'")
    page.evaluate("at => media.seek(at)", length_s - 1)
    seen = wait_for(page, "seen.ended")
    assert seen["states"] == ["playing", "complete"]
    assert seen["duration"] == pytest.approx(length_s, abs=0.05), "not what the message claimed"
    assert seen["currentTime"] == pytest.approx(length_s, abs=0.05)


def test_ends_where_a_cut_video_ends(page: Page, simulated: Path) -> None:
    line = {"failAt": simulated.stat().st_size // 2, "failure": "video-cut-off"}
    page.evaluate("line => media.play('twenty.mp4', 19600, line)", line)
    seen = wait_for(page, "seen.states.some(state => state.startsWith('cut-off'))")
    at = float(seen["states"][-1].split()[1])
    assert 7 < at < 11
    page.evaluate("media.rate(2)")
    seen = wait_for(page, "seen.ended")
    assert seen["currentTime"] == pytest.approx(at, abs=0.2)


def test_stops_before_a_damaged_part(page: Page, simulated: Path) -> None:
    line = {"failAt": simulated.stat().st_size // 4, "failure": "video-part-swapped"}
    page.evaluate("line => media.play('twenty.mp4', 19600, line)", line)
    seen = wait_for(page, "seen.states.some(state => state.startsWith('damaged'))")
    assert 1 < float(seen["states"][-1].split()[1]) < 6


def test_goes_on_when_the_line_comes_back(page: Page, simulated: Path) -> None:
    line = {"failAt": simulated.stat().st_size // 3, "failure": "offline"}
    page.evaluate("line => media.play('twenty.mp4', 19600, line)", line)
    wait_for(page, "seen.states.includes('waiting')")
    page.evaluate("media.mend()")
    wait_for(page, "seen.states.at(-1) === 'complete'")


@pytest.mark.parametrize(("asked", "given"), [(0.1, 0.5), (1.5, 1.5), (9, 2)])
def test_speed_is_half_to_double(page: Page, simulated: Path, asked: float, given: float) -> None:
    page.evaluate("media.play('twenty.mp4', 19600)")
    page.evaluate("asked => media.rate(asked)", asked)
    assert wait_for(page, "seen.totalVideoFrames > 2")["playbackRate"] == given


def test_old_browser_plays_the_whole_file(page: Page, simulated: Path) -> None:
    page.evaluate("media.play('twenty.mp4', 19600, { isOld: true })")
    seen = wait_for(page, "seen.totalVideoFrames > 2")
    assert seen["states"] == ["complete"]


@pytest.mark.long
def test_plays_what_the_command_line_made(page: Page, harness: Harness, tmp_path: Path) -> None:
    with (harness.out / "cli.mp4").open("wb") as file:
        film = convert(talking_head(tmp_path), file.write, shorten=Shorten.REFUSE)
    kind = f'video/mp4; codecs="{film.codecs}"'
    page.evaluate("([ms, type]) => media.play('cli.mp4', ms, {}, type)", [film.duration_ms, kind])
    seen = wait_for(page, "seen.ended")
    assert "complete" in seen["states"]


def test_plays_a_file_that_is_not_fragmented(page: Page, harness: Harness, tmp_path: Path) -> None:
    (harness.out / "plain.mp4").write_bytes(talking_head(tmp_path).read_bytes())
    page.evaluate("media.play('plain.mp4', 4000)")
    seen = wait_for(page, "seen.totalVideoFrames > 5")
    assert seen["states"] == ["complete"]


def test_saves_an_ordinary_file(page: Page, harness: Harness, simulated: Path) -> None:
    padded = simulated.read_bytes()
    padded += (1000).to_bytes(4, "big") + b"free" + bytes(992)
    (harness.out / "padded.mp4").write_bytes(padded)
    page.evaluate("media.save('padded.mp4', 'saved.mp4')")
    saved = harness.out / "saved.mp4"
    assert [kind for kind, _, _ in boxes(saved.read_bytes()) if kind != "free"] == ["ftyp", "moov", "mdat"]
    before, after = Judged(simulated), assert_plays(saved, duration_s=Judged(simulated).duration_s)
    assert len(after.frame_times) == len(before.frame_times)
    assert after.tags == {}
    flashes, beeps = flash_times(saved), beep_times(saved)
    assert abs(beeps[5] - flashes[5]) <= 0.08


@pytest.mark.usefixtures("three_minutes")
def test_saves_three_minutes_at_once(page: Page, harness: Harness) -> None:
    """In a second; a busy machine may take its time, but not that of an encoder."""
    assert page.evaluate("media.save('limit.mp4', 'limit-saved.mp4')")["tookMs"] < 5000
    assert_plays(harness.out / "limit-saved.mp4", duration_s=180)


def test_what_is_no_video_is_refused(page: Page, harness: Harness) -> None:
    (harness.out / "noise.mp4").write_bytes(bytes(range(256)) * 100)
    assert page.evaluate("media.save('noise.mp4', 'x.mp4')")["refused"] == "not-a-video"


def test_cut_recording_ends_with_its_last_whole_fragment(
    page: Page, harness: Harness, simulated: Path
) -> None:
    size = simulated.stat().st_size
    for at in (size // 3, size // 2 + 7, size - 200):
        film = page.evaluate("([at]) => media.cut('twenty.mp4', at, 'ended.mp4')", [at])
        assert at - film["size"] < 40_000
        assert_plays(harness.out / "ended.mp4", duration_s=film["ms"] / 1000, tolerance_s=0.15)
    assert page.evaluate("media.cut('twenty.mp4', 900, 'none.mp4')") is None
