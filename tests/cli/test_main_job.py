"""The main job, by real commands on real footage: sent while the recipient is away, saved later as an .mp4."""

import pytest

from restante.protocol.encoding import unb64
from tests.footage import Judged, assert_plays, boxes, loudness, phone_video, real, talking_head
from tests.stored import all_stored, stored

CAPTION = "Call me when you are back, Ann ✉"


def test_a_talking_head_waits_for_its_recipient(person, server, tmp_path):
    ann, bob = person(), person()
    film = talking_head(tmp_path)
    sent = ann.spawn("send", bob.name, film, "--caption", CAPTION)
    assert sent.code == 0, sent.err
    message_id = sent.out.strip()
    (before,) = ann.sent()
    assert before | {"created_at": 0, "received_at": 0} == {
        "id": message_id,
        "from": ann.name,
        "to": [bob.name],
        "created_at": 0,
        "received_at": 0,
        "duration_s": pytest.approx(4.0, abs=0.1),
        "caption": CAPTION,
        "state": "stored",
        "kind": "video",
        "text": None,
        "reply_to": None,
        "expires_at": None,
        "until_played": False,
        "once": False,
        "may_forward": False,
        "forwarded": None,
        "trust": "own",
        "gap": False,
        "request": False,
        "error": None,
        "deliveries": [
            {
                "recipient": bob.name,
                "fetched_at": None,
                "played_at": None,
                "deleted_at": None,
                "receipt": None,
            }
        ],
    }
    server.kill()
    server.start()
    (item,) = bob.inbox()
    assert (item["id"], item["from"], item["to"]) == (message_id, ann.name, [bob.name])
    assert (item["caption"], item["state"]) == (CAPTION, "stored")
    saved = bob.spawn("save", 1, "-o", tmp_path / "saved.mp4")
    assert (saved.code, saved.out.strip()) == (0, str(tmp_path / "saved.mp4")), saved.err
    assert_plays(tmp_path / "saved.mp4", duration_s=4.0)
    assert [kind for kind, *_ in boxes((tmp_path / "saved.mp4").read_bytes())][:2] == ["ftyp", "moov"]
    assert max(loudness(tmp_path / "saved.mp4")) > 1e5
    assert ann.sent()[0]["state"] == "played"
    assert bob.inbox()[0]["state"] == "played"


def test_a_moving_scene_goes_to_several_people(ann, bob, person, tmp_path):
    cid = person()
    ann.ok("send", bob.name, cid.name, real("bikes"))
    for each in (bob, cid):
        path = tmp_path / f"{each.name}.mp4"
        each.ok("save", "1", "-o", path)
        assert_plays(path, duration_s=Judged(real("bikes")).duration_s)
    assert ann.sent()[0]["to"] == [bob.name, cid.name]
    assert ann.sent()[0]["state"] == "played"


def test_a_phone_video_loses_its_place_on_the_way(ann, bob, tmp_path):
    ann.send(bob.name, phone_video(tmp_path))
    bob.ok("save", "1", "-o", tmp_path / "saved.mp4")
    judged = assert_plays(tmp_path / "saved.mp4", duration_s=2.0)
    assert judged.size == (360, 640)
    assert b"CANARY" not in (tmp_path / "saved.mp4").read_bytes()


def test_the_server_holds_nothing_in_clear(person, new_server, tmp_path, clip):
    mine = new_server()
    ann, bob = person("ann", at=mine), person("bob", at=mine)
    ann.ok("send", "bob", clip, "--caption", CAPTION)
    bob.ok("save", "1", "-o", tmp_path / "saved.mp4")
    with ann.account as account:
        sign_seed = unb64(account.keyring.sign)
    secrets = [
        CAPTION.encode(),
        b"ftypiso",
        b"AGE-SECRET-KEY",
        ann.passphrase.encode(),
        ann.recovery_code.encode(),
        sign_seed,
    ]
    held = [mine.stored(), mine.log_path.read_bytes(), *(stored(mine, each) for each in all_stored(mine))]
    assert [secret for secret in secrets if any(secret in data for data in held)] == []
    assert any(
        b"age-encryption.org/v1" in data for data in held
    )  # the control: the places were the right ones


def test_inbox_of_nobody_is_an_empty_list(person):
    ann = person()
    assert ann.inbox() == []
    assert ann.sent() == []
    assert ann.ok("inbox").err.strip() == "Nothing here yet."


def test_a_message_to_oneself_stands_in_both_boxes(person, clip, tmp_path):
    ann = person()
    message_id = ann.send(ann.name, clip)
    assert [item["id"] for item in ann.inbox() + ann.sent()] == [message_id, message_id]
    ann.ok("save", message_id, "-o", tmp_path / "saved.mp4")
