"""With only an address: a guest saves the .mp4, a stranger leaves a message, its owner reads and answers it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from restante.cli.main import run
from restante.client import calling
from restante.client.errors import Unreachable
from tests.cli.person import Person
from tests.footage import assert_plays
from tests.serving import Server, serving

SRT = "1\r\n00:00:00,200 --> 00:00:01,000\r\n<i>Good morning,</i>\r\nAnn.\r\n"
VTT = "WEBVTT\n\n00:00:00.200 --> 00:00:01.000\nGood morning,\nAnn.\n"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = {"RESTANTE_ABUSE_CONTACT": "abuse@post.example", "RESTANTE_PROOF_COST": "10"}
    with serving(tmp_path_factory.mktemp("pages") / "data", **env) as running:
        yield running


@pytest.fixture(scope="module")
def owner(house: Server, tmp_path_factory: pytest.TempPathFactory) -> Person:
    return Person("owner-of-all", tmp_path_factory.mktemp("owner"), house.url).sign_up()


@pytest.fixture
def stranger(house: Server, tmp_path: Path) -> Person:
    """Somebody without an account, at a terminal of their own."""
    return Person("stranger", tmp_path, house.url)


def test_a_guest_with_only_the_address_saves_the_video(owner, stranger, clip, tmp_path):
    made = owner.ok("link", "create", clip, "--caption", "For you", "--opens", "1", "--json").json
    seen = stranger.ok("link", "open", made["url"], "-o", tmp_path / "saved.mp4", "--json").json
    assert (seen["caption"], seen["id"]) == ("For you", made["message"])
    assert seen["from"].startswith("owner-of-all@")
    assert_plays(tmp_path / "saved.mp4", duration_s=1.2)
    again = stranger.run("link", "open", made["url"], "-o", tmp_path / "again.mp4")
    assert "opens nothing any more" in again.failed().err
    (listed,) = [each for each in owner.ok("link", "list", "--json").json if each["id"] == made["id"]]
    assert (listed["opens"], listed["state"]) == (1, "used-up")
    assert [item["to"] for item in owner.sent() if item["id"] == made["message"]] == [["link"]]


def test_an_old_message_gets_a_link_that_is_taken_back(owner, stranger, clip):
    message = owner.send(owner.name, clip)
    made = owner.ok("link", "create", message, "--no-save", "--json").json
    refused = stranger.run("link", "open", made["url"], "-o", stranger.folder / "no.mp4")
    assert "does not want it saved" in refused.failed().err
    owner.ok("link", "revoke", made["id"])
    assert "opens nothing any more" in stranger.run("link", "open", made["url"]).failed().err


def test_a_stranger_leaves_a_message_and_is_answered(owner, stranger, clip, tmp_path):
    page = owner.ok("page", "on", "--note", "Back on Monday", "--json").json
    called = stranger.ok("call", page["url"], clip, "--name", "Grace", "--answer", "--json").json
    assert called["verified"] is True
    (item,) = [item for item in owner.inbox() if item["id"] == called["id"]]
    assert (item["from"], item["trust"]) == (None, "unsigned")
    owner.ok("save", called["id"], "-o", tmp_path / "left.mp4")
    assert_plays(tmp_path / "left.mp4", duration_s=1.2)
    early = stranger.run("link", "open", called["answer"])
    assert "no such thing" in early.failed().err
    owner.ok("link", "answer", called["id"], clip, "--caption", "Thank you")
    seen = stranger.ok("link", "open", called["answer"], "-o", tmp_path / "answer.mp4", "--json").json
    assert seen["caption"] == "Thank you"
    assert_plays(tmp_path / "answer.mp4", duration_s=1.2)


def test_a_call_that_fails_leaves_a_draft_and_the_same_command_goes_on(owner, stranger, clip, monkeypatch):
    url = owner.ok("page", "on", "--json").json["url"]
    words = ("call", url, clip, "--name", "Grace", "--json")
    with monkeypatch.context() as patch:
        patch.setattr(calling, "_post", refused)
        assert "the line broke" in stranger.run(*words).failed().err
    (draft,) = stranger.drafts
    assert draft.is_complete
    (row,) = stranger.ok("drafts", "--json").json
    assert (row["id"], row["state"], row["to"]) == (draft.record.id, "complete", [])
    assert url.rpartition("#")[2] not in repr(draft.record)
    stranger.run("send", "--resume").failed()
    with monkeypatch.context() as patch:
        patch.setattr(calling, "convert", None)  # the control: what is there is not converted again
        called = stranger.ok(*words).json
    assert called["id"] == draft.record.id
    assert called["id"] in [item["id"] for item in owner.inbox()]
    assert stranger.drafts == []


def test_what_could_not_be_converted_leaves_no_draft(owner, stranger, tmp_path):
    url = owner.ok("page", "on", "--json").json["url"]
    (tmp_path / "no.mp4").write_bytes(b"no film")
    stranger.run("call", url, tmp_path / "no.mp4").failed()
    assert stranger.drafts == []


def refused(*_):
    raise Unreachable("the line broke")


def test_greeting_and_note_go_with_the_link_and_not_with_an_old_one(owner, stranger, clip, tmp_path):
    owner.ok("page", "on", "--note", "Back on Monday")
    first = owner.ok("page", "greeting", clip, "--json").json
    assert first["note"] == "Back on Monday"
    stranger.ok("link", "open", first["url"], "-o", tmp_path / "greeting.mp4")
    assert_plays(tmp_path / "greeting.mp4", duration_s=1.2)
    assert not (tmp_path / "greeting.vtt").exists()
    second = owner.ok("page", "rotate", "--json").json
    assert (second["greeting"], second["note"]) == (first["greeting"], first["note"])
    assert second["url"] != first["url"]
    stranger.run("link", "open", first["url"]).failed()
    seen = stranger.ok("link", "open", second["url"], "--json").json
    assert seen["id"] == first["greeting"]
    other_key = (
        second["url"].replace("#", "#AAAA")[: second["url"].index("#") + 5]
        + second["url"].partition("#")[2][4:]
    )
    stranger.run("link", "open", other_key).failed()
    owner.ok("page", "off")
    assert "no answering page" in stranger.run("call", second["url"], clip).failed().err


def test_captions_go_with_a_greeting_also_to_another_link_and_with_a_call(owner, stranger, clip, tmp_path):
    srt = tmp_path / "words.srt"
    srt.write_bytes(SRT.encode())
    bad = tmp_path / "bad.srt"
    bad.write_text("1\n00:00:05,000 --> 00:00:04,000\nNot so\n")
    owner.ok("page", "on")
    before = owner.ok("page", "greeting", clip, "--json").json["greeting"]
    assert "line 2" in owner.run("page", "greeting", clip, "--captions", bad).failed(2).err
    assert owner.ok("page", "--json").json["greeting"] == before
    replaced = owner.ok("page", "greeting", clip, "--captions", srt, "--json").json
    assert replaced["greeting"] != before
    url = owner.ok("page", "rotate", "--json").json["url"]
    seen = stranger.ok("link", "open", url, "-o", tmp_path / "greeting.mp4", "--json").json
    assert seen["captions"] == str(tmp_path / "greeting.vtt")
    assert (tmp_path / "greeting.vtt").read_text(encoding="utf-8") == VTT

    called = stranger.ok("call", url, clip, "--captions", srt, "--json").json
    owner.ok("save", called["id"], "-o", tmp_path / "left.mp4")
    assert (tmp_path / "left.vtt").read_text(encoding="utf-8") == VTT


def test_a_guest_answers_a_link_that_allows_it(owner, stranger, clip):
    made = owner.ok("link", "create", clip, "--answers", "--json").json
    called = stranger.ok("call", made["url"], clip, "--json").json
    (item,) = [item for item in owner.inbox() if item["id"] == called["id"]]
    assert item["trust"] == "unsigned"


@pytest.mark.parametrize(
    "url", ["https://post.example/", "http://127.0.0.1/m/lnk_x#A", "http://127.0.0.1/@a#b", "x"]
)
def test_what_is_no_address_is_said_so(url, capsys):
    assert run(["link", "open", url]) == 2
    assert "not the address" in capsys.readouterr().err
