"""Ways in: passphrase, recovery code, several devices; and out again."""

import re
import stat

import pytest

from tests.cli.middleman import middleman
from tests.cli.person import as_of_old
from tests.cli.seated import seated


def sign_in(person, **env):
    return person.run("sign-in", person.name, "--server", person.url, **env)


def test_both_secrets_open_the_account_on_another_device(person, bob, clip):
    ann = person()
    message_id = bob.send(ann.name, clip)
    second, third = ann.other_device("second"), ann.other_device("third")
    assert sign_in(second, RESTANTE_PASSPHRASE=f"  {ann.passphrase.replace(' ', '   ')} ").code == 0
    assert sign_in(third, RESTANTE_RECOVERY_CODE=ann.recovery_code.lower().replace("-", " ")).code == 0
    for device in (ann, second, third):
        assert [item["id"] for item in device.inbox()] == [message_id]
    with ann.account as account:
        assert len(account.keyring.devices) == 3


def test_a_wrong_passphrase_gets_the_answer_of_an_unknown_name(ann, person):
    wrong = ann.other_device("second")
    nobody = person("nobody-here", signed_up=False)
    answers = {
        sign_in(wrong, RESTANTE_PASSPHRASE="wrong wrong wrong wrong").failed().err,
        sign_in(nobody, RESTANTE_PASSPHRASE="wrong wrong wrong wrong").failed().err,
    }
    assert answers == {
        "error: The name or the secret is wrong.\nhint: Check both. An account that only has passkeys has no passphrase: use its recovery code, or pair this device.\n"
    }
    assert not wrong.profile.folder.exists()


def test_a_typing_error_in_a_recovery_code_is_found_before_the_server_is_asked(person):
    ann = person(signed_up=False)
    ann.url = "http://127.0.0.1:1"
    answer = sign_in(ann, RESTANTE_RECOVERY_CODE="0000-0000-0000-0000-0000-0000-0000-0001-0").failed()
    assert "typing error" in answer.err


def test_signing_out_forgets_this_device_only(person):
    ann = person()
    second = ann.other_device("second")
    assert sign_in(second, RESTANTE_PASSPHRASE=ann.passphrase).code == 0
    second.ok("sign-out")
    assert "Nobody is signed in here" in second.run("inbox").failed().err
    assert not (second.profile.folder / "secrets.json").exists()
    with ann.account as account:
        assert len(account.keyring.devices) == 1
    assert sign_in(second, RESTANTE_PASSPHRASE=ann.passphrase).code == 0


def test_signing_out_everywhere_ends_every_session_and_needs_a_word_from_its_person(person, server):
    ann = person()
    second = ann.other_device("second")
    assert sign_in(second, RESTANTE_PASSPHRASE=ann.passphrase).code == 0
    assert "your passphrase" in as_of_old(server, second).run("sign-out", "--everywhere").failed(2).err
    assert ann.inbox() == second.inbox() == []
    second.ok("sign-out", "--everywhere", RESTANTE_PASSPHRASE=ann.passphrase)
    assert "removed by another device" in ann.run("inbox").failed().err
    assert ann.run("sign-out").code == 0
    assert sign_in(ann, RESTANTE_RECOVERY_CODE=ann.recovery_code).code == 0
    assert ann.inbox() == []


def test_what_is_kept_is_readable_by_its_owner_only(ann, clip):
    ann.send(ann.name, clip)
    ann.inbox()
    modes = {
        path: stat.S_IMODE(path.stat().st_mode)
        for path in [ann.profile.folder, *ann.profile.folder.rglob("*")]
    }
    assert len(modes) > 5
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}


def test_sign_up_shows_both_secrets_once(person):
    ann = person(signed_up=False)
    shown = ann.ok("sign-up", ann.name, "--server", ann.url)
    lines = dict(line.split("  ", 1) for line in shown.out.splitlines())
    assert lines["account"].strip() == f"{ann.name}@localhost"
    assert len(lines["passphrase"].split()) == 6
    assert len(lines["recovery code"].strip()) == 41
    assert "only now" in shown.err
    kept = b"".join(path.read_bytes() for path in ann.profile.folder.rglob("*") if path.is_file())
    for secret in (lines["passphrase"].strip(), lines["recovery code"].strip()):
        assert secret.encode() not in kept


