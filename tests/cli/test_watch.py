"""`restante watch`: through a pipe while it comes, or from a private file that does not stay."""

import json
import os
import stat
import sys
import tempfile
from pathlib import Path

import pytest

from restante.cli.players import Feeding, choose_player
from restante.client.errors import NoPlayer
from tests.cli.test_damage import flip, upload_of
from tests.cli.test_memory import MIB, peak_bytes
from tests.footage import assert_plays, boxes
from tests.stored import change, stored

PIPED = """
import sys
open(sys.argv[1], "wb").write(sys.stdin.buffer.read())
"""
FILED = """
import json, os, shutil, sys
out, film = sys.argv[1:]
shutil.copy(film, out)
words = os.path.splitext(film)[0] + ".vtt"
if os.path.exists(words): shutil.copy(words, out + ".vtt")
told = {"path": film, "file": os.stat(film).st_mode, "folder": os.stat(os.path.dirname(film)).st_mode}
open(out + ".json", "w").write(json.dumps(told))
"""


def player(tmp_path, program, *words):
    """The command line of a player that does what the program says."""
    path = tmp_path / "player.py"
    path.write_text(program)
    return " ".join(map(str, [sys.executable, path, tmp_path / "seen.mp4", *words]))


@pytest.fixture
def waiting(ann, bob, clip):
    return ann.send(bob.name, clip, "--caption", "Look")


@pytest.fixture(scope="module")
def long_waiting(ann, bob, long_clip):
    """One message of several parts for all tests: sending it takes its time."""
    return ann.send(bob.name, long_clip)


@pytest.fixture
def blob(server, long_waiting):
    """What the server has of it, to be damaged; afterwards it is whole again."""
    upload = upload_of(server, long_waiting)
    whole = stored(server, upload)
    yield upload
    change(server, upload, whole)


def state_at(ann, message_id):
    return {item["id"]: item["state"] for item in ann.sent()}[message_id]


def test_a_player_gets_the_video_through_a_pipe(ann, bob, waiting, tmp_path):
    answer = bob.ok("watch", waiting, "--player", player(tmp_path, PIPED, "-"), "--json")
    assert answer.json == {"id": waiting, "player": sys.executable}
    assert f"From {ann.name}, 0:01.\nLook\n" in answer.err
    assert_plays(tmp_path / "seen.mp4", duration_s=1.2)
    assert state_at(ann, waiting) == "played"


def test_another_player_gets_a_private_file_that_does_not_stay(ann, bob, waiting, tmp_path):
    bob.ok("watch", waiting, "--player", player(tmp_path, FILED))
    assert_plays(tmp_path / "seen.mp4", duration_s=1.2)
    assert [kind for kind, *_ in boxes((tmp_path / "seen.mp4").read_bytes())][:2] == ["ftyp", "moov"]
    told = json.loads((tmp_path / "seen.mp4.json").read_text())
    assert stat.S_IMODE(told["file"]) == 0o600
    assert stat.S_IMODE(told["folder"]) == 0o700
    assert not Path(told["path"]).parent.exists()
    assert state_at(ann, waiting) == "played"


def test_captions_lie_where_players_look_for_them(ann, bob, clip, tmp_path):
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    message_id = ann.send(bob.name, clip, "--captions", words)
    bob.ok("watch", message_id, "--player", player(tmp_path, FILED))
    assert "Hello" in (tmp_path / "seen.mp4.vtt").read_text()
    mpv = choose_player("mpv --fs", platform="linux", which=lambda name: name)
    assert mpv.with_captions(Path("/x.vtt"))[:3] == ["mpv", "--sub-file=/x.vtt", "--fs"]
    other = choose_player("vlc -", platform="linux", which=lambda name: name)
    assert other.with_captions(Path("/x.vtt")) == ["vlc", "-"]


def test_what_a_killed_viewer_left_is_swept(ann, bob, waiting, tmp_path):
    place = tmp_path / "runtime"
    place.mkdir(mode=0o700)
    left = Path(tempfile.mkdtemp(prefix="restante-private-", dir=place))
    (left / "message.mp4").write_text("secret")
    young = Path(tempfile.mkdtemp(prefix="restante-private-", dir=place))
    os.utime(left, (0, 0))
    bob.ok("watch", waiting, "--player", player(tmp_path, FILED), XDG_RUNTIME_DIR=str(place))
    assert [*place.iterdir()] == [young]
    assert json.loads((tmp_path / "seen.mp4.json").read_text())["path"].startswith(str(place))


