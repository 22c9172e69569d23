"""A cheap HTTP/1.1 client on raw sockets, so that what is measured is the server.

Bodies of files go out by sendfile(2). Bodies that are not kept are received all the same, into one buffer: dropping them
in the kernel (MSG_TRUNC) would spare a server that sends by sendfile(2) its bytes altogether, and no recipient does that.
"""

import contextlib
import os
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from bench.harness.films import Film

_END = b"\r\n\r\n"
_SINK = bytearray(1 << 20)
TIMEOUT_S = 60
_STEP = 1 << 20


class Unexpected(RuntimeError):
    """A server answered otherwise than the measurement needs."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (names in lower case) and body; ``size`` counts a body that was dropped."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    size: int

    def expect(self, *statuses: int) -> "Answer":
        if self.status not in statuses:
            raise Unexpected(f"{self.status} instead of {statuses}: {self.body[:500]!r}")
        return self


class Connection:
    """One keep-alive connection; one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = _connect(port)
        self._head = f"Host: 127.0.0.1:{port}\r\n"
        self._buffer, self._events = bytearray(), bytearray()
        self.sent = self.received = 0
        """Bytes, heads included, since it was made."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"", *, drop: bool = False
    ) -> Answer:
        """Sends a request and reads the answer; ``drop`` counts the body instead of keeping it."""
        self.post(method, target, headers, body)
        return self.answer(method, drop=drop)

    def post(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Sends a request whose ``answer`` is read later."""
        self._reopen_if_closed()
        self._send(self.head(method, target, headers, len(body)) + body)

    def send_file(
        self, method: str, target: str, headers: Mapping[str, str], film: Film, *, start: int, count: int
    ) -> Answer:
        """Sends ``count`` bytes of a film as the body."""
        self._reopen_if_closed()
        self._send(self.head(method, target, headers, count), socket.MSG_MORE)
        end = start + count
        while start < end:
            step = min(_STEP, end - start)
            gone = os.sendfile(self._socket.fileno(), film.descriptor, start, step)
            start, self.sent = start + gone, self.sent + gone
        return self.answer(method, drop=False)

    def head(self, method: str, target: str, headers: Mapping[str, str], length: int) -> bytes:
        """Writes the head of a request."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        if length or method in {"POST", "PUT", "PATCH"}:
            lines += f"Content-Length: {length}\r\n"
        return f"{method} {target} HTTP/1.1\r\n{self._head}{lines}\r\n".encode()

    def answer(self, method: str, *, drop: bool = False) -> Answer:
        """Reads an answer to its last byte."""
        status, headers = self._read_head()
        if method == "HEAD" or status in {204, 304}:
            return Answer(status, headers, b"", 0)
        if headers.get("transfer-encoding") == "chunked":
            body = b"".join(iter(self._chunk, b""))
            return Answer(status, headers, body, len(body))
        length = int(headers.get("content-length", 0))
        if drop:
            self._skip(length)
            return Answer(status, headers, b"", length)
        return Answer(status, headers, self._take(length), length)

    def open_stream(self, target: str, headers: Mapping[str, str]) -> None:
        """Asks for a stream that has no end; read it with ``next_event``."""
        self._send(self.head("GET", target, headers, 0))
        status, _ = self._read_head()
        if status != 200:
            raise Unexpected(f"{status} instead of a stream")

    def next_event(self) -> dict[str, str]:
        """Waits for the next server-sent event of a chunked stream that carries data."""
        while True:
            while (end := self._events.find(b"\n\n")) < 0:
                self._events += self._chunk()
            lines = bytes(self._events[:end]).decode().split("\n")
            del self._events[: end + 2]
            fields = dict(line.split(": ", 1) for line in lines if ": " in line)
            if "data" in fields:
                return fields

    def _reopen_if_closed(self) -> None:
        """Servers close a connection that was idle for some seconds; every client has to expect that."""
        with contextlib.suppress(BlockingIOError):
            if self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                raise Unexpected("an answer that nobody asked for")
            self._socket.close()
            self._socket = _connect(self._port)

    def _read_head(self) -> tuple[int, dict[str, str]]:
        while (end := self._buffer.find(_END)) < 0:
            self._more()
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + len(_END)]
        pairs = (line.partition(":") for line in lines[1:])
        return int(lines[0].split()[1]), {name.lower(): value.strip() for name, _, value in pairs}

    def _chunk(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            self._more()
        size = int(bytes(self._buffer[:end]), 16)
        del self._buffer[: end + 2]
        return self._take(size + 2)[:-2]

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._more()
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _skip(self, size: int) -> None:
        size -= len(self._take(min(size, len(self._buffer))))
        while size > 0:
            got = self._socket.recv_into(_SINK, min(size, len(_SINK)))
            if not got:
                raise Unexpected("the connection ended in the middle of a body")
            size, self.received = size - got, self.received + got

    def _more(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise Unexpected("the connection ended before the answer")
        self.received += len(data)
        self._buffer += data

    def _send(self, data: bytes, flags: int = 0) -> None:
        self._socket.sendall(data, flags)
        self.sent += len(data)


def _connect(port: int) -> socket.socket:
    connected = socket.create_connection(("127.0.0.1", port))
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):  # cheaper than Python's time-out, which polls
        connected.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", TIMEOUT_S, 0))
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected
