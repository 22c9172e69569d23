"""Saving: a copy of what was sent as an ordinary .mp4, whole or not at all."""

import errno
import subprocess
import sys

import pytest

from restante.media import NoPicture, NotAVideo, Shorten, TooLong, convert, save
from tests.footage import (
    CANARY,
    Judged,
    assert_plays,
    boxes,
    decoded_frames,
    ffmpeg,
    loudness,
    odd,
    real,
    talking_head,
)

_FRAGMENTED = ["-movflags", "empty_moov+default_base_moof+frag_keyframe"]


@pytest.fixture(scope="module")
def stream(shelf):
    pieces: list[bytes] = []
    convert(talking_head(shelf), pieces.append, shorten=Shorten.REFUSE)
    return b"".join(pieces)


def packets(path):
    """Checksums of all packets, without their times."""
    listing = ffmpeg("-i", path, "-map", "0", "-c", "copy", "-f", "framemd5", "-").decode()
    lines = [line for line in listing.splitlines() if not line.startswith("#")]
    return sorted((line.split(",")[0], line.rsplit(",", 1)[1]) for line in lines)


def test_saving_copies_bit_by_bit_and_puts_the_index_in_front(stream, tmp_path):
    sent, saved = tmp_path / "sent.mp4", tmp_path / "saved.mp4"
    sent.write_bytes(stream)
    with sent.open("rb") as file:
        save(file, saved)
    assert packets(sent) == packets(saved)
    assert Judged(sent).frame_times == Judged(saved).frame_times
    assert [kind for kind, _, _ in boxes(saved.read_bytes())][:2] == ["ftyp", "moov"]
    assert_plays(saved, duration_s=4.0)


def test_padding_is_dropped(stream, tmp_path):
    saved, padding = tmp_path / "saved.mp4", 50_000
    save(iter([stream, padding.to_bytes(4, "big"), b"free", bytes(padding - 8)]), saved)
    assert saved.stat().st_size < len(stream) + 10_000
    kinds = [kind for kind, _, _ in boxes(saved.read_bytes())]
    assert kinds[-1] == "mdat"
    assert_plays(saved, duration_s=4.0)


def test_tags_that_a_sender_left_are_stripped(shelf, tmp_path):
    sent, saved = tmp_path / "sent.mp4", tmp_path / "saved.mp4"
    tags = f"-metadata title={CANARY} -metadata location={CANARY} -metadata:s:v handler_name={CANARY}".split()
    fragmented = ["-movflags", "empty_moov+default_base_moof+frag_keyframe"]
    ffmpeg("-i", talking_head(shelf), *tags, "-c", "copy", *fragmented, sent)
    assert CANARY.encode() in sent.read_bytes()
    save(iter([sent.read_bytes()]), saved)
    assert CANARY.encode() not in saved.read_bytes()
    assert Judged(saved).tags == {}


@pytest.mark.parametrize("size", [1, 7, 4096, 10**9])
def test_how_the_stream_is_cut_into_pieces_does_not_matter(stream, size, tmp_path):
    whole, pieced = tmp_path / "whole.mp4", tmp_path / "pieced.mp4"
    save(iter([stream]), whole)
    save((stream[at : at + size] for at in range(0, len(stream), size)), pieced)
    assert whole.read_bytes() == pieced.read_bytes()


class Stopped(BaseException):
    """As an interrupt from the keyboard: no Exception."""


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 1.0])
@pytest.mark.parametrize("error", [ValueError("part 3 is forged"), Stopped()])
def test_what_the_source_raises_comes_out_and_leaves_no_file(stream, share, error, tmp_path):
    target = tmp_path / "saved.mp4"
    target.write_bytes(b"what was here before")

    def failing():
        yield from (stream[at : at + 1000] for at in range(0, int(len(stream) * share), 1000))
        raise error

    with pytest.raises(type(error)) as caught:
        save(failing(), target)
    assert caught.value is error
    assert [path.name for path in tmp_path.iterdir()] == ["saved.mp4"]
    assert target.read_bytes() == b"what was here before"


@pytest.mark.parametrize(
    ("data", "expected"), [(b"", NotAVideo), (b"\x00" * 5000, NotAVideo), (b"Dear Ann" * 500, NotAVideo)]
)
def test_what_is_no_video_is_refused_and_leaves_no_file(data, expected, tmp_path):
    with pytest.raises(expected):
        save(iter([data]), tmp_path / "saved.mp4")
    assert list(tmp_path.iterdir()) == []


