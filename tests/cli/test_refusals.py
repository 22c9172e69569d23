"""What cannot be done is said in words, with a way out: limits, misuse, missing parts, unreachable servers."""

import subprocess
import sys
import time

import pytest

from tests.cli.person import NO_KEYRING
from tests.footage import odd
from tests.serving import free_port


def test_plain_http_to_another_machine_is_refused(person):
    ann = person(signed_up=False)
    answer = ann.run("sign-up", "ann", "--server", "http://post.example").failed(2)
    assert answer.err == (
        "error: Plain http is for this machine only: post.example.\n"
        "hint: Use https://, or a server on 127.0.0.1.\n"
    )


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1",
        "127.0.0.1:8080",
        "http://a:b@127.0.0.1",
        "http://127.0.0.1/x",
        "http://127.0.0.1.nip.io",
    ],
)
def test_odd_addresses_are_refused(person, url):
    person(signed_up=False).run("sign-up", "ann", "--server", url).failed(2)


def test_a_server_that_is_away_is_told_and_nothing_is_left(person):
    ann = person(signed_up=False)
    began_s = time.monotonic()
    answer = ann.run("sign-in", "ann", "--server", f"http://127.0.0.1:{free_port()}", **_SECRET)
    assert "does not answer" in answer.failed().err
    assert time.monotonic() - began_s < 20
    assert not ann.profile.folder.exists()


_SECRET = {"RESTANTE_PASSPHRASE": "an otter sings at noon"}


def test_a_closed_server_says_so(person, new_server):
    ann = person(at=new_server(RESTANTE_SIGN_UP="closed"), signed_up=False)
    answer = ann.run("sign-up", "ann", "--server", ann.url).failed()
    assert answer.err == "error: This server takes no new accounts.\nhint: Ask its operator.\n"


def test_too_many_sign_ins_are_told_to_wait(person, new_server):
    server = new_server(RESTANTE_RATE_SIGN_IN="1/60s")
    ann = person("ann", at=server)
    second = ann.other_device("second")
    answers = [second.run("sign-in", "ann", "--server", server.url, **_SECRET) for _ in range(3)]
    assert "Too many requests" in answers[-1].failed().err


def test_a_video_larger_than_the_servers_limit_is_refused_and_its_draft_kept(person, new_server, clip):
    server = new_server(RESTANTE_UPLOAD_BYTES="20k")
    ann = person("ann", at=server)
    answer = ann.run("send", "ann", clip).failed()
    assert "larger than allowed" in answer.err
    assert "restante send --resume" in answer.err


def test_a_long_video_is_refused_or_shortened(ann, tmp_path):
    film = odd("185-s", tmp_path)
    answer = ann.run("send", ann.name, film).failed()
    assert "3 min 5 s" in answer.err
    assert ann.drafts == []
    ann.send(ann.name, film, "--shorten")
    assert ann.inbox()[0]["duration_s"] == pytest.approx(180, abs=0.05)


def test_a_caption_of_any_length_is_judged_before_the_conversion(ann, clip):
    assert "32 KiB" in ann.run("send", ann.name, clip, "--caption", "é" * 17_000).failed(2).err
    ann.send(ann.name, clip, "--caption", "é" * 16_000)
    assert ann.inbox()[0]["caption"] == "é" * 16_000


def test_saving_does_not_replace_a_file_unless_told(ann, clip, tmp_path):
    ann.send(ann.name, clip)
    target = tmp_path / "mine.mp4"
    target.write_text("precious")
    assert "file of this name" in ann.run("save", 1, "-o", target).failed().err
    assert target.read_text() == "precious"
    ann.ok("save", 1, "-o", target, "--force")
    assert target.read_bytes()[4:8] == b"ftyp"
    folder = tmp_path / "films"
    folder.mkdir()
    path = ann.ok("save", 1, "-o", folder, "--json").json["path"]
    assert path.startswith(f"{folder}/{ann.name}-20")
    assert [str(each) for each in folder.iterdir()] == [path]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["save", "1000"], 1, "no such message"),
        (["save", "msg_zzzz"], 1, "no such message"),
        (["delete", "700"], 1, "no such message"),
        (["send", "ann"], 2, "a name and a file"),
        (["send", "--resume", "a", "b"], 1, "no such draft"),
        (["send", "--resume", "--shorten"], 2, "nothing but a draft"),
        (["send", "--nonsense"], 2, "--nonsense"),
        (["nonsense"], 2, "nonsense"),
        (["save"], 2, "MESSAGE"),
        (["send", "ann", "/nowhere/film.mp4"], 1, "/nowhere/film.mp4: No such file"),
    ],
)
def test_misuse_and_absence_are_told_apart(ann, words, code, says):
    answer = ann.run(*words).failed(code)
    assert says.lower() in answer.err.lower()


def test_beginnings_of_ids_are_enough_when_they_fit_one(person, clip, tmp_path):
    ann = person()
    first, second = ann.send(ann.name, clip), ann.send(ann.name, clip)
    assert "More than one" in ann.run("save", "msg_").failed().err
    length = next(
        n for n in range(1, 27) if first[4 : 4 + n] != second[4 : 4 + n] and not first[4 : 4 + n].isdigit()
    )
    ann.ok("save", first[4 : 4 + length], "-o", tmp_path / "first.mp4")
    ann.ok("delete", second)
    assert [item["id"] for item in ann.inbox()] == [first]
    ann.ok("delete", first, "--for-everyone")
    assert ann.inbox() == ann.sent() == []


def test_without_the_server_extra_serving_gives_a_hint():
    blocked = ["litestar", "granian", "sqlalchemy", "alembic", "multipart"]
    program = (
        f"import sys\nfor name in {blocked}: sys.modules[name] = None\n"
        "from restante.cli.main import main\nsys.argv = ['restante', *sys.argv[1:]]\nmain()"
    )

    def run(*words):
        command = [sys.executable, "-c", program, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    answer = run("serve")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == (
        "error: This command needs the extra `server`.\nhint: pip install 'restante[server]'\n"
    )
    assert run("--help").returncode == 0
    assert run("send", "--help").returncode == 0


def test_help_is_quick_and_names_every_command():
    """CPU time, since others may use the machine: half a second."""
    script = "import os,sys; from restante.cli.main import run; run(['--help']); print(sum(os.times()[:2]))"
    taken_s = []
    for _ in range(3):  # a busy machine makes CPU time longer too
        answer = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
        )
        *text, seconds = answer.stdout.splitlines()
        taken_s.append(float(seconds))
        if taken_s[-1] < 0.5:
            break
    assert min(taken_s) < 0.5
    for name in (
        "sign-up",
        "sign-in",
        "sign-out",
        "send",
        "inbox",
        "sent",
        "record",
        "devices",
        "watch",
        "save",
        "delete",
        "export",
        "serve",
    ):
        assert any(f" {name} " in line for line in text)


def test_each_command_explains_itself(person):
    ann = person(signed_up=False)
    for name in (
        "sign-up",
        "sign-in",
        "sign-out",
        "send",
        "inbox",
        "sent",
        "record",
        "devices",
        "watch",
        "save",
        "delete",
        "drafts",
        "export",
    ):
        text = ann.ok(name, "--help").out
        for option in ("--server", "--profile", "--json"):
            assert option in text


def test_no_colour_when_it_is_not_wanted(person):
    answer = person(signed_up=False).spawn("--help", NO_COLOR="1", **NO_KEYRING)
    assert "\x1b[" not in answer.out
