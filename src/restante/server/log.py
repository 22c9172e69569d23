"""Logs: JSON lines without personal data. Fields are an allow-list: no path, header, body, name, token or address."""

import asyncio
import hashlib
import hmac
import sys
import traceback
from collections.abc import Callable
from functools import lru_cache
from time import monotonic
from typing import TextIO

import msgspec

from restante.server.clock import Clock

FLUSH_WITHIN_S = 0.05
"""Lines of requests go out together; a fault goes out at once, with what waits."""


class Log:
    """Writes one line per event. ``key`` turns an account id into an actor hash that only this server can repeat."""

    def __init__(self, clock: Clock, *, key: bytes, stream: TextIO = sys.stdout) -> None:
        self._clock = clock
        self._key = key
        self._stream = stream
        self._flush_at_s = 0.0
        self._hearers: list[Callable[[str, dict[str, str | float | None]], None]] = []
        self.actor = lru_cache(maxsize=10_000)(self._actor)

    def listen(self, hear: Callable[[str, dict[str, str | float | None]], None]) -> None:
        """Lets somebody count what is logged."""
        self._hearers.append(hear)

    def event(self, event: str, **fields: str | float | None) -> None:
        """Writes an event with its fields; the vocabulary stands in docs/reference/logs.md."""
        self._write("info", event, fields)
        self._flush_soon()

    def fault(self, request_id: str, error: BaseException) -> None:
        """Writes an unexpected failure: the exception's type and where, never its text, which may quote input."""
        frames = traceback.extract_tb(error.__traceback__)
        where = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}:{frame.name}" for frame in frames[-8:]]
        self._write(
            "error",
            "fault",
            {"request_id": request_id, "error": type(error).__name__, "where": " < ".join(where[::-1])},
        )
        self.flush()

    def flush(self) -> None:
        """Hands over what was written."""
        self._stream.flush()

    def _actor(self, account_id: int) -> str:
        """The keyed hash under which an account appears."""
        return hmac.new(self._key, str(account_id).encode(), hashlib.sha256).hexdigest()[:16]

    def _write(self, level: str, event: str, fields: dict[str, str | float | None]) -> None:
        for hear in self._hearers:
            hear(event, fields)
        line = {"ts": self._clock.now_ms(), "level": level, "event": event, **fields}
        self._stream.write(msgspec.json.encode(line).decode() + "\n")

    def _flush_soon(self) -> None:
        now_s = monotonic()
        if now_s < self._flush_at_s:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
        else:
            self._flush_at_s = now_s + FLUSH_WITHIN_S
            loop.call_later(FLUSH_WITHIN_S, self.flush)
