"""A line of limited width to a server on this machine: a TCP proxy whose two directions take turns at a token bucket each.

The browser's own throttling does not reach its workers, which do the uploading; this does. All connections share the line,
as they would. Bytes wait before the bucket, not behind it: what has passed is at the server a moment later.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

MBIT = 1_000_000 / 8
"""Bytes a second of one Mbit/s."""
_PIECE = 4096
_BURST_S = 0.02


class Bucket:
    """Lets so many bytes a second through, in the order of asking; without a rate, all at once."""

    def __init__(self, rate: float | None) -> None:
        self.rate = rate
        self._free_at = 0.0

    async def pass_(self, size: int) -> None:
        """Returns when the last of the bytes has gone out."""
        if self.rate is None:
            return
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now) + size / self.rate
        if self._free_at - now > _BURST_S:
            await asyncio.sleep(self._free_at - now)


@dataclass
class Line:
    """The near end of a running line. Rates may change while it runs."""

    port: int
    up: Bucket
    down: Bucket
    withheld: bytes | None = None
    """Requests that begin with these bytes wait until this is None again."""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


@contextmanager
def line(server_port: int, *, up: float | None = None, down: float | None = None) -> Iterator[Line]:
    """Runs a line to the server, in a thread of its own; rates in bytes a second."""
    running = Line(0, Bucket(up), Bucket(down))
    loop, ready = asyncio.new_event_loop(), threading.Event()
    stop = asyncio.Event()

    async def serve() -> None:
        async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _join(running, server_port, reader, writer)

        # Small buffers: what the browser has sent must not look sent for long before it is.
        listening = await asyncio.start_server(joined, "127.0.0.1", 0, limit=_PIECE)
        running.port = listening.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        listening.close()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait()
    try:
        yield running
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


async def _join(
    line: Line, server_port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    with suppress(OSError, asyncio.CancelledError):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", server_port, limit=_PIECE)
        try:
            ways = (_carry(reader, far_writer, line, line.up), _carry(far_reader, writer, line, line.down))
            await asyncio.gather(*ways)
        finally:
            far_writer.close()
            writer.close()


async def _carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: Line, bucket: Bucket
) -> None:
    while data := await reader.read(_PIECE):
        while bucket is line.up and line.withheld is not None and data.startswith(line.withheld):  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # set from another thread
        await bucket.pass_(len(data))
        writer.write(data)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()
