"""A balancer on loopback that sends consecutive requests to different nodes, whoever asks; HTTP/1.1, streamed both ways."""

import asyncio
import contextlib
import functools
import itertools
import re
import socket
import threading
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

SOURCE = "127.0.0.254"
"""Whence nodes are asked: the one address that they believe an X-Forwarded-For from."""
_HEAD_BYTES = 256 * 1024
_PIECE = 64 * 1024
_LINGER_S = 2.0
_REQUEST = re.compile(rb"[A-Z]+ \S+ HTTP/1\.1\r\n")
_MAYBE = re.compile(rb"[A-Z]")
"""How a request or an answer begins."""
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})\b")


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """One thread for all balancers of this process."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="balancers", daemon=True).start()
    return loop


def _wait_for(work: Coroutine[Any, Any, T]) -> T:
    asked: Future[T] = asyncio.run_coroutine_threadsafe(work, _loop())
    return asked.result(30)


@dataclass
class Balancer:
    """Listens on ``port`` while it is open; ``nodes`` are the ports it may ask, which may change meanwhile."""

    port: int
    nodes: list[int]
    asked: list[tuple[int, bytes]] = field(default_factory=list)
    """Which node got which request line, in order; at most some thousand."""

    def __post_init__(self) -> None:
        self._turn = itertools.count()
        self._server: asyncio.Server | None = None
        self._talking: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        if self._server is None:
            _wait_for(self._open())

    def close(self) -> None:
        """Takes no connection any more and breaks off those that there are."""
        if self._server is not None:
            _wait_for(self._close())

    async def _open(self) -> None:
        self._server = await asyncio.start_server(
            self._accepted, "127.0.0.1", self.port, limit=_HEAD_BYTES, backlog=1000
        )

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._talking:
            task.cancel()
        await asyncio.gather(*self._talking, return_exceptions=True)
        self._server = None

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talking.add(task)
        client = Side(reader, writer)
        try:
            while await self._serve(client):
                pass
            await client.linger()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._talking.discard(task)

    async def _serve(self, client: "Side") -> bool:
        """Passes one request and its answer on; tells whether the connection may bring another."""
        head = await client.head()
        if not head:
            return False
        async with self._some_node(head) as node:
            if (request := Framing.of_request(head)) is None:
                await _as_it_comes(client, node, head)
                return False
            node.writer.write(_forwarded(head, client.peer))
            return await _exchange(client, node, request)

    @contextlib.asynccontextmanager
    async def _some_node(self, head: bytes) -> AsyncIterator["Side"]:
        """Whose turn it is, or whoever lets us in."""
        turn = next(self._turn)
        nodes = list(self.nodes)
        for at in range(len(nodes)):
            port = nodes[(turn + at) % len(nodes)]
            with contextlib.suppress(ConnectionRefusedError):
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", port, local_addr=(SOURCE, 0), limit=_HEAD_BYTES
                )
                break
        else:
            raise ConnectionResetError
        del self.asked[:-5000]
        self.asked.append((port, head.partition(b"\r\n")[0]))
        with contextlib.closing(writer.get_extra_info("socket").dup()) as spare:
            spare.setblocking(False)
            try:
                yield Side(reader, writer, spare=spare)
            finally:
                writer.transport.abort()


@dataclass
class Side:
    """One connection, and what was read of it ahead."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    ahead: bytes = b""
    spare: socket.socket | None = None
    """The same connection, since the library reads no more of one that it could not write to."""

    @property
    def peer(self) -> str:
        name: tuple[str, int] = self.writer.get_extra_info("peername")
        return name[0]

    async def head(self) -> bytes:
        """Up to the empty line; whatever there was where none came, or none will, since it is not HTTP."""
        found = bytearray()
        while b"\r\n\r\n" not in found and len(found) < _HEAD_BYTES and (not found or _MAYBE.match(found)):
            if not (piece := await self.some(_PIECE)):
                return bytes(found)
            found += piece
        head, end, self.ahead = bytes(found).partition(b"\r\n\r\n")
        return head + end

    async def some(self, most: int) -> bytes:
        """What is there, at least a byte; nothing at the end."""
        if not self.ahead:
            try:
                return await self.reader.read(most)
            except ConnectionError:  # what came before counts, as where a body is refused half way
                self.ahead = bytes(self.reader._buffer)
                self.reader._buffer.clear()
                if self.spare is not None:
                    with contextlib.suppress(OSError):
                        self.ahead += self.spare.recv(_HEAD_BYTES)
                if not self.ahead:
                    raise
        piece, self.ahead = self.ahead[:most], self.ahead[most:]
        return piece

    async def line(self) -> bytes:
        found = bytearray()
        while not found.endswith(b"\n"):
            if not (byte := await self.some(1)):
                raise asyncio.IncompleteReadError(bytes(found), None)
            found += byte
        return bytes(found)

    async def pass_on(self, other: "Side", count: int) -> None:
        """Exactly so many bytes, as they come."""
        while count:
            if not (piece := await self.some(min(count, _PIECE))):
                raise asyncio.IncompleteReadError(b"", count)
            count -= len(piece)
            await other.send(piece)

    async def pass_chunks(self, other: "Side") -> None:
        """Chunks and what follows the last."""
        while True:
            size = await self.line()
            await other.send(size)
            count = int(size.partition(b";")[0], 16)
            if not count:
                break
            await self.pass_on(other, count + 2)
        while (line := await self.line()) != b"\r\n":
            await other.send(line)
        await other.send(line)

    async def pass_rest(self, other: "Side") -> None:
        while piece := await self.some(_PIECE):
            await other.send(piece)

    async def linger(self) -> None:
        """Lets the other side read to the end, whatever it still sends; else a reset would take the answer from it."""
        self.writer.write_eof()
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(_LINGER_S):
                while await self.reader.read(_PIECE):
                    pass

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


