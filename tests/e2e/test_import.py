"""A video file becomes a draft on the device: converted, without a tag, brought up meanwhile; what cannot be is refused by name."""

import itertools
import time
from pathlib import Path

import pytest

from tests.e2e.browsing import Visitors
from tests.e2e.mailing import eventually
from tests.e2e.making import UPLOAD_STATUS, Maker, arrive, assert_film, maker_house
from tests.footage import (
    CANARY,
    boxes,
    brightness,
    ffmpeg,
    flash_and_beep,
    loudness,
    odd,
    phone_video,
    real,
    uneven_video,
)
from tests.serving import Server

__all__ = ["maker_house"]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture
def maker(visitors: Visitors, maker_house: Server, tmp_path: Path) -> Maker:
    return arrive(visitors, maker_house, tmp_path)


def test_a_film_becomes_a_draft_and_is_brought_up_meanwhile(maker: Maker, clips: Path) -> None:
    clip = clips / "clip.mp4"
    ffmpeg("-ss", "1", "-t", "3", "-i", real("bigbuckbunny"), "-c:v", "libx264", "-preset", "ultrafast", clip)
    draft = maker.take_ok(clip)
    progress = maker.ask("progress")
    assert progress[-1] == 1
    assert progress == sorted(progress)
    judged = assert_film(maker.plain(draft), duration_s=3)
    assert judged.size == (1280, 720)
    assert len(judged.frame_times) == 75
    assert max(loudness(maker.plain(draft))) > 1e4
    kinds = [kind for kind, _, _ in boxes(maker.plain(draft).read_bytes())]
    assert kinds[:4] == ["ftyp", "moov", "moof", "mdat"]
    assert maker.ask("bring", draft) is None
    content = maker.ask("draft", draft)
    assert content["poster"]["type"] == "image/webp"
    size = content["video"]["size"]
    assert maker.page.evaluate(UPLOAD_STATUS, content["upload"]["id"]) == [200, size, size]
    assert [found["kind"] for found in maker.ask("drafts")] == ["kept"]


def test_a_phone_video_stands_upright_and_says_nothing_of_its_origin(maker: Maker, clips: Path) -> None:
    phone = phone_video(clips)
    assert CANARY.encode() in phone.read_bytes()
    draft = maker.take_ok(phone)
    plain = maker.plain(draft)
    judged = assert_film(plain, duration_s=2)
    assert judged.size == (360, 640)
    for path in (plain, maker.exported(draft)):
        assert CANARY.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("name", "duration_s", "size"),
    [
        ("mono-8k", 2, (320, 240)),
        ("anamorphic", 1, (1024, 576)),
        pytest.param("vp9-opus", 2, (320, 240), marks=pytest.mark.long),
        pytest.param("no-audio", 2, (320, 240), marks=pytest.mark.long),
        pytest.param("60-fps", 2, (320, 240), marks=pytest.mark.long),
        pytest.param("one-frame", 0.04, (320, 240), marks=pytest.mark.long),
    ],
)
def test_odd_files_become_ordinary_ones(
    maker: Maker, clips: Path, name: str, duration_s: float, size: tuple[int, int]
) -> None:
    judged = assert_film(maker.plain(maker.take_ok(odd(name, clips))), duration_s=duration_s)
    assert judged.size == size
    assert len(judged.frame_times) <= duration_s * 31 + 1


@pytest.mark.long
def test_an_uneven_frame_rate_keeps_its_times(maker: Maker, clips: Path) -> None:
    source = uneven_video(clips)
    shown = assert_film(maker.plain(maker.take_ok(source)), duration_s=3).frame_times
    gaps = [late - early for early, late in itertools.pairwise(shown)]
    assert max(gaps) > 0.3
    assert min(gaps) > 0.02


@pytest.mark.long
def test_pictures_that_stay_for_long_are_shown_again(maker: Maker, clips: Path) -> None:
    judged = assert_film(maker.plain(maker.take_ok(odd("slides", clips))), duration_s=8)
    assert len(judged.frame_times) >= 8


@pytest.mark.parametrize(
    ("name", "code", "facts"),
    [
        ("hevc-hdr", "file-undecodable", {"track": "picture", "codec": "hevc"}),
        ("surround", "file-undecodable", {"track": "sound", "codec": "ac3"}),
        ("sound-only", "file-no-picture", {}),
    ],
)
def test_what_cannot_be_taken_is_refused_by_name(
    maker: Maker, clips: Path, name: str, code: str, facts: dict[str, str]
) -> None:
    assert maker.take(odd(name, clips)) == {"code": code, "facts": facts}
    maker.assert_empty()


@pytest.mark.long
def test_a_film_whose_sound_cannot_be_decoded_is_taken_without_it_when_wanted(
    maker: Maker, clips: Path
) -> None:
    draft = maker.take_ok(odd("surround", clips), sound="leave-out")
    assert max(loudness(maker.plain(draft))) == 0


