"""Nothing that was begun is lost: server killed, client killed in either phase, upload lost, answer lost."""

import os
import signal
from dataclasses import dataclass

import pytest

from tests.api.people import new_client
from tests.cli.person import Person, hard_kill, until
from tests.databases import looking_into
from tests.footage import assert_plays
from tests.serving import Server, serving
from tests.stored import all_stored


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("interrupted") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def couple(own_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("couple")
    return [Person(name, folder, own_server.url).sign_up() for name in ("ann", "bob")]


@dataclass
class Scene:
    """Two people and their server; counts only what came since the test began."""

    ann: Person
    bob: Person
    server: Server
    blobs_before: set
    messages_before: int

    def blobs(self):
        """Their bytes by their uploads."""
        now = all_stored(self.server)
        return {upload: now[upload] for upload in now.keys() - self.blobs_before}

    def uploaded_bytes(self):
        return sum(self.blobs().values())

    def assert_one_message(self, path, *, duration_s):
        assert [item["id"] for item in self.bob.inbox()] == [item["id"] for item in self.ann.sent()]
        assert len(self.bob.inbox()) == self.messages_before + 1
        self.bob.ok("save", "1", "-o", path)
        assert_plays(path, duration_s=duration_s)
        assert self.ann.drafts == []


@pytest.fixture
def scene(couple, own_server):
    ann, bob = couple
    for draft in ann.drafts:
        ann.ok("drafts", "--discard", draft.record.id)
    return Scene(ann, bob, own_server, set(all_stored(own_server)), len(bob.inbox()))


def spooled_bytes(person):
    return sum(draft.spool.stat().st_size for draft in person.drafts if draft.spool.exists())


def test_a_server_killed_in_mid_upload_gets_the_rest_when_it_is_back(scene, long_clip, tmp_path):
    ann, server = scene.ann, scene.server
    with ann.started("send", "bob", long_clip) as sending:
        until(lambda: scene.uploaded_bytes() > 300_000)
        server.kill()
        assert sending.poll() is None
        before = scene.uploaded_bytes()
        server.start()
        _, err = sending.communicate(timeout=90)
    assert sending.returncode == 0, err
    assert before > 0
    scene.assert_one_message(tmp_path / "saved.mp4", duration_s=8)
    assert len(scene.blobs()) == 1


def test_a_client_killed_while_converting_begins_anew_with_another_key(scene, long_clip, tmp_path):
    ann = scene.ann
    with ann.started("send", "bob", long_clip, "--caption", "again") as sending:
        until(lambda: scene.uploaded_bytes() > 300_000)
        hard_kill(sending)
    (draft,) = ann.drafts
    assert not draft.is_complete
    (listed,) = ann.ok("drafts", "--json").json
    assert (listed["state"], listed["to"], listed["caption"]) == ("incomplete", ["bob"], "again")
    sent_id = ann.send("bob", long_clip, "--caption", "again")
    assert sent_id != draft.record.id
    scene.assert_one_message(tmp_path / "saved.mp4", duration_s=8)
    until(lambda: len(scene.blobs()) == 1)  # the first upload was terminated


def complete_draft(scene, film):
    """Stops the server's process while the client converts, so that a whole spool waits; then kills the client."""
    ann, server = scene.ann, scene.server
    with ann.started("send", "bob", film) as sending:
        until(lambda: scene.uploaded_bytes() > 100_000)
        os.killpg(server.process.pid, signal.SIGSTOP)
        try:
            until(lambda: any(draft.is_complete for draft in ann.drafts), within_s=60)
            hard_kill(sending)
        finally:
            os.killpg(server.process.pid, signal.SIGCONT)
    (draft,) = ann.drafts
    return draft


def test_a_client_killed_while_uploading_goes_on_from_the_servers_offset(scene, long_clip, tmp_path):
    ann = scene.ann
    draft = complete_draft(scene, long_clip)
    assert 0 < scene.uploaded_bytes() < draft.record.video.size
    assert ann.ok("drafts", "--json").json[0]["state"] == "complete"
    assert ann.ok("send", "--resume").out.strip() == draft.record.id
    scene.assert_one_message(tmp_path / "saved.mp4", duration_s=8)
    assert list(scene.blobs()) == [draft.record.upload]


def test_the_same_command_goes_on_as_well_and_a_lost_upload_is_sent_again(scene, long_clip, tmp_path):
    ann, server = scene.ann, scene.server
    draft = complete_draft(scene, long_clip)
    with new_client(server.url, ann.profile.secrets().token) as client:
        gone = client.delete(f"/api/v1/uploads/{draft.record.upload}", headers={"tus-resumable": "1.0.0"})
    assert gone.status_code == 204
    assert ann.send("bob", long_clip) == draft.record.id
    scene.assert_one_message(tmp_path / "saved.mp4", duration_s=8)


def test_a_send_whose_answer_was_lost_makes_one_message(scene, clip, tmp_path):
    """The server dies between its commit and its answer; the draft is kept, and the repetition is recognised."""
    ann, server = scene.ann, scene.server
    server.kill()
    server.start(RESTANTE_FAILPOINT="send-before-answer:1")
    with ann.started("send", "bob", clip) as sending:
        until(server.died, within_s=40)
        server.kill()
        server.start()
        _, err = sending.communicate(timeout=60)
    assert sending.returncode == 0, err
    scene.assert_one_message(tmp_path / "saved.mp4", duration_s=1.2)
    with looking_into(server.data) as database:
        (count,) = database.execute("SELECT count(*) FROM messages").fetchone()
    assert count == scene.messages_before + 1


def test_an_interrupt_says_how_to_go_on(scene, long_clip):
    ann = scene.ann
    with ann.started("send", "bob", long_clip) as sending:
        until(lambda: scene.uploaded_bytes() > 100_000)
        sending.send_signal(signal.SIGINT)
        out, err = sending.communicate(timeout=30)
    assert (sending.returncode, out) == (1, "")
    assert "error: Interrupted." in err
    assert "restante send --resume msg_" in err
    assert "Traceback" not in err
    assert len(ann.drafts) == 1


def test_a_discarded_draft_takes_its_upload_along(scene, long_clip):
    ann = scene.ann
    with ann.started("send", "bob", long_clip) as sending:
        until(lambda: scene.uploaded_bytes() > 100_000)
        hard_kill(sending)
    assert ann.ok("drafts", "--discard", ann.drafts[0].record.id, "--json").json == []
    assert ann.drafts == []
    until(lambda: scene.blobs() == {})


def test_a_draft_is_sent_by_one_command_at_a_time(scene, long_clip):
    ann = scene.ann
    with ann.started("send", "bob", long_clip) as sending:
        until(lambda: scene.uploaded_bytes() > 0)
        assert "Another command" in ann.run("send", "bob", long_clip).failed().err
        assert "Another command" in ann.run("drafts", "--discard", ann.drafts[0].record.id).failed().err
        assert sending.wait(60) == 0


def test_a_file_that_is_no_video_leaves_no_draft(scene, tmp_path):
    ann = scene.ann
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(os.urandom(100_000))
    assert "not a video" in ann.run("send", "bob", noise).failed().err
    assert ann.drafts == []
    assert ann.run("send", "--resume").failed().err.startswith("error: There is no such draft")


def test_a_changed_file_is_not_resumed(scene, long_clip, tmp_path):
    ann = scene.ann
    film = tmp_path / "film.mp4"
    film.write_bytes(long_clip.read_bytes())
    with ann.started("send", "bob", film) as sending:
        until(lambda: spooled_bytes(ann) > 0)
        hard_kill(sending)
    film.unlink()
    assert "the file again" in ann.run("send", "--resume").failed().err
    assert len(ann.drafts) == 1
