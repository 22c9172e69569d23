"""`restante record` on devices that libavfilter makes up: sent, kept, saved; and whatever ends it, the take is there."""

import os
import signal
import subprocess

import pytest

from restante.client.recording import new_take
from restante.client.retry import Patience
from tests.cli.person import COMMAND, hard_kill, until
from tests.cli.seated import seated
from tests.footage import assert_plays
from tests.serving import free_port

CAMERA = "lavfi:testsrc2=s=160x120:r=15"
NOISY = "lavfi:testsrc2=s=320x240:r=15,noise=alls=60:allf=t"
MIC = "lavfi:sine=f=440:r=48000"
DEVICES = ("--camera", CAMERA, "--mic", MIC)


@pytest.fixture(autouse=True)
def tidy(ann):
    """What a failed test left behind is no other test's business."""
    yield
    for draft in ann.drafts:
        ann.ok("drafts", "--discard", draft.record.id)


def test_a_recording_is_sent_and_plays(ann, bob, tmp_path):
    answer = ann.ok(
        "record", "--to", bob.name, *DEVICES, "--seconds", 1.5, "--caption", "Hi", "--yes", "--json"
    ).json
    assert answer | {"id": ""} == {"id": "", "duration_s": 1.5, "path": None, "state": "stored"}
    item = bob.inbox()[0]
    assert (item["id"], item["caption"], item["duration_s"]) == (answer["id"], "Hi", 1.5)
    bob.ok("save", answer["id"], "-o", tmp_path / "saved.mp4")
    assert_plays(tmp_path / "saved.mp4", duration_s=1.5, tolerance_s=0.03)
    assert ann.drafts == []


def test_a_take_for_nobody_yet_is_kept_and_sent_later(ann, bob, person):
    alone = person(signed_up=False)
    kept = alone.ok("record", "--camera", CAMERA, "--mic", "none", "--seconds", 0.5)
    assert f"restante send --resume {kept.out.strip()} NAME" in kept.err
    assert [draft.record.id for draft in alone.drafts] == [kept.out.strip()]

    message_id = ann.ok("record", *DEVICES, "--seconds", 0.5).out.strip()
    (listed,) = ann.ok("drafts", "--json").json
    assert (listed["id"], listed["to"], listed["file"], listed["state"]) == (message_id, [], None, "complete")
    assert "nobody to send to" in ann.run("send", "--resume", message_id).failed(2).err
    assert ann.send("--resume", message_id, bob.name, "--caption", "Later") == message_id
    assert bob.inbox()[0]["caption"] == "Later"
    assert ann.drafts == []


def test_a_take_that_has_its_recipients_gets_no_others(ann, bob):
    draft = new_take(ann.profile, to=(f"{ann.name}@localhost",), caption=None)
    assert "recipients" in ann.run("send", "--resume", draft.record.id, bob.name).failed(2).err


def test_a_recording_becomes_a_file_without_any_account(person, tmp_path):
    alone, target = person(signed_up=False), tmp_path / "mine.mp4"
    assert alone.ok("record", *DEVICES, "--seconds", 1, "-o", target).out.strip() == str(target)
    assert_plays(target, duration_s=1.0, tolerance_s=0.03)
    assert alone.drafts == []
    assert "file of this name" in alone.run("record", *DEVICES, "-o", target).failed().err


def test_a_lost_camera_is_told_and_the_next_one_goes_on(ann, tmp_path):
    cameras = ("--camera", f"{CAMERA}:d=0.5", "--camera", CAMERA)
    answer = ann.ok("record", *cameras, "--mic", MIC, "--seconds", 1.5, "-o", tmp_path / "mine.mp4")
    assert f"camera {CAMERA}:d=0.5 is lost" in answer.err
    assert f"Recording from the camera {CAMERA}.\n" in answer.err
    judged = assert_plays(tmp_path / "mine.mp4", duration_s=1.5, tolerance_s=0.03)
    assert judged.size == (160, 120)


