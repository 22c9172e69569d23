"""Three minutes of media time: refused beyond, or cut exactly there, whatever the header claims."""

import pytest

from restante.media import Shorten, TooLong, convert
from tests.footage import assert_plays, ffmpeg, odd


def refuse(source):
    """Converts where length is refused; returns what was written before the refusal, and the refusal."""
    pieces: list[bytes] = []
    with pytest.raises(TooLong) as caught:
        convert(source, pieces.append, shorten=Shorten.REFUSE)
    return pieces, caught.value


@pytest.mark.parametrize(("name", "length_ms"), [("185-s", 185_000), ("180.08-s", 180_080)])
def test_longer_is_refused_before_anything_is_written(name, length_ms, shelf):
    pieces, refusal = refuse(odd(name, shelf))
    assert pieces == []
    assert refusal.duration_ms == pytest.approx(length_ms, abs=50)
    assert refusal.code == "too-long"
    assert "3 min" in str(refusal)


def test_longer_is_refused_where_the_header_says_nothing(shelf):
    pieces, refusal = refuse(odd("no-length", shelf))
    assert pieces == []
    assert refusal.duration_ms > 180_050


def test_longer_is_refused_where_the_header_lies(shelf, tmp_path):
    """A second recording appended to a short one, as transport streams allow: the header knows of neither."""
    first, source = tmp_path / "first.ts", tmp_path / "joined.ts"
    ffmpeg("-i", odd("185-s", shelf), "-t", "100", "-an", "-c", "copy", first)
    source.write_bytes(first.read_bytes() * 2)
    _, refusal = refuse(source)
    assert refusal.duration_ms > 180_050


def test_cut_keeps_the_first_three_minutes_exactly(shelf, send):
    result = send(odd("185-s", shelf), shorten=Shorten.CUT)
    assert (result.report.duration_ms, result.report.damaged) == (180_000, False)
    judged = assert_plays(result.saved, duration_s=180.0, tolerance_s=0.001)
    assert len(judged.frame_times) == 900


def test_cut_needs_no_length_in_the_header(shelf):
    assert convert(odd("no-length", shelf), lambda _: None, shorten=Shorten.CUT).duration_ms == 180_000


def test_a_hair_over_three_minutes_is_taken_and_trimmed(shelf, send):
    result = send(odd("180.04-s", shelf))
    assert result.report.duration_ms == 180_000
    assert_plays(result.saved, duration_s=180.0, tolerance_s=0.001)
