"""Sound and picture stay together: a flash and a beep that coincide in the source still do."""

import pytest

from restante.media import Shorten
from tests.footage import brightness, ffmpeg, flash_and_beep, loudness

_WINDOW_S = 0.01
_FRAME_S = 0.04


def flash_s(path):
    return next(index for index, level in enumerate(brightness(path)) if level > 128) * _FRAME_S


def beep_s(path):
    levels = loudness(path, window_s=_WINDOW_S)
    return next(index for index, level in enumerate(levels) if level > max(levels) / 4) * _WINDOW_S


def together(path, *, at_s):
    assert flash_s(path) == pytest.approx(at_s, abs=0.001)
    assert beep_s(path) == pytest.approx(at_s, abs=0.025)


@pytest.mark.parametrize(
    ("arguments", "ending"),
    [
        pytest.param("", "mkv", marks=pytest.mark.long),
        ("", "mp4"),
        ("-output_ts_offset 5000", "ts"),
        pytest.param("-output_ts_offset 7", "mkv", marks=pytest.mark.long),
        pytest.param("-ar 8000 -ac 1", "mkv", marks=pytest.mark.long),
        ("-ar 44100 -c:a pcm_s16le", "avi"),
        ("-bf 2", "mov"),
    ],
)
def test_flash_and_beep_coincide(arguments, ending, shelf, send):
    source = flash_and_beep(shelf, at_s=2, arguments=arguments, ending=ending)
    result = send(source)
    together(result.stream, at_s=2)
    together(result.saved, at_s=2)


def test_gap_in_the_sound_becomes_silence(shelf, send):
    """A microphone that failed for half a second must not pull all later sound forward."""
    source = shelf / "gap.mkv"
    whole = flash_and_beep(shelf, at_s=2)
    ffmpeg("-i", whole, "-af", "aselect='not(between(t,0.5,1))'", "-c:v", "copy", "-c:a", "pcm_s16le", source)
    together(send(source).saved, at_s=2)


def test_sound_that_starts_late_stays_late(shelf, send):
    source = shelf / "late-sound.mkv"
    whole = flash_and_beep(shelf, at_s=2)
    ffmpeg("-i", whole, "-af", "aselect='gte(t,1)'", "-c:v", "copy", "-c:a", "pcm_s16le", source)
    together(send(source).saved, at_s=2)


def test_picture_that_starts_late_is_held_from_the_start(shelf, send):
    source = shelf / "late-picture.mkv"
    whole = flash_and_beep(shelf, at_s=2)
    ffmpeg(
        "-i", whole, "-vf", "select='gte(t,0.52)'", "-vsync", "vfr", "-c:v", "libx264", "-c:a", "copy", source
    )
    saved = send(source).saved
    assert beep_s(saved) == pytest.approx(2, abs=0.02)
    frames_before_the_flash = sum(1 for _ in iter(brightness(saved).__next__, 255))
    assert frames_before_the_flash == round((2 - 0.52) / _FRAME_S)


def test_recordings_joined_end_to_end_play_one_after_the_other(shelf, send, tmp_path):
    """Times jump by more than an hour between the pieces; libav hands them on as they are."""
    source = tmp_path / "joined.ts"
    pieces = [
        flash_and_beep(shelf, at_s=2, arguments=f"-output_ts_offset {offset}", ending="ts")
        for offset in (5000, 0, 9000)
    ]
    source.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    result = send(source, shorten=Shorten.REFUSE)
    assert result.report.duration_ms == pytest.approx(9000, abs=150)
    assert sum(level > 128 for level in brightness(result.saved)) == 3 * 6


def test_a_shift_of_one_frame_is_seen(shelf, tmp_path):
    """Negative control: what these tests call together, one frame apart is not."""
    whole, shifted = flash_and_beep(shelf, at_s=2), tmp_path / "shifted.mkv"
    ffmpeg("-i", whole, "-c:v", "copy", "-c:a", "pcm_s16le", "-af", "adelay=40:all=1", shifted)
    together(whole, at_s=2)
    with pytest.raises(AssertionError):
        together(shifted, at_s=2)
