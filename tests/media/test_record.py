"""A recording keeps its own time: lost cameras are followed by the next or held, lost sound is silence, 180 s end it."""

import subprocess
import sys
import time
from errno import EACCES, EBUSY, EIO, ENODEV
from fractions import Fraction
from itertools import pairwise

import av
import pytest

from restante.media import DeviceError, Kind, NoPicture, What, choose_devices, record, save
from restante.media.devices import Device
from restante.media.plugged import _named
from tests.footage import Judged, assert_plays, boxes, brightness, loudness

GREY = "lavfi:color=gray:s=160x120:r=15"
WHITE = "lavfi:color=white:s=320x160:r=15"
BEEP = "lavfi:sine=f=440:r=48000"
LAGGING = "setpts='if(gte(N,8),PTS+1.9*(N-7)/TB,PTS)'"
"""After eight pictures each one takes two seconds."""


def never():
    return False


def recorded(tmp_path, cameras, microphones, *, limit_s=1.5, **more):
    """Records from made-up devices; returns what the judge says of the saved file, and the news."""
    pieces, news = [], []
    report = record(
        choose_devices(Kind.CAMERA, cameras),
        choose_devices(Kind.MICROPHONE, microphones) if microphones else [],
        pieces.append,
        is_stopped=more.pop("is_stopped", never),
        limit_s=Fraction(limit_s),
        tell=news.append,
        **more,
    )
    assert all(kind in {"ftyp", "moov", "moof", "mdat"} for kind, *_ in boxes(b"".join(pieces)))
    save(iter(pieces), tmp_path / "saved.mp4")
    return report, Judged(tmp_path / "saved.mp4"), [(each.what, each.device.id) for each in news]


def longest_gap_s(judged):
    return max(after - before for before, after in pairwise([*judged.frame_times, judged.duration_s]))


def test_a_recording_plays_and_ends_when_it_should(tmp_path):
    levels = []
    report, judged, news = recorded(
        tmp_path, [GREY], [BEEP], report=lambda moment: levels.append(moment.level)
    )
    assert_plays(judged.path, duration_s=1.5, tolerance_s=0.001)
    assert (report.duration_ms, judged.size, report.damaged) == (1500, (160, 120), False)
    assert report.poster is not None
    assert max(levels) == pytest.approx(0.088, abs=0.01)  # a sine of 1/8
    assert min(loudness(judged.path)[2:-2]) > 1e6
    assert sorted(news, key=str) == sorted([(What.USING, GREY), (What.USING, BEEP)], key=str)


def test_the_next_camera_goes_on_at_the_size_of_the_first(tmp_path):
    _, judged, news = recorded(tmp_path, [f"{GREY}:d=0.6", WHITE], [BEEP])
    assert_plays(judged.path, duration_s=1.5, tolerance_s=0.001)
    assert judged.size == (160, 120)
    assert longest_gap_s(judged) < 0.5
    assert min(loudness(judged.path)[2:-2]) > 1e6  # the sound knows nothing of it
    assert [each for each in news if each[1] != BEEP] == [
        (What.USING, f"{GREY}:d=0.6"),
        (What.LOST, f"{GREY}:d=0.6"),
        (What.USING, WHITE),
    ]
    first, *_, last = brightness(judged.path)
    assert 160 < last < 180  # two thirds of white between black bars
    assert first < 130


def test_the_last_picture_stays_when_no_camera_is_left(tmp_path):
    _, judged, _ = recorded(tmp_path, [f"{GREY}:d=0.4", "lavfi:nonsense"], [BEEP], limit_s=1.3)
    assert_plays(judged.path, duration_s=1.3, tolerance_s=0.001)
    assert longest_gap_s(judged) < 0.5
    assert min(loudness(judged.path)[2:-2]) > 1e6


def test_a_frozen_camera_counts_as_lost(tmp_path):
    _, judged, news = recorded(tmp_path, [f"{GREY},{LAGGING}", WHITE], [], limit_s=3)
    assert [what for what, _ in news] == [What.USING, What.LOST, What.USING]
    assert longest_gap_s(judged) < 0.5
    assert list(brightness(judged.path))[-1] > 150


@pytest.mark.long
def test_a_lost_microphone_is_silence_and_heard_again_when_it_is_back(tmp_path):
    """The made-up one ends after half a second, and is opened again a second later."""
    _, judged, news = recorded(tmp_path, [GREY], [f"{BEEP}:d=0.5"], limit_s=3.5)
    assert_plays(judged.path, duration_s=3.5, tolerance_s=0.001)
    sound = loudness(judged.path, window_s=0.1)
    loud = [
        number for number, level in enumerate(sound) if level > 1e6
    ]  # when it begins is the machine's business
    last, again = next(pair for pair in pairwise(loud) if pair[1] - pair[0] > 6)
    assert last - loud[0] in range(2, 6)
    assert max(sound[last + 2 : again - 1]) < 1e3
    assert [what for what, device in news if device != GREY][:3] == [What.USING, What.LOST, What.USING]