def test_bytes_that_are_no_film_are_refused(maker: Maker, tmp_path: Path, clips: Path) -> None:
    nothing, noise, cut = tmp_path / "nothing.mp4", tmp_path / "noise.mp4", tmp_path / "cut.mp4"
    nothing.write_bytes(b"")
    noise.write_bytes(bytes(range(256)) * 64)
    whole = odd("no-audio", clips).read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])  # its index was at the end
    assert maker.take(nothing)["code"] == "file-empty"
    assert maker.take(noise)["code"] == "file-unknown"
    assert maker.take(cut)["code"] in {"file-damaged", "file-no-picture"}
    maker.assert_empty()


def test_a_long_film_is_refused_with_its_length_and_a_stretch_of_it_can_be_taken(
    maker: Maker, clips: Path
) -> None:
    long = odd("185-s", clips)
    refused = maker.take(long)
    assert refused["code"] == "file-too-long"
    assert refused["facts"]["ms"] == pytest.approx(185_000, abs=200)
    maker.assert_empty()
    draft = maker.take_ok(long, cut={"fromMs": 170_000, "toMs": 171_500})
    assert len(assert_film(maker.plain(draft), duration_s=1.5).frame_times) == 8


@pytest.mark.long
@pytest.mark.timeout(900)
def test_three_minutes_of_a_long_film_can_be_taken_and_saved_at_once(maker: Maker, clips: Path) -> None:
    long = clips / "long.mp4"
    ffmpeg("-stream_loop", "40", "-i", real("bigbuckbunny"), "-c", "copy", "-t", "185", long)
    maker.page.set_default_timeout(600_000)
    began_s = time.monotonic()
    draft = maker.take_ok(long, cut={"fromMs": 0, "toMs": 180_000})
    taken_s = time.monotonic() - began_s
    assert maker.ask("draft", draft)["video"]["ms"] <= 180_050
    assert assert_film(maker.exported(draft), duration_s=180).duration_s <= 180.05
    exported_ms = [maker.ask("exportMs", draft) for _ in range(3)]
    print(f"three minutes at 1280 x 720: taken in {taken_s:.0f} s, saved in {exported_ms} ms")
    assert min(exported_ms) <= 2000


@pytest.mark.long
def test_a_huge_film_is_read_piece_by_piece(maker: Maker, clips: Path, tmp_path: Path) -> None:
    """Four gigabytes, nearly all of them a hole in front of the film."""
    small, huge = tmp_path / "small.mp4", tmp_path / "huge.mp4"
    fragmented = ["-c", "copy", "-movflags", "frag_keyframe+empty_moov+default_base_moof"]
    ffmpeg("-i", odd("no-audio", clips), *fragmented, small)
    data, hole = small.read_bytes(), 4 << 30
    head = boxes(data)[0][2]
    with huge.open("wb") as file:
        file.write(data[:head] + (1).to_bytes(4, "big") + b"free" + hole.to_bytes(8, "big"))
        file.seek(head + hole)
        file.write(data[head:])
    assert_film(maker.plain(maker.take_ok(huge)), duration_s=2)


def test_a_protected_film_is_refused(maker: Maker, clips: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked.mp4"
    key = [
        "-encryption_scheme",
        "cenc-aes-ctr",
        "-encryption_key",
        "0" * 31 + "1",
        "-encryption_kid",
        "0" * 31 + "2",
    ]
    ffmpeg("-i", odd("no-audio", clips), "-c", "copy", *key, locked)
    assert maker.take(locked) == {"code": "file-protected", "facts": {}}


@pytest.mark.long
def test_picture_and_sound_stay_in_step(maker: Maker, clips: Path) -> None:
    """Also when the beginning is cut away, and at the rate of an old telephone."""
    for source in (flash_and_beep(clips, at_s=1.5), flash_and_beep(clips, at_s=2, arguments="-ar 8000")):
        path = maker.plain(maker.take_ok(source, cut={"fromMs": 700, "toMs": 2700}))
        shown = assert_film(path, duration_s=2).frame_times
        flash = shown[next(at for at, light in enumerate(brightness(path)) if light > 128)]
        beep = next(at for at, energy in enumerate(loudness(path, window_s=0.01)) if energy > 1e5) * 0.01
        assert abs(flash - beep) <= 0.06


def test_a_cancelled_import_leaves_nothing(maker: Maker, clips: Path) -> None:
    maker.page.set_input_files("#file", odd("185-s", clips))
    begun = "cut => { globalThis.taking = harness.take({ cut }) }"
    maker.page.evaluate(begun, {"fromMs": 0, "toMs": 170_000})
    maker.page.wait_for_function("() => harness.progress().length > 2")
    maker.ask("cancel")
    assert maker.page.evaluate("() => globalThis.taking") == {"code": "AbortError"}
    maker.assert_empty()


def test_an_import_that_a_closed_tab_cut_short_leaves_nothing(maker: Maker, clips: Path) -> None:
    maker.page.set_input_files("#file", odd("185-s", clips))
    begun = "cut => void harness.take({ cut })"
    maker.page.evaluate(begun, {"fromMs": 0, "toMs": 170_000})
    maker.page.wait_for_function("() => harness.progress().length > 2")
    assert len(maker.ask("spools")) == 1
    maker.page.reload()
    maker.page.wait_for_function("() => 'harness' in globalThis")
    sweep = "async () => { await harness.sweep(); return (await harness.spools()).length === 0 }"
    eventually(lambda: maker.page.evaluate(sweep))
    maker.assert_empty()