@dataclass(frozen=True)
class Framing:
    """How long a body is: ``count`` bytes, chunks (-1), or until the end (-2)."""

    count: int
    closes: bool
    bodiless: bool = False
    """Of a request: whether its answer has no body, whatever it says."""

    @classmethod
    def of_request(cls, head: bytes) -> "Framing | None":
        """None for what is not plainly a request: a node is to judge it byte for byte."""
        if not _REQUEST.match(head) or not head.endswith(b"\r\n\r\n"):
            return None
        lengths, codings = _values(head, b"content-length"), _values(head, b"transfer-encoding")
        if len(lengths) + len(codings) > 1 or any(coding != b"chunked" for coding in codings):
            return None
        if not all(length.isdigit() for length in lengths):
            return None
        count = -1 if codings else int(lengths[0]) if lengths else 0
        return cls(count, b"close" in _values(head, b"connection"), bodiless=head.startswith(b"HEAD "))

    @classmethod
    def of_answer(cls, head: bytes, status: int, *, bodiless: bool) -> "Framing":
        closes = b"close" in _values(head, b"connection")
        if bodiless or status in {204, 304}:
            return cls(0, closes)
        if b"chunked" in _values(head, b"transfer-encoding"):
            return cls(-1, closes)
        lengths = _values(head, b"content-length")
        return cls(int(lengths[0]), closes) if lengths else cls(-2, closes=True)

    async def pass_on(self, source: Side, target: Side) -> None:
        if self.count >= 0:
            await source.pass_on(target, self.count)
        elif self.count == -1:
            await source.pass_chunks(target)
        else:
            await source.pass_rest(target)


async def _exchange(client: Side, node: Side, request: Framing) -> bool:
    """The body goes to the node while its answer comes, as each is there."""
    brought: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    bringing = asyncio.create_task(_bring(client, node, request, brought))
    try:
        answer = await _bring_back(client, node, request)
        if answer.closes or request.closes:
            return False
        async with asyncio.timeout(5):
            return await brought
    except TimeoutError:
        return False
    finally:
        bringing.cancel()
        await asyncio.gather(bringing, return_exceptions=True)


async def _bring(client: Side, node: Side, request: Framing, brought: asyncio.Future[bool]) -> None:
    """Then watches, since a client that goes away means something to the node, too."""
    try:
        await request.pass_on(client, node)
        brought.set_result(True)
        if not client.ahead:
            client.ahead = await client.reader.read(_PIECE)
            if not client.ahead:
                node.writer.write_eof()
    except asyncio.IncompleteReadError:
        node.writer.write_eof()
    except ConnectionError:  # of either: a node that takes no more may have answered
        if client.reader.exception() is not None:
            node.writer.transport.abort()
    except (OSError, ValueError):  # chunks that are none
        node.writer.transport.abort()
    finally:
        if not brought.done():
            brought.set_result(False)


async def _bring_back(client: Side, node: Side, request: Framing) -> Framing:
    status = 100
    while status < 200:
        head = await node.head()
        if not (found := _STATUS.match(head)):
            raise ConnectionResetError
        status = int(found[1])
        await client.send(head)
    answer = Framing.of_answer(head, status, bodiless=request.bodiless)
    await answer.pass_on(node, client)
    return answer


async def _as_it_comes(client: Side, node: Side, head: bytes) -> None:
    """What is no plain request is the node's to refuse."""
    await node.send(head)

    async def there() -> None:
        with contextlib.suppress(OSError):
            await client.pass_rest(node)
            node.writer.write_eof()

    going = asyncio.create_task(there())
    try:
        await node.pass_rest(client)
    finally:
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)


def _forwarded(head: bytes, peer: str) -> bytes:
    """Says for whom the node is asked, after whatever the client says."""
    return head[:-2] + b"x-forwarded-for: %s\r\n\r\n" % peer.encode()


def _values(head: bytes, name: bytes) -> list[bytes]:
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return [value.strip().lower() for field, _, value in lines if field.strip().lower() == name]