def test_sound_and_picture_stay_together(tmp_path):
    """Both made-up devices flash and beep by the same clock, each second; their own lag is a frame, about 33 ms."""
    lit = "lt(mod(time(0),1),0.3)"
    camera = f"lavfi:color=black:s=64x64:r=30,geq=lum='if({lit},235,16)':cb=128:cr=128"
    microphone = f"lavfi:aevalsrc='if({lit},sin(2*PI*1000*t)/2,0)':s=48000:n=480"
    _, judged, _ = recorded(tmp_path, [camera], [microphone], limit_s=4)
    levels = [*zip(judged.frame_times, brightness(judged.path), strict=True)]
    flashes = [at for (_, before), (at, now) in pairwise(levels) if before < 100 <= now]
    sound = loudness(judged.path, window_s=0.01)
    loud = [level > max(sound) / 8 for level in sound]
    beeps = [index / 100 for index in range(8, len(loud)) if loud[index] and not any(loud[index - 8 : index])]
    apart = sorted(min((abs(flash - beep) for beep in beeps), default=9.0) for flash in flashes)
    print(f"apart: {[round(each * 1000) for each in apart]} ms")
    assert len(flashes) >= 3
    assert apart[len(apart) // 2] < 0.15


@pytest.mark.long
def test_three_minutes_end_a_recording(tmp_path):
    """On a clock that runs sixty times as fast."""
    began = time.monotonic()
    report, judged, _ = recorded(
        tmp_path, [GREY], [], limit_s=180, clock=lambda: began + 60 * (time.monotonic() - began)
    )
    assert report.duration_ms == 180_000
    assert_plays(judged.path, duration_s=180.0, tolerance_s=0.001)


def test_a_stop_ends_it_at_once(tmp_path):
    began = []

    def stopped():
        began.append(time.monotonic())
        return began[-1] - began[0] > 0.6

    report, judged, _ = recorded(tmp_path, [GREY], [BEEP], limit_s=60, is_stopped=stopped)
    assert 100 < report.duration_ms < 5000
    assert_plays(judged.path, duration_s=report.duration_ms / 1000, tolerance_s=0.03)


def test_what_the_sink_raises_ends_it_and_comes_out():
    def full(_):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        record(choose_devices(Kind.CAMERA, [GREY]), [], full, is_stopped=never)


def test_a_stop_before_the_first_picture_leaves_nothing():
    with pytest.raises(NoPicture):
        record(choose_devices(Kind.CAMERA, [GREY]), [], print, is_stopped=lambda: True)


@pytest.mark.parametrize("kind", list(Kind))
def test_devices_that_cannot_be_opened_are_told(kind):
    broken = Device(kind, "/dev/null", "Broken")
    cameras = [broken] if kind is Kind.CAMERA else choose_devices(Kind.CAMERA, [GREY])
    with pytest.raises(DeviceError) as caught:
        record(cameras, [broken] if kind is Kind.MICROPHONE else [], print, is_stopped=never)
    assert caught.value.code == "device-failed"
    assert "Broken" in str(caught.value)


@pytest.mark.parametrize(
    ("number", "code"),
    [(EBUSY, "device-busy"), (EACCES, "device-refused"), (ENODEV, "device-failed"), (EIO, "device-failed")],
)
def test_what_the_system_says_gets_words(number, code):
    with pytest.raises(av.FFmpegError) as caught:
        av.error.err_check(-number)
    assert _named(Device(Kind.CAMERA, "/dev/video0", "Webcam"), caught.value).code == code


ALSA = """
import sys
from restante.media.devices import Device, Kind, System
from restante.media.plugged import plugged
from restante.media.errors import DeviceError
with plugged(Device(Kind.MICROPHONE, "stand-in", "Stand-in"), System.LINUX) as frames:
    print(sum(next(frames).samples for _ in range(3)) > 0)
try:
    with plugged(Device(Kind.MICROPHONE, "plughw:CARD=gone,DEV=0", "Gone"), System.LINUX):
        pass
except DeviceError as error:
    print(error.code)
"""


def test_alsa_is_read_and_keeps_its_words_to_itself(tmp_path):
    """A stand-in of ALSA's own library; what it writes to stderr would stand between the command's own words."""
    (tmp_path / "asound.conf").write_text("pcm.stand-in { type null }\n")
    answer = subprocess.run(
        [sys.executable, "-c", ALSA],
        env={"ALSA_CONFIG_PATH": str(tmp_path / "asound.conf")},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert (answer.stdout, answer.stderr) == ("True\ndevice-failed\n", "")
