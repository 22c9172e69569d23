"""The file of settings: fifty ways to spoil one, each with one clear line; what is right is taken, and what wins over it."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from restante.server.commands import config as command
from restante.server.commands.config import DEFAULTS, check, show
from restante.server.config import SECRETS, BadSettings, Settings, from_environment, hand_over
from tests.serving import ROOT

BAD = {
    # what is no TOML, or no file
    "port = ": "is no TOML: Invalid value",
    "port 8080": "is no TOML: Expected '=' after a key",
    'server_name = "post.example': "is no TOML: ",
    "port = 1\nport = 2": "is no TOML: Cannot overwrite a value",
    "origins = [": "is no TOML: ",
    "port = 08080": "is no TOML: ",
    "\x00": "is no TOML: ",
    "[server]\nport = 80": "[server] is a table; settings stand without one",
    "tls.mode = 'local'": "[tls] is a table; settings stand without one",
    # what is called otherwise
    "prot = 80": "prot is not a setting, do you mean port?",
    "Port = 80": "Port is not a setting, do you mean port?",
    "signup = 'open'": "signup is not a setting, do you mean sign_up?",
    "upload-bytes = '1M'": "upload-bytes is not a setting, do you mean upload_bytes?",
    "RESTANTE_PORT = 80": "RESTANTE_PORT is not a setting",
    "smtp_password = 'x'": "smtp_password is not a setting",
    "'' = 1": " is not a setting",
    "xyzzy = 1": "xyzzy is not a setting",
    "port_file = 'x'": "port_file is not a setting",
    # what is of another kind
    "port = 'http'": "port is 'http', and must be a whole number from 0 to 65535",
    "port = 65536": "port is 65536, and must be a whole number from 0 to 65535",
    "port = -1": "port is -1, and must be a whole number from 0 to 65535",
    "port = 80.5": "port is 80.5, and must be a whole number from 0 to 65535",
    "port = true": "port is True, and must be a whole number from 0 to 65535",
    "port = [80]": "port is [80], and must be a whole number from 0 to 65535",
    "ca_port = 70000": "ca_port is 70000, and must be a whole number from 0 to 65535",
    "connections = 1": "connections is 1, and must be a whole number from 64 to 65536",
    "proof_cost = 0": "proof_cost is 0, and must be a whole number from 1 to 100000",
    "host = 127": "host is 127, and must be text in quotes",
    "data = 5": "data is 5, and must be text in quotes: a path",
    "data = ['/srv']": "data is ['/srv'], and must be text in quotes: a path",
    "durability = 'some'": "durability is 'some', and must be one of power, process",
    "private_targets = true": "private_targets is True, and must be one of allow, refuse",
    "tls = 'on'": "tls is 'on', and must be one of files, local, off",
    "tls = 'acme'": "tls is 'acme', and must be one of files, local, off",
    "origins = 'https://post.example'": "origins is 'https://post.example', and must be a list of texts",
    "trusted_proxies = [1]": "trusted_proxies is [1], and must be a list of texts",
    "drain_s = 0": "drain_s is 0, and must be a number above 0",
    "drain_s = nan": "drain_s is nan, and must be a number above 0",
    "body_timeout_s = inf": "body_timeout_s is inf, and must be a number above 0",
    "body_min_rate = -5": "body_min_rate is -5, and must be a whole number of at least 0",
    "sweep_every_s = 1979-05-27": "sweep_every_s is datetime.date(1979, 5, 27), and must be a number above 0",
    # what has another form
    "upload_bytes = '64 parsecs'": "upload_bytes is not a size such as 64M",
    "upload_bytes = 10": "upload_bytes is 10, and must be a whole number from 1024 to 1099511627776",
    "upload_bytes = '10'": "upload_bytes is 10, and must be a whole number from 1024 to 1099511627776",
    "rate_sends = 'often'": "rate_sends is 'often', and must be a rate such as 10/30s",
    "server_name = 'Post Office'": "server_name is not a name such as post.example",
    "abuse_contact = 'the front desk'": "abuse_contact is no e-mail address",
    "origins = ['post.example']": "origins has post.example, which is no address such as https://post.example",
    "trusted_proxies = ['proxy']": "trusted_proxies has proxy, which is no address or network",
    "witnesses = ['https://witness.example']": "witnesses has https://witness.example, which is no address and key",
    "tls_names = ['two words']": "tls_names has two words, which is no name and no address",
    # what does not go together, and secrets
    "tls = 'files'": "tls_cert and tls_key belong to tls=files",
    "webhook_url = 'https://hook.example'": "webhook_secret is needed for the webhook",
    "smtp_url = 'mail.example'": "smtp_url is no address such as smtps://",
    "smtp_url = 'smtp://mail.example'": "mail_from is needed for mail",
    "smtp_url_file = '/nowhere'": "smtp_url_file: /nowhere: No such file or directory",
    "smtp_url_file = 5": "smtp_url_file must be text in quotes: the path of a file",
    "smtp_url = 'smtp://a'\nsmtp_url_file = '/b'": "smtp_url and smtp_url_file are both there: one of them must go",
    "webhook_secret_file = '/dev/null'": "webhook_secret_file: /dev/null must have one line",
}  # fmt: skip


def test_there_are_fifty() -> None:
    assert len(BAD) >= 50


@pytest.mark.parametrize("text", BAD, ids=lambda text: text.replace("\n", "; ")[:40])
def test_each_bad_file_gives_one_clear_line(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {})
    path = tmp_path / "restante.toml"
    path.write_text(text)
    assert check(config=path) == 2
    said = capsys.readouterr()
    error, hint = said.err.splitlines()
    assert error.startswith(f"error: {path}")
    assert BAD[text] in error
    assert hint == "hint: restante config print shows all settings."
    assert said.out == ""


@pytest.mark.parametrize(
    ("made", "says"), [(b"port = 1 # \xff", "is not UTF-8 text"), (None, "No such file")]
)
def test_what_cannot_be_read_is_said(made: bytes | None, says: str, tmp_path: Path) -> None:
    path = tmp_path / "restante.toml"
    if made is not None:
        path.write_bytes(made)
    with pytest.raises(BadSettings, match=says):
        from_environment({}, config=path)


def test_the_file_is_taken_and_the_environment_and_the_options_win(tmp_path: Path) -> None:
    secret, path = tmp_path / "smtp", tmp_path / "restante.toml"
    secret.write_text("smtps://ann:s3cret@mail.example:465\n")
    path.write_text(
        f'data = "/srv/restante"\nport = 1\nhost = "::1"\nupload_bytes = "2M"\nmail_from = "a@post.example"\n'
        f'origins = ["https://post.example"]\nsmtp_url_file = "{secret}"\ndrain_s = 3\n'
    )
    settings = from_environment(
        {"RESTANTE_CONFIG": str(path), "RESTANTE_PORT": "2", "RESTANTE_HOST": "::2"}, port=3
    )
    assert settings == Settings(
        data=Path("/srv/restante"), port=3, host="::2", upload_bytes=2 * 1024**2, mail_from="a@post.example",
        origins=("https://post.example",), smtp_url="smtps://ann:s3cret@mail.example:465", drain_s=3,
    )  # fmt: skip
    environ = {"RESTANTE_CONFIG": str(path), "PATH": "/bin"}
    hand_over(settings, environ)
    path.unlink()
    assert from_environment(environ) == settings, "a worker reads no file again"
    variable = {"RESTANTE_SMTP_URL_FILE": str(secret), "RESTANTE_MAIL_FROM": "a@post.example"}
    assert (
        from_environment({**variable, "RESTANTE_ORIGINS": "https://a.example"}).smtp_url == settings.smtp_url
    )
    with pytest.raises(BadSettings, match="are both set"):
        from_environment({**variable, "RESTANTE_SMTP_URL": "smtp://other"})


def test_what_is_not_the_default_is_shown_but_no_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "restante.toml"
    path.write_text(
        'port = 81\nwebhook_url = "https://hook.example"\nwebhook_secret = "correct horse battery"\n'
    )
    monkeypatch.setattr(os, "environ", {"RESTANTE_HOST": "::1"})
    assert check(config=path) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "host = ::1",
        "port = 81",
        "webhook_url = https://hook.example",
        "webhook_secret = (set)",
    ]
    assert said.err == "The settings are fine.\n"


def test_the_printed_file_has_every_setting_with_its_default(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show()
    printed = capsys.readouterr().out
    assert printed == DEFAULTS.read_text()
    bare = tmp_path / "as-printed.toml"
    bare.write_text(printed)
    assert from_environment({}, config=bare) == Settings()
    live = "\n".join(line[2:] for line in printed.splitlines() if " = " in line and line.startswith("# "))
    assert set(tomllib.loads(live)) == set(Settings.__struct_fields__) - {"failpoint"}
    awake = tmp_path / "awake.toml"
    awake.write_text(live)
    assert from_environment({}, config=awake) == Settings()


def test_the_command_is_found_and_serving_takes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "restante.toml"
    path.write_text("prot = 80\n")
    command_line = [sys.executable, "-m", "restante.cli.main", "serve", "--config", str(path)]
    ended = subprocess.run(command_line, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"error: {path}: prot is not a setting, do you mean port?\nhint: ")
    assert command.config.name == ("config",)
    assert set(Settings.__struct_fields__) >= SECRETS
