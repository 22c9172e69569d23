"""The live channel: server-sent events, taken up again where they broke off.

>>> hints = follow(account.session)
>>> next(hints).kind
'connected'
>>> hints.close()
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import Literal

from restante.client.errors import AnswerTooLarge, ServerProblem, Unreachable
from restante.client.http import Session, is_passing, retry_after_s
from restante.client.retry import Patience, Retry
from restante.protocol import ijson, wire
from restante.protocol.limits import KIB

SILENCE_S = 60.0
"""Three missed heartbeats: the connection is dead."""
_LINE_BYTES = 64 * KIB
_PATH = "/api/v1/events"


@dataclass(frozen=True, slots=True)
class Happening:
    """``connected`` comes with each new connection: what happened before it may have been missed."""

    kind: Literal["connected", "message", "mark", "deleted", "resync"]
    id: str = ""


@dataclass(slots=True)
class _Reader:
    """Puts lines together to events (the HTML standard, "Server-sent events")."""

    last_id: str = ""
    _data: list[str] = field(default_factory=list)

    def take(self, line: str) -> wire.Hint | None:
        if line == "":
            data, self._data = self._data, []
            return _hint("\n".join(data)) if data else None
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "id" and "\x00" not in value:
            self.last_id = value
        return None


def follow(session: Session, *, patience_s: float = 600.0) -> Generator[Happening]:
    """Yields what happens, for ever; raises only when the server refuses or stays away longer than patience."""
    reader = _Reader()
    calm = Retry(base_s=0.5, cap_s=20.0, patience_s=patience_s, sleep=session.retry.sleep)
    patience = Patience(calm)
    while True:
        try:
            for hint in _connection(session, reader):
                patience.renew()
                yield hint
        except Unreachable:
            if not patience.wait():
                raise
        except ServerProblem as problem:
            if not is_passing(problem) or not patience.wait(retry_after_s=retry_after_s(problem)):
                raise


def _connection(session: Session, reader: _Reader) -> Generator[Happening]:
    """Yields until the connection ends, which is always Unreachable: a live channel has no end."""
    headers = {"accept": "text/event-stream"}
    if reader.last_id:
        headers["last-event-id"] = reader.last_id
    with session.stream("GET", _PATH, headers=headers, read_timeout_s=SILENCE_S) as response:
        yield Happening("connected")
        for line in _lines(response.iter_raw()):
            if hint := reader.take(line):
                yield Happening(hint.kind, hint.id)
    raise Unreachable("the live channel ended")


def _lines(pieces: Iterable[bytes]) -> Iterable[str]:
    """Cuts a stream into lines; one without end is not collected."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        if len(rest) > _LINE_BYTES:
            raise AnswerTooLarge
        yield from (line.removesuffix(b"\r").decode(errors="replace") for line in whole)


def _hint(data: str) -> wire.Hint | None:
    """Reads a hint; what a newer server says in other words is passed over."""
    try:
        return ijson.decode(data.encode(), wire.Hint)
    except ijson.BadJson:
        return None
