"""Where the device's secrets lie: the system's keyring when it works, else a file."""

import json

from tests.serving import ROOT


def keyring(kind, tmp_path):
    return {
        "PYTHON_KEYRING_BACKEND": f"tests.cli.keyrings.{kind}",
        "PYTHONPATH": str(ROOT),
        "KEPT_IN": str(tmp_path / "kept.json"),
    }


def test_a_working_keyring_keeps_the_secrets(person, tmp_path):
    ann = person(signed_up=False)
    ann.extra = keyring("Keeping", tmp_path)
    assert ann.spawn("sign-up", ann.name, "--server", ann.url).code == 0
    assert not (ann.profile.folder / "secrets.json").exists()
    (entry,) = json.loads((tmp_path / "kept.json").read_text()).values()
    assert set(json.loads(entry)) == {"token", "identity"}
    assert ann.spawn("inbox").code == 0
    ann.extra |= {"PYTHON_KEYRING_BACKEND": "tests.cli.keyrings.Locked"}
    locked = ann.spawn("inbox").failed()
    assert "Unlock it" in locked.err
    ann.extra = keyring("Keeping", tmp_path)
    assert ann.spawn("sign-out").code == 0
    assert json.loads((tmp_path / "kept.json").read_text()) == {}


def test_a_keyring_that_refuses_is_passed_over_for_the_file(person, tmp_path):
    ann = person(signed_up=False)
    ann.extra = keyring("Locked", tmp_path)
    assert ann.spawn("sign-up", ann.name, "--server", ann.url).code == 0
    assert (ann.profile.folder / "secrets.json").exists()
    assert ann.spawn("inbox").code == 0
