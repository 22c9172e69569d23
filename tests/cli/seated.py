"""A person who sits at the terminal: the command runs on a pseudo-terminal, which shows and takes words."""

import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.cli.person import COMMAND, Person


@dataclass
class Seat:
    """The two sides of a running command."""

    process: "subprocess.Popen[bytes]"
    screen_end: int
    screen: str = field(default="")

    def wait_for(self, words: str, *, within_s: float = 40.0) -> str:
        """Reads until the words are on the screen, and returns all that is there."""
        deadline = time.monotonic() + within_s
        while words not in self.screen:
            assert time.monotonic() < deadline, self.screen
            if not self._read():
                assert words in self.screen, self.screen
        return self.screen

    def wait_for_count(self, words: str, count: int) -> str:
        """Reads until the words are on the screen as often as this."""
        deadline = time.monotonic() + 40
        while self.screen.count(words) < count:
            assert self._read(), self.screen
            assert time.monotonic() < deadline, self.screen
        return self.screen

    def type(self, line: str) -> None:
        os.write(self.screen_end, line.encode() + b"\n")

    def end(self, *, within_s: float = 40.0) -> int:
        """Reads until the command has ended, and returns its code."""
        deadline = time.monotonic() + within_s
        while self._read() or self.process.poll() is None:
            assert time.monotonic() < deadline, self.screen
        return self.process.wait(5)

    def _read(self) -> bool:
        ready, _, _ = select.select([self.screen_end], [], [], 0.1)
        if not ready:
            return True
        with suppress(OSError):
            if data := os.read(self.screen_end, 65_536):
                self.screen += data.decode(errors="replace")
                return True
        return False


@contextmanager
def seated(person: Person, *words: object, **env: str) -> Iterator[Seat]:
    """Starts a command whose stdin, stdout and stderr are one terminal of 120 columns."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [COMMAND, *map(str, words)],
            env={**os.environ, **person.env(**env), "TERM": "xterm", "COLUMNS": "120"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
    finally:
        os.close(theirs)
    try:
        yield Seat(process, ours)
    finally:
        process.kill()
        process.wait(10)
        os.close(ours)
