"""The poster: a small WebP of the first sharp frame."""

import pytest

from restante.media import Shorten, convert
from restante.protocol.limits import POSTER_BYTES
from tests.footage import brightness, ffmpeg, phone_video, scene


def poster(source):
    data = convert(source, lambda _: None, shorten=Shorten.REFUSE).poster
    assert data is not None
    assert len(data) <= POSTER_BYTES
    assert (data[:4], data[8:12]) == (b"RIFF", b"WEBP")
    return data


def grey(data, tmp_path):
    path = tmp_path / "poster.webp"
    path.write_bytes(data)
    return next(brightness(path))


def size(data, tmp_path):
    path = tmp_path / "poster.webp"
    path.write_bytes(data)
    raw = ffmpeg("-i", path, "-pix_fmt", "gray", "-f", "image2", "-c:v", "pgm", "-")
    return tuple(int(number) for number in raw.split(None, 3)[1:3])


@pytest.mark.parametrize("name", ["carphone_pristine", "bikes"])
def test_poster_is_small(name, tmp_path, shelf):
    width, height = size(poster(scene(name, shelf)), tmp_path)
    assert max(width, height) <= 480


def test_poster_stands_upright(shelf, tmp_path):
    width, height = size(poster(phone_video(shelf)), tmp_path)
    assert height > width


def test_poster_of_noise_keeps_its_limit(tmp_path):
    source = tmp_path / "noise.nut"
    raw = ["-f", "rawvideo", "-s", "640x360", "-r", "5", "-i", "/dev/urandom", "-frames:v", "3"]
    ffmpeg(*raw, "-c:v", "rawvideo", source)
    poster(source)


def test_poster_is_no_black_and_no_blurred_opening(tmp_path):
    """Black for a second, a blur for half a second, then the scene; a bright bar tells which was chosen."""
    source = tmp_path / "opening.mkv"
    scene = "testsrc2=s=320x240:r=10:d=1,lutyuv=y=val/2+120"
    parts = f"color=black:s=320x240:r=10:d=1[a];{scene},gblur=20,lutyuv=y=60:u=128:v=128[b];{scene}[c]"
    ffmpeg("-filter_complex", f"{parts};[a][b][c]concat=n=3[v]", "-map", "[v]", "-c:v", "libx264", source)
    assert grey(poster(source), tmp_path) > 110


def test_all_black_still_has_a_poster(tmp_path):
    source = tmp_path / "black.mkv"
    ffmpeg("-f", "lavfi", "-i", "color=black:s=64x64:r=10:d=1", "-c:v", "libx264", source)
    assert grey(poster(source), tmp_path) < 20