def test_header_without_pictures_is_refused(stream, tmp_path):
    (_, _, end_of_header) = boxes(stream)[1]
    with pytest.raises(NoPicture):
        save(iter([stream[:end_of_header]]), tmp_path / "saved.mp4")
    assert list(tmp_path.iterdir()) == []


def test_video_longer_than_a_recording_is_refused(shelf, tmp_path):
    """The server cannot see length, so a recipient's client does."""
    sent = tmp_path / "long.mp4"
    ffmpeg("-i", odd("185-s", shelf), "-t", "180.4", "-an", "-c", "copy", *_FRAGMENTED, sent)
    with sent.open("rb") as file, pytest.raises(TooLong):
        save(file, tmp_path / "saved.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["long.mp4"]


def test_a_last_picture_that_lasts_a_hair_beyond_the_limit_ends_there(shelf, tmp_path):
    """A synthetic film whose last picture began in time was once refused: 180.08 s."""
    sent, saved = tmp_path / "hair.mp4", tmp_path / "saved.mp4"
    ffmpeg("-i", odd("180.08-s", shelf), "-c", "copy", *_FRAGMENTED, sent)
    with sent.open("rb") as file:
        save(file, saved)
    judged = Judged(saved)
    assert judged.duration_s == pytest.approx(180.05, abs=0.001)
    assert len(judged.frame_times) == decoded_frames(saved) == 4502


@pytest.mark.parametrize(
    ("codecs", "copied", "ending"),
    [
        ("-c:v libx264 -preset ultrafast -c:a libopus", "video", "mp4"),
        ("-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a aac", "audio", "mp4"),
        ("-c:v libvpx -deadline realtime -c:a libopus", "", "webm"),
    ],
)
def test_other_codecs_are_converted_and_only_they(codecs, copied, ending, tmp_path):
    sent, saved = tmp_path / f"sent.{ending}", tmp_path / "saved.mp4"
    fragmented = ["-movflags", "empty_moov+default_base_moof+frag_keyframe+delay_moov", "-strict", "-2"]
    source = ["-i", real("bigbuckbunny"), "-t", "1", "-vf", "scale=320:180", "-ac", "1"]
    ffmpeg(*source, *codecs.split(), *(fragmented if ending == "mp4" else []), sent)
    save(iter([sent.read_bytes()]), saved)
    judged = assert_plays(saved, duration_s=1.0)
    assert judged.tags == {}
    assert len(judged.frame_times) == 25
    before, after = loudness(sent), loudness(saved)
    assert sum(after) == pytest.approx(sum(before), rel=0.25)
    if copied:
        stream = f"0:{copied[0]}"
        copies = [
            ffmpeg("-i", path, "-map", stream, "-c", "copy", "-f", "md5", "-") for path in (sent, saved)
        ]
        assert copies[0] == copies[1]


def test_file_gets_the_rights_that_the_person_set(stream, tmp_path):
    saved = tmp_path / "saved.mp4"
    save(iter([stream]), saved)
    plain = tmp_path / "plain"
    plain.touch()
    assert saved.stat().st_mode == plain.stat().st_mode


def test_full_disk_is_an_os_error_and_leaves_no_file(stream, tmp_path):
    """A file size limit stands in for the disk."""
    sent = tmp_path / "sent.mp4"
    sent.write_bytes(stream)
    script = (
        "import resource, signal, sys; from pathlib import Path; from restante.media import save\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))\n"
        "try: save(open(sys.argv[1], 'rb'), Path(sys.argv[2]))\n"
        "except OSError as error: print(isinstance(error, OSError), error.errno, end='')\n"
    )
    python = [sys.executable, "-c", script, sent, tmp_path / "saved.mp4"]
    result = subprocess.run(python, capture_output=True, check=True, timeout=60)
    assert result.stdout == f"True {errno.EFBIG}".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["sent.mp4"]


def test_saved_file_decodes_without_a_word_even_when_the_stream_ends_early(stream, tmp_path):
    saved = tmp_path / "saved.mp4"
    save(iter([stream[: len(stream) * 2 // 3]]), saved)
    assert 60 < decoded_frames(saved) < 100
