"""The stream that is sent: fragments of a second, playable when cut after any of them, never sought in."""

import gc
from pathlib import Path

import pytest

from restante.media import Shorten, convert, save
from tests.footage import Judged, boxes, decoded_frames, odd, real, talking_head


@pytest.fixture(scope="module")
def stream(shelf):
    pieces: list[bytes] = []
    convert(talking_head(shelf), pieces.append, shorten=Shorten.REFUSE)
    return b"".join(pieces)


def test_stream_is_header_then_fragments(stream):
    kinds = [kind for kind, _, _ in boxes(stream)]
    assert kinds[:2] == ["ftyp", "moov"]
    assert kinds[2:] == ["moof", "mdat"] * (len(kinds[2:]) // 2)
    assert len(kinds[2:]) // 2 in {4, 5}


def test_each_second_has_a_key_frame(stream, tmp_path):
    path = tmp_path / "stream.mp4"
    path.write_bytes(stream)
    assert Judged(path).key_times == pytest.approx([0, 1, 2, 3], abs=0.04)


def test_stream_cut_after_any_fragment_plays(stream, tmp_path):
    ends = [end for kind, _, end in boxes(stream) if kind == "mdat"]
    for seconds, end in enumerate(ends, start=1):
        cut, saved = tmp_path / "cut.mp4", tmp_path / "saved.mp4"
        cut.write_bytes(stream[:end])
        frames = decoded_frames(cut)
        save(iter([stream[:end]]), saved)
        assert decoded_frames(saved) == frames
        assert Judged(saved).duration_s == pytest.approx(min(seconds, 4), abs=0.1)


def test_fragments_leave_while_the_source_is_still_read(shelf):
    """Each second is handed over before the next but three is read, so that uploading keeps pace."""
    seen = []
    at = [0.0]

    def note(fraction):
        at[0] = fraction

    def sink(piece):
        if piece[4:8] == b"moof":
            seen.append(at[0] * 10)

    convert(real("bikes"), sink, shorten=Shorten.REFUSE, progress=note)
    for number, read_s in enumerate(seen):
        assert read_s < number + 4


def open_files():
    gc.collect()
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


class Stopped(BaseException):
    """As an interrupt from the keyboard: no Exception."""


@pytest.mark.parametrize("calls", [1, 2, 5])
@pytest.mark.parametrize("error", [OSError("disk full"), Stopped()])
def test_what_the_sink_raises_ends_the_conversion_and_comes_out(shelf, error, calls):
    source = odd("no-audio", shelf)
    received = []

    def sink(piece):
        received.append(piece)
        if len(received) == calls:
            raise error

    before = open_files()
    with pytest.raises(type(error)) as caught:
        convert(source, sink, shorten=Shorten.REFUSE)
    assert caught.value is error
    del caught
    assert len(received) == calls
    assert open_files() == before


def test_what_progress_raises_comes_out_unchanged(shelf):
    error = Stopped()

    def progress(_):
        raise error

    with pytest.raises(Stopped) as caught:
        convert(odd("no-audio", shelf), lambda _: None, shorten=Shorten.REFUSE, progress=progress)
    assert caught.value is error
