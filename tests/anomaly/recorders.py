"""Clients that record and send at once: a connection each, pieces as they come, the length told last."""

import asyncio
import contextlib
import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from restante.protocol.limits import UNFINISHED_UPLOADS
from tests.api.people import make_account
from tests.api.uploading import create

RATE = 20_000
"""Bytes a second of each."""
PIECE = (4_000, 36_000)
_HEAD = b"\r\n\r\n"


class Interrupted(Exception):
    """The server ended the connection, or asked to come back later."""


@dataclass
class Recorder:
    """One recording; ``acknowledged`` is what the server said, ``content`` all that was given to it."""

    path: str
    token: str
    chance: random.Random
    content: bytearray = field(default_factory=bytearray)
    acknowledged: int = 0
    statuses: list[int] = field(default_factory=list)
    interrupted: bool = False

    @property
    def id(self) -> str:
        return self.path.rpartition("/")[2]

    async def record(self, port: int, *, for_s: float) -> None:
        """Sends at the rate of a recording, then tells the length; ends early when the server does."""
        loop = asyncio.get_running_loop()
        async with Line.to(port) as line:
            await asyncio.sleep(self.chance.random())  # people do not begin together
            ends_s = loop.time() + for_s
            try:
                while loop.time() < ends_s:
                    next_s = loop.time() + await self._send_piece(line) / RATE
                    await asyncio.sleep(max(0.0, next_s - loop.time()))
                await self.finish(line)
            except (Interrupted, ConnectionError, asyncio.IncompleteReadError):
                self.interrupted = True

    async def resume(self, port: int) -> int:
        """Asks where it stands, sends the rest and finishes; returns where it stood."""
        async with Line.to(port) as line:
            status, headers = await line.ask("HEAD", self.path, self._headers())
            assert status == 200, status
            stood = int(headers["upload-offset"])
            await self._patch(line, stood, {})
            await self.finish(line)
        return stood

    async def finish(self, line: "Line") -> None:
        """Sends the last piece with the length."""
        self.content += self.chance.randbytes(self.chance.randint(*PIECE))
        await self._patch(line, self.acknowledged, {"Upload-Length": str(len(self.content))})

    async def _send_piece(self, line: "Line") -> int:
        piece = self.chance.randbytes(self.chance.randint(*PIECE))
        self.content += piece
        await self._patch(line, self.acknowledged, {})
        return len(piece)

    async def _patch(self, line: "Line", offset: int, more: dict[str, str]) -> None:
        headers = self._headers() | {
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
        }
        status, answered = await line.ask("PATCH", self.path, headers | more, bytes(self.content[offset:]))
        self.statuses.append(status)
        if status != 204:
            raise Interrupted(status)
        self.acknowledged = int(answered["upload-offset"])

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Tus-Resumable": "1.0.0"}


@dataclass
class Line:
    """A connection that stays open between requests."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    @contextlib.asynccontextmanager
    async def to(cls, port: int):
        line = cls(*await asyncio.open_connection("127.0.0.1", port))
        try:
            yield line
        finally:
            line.writer.close()
            with contextlib.suppress(ConnectionError):
                await line.writer.wait_closed()

    async def ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes = b""
    ) -> tuple[int, dict[str, str]]:
        """Returns status and headers; raises IncompleteReadError when the server closes instead."""
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join(lines).encode() + _HEAD + body)
        await self.writer.drain()
        answer = (await self.reader.readuntil(_HEAD)).decode("latin-1")
        answered = {name.lower(): value for name, value in re.findall(r"\r\n([^:]+): ([^\r]*)", answer)}
        if method != "HEAD":
            await self.reader.readexactly(int(answered.get("content-length", "0")))
        return int(answer.split(maxsplit=2)[1]), answered


def recorders(url: str, count: int, *, seed: int) -> list[Recorder]:
    """Makes as many uploads, and the accounts that may have them."""
    made = []
    for number in range(-(-count // UNFINISHED_UPLOADS)):
        person = make_account(url)
        for each in range(min(UNFINISHED_UPLOADS, count - len(made))):
            chance = random.Random(f"{seed}.{number}.{each}")
            made.append(Recorder(create(person, None), person.token, chance))
    return made


async def all_record(these: Sequence[Recorder], port: int, *, for_s: float) -> None:
    async with asyncio.TaskGroup() as group:
        for each in these:
            group.create_task(each.record(port, for_s=for_s))


async def all_resume(these: Sequence[Recorder], port: int) -> list[int]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each.resume(port)) for each in these]
    return [task.result() for task in tasks]


def lost(these: Sequence[Recorder], data: Path) -> list[str]:
    """The uploads whose stored bytes are not those that were recorded."""
    return [each.id for each in these if not _is_stored(each, data)]


def _is_stored(each: Recorder, data: Path) -> bool:
    (blob,) = (data / "blobs").rglob(each.id)
    stored = hashlib.sha256(blob.read_bytes()).digest()
    return stored == hashlib.sha256(each.content).digest()
