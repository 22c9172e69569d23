"""What is cut away from a take is gone from its file; poster and captions go along; until all is kept the old one stays."""

from pathlib import Path

import pytest

from restante.protocol.encoding import unb64
from tests.e2e.browsing import Visitors
from tests.e2e.making import Maker, arrive, assert_film, maker_house
from tests.e2e.recorder import shades
from tests.footage import brightness, ffmpeg, loudness
from tests.serving import Server

__all__ = ["maker_house"]


@pytest.fixture
def maker(visitors: Visitors, maker_house: Server, tmp_path: Path) -> Maker:
    return arrive(visitors, maker_house, tmp_path)


@pytest.fixture(scope="module")
def three_scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds black and silent, two white and loud, two black and silent."""
    path = tmp_path_factory.mktemp("scenes") / "scenes.mp4"
    picture = "color=black:s=320x240:r=25:d=6,drawbox=0:0:iw:ih:white:fill:enable='between(t,2,3.99)'"
    sound = "aevalsrc='if(between(t,2,4),sin(2*PI*1000*t)/2,0)':s=48000:d=6"
    graph = ["-filter_complex", f"{picture}[v];{sound}[a]", "-map", "[v]", "-map", "[a]"]
    ffmpeg(*graph, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", path)
    return path


def test_what_is_cut_away_is_not_in_the_file(maker: Maker, three_scenes: Path) -> None:
    whole = maker.take_ok(three_scenes)
    before = maker.ask("draft", whole)
    assert (
        maker.ask(
            "captions",
            whole,
            "1\n00:00:01,000 --> 00:00:03,000\nWhite\n\n2\n00:00:05,000 --> 00:00:06,000\nGone\n",
        )
        is None
    )
    draft = maker.ask("trim", whole, 2040, 3880)
    assert isinstance(draft, str), draft
    assert [found["id"] for found in maker.ask("drafts")] == [draft]
    maker.page.wait_for_function("async id => !(await harness.spools()).includes(id)", arg=whole)
    after = maker.ask("draft", draft)
    assert after["messageKey"] != before["messageKey"]
    assert after["captions"] == "WEBVTT\n\n00:00:00.000 --> 00:00:00.960\nWhite\n"
    plain = maker.plain(draft)
    judged = assert_film(plain, duration_s=1.84)
    # Every picture that is stored, not only those that are shown, is of the wanted scene.
    assert len(judged.frame_times) == 46
    assert min(brightness(plain)) > 200
    quiet = [value for value in loudness(plain)[2:-2] if value < 1e5]
    assert quiet == []
    assert maker.ask("bring", draft) is None
    exported = assert_film(maker.exported(draft), duration_s=1.84)
    assert len(exported.frame_times) == 46


@pytest.fixture(scope="module")
def stepped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of white, then two of light grey with a quarter of the pixels, as when a device does not keep up."""
    folder = tmp_path_factory.mktemp("stepped")
    path, stream = folder / "stepped.mp4", b""
    for name, colour, size in (("full", "white", "640x360"), ("small", "0xC0C0C0", "320x180")):
        picture = ["-f", "lavfi", "-i", f"color={colour}:s={size}:r=25:d=2"]
        codec = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-bf", "0", "-pix_fmt", "yuv420p"]
        ffmpeg(*picture, *codec, folder / f"{name}.h264")
        stream += (folder / f"{name}.h264").read_bytes()
    (folder / "both.h264").write_bytes(stream)
    ffmpeg("-r", "25", "-i", folder / "both.h264", "-c", "copy", path)
    return path


@pytest.mark.long
def test_a_film_whose_pictures_became_smaller_is_cut_in_one_size(maker: Maker, stepped: Path) -> None:
    """Across the step and behind it; the smaller pictures fill the frame."""
    for cut, light in (({"fromMs": 1000, "toMs": 3000}, 255), ({"fromMs": 2400, "toMs": 3600}, 192)):
        plain = maker.plain(maker.take_ok(stepped, cut=cut))
        judged = assert_film(plain, duration_s=(cut["toMs"] - cut["fromMs"]) / 1000)
        assert judged.size == (640, 360)
        for corner in ("16:16:0:0", "16:16:624:344"):
            seen = shades(plain, corner)
            assert seen[0] == pytest.approx(light, abs=8)
            assert seen[-1] == pytest.approx(192, abs=8)


@pytest.mark.long
def test_a_cut_that_is_cancelled_or_too_short_leaves_the_take_as_it_was(
    maker: Maker, three_scenes: Path
) -> None:
    whole = maker.take_ok(three_scenes)
    before = maker.ask("draft", whole)["video"]
    assert maker.ask("trim", whole, 1000, 1200)["code"] == "cut-too-short"
    maker.page.evaluate("id => { globalThis.trimming = harness.trim(id, 0, 5000) }", whole)
    maker.page.wait_for_function("() => harness.progress().length > 0")
    maker.ask("cancel")
    assert maker.page.evaluate("() => globalThis.trimming") == {"code": "AbortError"}
    maker.page.wait_for_function("async () => (await harness.spools()).length === 1")
    assert maker.ask("draft", whole)["video"] == before
    assert_film(maker.plain(whole), duration_s=6)
    assert maker.ask("bring", whole) is None


def test_a_poster_is_the_picture_that_was_chosen(maker: Maker, three_scenes: Path, tmp_path: Path) -> None:
    draft = maker.take_ok(three_scenes)
    for ms, is_bright in ((3000, True), (5500, False)):
        assert maker.ask("poster", draft, ms) is None
        poster = maker.ask("draft", draft)["poster"]
        data = unb64(poster["data"])
        assert len(data) <= 24 * 1024
        picture = tmp_path / f"{ms}.webp"
        picture.write_bytes(data)
        (light,) = brightness(picture)
        assert (light > 200) == is_bright
