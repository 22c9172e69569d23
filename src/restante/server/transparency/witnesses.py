"""Witnesses: others who sign that the log only grows. Each new checkpoint is handed to them, and published with what they signed.

[Note: A checkpoint waits for its witnesses] Clients that require a witness take no other checkpoint, and a client asks for one
right after a record was stored. So whoever asks waits a moment for the signatures that are under way; never for a witness
that did not answer lately: the log is shown in any case, and who requires that witness is told.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import httpx
from sqlalchemy import Connection

from restante.server.clock import Clock
from restante.server.db.engine import Database
from restante.server.log import Log
from restante.server.transparency import queries
from restante.server.transparency.service import Newest, Transparency
from restante.transparency.errors import LogError
from restante.transparency.notes import NoteKey
from restante.transparency.witnessing import (
    ANSWER_BYTES,
    SIZE_TYPE,
    Witness,
    cosignature,
    size_told,
    submission,
)

POLL_S = 1.0
WAIT_S = 2.0
WITHIN_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 300.0
_TRIES = 3
"""Another process may have handed in a checkpoint between two tries."""


class Unwitnessed(Exception):
    """A witness did not sign; the text is a word for the log."""


def unsigned(connection: Connection, named: Sequence[str]) -> tuple[str, ...]:
    """Those of the named witnesses that have not signed the log as long as it is."""
    size, kept = queries.size(connection), queries.cosigned(connection)
    return tuple(one for one in named if kept.get(str(Witness.parse(one).key), (0, b""))[0] < size)


@dataclass(slots=True)
class _Standing:
    """What one witness signed last, and when it is asked again after it did not."""

    witness: Witness
    size: int = 0
    line: bytes = b""
    pause_s: float = 0.0
    not_before_s: float = 0.0

    def failed(self, now_s: float) -> None:
        self.pause_s = min(max(self.pause_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
        self.not_before_s = now_s + self.pause_s

    def signed(self, size: int, line: bytes) -> None:
        self.size, self.line, self.pause_s, self.not_before_s = size, line, 0.0, 0.0


class Witnesses:
    """Keeps the newest checkpoint signed by each of the witnesses that the operator named; without any it does nothing."""

    def __init__(
        self, transparency: Transparency, database: Database, clock: Clock, *, named: Sequence[str], log: Log
    ) -> None:
        self._transparency = transparency
        self._database = database
        self._clock = clock
        self._log = log
        self._standings = [_Standing(Witness.parse(one)) for one in named]
        self._client: httpx.AsyncClient | None = None
        self._asked = asyncio.Event()
        self._turned = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    @property
    def keys(self) -> list[NoteKey]:
        """By which the signatures of the named witnesses are verified."""
        return [standing.witness.key for standing in self._standings]

    def start(self) -> None:
        """Starts the loop, if there is anybody to ask."""
        if self._standings:
            self._task = asyncio.create_task(self._run_forever())

    async def stop(self) -> None:
        """Breaks off what is under way: it is asked again after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def checkpoint(self) -> bytes:
        """Returns the newest checkpoint with the signatures that there are. See [Note: A checkpoint waits for its witnesses]."""
        newest = await self._transparency.newest()
        if self._task is not None and self._awaited(newest):
            self._asked.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(WAIT_S), self._turned:
                    await self._turned.wait_for(lambda: not self._awaited(newest))
            newest = await self._transparency.newest()
        return newest.note + b"".join(one.line for one in self._standings if one.size == newest.size)

    async def run(self) -> None:
        """Asks every witness once that has not signed the newest checkpoint and is not paused."""
        newest = await self._transparency.newest()
        before = [standing.line for standing in self._standings]
        await asyncio.gather(*(self._ask(standing, newest) for standing in self._awaited(newest)))
        if [standing.line for standing in self._standings] != before:
            kept = {str(one.witness.key): (one.size, one.line) for one in self._standings if one.line}
            await self._database.write(lambda connection: queries.keep_cosigned(connection, kept))
        async with self._turned:
            self._turned.notify_all()

    def _awaited(self, newest: Newest) -> list[_Standing]:
        now_s = self._clock.monotonic_s()
        return [one for one in self._standings if one.size < newest.size and now_s >= one.not_before_s]

    async def _run_forever(self) -> None:
        await self._survive(self._recall())
        while True:
            self._asked.clear()
            await self._survive(self.run())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), POLL_S)

    async def _survive(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - a busy database must not end the loop for good
            self._log.event("job-failed", kind="witnesses", error=type(error).__name__)

    async def _recall(self) -> None:
        """What was signed before the last stop needs no witness to be there now."""
        kept = await self._database.read(queries.cosigned)
        newest = await self._transparency.newest()
        for standing in self._standings:
            size, line = kept.get(str(standing.witness.key), (0, b""))
            with suppress(LogError):
                standing.signed(size, cosignature(newest.note, line, standing.witness.key))

    async def _ask(self, standing: _Standing, newest: Newest) -> None:
        try:
            line = await self._cosignature(standing, newest)
        except (Unwitnessed, LogError, httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            standing.failed(self._clock.monotonic_s())
            reason = str(error) if isinstance(error, Unwitnessed) else type(error).__name__
            self._log.event("witness-failed", kind="witness", reason=reason)
        else:
            standing.signed(newest.size, line)

    async def _cosignature(self, standing: _Standing, newest: Newest) -> bytes:
        """Hands the checkpoint in, from where the witness says that it is. Raises Unwitnessed and what httpx raises."""
        old, new = standing.size, newest.size
        for _ in range(_TRIES):
            body = submission(old, await self._transparency.proof(old, new), newest.note)
            status, kind, answer = await self._post(standing.witness.address, body)
            if status == 200:
                return cosignature(newest.note, answer, standing.witness.key)
            if status != 409 or kind != SIZE_TYPE:
                raise Unwitnessed(f"answered {status}")
            told = size_told(answer)
            if told > new:
                raise Unwitnessed("has seen more")
            if told == old:
                raise Unwitnessed("has seen another log")
            old = told
        raise Unwitnessed("moves on")

    async def _post(self, address: str, body: bytes) -> tuple[int, str, bytes]:
        if self._client is None:
            self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=WITHIN_S)
        async with (
            asyncio.timeout(WITHIN_S),
            self._client.stream("POST", address, content=body) as answer,
        ):
            read = b""
            async for piece in answer.aiter_bytes():
                read += piece
                if len(read) > ANSWER_BYTES:
                    raise Unwitnessed("too long an answer")
            return answer.status_code, answer.headers.get("content-type", "").partition(";")[0], read
