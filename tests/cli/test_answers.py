"""Answers, passing on, what is kept and archived, receipts and the chain of deletions, at the command line."""

from pathlib import Path

import pytest

from tests.cli.person import Person


@pytest.fixture(scope="module")
def cat(server, tmp_path_factory: pytest.TempPathFactory) -> Person:
    return Person("cat-answers", tmp_path_factory.mktemp("cat"), server.url).sign_up()


def of(items: list[dict], message_id: str) -> dict:
    return next(item for item in items if item["id"] == message_id)


def test_a_message_is_answered_by_video_words_and_a_sign(ann: Person, bob: Person, clip: Path):
    first = ann.send(bob.name, clip)
    by_video = bob.ok("reply", first, clip, "--caption", "There").out.strip()
    by_words = bob.ok("reply", first, "--text", "Yes, at eight").out.strip()
    by_sign = bob.ok("reply", first, "--reaction", "❤").out.strip()
    got = ann.inbox()
    assert [of(got, one)["reply_to"] for one in (by_video, by_words, by_sign)] == [first] * 3
    assert of(got, by_words)["text"] == "Yes, at eight"
    assert (of(got, by_sign)["kind"], of(got, by_sign)["text"]) == ("reaction", "❤")
    assert [item["reply_to"] for item in bob.inbox() if item["id"] == first] == [None]
    assert "needs some" in bob.run("reply", first, "--reaction", "x" * 33).failed(2).err
    assert (
        "a file, --text or --reaction"
        in bob.run("reply", first, "--text", "a", "--reaction", "b").failed(2).err
    )


def test_what_may_be_passed_on_is_and_ends_with_its_sender(ann: Person, bob: Person, cat: Person, clip: Path):
    shut, open_ = ann.send(bob.name, clip), ann.send(bob.name, clip, "--may-forward")
    assert "did not allow to pass" in bob.run("forward", shut, cat.name).failed().err
    bob.ok("forward", open_, cat.name)
    item = of(cat.inbox(), open_)
    assert (item["from"], item["may_forward"]) == (bob.name, False)
    assert item["forwarded"] == {"from": None, "created_at": None}  # cat does not know ann's key
    cat.ok("save", open_, "-o", cat.folder / "passed-on.mp4")
    assert "did not allow to pass" in cat.run("forward", open_, ann.name).failed().err
    ann.ok("delete", open_, "--for-everyone")
    assert open_ not in {one["id"] for one in cat.inbox()}


def test_who_knows_the_first_sender_is_told_them(ann: Person, bob: Person, cat: Person, clip: Path):
    cat.ok("contacts", "add", ann.name)
    passed = ann.send(bob.name, clip, "--may-forward")
    bob.ok("groups", "new", "both", cat.name, ann.name)
    to = bob.ok("forward", passed, "--group", "both", "--json").json["to"]
    assert to == [cat.profile.identity.acct], "ann, whose message it is, is in the group too"
    assert of(cat.inbox(), passed)["forwarded"]["from"] == ann.profile.identity.acct
    assert "There is no group" in bob.run("forward", passed, "--group", "nobody").failed(2).err


def test_kept_and_archived_hold_on_every_device(ann: Person, bob: Person):
    message = ann.ok("reply", _first(ann, bob), "--text", "Keep me").out.strip()
    bob.ok("keep", message)
    assert of(bob.inbox(), message)["kept"] is True
    bob.ok("archive", message)
    assert message not in {item["id"] for item in bob.inbox()}
    other = bob.other_device("second")
    other.ok("sign-in", bob.name, "--server", bob.url, RESTANTE_PASSPHRASE=bob.passphrase)
    (archived,) = [item for item in other.ok("inbox", "--archived", "--json").json if item["id"] == message]
    assert (archived["kept"], archived["archived"]) == (True, True)
    other.ok("archive", message, "--undo")
    assert message in {item["id"] for item in bob.inbox()}


@pytest.mark.parametrize(
    ("chosen", "receipt", "state"),
    [("signed", "played", "played"), ("plain", None, "played"), ("off", None, "stored")],
)
def test_the_recipient_chooses_what_the_sender_learns(
    ann: Person, bob: Person, clip: Path, chosen: str, receipt: str | None, state: str
):
    bob.ok("receipts", chosen)
    assert bob.ok("receipts").out.strip() == chosen
    message = ann.send(bob.name, clip)
    bob.ok("save", message, "-o", bob.folder / f"{chosen}.mp4")
    item = of(ann.sent(), message)
    (delivery,) = item["deliveries"]
    assert item["state"] == state
    assert (delivery["receipt"] and delivery["receipt"]["word"]) == receipt
    bob.ok("receipts", "plain")


def test_what_is_to_be_watched_once_is_not_saved_and_goes(ann: Person, bob: Person, clip: Path):
    message = ann.send(bob.name, clip, "--once")
    assert of(bob.inbox(), message)["once"] is True
    assert "watched once" in bob.run("save", message).failed().err
    bob.ok("watch", message, "--player", "cat -")
    assert message not in {item["id"] for item in bob.inbox()}
    assert "cannot be passed on" in ann.run("send", bob.name, clip, "--once", "--may-forward").failed(2).err


def test_both_sides_read_of_a_deletion_and_a_changed_list_is_found_out(ann: Person, bob: Person, clip: Path):
    message = ann.send(bob.name, clip, "--expires", "played")
    assert of(bob.inbox(), message)["until_played"] is True
    ann.ok("delete", message, "--for-everyone")
    (his,) = [line for line in bob.ok("audit", "--json").json if line["message"] == message][:1]
    assert (his["act"], his["by"]) == ("deleted", ann.name)
    assert [his["at"]] == [
        line["at"]
        for line in ann.ok("audit", "--json").json
        if (line["message"], line["act"]) == (message, "deleted")
    ]
    head = bob.profile.folder / "audit.json"
    head.write_text(head.read_text().replace('"sha256":"', '"sha256":"A'))
    assert "does not hold together" in bob.run("audit").failed().err


def _first(ann: Person, bob: Person) -> str:
    """A message of bob's to ann."""
    return next(item["id"] for item in ann.inbox() if item["from"] == bob.name)