def test_an_interrupt_stops_and_keeps(ann, bob):
    words = ("record", "--to", bob.name, "--camera", NOISY, "--mic", MIC)
    with ann.started(*words, "--yes", "--json") as recording:
        until(lambda: spooled_bytes(ann) > 100_000)
        recording.send_signal(signal.SIGINT)
        out, err = recording.communicate(timeout=40)
    assert recording.returncode == 0, err
    assert '"state": "stored"' in out
    assert ann.drafts == []


@pytest.mark.long
def test_a_second_interrupt_loses_nothing(ann, bob):
    before = len(bob.inbox())
    with ann.started("record", "--to", bob.name, "--camera", NOISY, "--mic", "none", "--yes") as recording:
        # More than a fragment: what is begun goes with the second.
        until(lambda: spooled_bytes(ann) > 500_000)
        recording.send_signal(signal.SIGINT)
        recording.send_signal(signal.SIGINT)
        _, err = recording.communicate(timeout=40)
    assert "Traceback" not in err
    if recording.returncode != 0:
        assert "restante send --resume" in err
        ann.send("--resume")
    assert len(bob.inbox()) == before + 1
    assert ann.drafts == []


def test_a_draft_in_which_nothing_was_kept_is_told(ann):
    draft = new_take(ann.profile, to=(f"{ann.name}@localhost",), caption=None)
    assert "Nothing was kept" in ann.run("send", "--resume").failed().err
    assert "Nothing was kept" in ann.run("drafts", "--save", draft.record.id).failed().err
    ann.ok("drafts", "--discard", draft.record.id)
    assert ann.drafts == []


@pytest.mark.long
def test_a_terminal_that_is_closed_leaves_a_draft_that_goes_nowhere(ann, bob):
    before = len(bob.inbox())
    with ann.started(
        "record", "--to", bob.name, "--camera", NOISY, "--mic", "none", "--yes", "--json"
    ) as recording:
        until(lambda: spooled_bytes(ann) > 100_000)
        recording.send_signal(signal.SIGHUP)
        out, err = recording.communicate(timeout=40)
    assert recording.returncode == 0, err
    assert '"state": "kept"' in out
    (draft,) = ann.drafts
    assert draft.is_complete
    assert len(bob.inbox()) == before
    ann.send("--resume")
    assert len(bob.inbox()) == before + 1


def test_a_recorder_that_is_killed_loses_its_last_moments_only(ann, bob, tmp_path):
    """What was sealed cannot be sealed on: it is opened, ended and sealed anew, and nothing is left over."""
    with ann.started(
        "record", "--to", bob.name, "--camera", NOISY, "--mic", MIC, "--caption", "Cut", "--yes"
    ) as recording:
        until(lambda: spooled_bytes(ann) > 500_000)
        hard_kill(recording)
    (draft,) = ann.drafts
    assert not draft.is_complete
    saved = ann.ok("drafts", "--save", draft.record.id[:10], "-o", tmp_path / "rescued.mp4")
    assert "not complete" in saved.err
    rescued = assert_plays(tmp_path / "rescued.mp4", duration_s=2.0, tolerance_s=1.9)
    message_id = ann.send("--resume")
    assert message_id != draft.record.id
    item = bob.inbox()[0]
    assert (item["id"], item["caption"]) == (message_id, "Cut")
    assert item["duration_s"] == pytest.approx(rescued.duration_s, abs=0.1)
    bob.ok("save", message_id, "-o", tmp_path / "saved.mp4")
    assert_plays(tmp_path / "saved.mp4", duration_s=rescued.duration_s)
    assert ann.drafts == []


@pytest.mark.long
def test_a_server_that_goes_away_does_not_disturb_a_recording(person, new_server, tmp_path):
    server = new_server()
    ann = person("ann", at=server)
    words = ("record", "--to", "ann", "--camera", NOISY, "--mic", "none", "--yes")
    with ann.started(*words) as recording:
        until(lambda: spooled_bytes(ann) > 200_000)
        server.kill()
        before = spooled_bytes(ann)
        until(lambda: spooled_bytes(ann) > before + 100_000)
        recording.send_signal(signal.SIGINT)
        server.start()
        _, err = recording.communicate(timeout=60)
    assert recording.returncode == 0, err
    assert ann.inbox()[0]["duration_s"] > 0.5


