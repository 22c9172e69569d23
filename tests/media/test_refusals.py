"""What is no video is refused in words; what is damaged gives what it still has, and says so."""

import contextlib
import os
import random
import subprocess
import sys

import pytest

from restante.media import Damaged, MediaError, NoPicture, NotAVideo, Shorten, convert, probe
from tests.footage import assert_plays, ffmpeg, odd, real


def refusal(path):
    """What both doors say of a file; they must agree."""
    with pytest.raises(MediaError) as by_probe:
        probe(path)
    pieces: list[bytes] = []
    with pytest.raises(MediaError) as by_convert:
        convert(path, pieces.append, shorten=Shorten.CUT)
    assert pieces == []
    assert by_probe.type is by_convert.type
    assert by_convert.value.hint.endswith(".")
    assert str(by_convert.value).endswith(".")
    return by_convert.type


@pytest.mark.parametrize("seed", range(4))
def test_noise_is_no_video(seed, tmp_path):
    path = tmp_path / "noise.mp4"
    path.write_bytes(random.Random(seed).randbytes(300_000))  # the seed is in the test's name
    assert refusal(path) is NotAVideo


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Dear Ann,\nthis is a letter.\n" * 50,
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile secret.mp4\n",
    ],
    ids=["nothing", "letter", "playlist", "concat"],
)
def test_text_is_no_video_and_is_not_followed(content, tmp_path, shelf):
    (tmp_path / "secret.mp4").write_bytes(odd("no-audio", shelf).read_bytes())
    path = tmp_path / "video.mp4"
    path.write_bytes(content)
    assert refusal(path) is NotAVideo


def test_still_picture_is_no_video(tmp_path, shelf):
    path = tmp_path / "photo.jpg"
    ffmpeg("-i", odd("no-audio", shelf), "-frames:v", "1", path)
    assert refusal(path) is NotAVideo


@pytest.mark.parametrize("name", ["zero-frames", "sound-only"])
def test_without_a_picture_there_is_no_message(name, shelf):
    assert refusal(odd(name, shelf)) is NoPicture


def test_cover_art_is_no_moving_picture(tmp_path, shelf):
    path = tmp_path / "song.m4a"
    cover = tmp_path / "cover.jpg"
    ffmpeg("-i", odd("no-audio", shelf), "-frames:v", "1", cover)
    inputs = ["-i", odd("sound-only", shelf), "-i", cover, "-map", "0", "-map", "1"]
    ffmpeg(*inputs, "-c", "copy", "-disposition:v:0", "attached_pic", path)
    assert refusal(path) is NoPicture


def test_missing_file_stays_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "nowhere.mp4")
    with pytest.raises(IsADirectoryError):
        convert(tmp_path, lambda _: None, shorten=Shorten.CUT)


def test_cut_off_file_without_its_index_is_called_damaged(tmp_path, shelf):
    path = tmp_path / "cut.mp4"
    whole = odd("no-audio", shelf).read_bytes()  # its index is at the end
    path.write_bytes(whole[: len(whole) * 6 // 10])
    assert refusal(path) is Damaged


def test_cut_off_file_gives_what_it_has(tmp_path, send):
    whole, path = tmp_path / "whole.mp4", tmp_path / "cut.mp4"
    ffmpeg("-i", real("bikes"), "-c", "copy", "-movflags", "faststart", whole)
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert probe(path).duration_ms == pytest.approx(10_000, abs=100)
    result = send(path)
    assert result.report.damaged
    assert 3000 < result.report.duration_ms < 8000
    assert_plays(result.saved, duration_s=result.report.duration_ms / 1000)


@pytest.mark.parametrize("seed", range(3))
def test_scratched_file_gives_what_it_has_or_is_refused(seed, tmp_path, send):
    """Bytes knocked out all over the pictures of a real clip; nothing but a MediaError may come of it."""
    randomness = random.Random(seed)  # the seed is in the test's name
    data = bytearray(real("carphone_pristine").read_bytes())
    start = data.index(b"mdat") + 4
    end = data.rindex(b"moov") if data.rindex(b"moov") > start else len(data)
    for _ in range(40):
        at = randomness.randrange(start, end - 8)
        data[at : at + 8] = randomness.randbytes(8)
    path = tmp_path / "scratched.mp4"
    path.write_bytes(data)
    result = send(path)
    assert_plays(result.saved, duration_s=4.0, tolerance_s=0.2)


@pytest.mark.parametrize("seed", range(6))
def test_broken_header_never_raises_anything_else(seed, tmp_path):
    randomness = random.Random(seed)  # the seed is in the test's name
    data = bytearray(real("carphone_pristine").read_bytes())
    at = data.index(b"moov")
    for _ in range(12):
        data[randomness.randrange(at, min(at + 4000, len(data)))] = randomness.randrange(256)
    path = tmp_path / "broken.mp4"
    path.write_bytes(data)
    with contextlib.suppress(MediaError):
        assert convert(path, lambda _: None, shorten=Shorten.CUT).duration_ms <= 180_000


def test_nothing_is_said_on_stderr(tmp_path, shelf):
    """Libav and x264 talk to stderr by themselves; people must hear the program only."""
    whole = real("bikes").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 3])
    script = (
        "import sys; from pathlib import Path; from restante.media import *\n"
        "for name in sys.argv[1:]:\n"
        "    try: convert(Path(name), lambda _: None, shorten=Shorten.CUT)\n"
        "    except MediaError: pass\n"
    )
    files = [
        tmp_path / "cut.mp4",
        real("carphone_pristine"),
        odd("zero-frames", shelf),
        odd("ten-bit", shelf),
    ]
    result = subprocess.run(
        [sys.executable, "-c", script, *files],
        capture_output=True,
        check=True,
        timeout=60,
        env={**os.environ},
    )
    assert (result.stdout, result.stderr) == (b"", b"")
