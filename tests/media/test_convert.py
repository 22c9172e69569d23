"""Any video becomes H.264 and AAC in a fragmented MP4; judged by ffprobe and ffmpeg on the stream and the saved file."""

import itertools
import re

import pytest

from restante.media import Shorten, convert, probe
from tests.footage import (
    CANARY,
    Judged,
    assert_plays,
    boxes,
    brightness,
    ffmpeg,
    loudness,
    odd,
    phone_video,
    real,
    scene,
    talking_head,
    uneven_video,
)

# name: width, height, seconds, frames
ODD_ONES = {
    "no-audio": (320, 240, 2.0, 50),
    "mono-8k": (320, 240, 2.0, 50),
    "surround": (320, 240, 1.0, 25),
    "60-fps": (320, 240, 2.0, 60),
    "50-fps": (320, 240, 2.0, 50),
    "vp9-opus": (320, 240, 2.0, 50),
    "odd-size": (852, 478, 1.0, 25),
    "anamorphic": (1024, 576, 1.0, 25),
    "ten-bit": (640, 360, 1.0, 25),
    "4k": (1280, 720, 1.0, 24),
    "square": (720, 720, 0.4, 10),
    "one-frame": (320, 240, 0.04, 1),
    "interlaced": (720, 576, 1.0, 25),
    "animation": (320, 240, 1.0, 10),
}


def check(result, *, size, duration_s, frames):
    """The saved file, a copy of the stream packet by packet, agrees with the report and with what is expected."""
    assert (result.report.width, result.report.height) == size
    assert abs(result.report.duration_ms / 1000 - duration_s) <= 0.1
    judged = assert_plays(result.saved, duration_s=duration_s)
    assert judged.size == size
    assert judged.video.get("sample_aspect_ratio", "1:1") == "1:1"
    assert len(judged.frame_times) == frames
    assert judged.tags == {}
    kinds = [kind for kind, _, _ in boxes(result.saved.read_bytes())]
    assert kinds.index("moov") < kinds.index("mdat")
    assert "free" not in kinds[kinds.index("mdat") :]


@pytest.mark.parametrize("name", ODD_ONES)
def test_odd_video_arrives_whole(name, shelf, send):
    width, height, duration_s, frames = ODD_ONES[name]
    result = send(odd(name, shelf))
    assert not result.report.damaged
    check(result, size=(width, height), duration_s=duration_s, frames=frames)


@pytest.mark.parametrize(
    ("of", "size", "duration_s", "frames"),
    [
        (lambda shelf: scene("bigbuckbunny", shelf), (1280, 720), 2.0, 50),
        (lambda _: real("bikes"), (640, 272), 10.0, 250),
    ],
    ids=["film", "bikes"],
)
def test_real_scene_arrives_whole(of, size, duration_s, frames, send, shelf):
    source = of(shelf)
    result = send(source)
    check(result, size=size, duration_s=duration_s, frames=frames)
    assert_plays(result.stream, duration_s=duration_s)
    assert result.stream.stat().st_size < 4 * source.stat().st_size


def test_speech_survives(shelf, send):
    source = talking_head(shelf)
    result = send(source)
    check(result, size=(192, 144), duration_s=4.0, frames=120)  # its pixels are 128:117
    before, after = loudness(source), loudness(result.saved)
    assert sum(after) == pytest.approx(sum(before), rel=0.35)
    assert correlation(before, after) > 0.97
    assert correlation(before[1:], after) < 0.9  # the same test sees a shift of one window of 50 ms


def correlation(left, right):
    pairs = list(zip(left, right, strict=False))
    mean_l, mean_r = (sum(side) / len(pairs) for side in zip(*pairs, strict=True))
    product = sum((a - mean_l) * (b - mean_r) for a, b in pairs)
    norms = sum((a - mean_l) ** 2 for a, _ in pairs) * sum((b - mean_r) ** 2 for _, b in pairs)
    return product / norms**0.5


def test_phone_video_stands_upright_and_forgets_where_it_was_taken(shelf, send):
    source = phone_video(shelf)
    assert CANARY.encode() in source.read_bytes()
    result = send(source)
    check(result, size=(360, 640), duration_s=2.0, frames=50)
    for path in (result.stream, result.saved):
        data = path.read_bytes()
        assert CANARY.encode() not in data
        assert b"Lavf" not in data
        assert Judged(path).video.get("side_data_list", []) == []
    assert likeness(source, result.saved) > 28  # ffmpeg turns the source by itself
    assert likeness(source, result.saved, prepare="hflip,vflip") < 20


