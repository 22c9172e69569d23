"""Hints by PostgreSQL's NOTIFY, where there is no other bus: on connections of their own, outside every transaction that writes.

[Note: Notifying apart] A transaction that notifies is committed alone, one after the other in the whole cluster. So hints of many sends go
together in a small transaction of their own, after the commits that they tell of.
"""

import asyncio
from contextlib import AsyncExitStack, suppress

from psycopg import AsyncConnection, Error
from psycopg.conninfo import conninfo_to_dict

from restante.server.bus.wire import Hear, Lost

JOIN_WITHIN_S = 10.0
_CHANNEL = "restante_hints"
_PROBE_S = 15.0
_PATIENCE = {
    "application_name": "restante",
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}


class NotifyWire:
    """Opens lines through the database that everything else is in."""

    kind = "PostgreSQL"

    def __init__(self, url: str) -> None:
        self._url = url
        said = conninfo_to_dict(url)
        self.place = (
            f"{said.get('host') or 'the local socket'}:{said.get('port') or 5432}/{said.get('dbname')}"
        )

    async def join(self, hear: Hear) -> "NotifyLine":
        """See Wire."""
        try:
            async with AsyncExitStack() as opened, asyncio.timeout(JOIN_WITHIN_S):
                listening, speaking = [await self._connection(opened) for _ in range(2)]
                line = NotifyLine(listening, speaking, hear)
                await line.listen()
                opened.pop_all()
        except (OSError, Error) as error:
            raise Lost(_said(error)) from error
        return line

    async def _connection(self, opened: AsyncExitStack) -> AsyncConnection:
        connection = await AsyncConnection.connect(self._url, autocommit=True, **_PATIENCE)  # type: ignore[arg-type] # libpq's own
        opened.push_async_callback(connection.close)
        return connection


class NotifyLine:
    """One connection that listens and one that speaks."""

    def __init__(self, listening: AsyncConnection, speaking: AsyncConnection, hear: Hear) -> None:
        self._listening = listening
        self._speaking = speaking
        self._hear = hear

    async def listen(self) -> None:
        """Whatever is said from now on is heard."""
        await self._listening.execute(f"LISTEN {_CHANNEL}")

    async def say(self, word: bytes) -> None:
        """See Line."""
        try:
            await self._speaking.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, word.decode()))
        except (OSError, Error) as error:
            raise Lost(_said(error)) from error

    async def gone(self) -> None:
        """See Line. Listens until then."""
        with suppress(OSError, Error):
            while True:
                async for notice in self._listening.notifies(timeout=_PROBE_S):
                    self._hear(notice.payload.encode())
                for connection in (
                    self._listening,
                    self._speaking,
                ):  # one that is dead and silent is found out
                    await connection.execute("SELECT 1")

    async def close(self) -> None:
        """See Line."""
        for connection in (self._listening, self._speaking):
            with suppress(OSError, Error):
                await connection.close()


def _said(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "nobody answers"
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
