"""Settings from the environment: what is taken, what is refused, and that the reference tells the truth."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from restante.client import profile
from restante.server.config import (
    CLIENT,
    CONFIG,
    PREFIX,
    SECRETS,
    BadSettings,
    Settings,
    from_environment,
    to_environment,
)
from tests.serving import ROOT

CLIENTS_OWN = {profile.PROFILE_VARIABLE, profile.PASSPHRASE_VARIABLE, profile.RECOVERY_CODE_VARIABLE}


def test_nothing_set_means_the_defaults():
    assert from_environment({"PATH": "/bin", "HOME": "/root"}) == Settings()


def test_what_is_set_is_taken_and_the_command_line_wins():
    environ = {
        "RESTANTE_PORT": "1234",
        "RESTANTE_UPLOAD_BYTES": "2M",
        "RESTANTE_TRUSTED_PROXIES": "::1,10.0.0.0/8",
    }
    settings = from_environment(environ, port=4321, host=None)
    assert settings == Settings(port=4321, upload_bytes=2 * 1024**2, trusted_proxies=("::1", "10.0.0.0/8"))


def test_a_worker_reads_what_its_parent_wrote():
    settings = Settings(
        data=Path("/srv/x"), sign_up="closed", trusted_proxies=("10.0.0.1", "::1"), drain_s=0.5
    )
    assert from_environment(to_environment(settings)) == settings


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("RESTANTE_UPLOAD_BYTE", "do you mean RESTANTE_UPLOAD_BYTES?"),
        ("RESTANTE_SIGNUP", "do you mean RESTANTE_SIGN_UP?"),
        ("RESTANTE_RATE_SIGNIN", "do you mean RESTANTE_RATE_SIGN_IN?"),
        ("RESTANTE_port", "RESTANTE_port is not a setting"),
        ("RESTANTE_", "RESTANTE_ is not a setting"),
        ("RESTANTE_QQQQ", "RESTANTE_QQQQ is not a setting (see"),
    ],
)
def test_a_misspelt_setting_is_refused_by_name(name, meant):
    with pytest.raises(BadSettings) as raised:
        from_environment({name: "1"})
    assert meant in str(raised.value)
    assert name in str(raised.value)


def test_the_clients_variables_pass():
    assert CLIENTS_OWN <= CLIENT
    assert from_environment(dict.fromkeys(CLIENT, "anything")) == Settings()


@pytest.mark.parametrize(
    "environ",
    [
        {"RESTANTE_PORT": "http"},
        {"RESTANTE_PORT": "65536"},
        {"RESTANTE_SIGN_UP": "maybe"},
        {"RESTANTE_UPLOAD_BYTES": "64 parsecs"},
        {"RESTANTE_UPLOAD_BYTES": "10"},
        {"RESTANTE_RATE_SENDS": "often"},
        {"RESTANTE_SERVER_NAME": "Post Office"},
        {"RESTANTE_ABUSE_CONTACT": "the front desk"},
        {"RESTANTE_ABUSE_CONTACT": "javascript:alert(1)"},
        {"RESTANTE_TRUSTED_PROXIES": "127.0.0.1,nonsense"},
        {"RESTANTE_DRAIN_S": "0"},
    ],
    ids=str,
)
def test_a_malformed_value_is_refused(environ):
    with pytest.raises(BadSettings):
        from_environment(environ)


def test_serving_ends_at_once_with_a_sentence(tmp_path):
    command = [
        sys.executable,
        "-m",
        "restante.cli.main",
        "serve",
        "--data",
        str(tmp_path / "data"),
        "--port",
        "0",
    ]
    environ = {**os.environ, "RESTANTE_SWEEP_EVERY": "60"}
    ended = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith(
        "error: RESTANTE_SWEEP_EVERY is not a setting, do you mean RESTANTE_SWEEP_EVERY_S?"
    )
    assert not (tmp_path / "data").exists()


def test_the_reference_names_every_variable_and_no_other():
    text = (ROOT / "docs" / "reference" / "settings.md").read_text()
    named = set(re.findall(rf"{PREFIX}[A-Z_]+\b", text))
    files = {f"{PREFIX}{field.upper()}_FILE" for field in SECRETS}
    assert named - files == {PREFIX + field.upper() for field in Settings.__struct_fields__} | CLIENT | {
        CONFIG
    }
    assert {f"{PREFIX}SMTP_URL_FILE", f"{PREFIX}WEBHOOK_SECRET_FILE"} <= named
