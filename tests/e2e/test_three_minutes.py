"""A whole tape, in the time it takes: recorded from real footage at full size, sent and saved; and what the tab needs for it."""

import re
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cli.person import Person
from tests.e2e.browsing import Visitors, devices
from tests.e2e.mailing import SPEECH, begin, eventually, move_in, save, send, sent
from tests.e2e.processes import watched
from tests.footage import Judged, decoded_frames, ffmpeg, loudness, real
from tests.serving import Server

MOST_MIB = 400
TAPE_MS = 240_000


def footage(folder: Path) -> list[str]:
    """Four seconds of a film in the camera's place, over and over, at the size that the app asks a camera for."""
    picture, sound = folder / "camera.y4m", folder / "microphone.wav"
    clip = ["-ss", "1", "-t", "4", "-i", real("bigbuckbunny"), "-vf", "scale=1280:720,fps=24", "-an"]
    ffmpeg(*clip, "-pix_fmt", "yuv420p", picture)
    subprocess.run(["espeak-ng", "-w", sound, SPEECH], check=True, timeout=30)
    return devices(picture=picture, sound=sound)


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_three_minutes_in_a_tab_of_400_mib(house: Server, visitors: Visitors, tmp_path: Path) -> None:
    claire, joseph = (Person(name, tmp_path, house.url).sign_up() for name in ("claire", "joseph"))
    at_home = move_in(visitors, house, claire, footage(tmp_path))
    profile = str(tmp_path / "claire")
    booth = at_home.open("/record")
    booth.get_by_role("button", name="3-2-1").click()
    with watched(profile) as memory:
        idle_mib = memory.now_mib
        assert idle_mib > 20, "the tab was found"
        begin(booth)
        booth.get_by_text("Three minutes: that is the whole tape.").wait_for(timeout=TAPE_MS)
    booth.get_by_role("button", name="Look at it").click()
    booth.get_by_text(re.compile("/ 3:00$")).wait_for()
    with watched(profile) as later:
        began_s = time.monotonic()
        path = save(booth, tmp_path / "mine.mp4")
        saved_s = time.monotonic() - began_s
    send(booth, "joseph", caption="The whole tape")
    sent(booth)
    judged = Judged(path)
    print(
        f"memory of the tab: {idle_mib:.0f} MiB with the camera on, {memory.peak_mib:.0f} MiB at most while recording "
        f"(all renderers {memory.all_peak_mib:.0f} MiB), "
        f"{later.peak_mib:.0f} MiB while saving; saved in {saved_s:.1f} s: {path.stat().st_size / 1e6:.1f} MB, "
        f"{judged.size}, {len(judged.frame_times) / judged.duration_s:.1f} pictures a second"
    )
    assert memory.peak_mib <= MOST_MIB
    assert 179.9 <= judged.duration_s <= 180.05
    assert decoded_frames(path) == len(judged.frame_times)
    assert max(after - before for before, after in pairwise(judged.frame_times)) <= 0.5
    assert abs(float(judged.video["duration"]) - float(judged.audio["duration"])) <= 0.06
    assert max(loudness(path)) > 1e4
    (item,) = eventually(joseph.inbox)
    assert item["duration_s"] == pytest.approx(judged.duration_s, abs=0.1)
