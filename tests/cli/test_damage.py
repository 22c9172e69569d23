"""Damage on the server's disk: a clear error, exit 1, no file left; and whatever is whole is not affected."""

import pytest

from tests.databases import looking_into
from tests.footage import assert_plays
from tests.stored import change, stored


@pytest.fixture
def delivered(ann, bob, server, clip):
    """Two messages that wait: the first one is to be damaged."""
    ids = [ann.send(bob.name, clip, "--caption", caption) for caption in ("first", "second")]
    return ann, bob, server, ids


def upload_of(server, message_id):
    (upload,) = query(server, "SELECT upload_id FROM messages WHERE id = ?", message_id)
    return upload


def query(server, sql, *values):
    with looking_into(server.data) as database:
        return database.execute(sql, values).fetchone()


def flip(server, upload, place):
    data = bytearray(stored(server, upload))
    data[place] ^= 1
    change(server, upload, bytes(data))


def by_id(person):
    return {item["id"]: item for item in person.inbox()}


def left_over(tmp_path):
    return [path for path in tmp_path.iterdir() if path.name.endswith((".mp4", ".part"))]


@pytest.mark.parametrize("place", [300, -100], ids=["near the beginning", "near the end"])
def test_a_flipped_bit_in_a_video_is_found_before_anything_is_kept(delivered, tmp_path, place):
    ann, bob, server, (first, second) = delivered
    flip(server, upload_of(server, first), place)
    answer = bob.run("save", first, "-o", tmp_path / "saved.mp4").failed()
    assert "is not the one that the sender signed" in answer.err
    assert "hint: " in answer.err
    assert left_over(tmp_path) == []
    assert {item["id"]: item["state"] for item in ann.sent()}[first] == "stored"
    bob.ok("save", second, "-o", tmp_path / "second.mp4")
    assert_plays(tmp_path / "second.mp4", duration_s=1.2)


@pytest.mark.parametrize("keep", [0, 1000, -1], ids=["nothing", "the beginning", "all but a byte"])
def test_a_video_that_was_cut_off_is_not_saved(delivered, tmp_path, keep):
    _, bob, server, (first, _) = delivered
    upload = upload_of(server, first)
    change(server, upload, stored(server, upload)[:keep])
    assert "cut off" in bob.run("save", first, "-o", tmp_path / "saved.mp4").failed().err
    assert left_over(tmp_path) == []


def test_a_video_swapped_for_another_is_refused(delivered, tmp_path):
    _, bob, server, (first, second) = delivered
    change(server, upload_of(server, first), stored(server, upload_of(server, second)))
    assert "signed" in bob.run("save", first, "-o", tmp_path / "saved.mp4").failed().err
    assert left_over(tmp_path) == []


def test_a_damaged_envelope_is_listed_with_its_reason_and_the_others_are_well(delivered, tmp_path):
    ann, bob, server, (first, second) = delivered
    damage(server, first, "envelopes", "envelope", "message_id")
    items = by_id(bob)
    assert items[second]["state"] == "stored"
    broken = items[first]
    assert (broken["state"], broken["error"]["code"]) == ("damaged", "envelope-damaged")
    assert (broken["caption"], broken["duration_s"], broken["from"]) == (None, None, ann.name)
    assert "envelope-damaged" in bob.ok("inbox").err
    assert "damaged, cut off or altered" in bob.run("save", first, "-o", tmp_path / "saved.mp4").failed().err
    assert left_over(tmp_path) == []
    bob.ok("delete", first)
    assert first not in by_id(bob)
    assert second in by_id(bob)


def test_damaged_details_are_listed_with_their_reason(delivered):
    _, bob, server, (first, second) = delivered
    damage(server, first, "messages", "details", "id")
    items = by_id(bob)
    assert (items[first]["state"], items[first]["error"]["code"]) == ("damaged", "details-swapped")
    assert (items[second]["state"], items[second]["error"]) == ("stored", None)


def test_an_envelope_listed_under_another_id_is_refused(delivered):
    _, bob, server, (first, second) = delivered
    with looking_into(server.data) as database:
        database.execute(
            "UPDATE envelopes SET envelope = (SELECT envelope FROM envelopes WHERE message_id = ? AND box = 'inbox')"
            " WHERE message_id = ? AND box = 'inbox'",
            (second, first),
        )
    items = by_id(bob)
    assert (items[first]["error"]["code"], items[second]["error"]) == ("message-mislabelled", None)


def damage(server, message_id, table, column, key):
    """Flips the last bit of what the server stores."""
    with looking_into(server.data) as database:
        extra = " AND box = 'inbox'" if table == "envelopes" else ""
        (data,) = database.execute(
            f"SELECT {column} FROM {table} WHERE {key} = ?{extra}", (message_id,)
        ).fetchone()
        changed = data[:-1] + bytes([data[-1] ^ 1])
        database.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?{extra}", (changed, message_id))
