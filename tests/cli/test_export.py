"""An export is opened by stock tools, without us and without the server."""

import hashlib
import json
import stat
import subprocess

import pytest

from tests.databases import looking_into
from tests.footage import ffmpeg
from tests.stored import change, stored


def opened_by_age(folder, name):
    command = ["age", "-d", "-i", folder / "key.txt", folder / name]
    return subprocess.run(command, check=True, capture_output=True, timeout=30).stdout


@pytest.fixture
def mailbox(person, server, clip):
    ann, bob = person(), person()
    ids = [ann.send(bob.name, clip, "--caption", "one"), bob.send(ann.name, clip, "--caption", "two")]
    return bob, server, ids


def test_the_age_program_opens_everything(mailbox, tmp_path):
    bob, _, ids = mailbox
    assert bob.ok("export", tmp_path / "all", "--json").json == {"written": 2, "skipped": 0, "failed": []}
    for message_id, caption in zip(ids, ("one", "two"), strict=True):
        folder = tmp_path / "all" / message_id
        assert {path.name for path in folder.iterdir()} == {
            "README.txt",
            "details.age",
            "envelope.signed",
            "key.txt",
            "video.age",
            "video.mp4",
        }
        details = json.loads(opened_by_age(folder, "details.age"))
        assert details["caption"] == caption
        (tmp_path / "opened.mp4").write_bytes(opened_by_age(folder, "video.age"))
        for video in (tmp_path / "opened.mp4", folder / "video.mp4"):
            ffmpeg("-i", video, "-f", "null", "-")
        kind, _, _, payload = (folder / "envelope.signed").read_bytes().split(b"\n", 3)
        assert kind == b"restante/1 envelope"
        signed = json.loads(payload)
        assert signed["id"] == message_id
        hashes = [
            hashlib.sha256((folder / "video.age").read_bytes()[at : at + 2**18]).digest() for at in (0,)
        ]
        assert len(details["video"]["sha256"]) == len(hashes)
        assert stat.S_IMODE((folder / "key.txt").stat().st_mode) == 0o600
        assert "age -d -i key.txt" in (folder / "README.txt").read_text()


def test_what_belongs_to_no_message_is_exported_too(mailbox, tmp_path):
    bob, _, _ = mailbox
    bob.ok("contacts", "--json")
    bob.ok("export", tmp_path / "all")
    folder = tmp_path / "all" / "account"
    told = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}
    assert set(told) == {"audit", "contacts", "known", "records", "settings", "ways"}
    sealed = [folder / "keyring.age", *(folder / "state").iterdir()]
    assert {path.name for path in sealed} >= {"keyring.age", "contacts.age"}
    assert all(path.read_bytes().startswith(b"age-encryption.org/v1") for path in sealed)
    (acct,) = told["contacts"]
    assert acct.startswith("p")
    assert told["known"]["name"] == bob.name
    assert [record["acct"] for record in told["records"]["items"]] == [f"{bob.name}@localhost"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_export_goes_on_where_it_ended_and_names_what_is_damaged(mailbox, tmp_path):
    bob, server, (first, second) = mailbox
    target = tmp_path / "all"
    with looking_into(server.data) as database:
        (upload,) = database.execute("SELECT upload_id FROM messages WHERE id = ?", (first,)).fetchone()
    whole = stored(server, upload)
    change(server, upload, whole[:-1] + bytes([whole[-1] ^ 1]))
    answer = bob.run("export", target)
    assert (answer.code, answer.out.strip()) == (1, "1 written, 0 there already, 1 failed")
    assert "video-part-swapped" in answer.err
    (written,) = [path for path in target.iterdir() if path.name != "account"]
    assert written.name == second
    change(server, upload, whole)
    (target / f"{first}.part").mkdir(exist_ok=True)
    again = bob.ok("export", target, "--json").json
    assert again == {"written": 1, "skipped": 1, "failed": []}
    assert {path.name for path in target.iterdir()} - {f"{first}.part", "account"} == {first, second}