@pytest.mark.parametrize("how", ["damaged", "cut off"])
def test_a_video_that_ends_early_is_played_so_far_and_told(
    ann, bob, server, blob, long_waiting, tmp_path, how
):
    if how == "damaged":
        flip(server, blob, -100)
    else:
        change(server, blob, stored(server, blob)[:-100])
    answer = bob.run("watch", long_waiting, "--player", player(tmp_path, PIPED, "-")).failed()
    assert "ends early, at about 0:0" in answer.err
    assert ("cut off" if how == "cut off" else "is not the one that the sender signed") in answer.err
    assert (tmp_path / "seen.mp4").stat().st_size > 200_000
    bob.run("watch", long_waiting, "--player", player(tmp_path, FILED)).failed()
    assert not (tmp_path / "seen.mp4.json").exists()
    assert state_at(ann, long_waiting) == "stored"


def test_a_player_closed_early_is_content(ann, bob, long_waiting, tmp_path):
    program = "import sys; sys.stdin.buffer.read(1000)"
    bob.ok("watch", long_waiting, "--player", player(tmp_path, program, "-"))
    assert state_at(ann, long_waiting) == "played"


def test_a_player_that_fails_is_told_and_nothing_counts_as_played(ann, bob, waiting, tmp_path):
    failing = player(tmp_path, "import sys; sys.stdin.buffer.read(); sys.exit(2)", "-")
    assert "ended with an error" in bob.run("watch", waiting, "--player", failing).failed().err
    assert "no program here" in bob.run("watch", waiting, "--player", "no-such-player -").failed().err
    assert state_at(ann, waiting) == "stored"


def test_ffplay_plays_from_its_pipe(ann, bob, waiting):
    answer = bob.spawn(
        "watch", waiting, "--player", "ffplay", SDL_VIDEODRIVER="dummy", SDL_AUDIODRIVER="dummy"
    )
    assert answer.code == 0, answer.err
    assert state_at(ann, waiting) == "played"


def test_watching_holds_no_more_than_parts(bob, long_waiting, waiting, tmp_path):
    def peak(message_id):
        return peak_bytes(bob, "watch", message_id, "--player", player(tmp_path, PIPED, "-"))

    small, large = peak(waiting), peak(long_waiting)
    size = (tmp_path / "seen.mp4").stat().st_size
    print(f"small {small / MIB:.1f} MiB, large {large / MIB:.1f} MiB, video {size / MIB:.1f} MiB")
    assert large - small < size


@pytest.mark.parametrize(
    ("wanted", "platform", "there", "command", "feeding"),
    [
        (None, "linux", {"mpv", "ffplay", "xdg-open"}, "mpv", Feeding.PIPE),
        (None, "linux", {"ffplay", "xdg-open"}, "ffplay", Feeding.PIPE),
        (None, "linux", {"xdg-open"}, "xdg-open", Feeding.LEFT_ALONE),
        (None, "darwin", {"open"}, "open -W -n", Feeding.FILE),
        (None, "win32", set(), "cmd /c start  /wait", Feeding.FILE),
        ("vlc --play-and-exit", "linux", {"vlc"}, "vlc --play-and-exit", Feeding.FILE),
        ("vlc -", "linux", {"vlc"}, "vlc -", Feeding.PIPE),
        ("mpv --fs", "linux", {"mpv"}, "mpv --fs --really-quiet", Feeding.PIPE),
        (r"C:\vlc\vlc.exe -", "win32", {r"C:\vlc\vlc.exe"}, r"C:\vlc\vlc.exe -", Feeding.PIPE),
    ],
)
def test_a_player_is_found_on_each_system(wanted, platform, there, command, feeding):
    chosen = choose_player(wanted, platform=platform, which=lambda name: name if name in there else None)
    assert " ".join(chosen.command).startswith(command)
    assert chosen.feeding is feeding


def test_without_any_player_there_is_a_way_out():
    with pytest.raises(NoPlayer) as caught:
        choose_player(None, platform="linux", which=lambda _: None)
    assert "restante save" in caught.value.hint
