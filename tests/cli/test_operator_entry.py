"""What the operator asks and makes on the server's machine: where it is open, who waits, and invites."""

import json
from pathlib import Path

import pytest

from restante.cli.main import run
from restante.server.availability.file import EXAMPLE
from restante.server.config import Settings
from restante.server.db import migrate
from restante.server.db.engine import sqlite_engine


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a database, on which no server runs."""
    engine = sqlite_engine(tmp_path / "restante.sqlite3")
    migrate.upgrade(engine)
    engine.dispose()
    assert Settings(data=tmp_path).sign_up == "open"
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *words: str) -> object:
    assert run(["operator", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_one_case_is_decided_before_a_file_counts(capsys: pytest.CaptureFixture[str]) -> None:
    case = ("availability", "--file", str(EXAMPLE), "--country", "us", "--platform", "windows", "--on")
    before = told(capsys, *case, "2027-03-31")
    assert isinstance(before, dict)
    assert (before["allowed"], before["why"]) == (False, "This platform opens on 2027-04-01.")
    after = told(capsys, *case, "2027-04-01")
    assert isinstance(after, dict)
    assert after["allowed"] is True


def test_a_file_with_a_mistake_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new.toml"
    path.write_text('[platforms.mac]\nphase = "open"\n')
    assert run(["operator", "availability", "--file", str(path)]) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith(f"error: {path}: platforms.mac is no platform")
    assert hint.startswith("hint: ")


def test_the_example_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["operator", "availability", "--example"]) == 0
    assert capsys.readouterr().out == EXAMPLE.read_text()


def test_invites_are_made_listed_and_taken_back(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here = ("--data", str(data))
    made = told(capsys, "invites", "make", "--note", "for Bob", "--uses", "2", *here)
    assert isinstance(made, dict)
    assert made["address"].endswith(f"/sign-up#ticket={made['code']}")
    listed = told(capsys, "invites", *here)
    assert isinstance(listed, list)
    assert [(each["id"], each["state"], each["note"]) for each in listed] == [(made["id"], "open", "for Bob")]
    assert made["code"] not in json.dumps(listed), "it is shown once"
    revoked = told(capsys, "invites", "revoke", made["id"][:10], *here)
    assert isinstance(revoked, list)
    assert revoked[0]["state"] == "revoked"
    assert run(["operator", "invites", "revoke", made["id"], *here]) == 2
    assert run(["operator", "invites", "make", "--uses", "0", *here]) == 2


def test_nobody_waits_where_nobody_asked(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "waiting", "--data", str(data)) == []