def likeness(source, result, *, prepare="null"):
    """PSNR in dB of the first frames; ``prepare`` spoils the source for the negative control."""
    log = ffmpeg(
        *("-i", source, "-i", result, "-filter_complex"),
        f"[0:v]{prepare},format=yuv420p[a];[a][1:v]psnr=stats_file=-,null[v]",
        *("-map", "[v]", "-frames:v", "5", "-f", "null", "/dev/null"),
    )
    return min(float(value) for value in re.findall(rb"psnr_y:([0-9.]+)", log))


def test_uneven_frame_rate_keeps_its_timing(shelf, send):
    source = uneven_video(shelf)
    result = send(source)
    expected = Judged(source).frame_times
    gaps = [later - earlier for earlier, later in itertools.pairwise(expected)]
    assert max(gaps) > 0.3
    assert min(gaps) < 0.04
    for path in (result.stream, result.saved):
        times = assert_plays(path, duration_s=3.0).frame_times
        assert times == pytest.approx(expected, abs=0.001)
        assert all(later > earlier for earlier, later in itertools.pairwise(times))


def test_camera_that_is_turned_under_way_is_letterboxed(tmp_path, send):
    """One file whose picture and sound change their form after a second."""
    source, pieces = tmp_path / "turned.ts", []
    for size, rate in (("320x240", 44100), ("240x320", 16000)):
        pieces.append(tmp_path / f"{size}.ts")
        inputs = f"-f lavfi -i color=white:s={size}:r=25:d=1 -f lavfi -i sine=d=1:r={rate}".split()
        ffmpeg(*inputs, "-c:v", "libx264", "-bf", "0", "-c:a", "aac", "-ar", str(rate), pieces[-1])
    source.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    saved = send(source).saved
    judged = assert_plays(saved, duration_s=2.0, tolerance_s=0.2)
    assert judged.size == (320, 240)
    levels = list(brightness(saved))
    assert levels[0] > 250
    assert levels[-1] == pytest.approx(255 * 180 / 320, abs=12)
    sound = loudness(saved, window_s=0.25)
    assert min(sound[1:7]) > max(sound) / 3


def test_source_without_sound_gets_silence(shelf, send):
    result = send(odd("no-audio", shelf))
    assert max(loudness(result.saved)) == 0
    assert not probe(odd("no-audio", shelf)).has_audio


def test_picture_that_stands_still_is_sent_every_second(shelf, send):
    result = send(odd("slides", shelf))  # two pictures of four seconds
    times = assert_plays(result.saved, duration_s=8.0).frame_times
    assert times[:8] == pytest.approx([0, 1, 2, 3, 4, 5, 6, 7], abs=0.001)


def test_hdr_paper_white_is_bright(shelf, send):
    # 58 % of PQ is the 203 nit of paper white; carried over as they are, these levels would be a dull grey of 148.
    result = send(odd("hevc-hdr", shelf))
    check(result, size=(320, 180), duration_s=0.4, frames=10)
    levels = list(brightness(result.saved))
    assert 170 < min(levels) <= max(levels) < 256


def test_noise_stays_within_the_bit_rate(tmp_path, send):
    source = tmp_path / "noise.nut"
    raw = ["-f", "rawvideo", "-s", "1280x720", "-r", "30", "-i", "/dev/urandom", "-frames:v", "45"]
    ffmpeg(*raw, "-c:v", "rawvideo", source)
    stream = send(source).stream
    first_second_bits = 2 * 2_200_000  # the encoder's buffer, filled once
    allowed = first_second_bits + 1.5 * (2_200_000 + 96_000) + 8 * 4096
    assert stream.stat().st_size * 8 < allowed
    whole_take = first_second_bits + 180 * (2_200_000 + 96_000)
    assert whole_take / 8 * 1.12 < 60 * 1024 * 1024


def test_progress_runs_from_nothing_to_all(shelf):
    seen = []
    convert(odd("no-audio", shelf), lambda _: None, shorten=Shorten.REFUSE, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[0] < 0.1
    assert seen[-1] == 1.0
    assert len(seen) > 20


def test_codecs_are_named_as_browsers_want_them(shelf, send):
    result = send(odd("no-audio", shelf))
    match = re.fullmatch(r'video/mp4; codecs="avc1\.([0-9a-f]{6}),mp4a\.40\.2"', result.report.codecs)
    assert match is not None
    avcc = result.stream.read_bytes().split(b"avcC", 1)[1]
    assert bytes.fromhex(match[1]) == avcc[1:4]


def test_probe_tells_the_upright_picture(shelf):
    found = probe(phone_video(shelf))
    assert (found.width, found.height, found.has_audio) == (360, 640, True)
    assert found.duration_ms == pytest.approx(2000, abs=100)
    assert (probe(odd("anamorphic", shelf)).width, probe(odd("4k", shelf)).width) == (1024, 3840)
    assert probe(odd("no-length", shelf)).duration_ms is None
