"""Debian's Firefox ESR with fake devices, and a sound system without a sound device."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright

from tests.e2e.mailing import eventually

LAUNCHER = Path(__file__).with_name("firefox_esr.py")
_PREFERENCES: dict[str, str | float | bool] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
}
SECOND_CAMERA = "Second camera"
STAND_IN = """(() => {
  const media = navigator.mediaDevices;
  if (!media) return; // an empty page
  const [list, open] = [media.enumerateDevices.bind(media), media.getUserMedia.bind(media)];
  const second = { kind: 'videoinput', deviceId: 'second', groupId: '', label: 'Second camera' };
  media.enumerateDevices = async () => [...(await list()), second];
  media.getUserMedia = async wish => {
    if (wish.video?.deviceId?.exact !== 'second') return open(wish);
    const stream = await open({ video: { width: 640, height: 480 } });
    const [track] = stream.getVideoTracks();
    const settings = track.getSettings();
    track.getSettings = () => ({ ...settings, deviceId: 'second' });
    return stream;
  };
})()"""
"""Firefox has one fake camera: this makes another of it, of another shape."""


@contextmanager
def null_sound(folder: Path) -> Iterator[str]:
    """Sound that nobody hears, without which Firefox runs no audio graph: where it listens, for PULSE_SERVER."""
    socket = folder / "sound.socket"
    modules = ["module-null-sink", f"module-native-protocol-unix socket={socket} auth-anonymous=1"]
    loaded = [part for module in modules for part in ("-L", module)]
    command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes", *loaded]
    home = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "sound.log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **home}, stdout=log, stderr=log)
    try:
        eventually(socket.exists)
        yield f"unix:{socket}"
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def firefox(playwright: Playwright, folder: Path) -> Iterator[Browser]:
    """One process; what is saved lies in ``folder``/downloads, since Playwright is not told of it."""
    with null_sound(folder) as sound:
        browser = playwright.firefox.launch(
            executable_path=LAUNCHER,
            channel="moz-firefox",
            firefox_user_prefs=_PREFERENCES,
            downloads_path=folder / "downloads",
            env={**os.environ, "PULSE_SERVER": sound},
        )
        yield browser
        browser.close()


def saved(folder: Path) -> Path:
    """Waits for the one file among the downloads to be whole."""

    def whole() -> list[Path]:
        found = [*(folder / "downloads").glob("*")]
        return found if len(found) == 1 and found[0].suffix == ".mp4" and found[0].stat().st_size else []

    (path,) = eventually(whole)
    return path