def test_a_passphrase_of_ones_own_is_judged_and_not_shown(person):
    ann = person(signed_up=False)
    weak = ann.run("sign-up", ann.name, "--server", ann.url, RESTANTE_PASSPHRASE="too short").failed()
    assert "at least 12 characters" in weak.err
    own = "an otter sings at noon"
    answer = ann.ok("sign-up", ann.name, "--server", ann.url, "--json", RESTANTE_PASSPHRASE=own).json
    assert answer["passphrase"] is None
    assert sign_in(ann.other_device("second"), RESTANTE_PASSPHRASE=own).code == 0


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["sign-up", "Not A Name"], 2, "3 to 32 of a-z"),
        (["sign-up", "admin"], 1, "not reserved"),
        (["sign-in", "../admin"], 2, "not an account's name"),
    ],
)
def test_impossible_names_are_refused(person, words, code, says):
    ann = person(signed_up=False)
    answer = ann.run(*words, "--server", ann.url, RESTANTE_PASSPHRASE="an otter sings at noon").failed(code)
    assert says in answer.err


def test_a_taken_name_and_a_taken_profile_are_refused(ann):
    other = ann.other_device("nobody's")
    assert "taken" in other.run("sign-up", ann.name, "--server", ann.url).failed().err
    assert "Somebody is signed in here" in ann.run("sign-up", "another", "--server", ann.url).failed().err


def test_the_server_is_remembered_after_signing_out(person):
    ann = person()
    ann.ok("sign-out")
    assert ann.run("sign-in", ann.name, RESTANTE_PASSPHRASE=ann.passphrase).code == 0


def test_without_a_terminal_the_secret_must_be_in_the_environment(ann):
    answer = ann.other_device("second").run("sign-in", ann.name, "--server", ann.url).failed(2)
    assert "RESTANTE_PASSPHRASE" in answer.err
    assert "server" in ann.other_device("third").run("sign-in", ann.name).failed(2).err


def test_a_sign_up_that_is_killed_before_it_shows_its_secrets_shows_them_the_next_time(person):
    """Killed when the account exists and nothing was shown: the secrets would be lost, and the name with them."""
    ann = person(signed_up=False)
    words = ("sign-up", ann.name, "--server")
    with middleman(ann.url) as between, ann.started(*words, between.url) as process:

        def kill(exchange):
            if (exchange.method, exchange.path) == ("POST", "/api/v1/accounts"):
                assert exchange.status == 201
                process.kill()
            return exchange

        between.change = kill
        out, _ = process.communicate(timeout=60)
        assert out == ""
        (kept,) = ann.profile.folder.iterdir()
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        answer = ann.ok(*words, between.url, "--json").json
        assert ann.inbox() == []
    assert sign_in(ann.other_device("second"), RESTANTE_PASSPHRASE=answer["passphrase"]).code == 0
    assert sign_in(ann.other_device("third"), RESTANTE_RECOVERY_CODE=answer["recovery_code"]).code == 0
    assert not kept.exists()


def test_a_sign_up_that_is_refused_keeps_no_secrets(ann):
    other = ann.other_device("refused")
    assert "taken" in other.run("sign-up", ann.name, "--server", ann.url).failed().err
    assert not other.profile.folder.exists()


def test_at_a_terminal_two_groups_of_the_code_are_asked_for(person):
    ann = person(signed_up=False)
    with seated(ann, "sign-up", ann.name, "--server", ann.url) as seat:
        screen = seat.wait_for("Group ")
        groups = re.search(r"recovery code +([0-9A-Z-]{39,41}\S?)", screen)[1].split("-")
        seat.type("wrong")
        seat.wait_for("Look again")
        for asked in (2, 3):
            seat.wait_for_count("(Enter skips)", asked)
            number = int(re.findall(r"Group (\d)", seat.screen)[-1])
            seat.type(groups[number - 1].lower())
        seat.wait_for("Right.")
        assert seat.end() == 0
    assert not list(ann.profile.folder.glob("sign-up-*"))