def test_a_disk_that_fills_up_stops_the_recording_and_keeps_it(ann, bob):
    """A limit of 800 KiB per file stands for the disk."""
    words = ["record", "--to", bob.name, "--camera", NOISY, "--mic", "none", "--yes"]
    answer = subprocess.run(
        ["bash", "-c", 'ulimit -f 800; exec "$@"', "-", COMMAND, *words],
        env={**os.environ, **ann.env()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "error: File too large." in answer.stderr
    assert "kept as a draft" in answer.stderr
    message_id = ann.send("--resume")
    assert (bob.inbox()[0]["id"], bob.inbox()[0]["duration_s"] > 0.1) == (message_id, True)
    assert ann.drafts == []


def test_without_its_server_there_is_a_way_to_record(ann, monkeypatch):
    monkeypatch.setattr(Patience, "wait", lambda *_, **__: False)  # how long it waits is proved elsewhere
    away = ("--server", f"http://127.0.0.1:{free_port()}")
    answer = ann.run("record", "--to", ann.name, "--yes", *DEVICES, *away).failed()
    assert "without --to" in answer.err
    assert ann.drafts == []


@pytest.mark.parametrize(
    ("answer", "state", "drafts"),
    [
        ("y", "stored", 0),
        ("", "kept", 1),
        pytest.param("s", "saved", 0, marks=pytest.mark.long),
        pytest.param("d", "discarded", 0, marks=pytest.mark.long),
    ],
)
def test_a_person_is_asked_what_becomes_of_it(ann, bob, tmp_path, monkeypatch, answer, state, drafts):
    monkeypatch.chdir(tmp_path)
    before = len(bob.inbox())
    with seated(ann, "record", "--to", bob.name, *DEVICES, "--seconds", 0.5, "--json") as seat:
        seat.wait_for("[d]iscard it:")
        seat.type(answer)
        assert seat.end() == 0, seat.screen
    assert f'"state": "{state}"' in seat.screen
    assert len(bob.inbox()) - before == (state == "stored")
    assert len(ann.drafts) == drafts
    assert len(list(tmp_path.glob("*.mp4"))) == (state == "saved")


def test_a_terminal_shows_how_loud_it_is_and_what_is_left(person):
    with seated(person(signed_up=False), "record", *DEVICES, "--seconds", 2) as seat:
        seat.wait_for("0:01 left  ▮▮▮▮▮")
        assert seat.end() == 0, seat.screen


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--to", "bob"], 2, "Add --yes"),
        (["--to", "nobody-here", "--yes", *DEVICES], 1, "Nobody has this name"),
        (["--caption", "Hi", *DEVICES], 2, "Name them with --to"),
        (["--seconds", "181", *DEVICES], 2, "180 seconds"),
        (["--seconds", "0", *DEVICES], 2, "180 seconds"),
        (["--camera", "no such camera"], 1, "restante devices"),
        (["--camera", "lavfi:nonsense", "--mic", "none"], 1, "gives nothing"),
        (["-o", "/nowhere/film.mp4", *DEVICES], 2, "the folder /nowhere"),
    ],
)
def test_what_cannot_be_is_said_before_anybody_speaks(ann, words, code, says):
    assert says in ann.run("record", *words).failed(code).err
    assert ann.drafts == []


def test_a_machine_says_which_devices_it_has_and_which_it_lacks(person):
    alone = person(signed_up=False)
    listed = {each["kind"] for each in alone.ok("devices", "--json").json}
    answer = alone.ok("devices")
    for kind in ("camera", "microphone"):
        assert (f"No {kind} was found" in answer.err) == (kind not in listed)
    # Before a camera that there is would be opened, the microphone is found wanting.
    refused = alone.run("record", "--mic", "no such microphone").failed().err
    missing = "no such device, or more than one: microphone no such microphone"
    assert (missing if "camera" in listed else "no such device on this machine: camera") in refused


def spooled_bytes(person):
    return sum(draft.spool.stat().st_size for draft in person.drafts if draft.spool.exists())
