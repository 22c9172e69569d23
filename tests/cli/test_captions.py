"""Captions travel sealed with their video and are saved beside it; both clients read them alike."""

import json

import pytest

from restante.client.captions import CAPTIONS_BYTES, normalised
from restante.client.errors import ClientError
from tests.serving import ROOT

CASES = json.loads((ROOT / "web" / "tests" / "media" / "captions.json").read_text(encoding="utf-8"))
SRT = "1\r\n00:00:00,200 --> 00:00:01,000\r\n<i>Good morning,</i>\r\nAnn.\r\n"
VTT = "WEBVTT\n\n00:00:00.200 --> 00:00:01.000\nGood morning,\nAnn.\n"


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_both_clients_read_captions_alike(case):
    if "output" in case:
        assert normalised(case["input"]) == case["output"]
        assert normalised(case["output"]) == case["output"]
        return
    with pytest.raises(ClientError) as refused:
        normalised(case["input"])
    assert refused.value.code == case["refusal"]
    assert case["line"] is None or str(refused.value).endswith(f"line {case['line']}")


def test_captions_are_no_more_than_a_message_can_carry():
    with pytest.raises(ClientError) as refused:
        normalised(f"00:00:01,000 --> 00:00:02,000\n{'é' * (CAPTIONS_BYTES // 2)}\n")
    assert refused.value.code == "captions-too-large"


def test_captions_are_saved_beside_their_video(ann, bob, clip, tmp_path):
    srt = tmp_path / "words.srt"
    srt.write_bytes(SRT.encode())
    ann.ok("send", bob.name, clip, "--captions", srt)
    saved = bob.ok("save", "1", "-o", tmp_path / "saved.mp4")
    assert saved.out.split() == [str(tmp_path / "saved.mp4"), str(tmp_path / "saved.vtt")]
    assert (tmp_path / "saved.vtt").read_text(encoding="utf-8") == VTT


def test_captions_that_cannot_be_read_are_refused_before_anything_is_sent(ann, bob, clip, tmp_path):
    srt = tmp_path / "words.srt"
    srt.write_text("1\n00:00:05,000 --> 00:00:04,000\nNot so\n")
    before = ann.sent()
    refused = ann.run("send", bob.name, clip, "--captions", srt)
    assert refused.code == 2
    assert "captions cannot be read: line 2" in refused.err
    assert "hint:" in refused.err
    assert ann.sent() == before
    assert ann.run("send", bob.name, clip, "--captions", tmp_path / "none.srt").code == 1
