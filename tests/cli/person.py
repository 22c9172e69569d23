"""A person at a terminal: runs the real command, in this process or in one of its own."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from restante.cli.main import run
from restante.client.account import Account
from restante.client.accounts import open_account
from restante.client.drafts import Draft, Drafts
from restante.client.profile import Profile
from tests.databases import looking_into
from tests.serving import Server

COMMAND = Path(sys.executable).with_name("restante")
NO_KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


@dataclass(frozen=True)
class Result:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def failed(self, code: int = 1) -> "Result":
        """Asserts an expected failure: the code, `error:` in one line, no traceback, no data."""
        assert self.code == code, self.err
        assert "error: " in self.err
        assert "Traceback" not in self.err
        assert self.out == ""
        return self


@dataclass
class Person:
    """One profile of one account."""

    name: str
    folder: Path
    url: str
    device: str = "first"
    passphrase: str = ""
    recovery_code: str = ""
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def profile(self) -> Profile:
        return Profile.at(self.folder / f"{self.name}-{self.device}")

    @property
    def account(self) -> Account:
        return open_account(self.profile)

    @property
    def drafts(self) -> list[Draft]:
        return Drafts(self.profile.drafts).all()

    def env(self, **more: str) -> dict[str, str]:
        return {"RESTANTE_PROFILE": str(self.profile.folder), **NO_KEYRING, **self.extra, **more}

    def sign_up(self, **env: str) -> "Person":
        answer = self.ok("sign-up", self.name, "--server", self.url, "--json", **env).json
        self.passphrase, self.recovery_code = answer["passphrase"], answer["recovery_code"]
        return self

    def other_device(self, device: str) -> "Person":
        return Person(self.name, self.folder, self.url, device, self.passphrase, self.recovery_code)

    def ok(self, *words: object, **env: str) -> Result:
        """Runs a command that must succeed."""
        result = self.run(*words, **env)
        assert result.code == 0, result.err
        return result

    def run(self, *words: object, **env: str) -> Result:
        """Runs a command in this process: the whole command but for the start of Python."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
            for key, value in self.env(**env).items():
                patch.setenv(key, value)
            patch.setattr(sys, "stdin", io.StringIO())
            stack.enter_context(contextlib.redirect_stdout(out))
            stack.enter_context(contextlib.redirect_stderr(err))
            code = run([str(word) for word in words])
        return Result(code, out.getvalue(), err.getvalue())

    def spawn(self, *words: object, **env: str) -> Result:
        """Runs a command in a process of its own."""
        with self.started(*words, **env) as process:
            out, err = process.communicate(timeout=90)
        return Result(process.returncode, out, err)

    @contextlib.contextmanager
    def started(self, *words: object, **env: str) -> Iterator["subprocess.Popen[str]"]:
        """Starts a command and kills it at the end if it still runs."""
        process = subprocess.Popen(
            [COMMAND, *map(str, words)],
            env={**os.environ, **self.env(**env)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def inbox(self) -> list[dict[str, Any]]:
        return self.ok("inbox", "--json").json

    def sent(self) -> list[dict[str, Any]]:
        return self.ok("sent", "--json").json

    def send(self, *words: object) -> str:
        """Sends and returns the id."""
        return self.ok("send", *words).out.strip()


def until(holds: Callable[[], Any], *, within_s: float = 20.0) -> None:
    """Waits for something to become true."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def as_of_old(server: Server, person: Person) -> Person:
    """As if this person had shown the server who they are some days ago."""
    with looking_into(server.data) as database:
        session = (person.profile.signed_in.session_id,)
        database.execute("UPDATE sessions SET verified_at = 0 WHERE id = ?", session)
    return person


def hard_kill(process: "subprocess.Popen[str]") -> None:
    """SIGKILL: nothing gets to say goodbye."""
    process.send_signal(signal.SIGKILL)
    process.wait(10)
