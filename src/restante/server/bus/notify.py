"""Hints by PostgreSQL's NOTIFY, where there is no other bus: on connections of their own, outside every transaction that writes.

[Note: Notifying apart] A transaction that notifies is committed alone, one after the other in the whole cluster. So hints of many sends go
together in a small transaction of their own, after the commits that they tell of.
"""

from contextlib import AsyncExitStack, suppress

from psycopg import AsyncConnection, Error

from restante.server.bus.wire import Hear, Lost

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
        self.place = "the database"

    async def join(self, hear: Hear) -> "NotifyLine":
        """See Wire."""
        async with (
            AsyncExitStack() as opened
        ):  # whatever is open is closed, also when the server stops meanwhile
            try:
                line = NotifyLine(await self._connection(opened), await self._connection(opened), hear)
                await line.listen()
            except (OSError, Error) as error:
                raise Lost(_said(error)) from error
            opened.pop_all()
        return line

    async def _connection(self, opened: AsyncExitStack) -> AsyncConnection:
        made = await AsyncConnection.connect(self._url, autocommit=True, **_PATIENCE)  # type: ignore[arg-type] # libpq's own
        opened.push_async_callback(made.close)
        return made


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
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
