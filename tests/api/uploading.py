"""Speaks tus as a careful client does, and rawly where a test wants to break the rules."""

import contextlib
import os
import re
import socket
import time
from collections.abc import Iterator

import httpx

from tests.api.people import Person

UPLOADS = "/api/v1/uploads"
TUS = {"tus-resumable": "1.0.0"}
BODY = {"content-type": "application/offset+octet-stream"}


def post(person: Person, length: int | None = 1000, content: bytes = b"", **headers: str) -> httpx.Response:
    """POST of a creation; ``length=None`` defers it. Underscores in header names become dashes."""
    announced = {"upload-defer-length": "1"} if length is None else {"upload-length": str(length)}
    return person.client.post(UPLOADS, headers=TUS | announced | named(headers), content=content)


def create(person: Person, length: int | None = 1000) -> str:
    """Creates an upload and returns its address."""
    answer = post(person, length)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def patch(person: Person, url: str, offset: int, data: bytes = b"", **headers: str) -> httpx.Response:
    wanted = TUS | BODY | {"upload-offset": str(offset)} | named(headers)
    return person.client.patch(url, headers=wanted, content=data)


def head(person: Person, url: str, **headers: str) -> httpx.Response:
    return person.client.head(url, headers=TUS | named(headers))


def delete(person: Person, url: str, **headers: str) -> httpx.Response:
    return person.client.delete(url, headers=TUS | named(headers))


def offset(person: Person, url: str) -> int:
    answer = head(person, url)
    assert answer.status_code == 200, answer
    return int(answer.headers["upload-offset"])


def finished(person: Person, data: bytes) -> str:
    """Uploads the data whole and returns its address."""
    url = create(person, len(data))
    answer = patch(person, url, 0, data)
    assert answer.status_code == 204, answer.text
    return url


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def noise(size: int) -> bytes:
    return os.urandom(size)


class Wire:
    """One TCP connection to the server, byte by byte."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)

    def send(self, *pieces: bytes | str) -> "Wire":
        for piece in pieces:
            self.socket.sendall(piece.encode("latin-1") if isinstance(piece, str) else piece)
        return self

    def start(self, method: str, path: str, *headers: str) -> "Wire":
        """Sends the head of a request."""
        return self.send("\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", ""]))

    def answer(self) -> bytes:
        """Reads one whole answer, or what there is until the server closes."""
        received = b""
        while not _is_whole(received):
            try:
                piece = self.socket.recv(65536)
            except ConnectionError:
                break
            if not piece:
                break
            received += piece
        return received

    def answers(self, *, idle_s: float = 0.3) -> bytes:
        """Reads everything until the server closes or has nothing more to say."""
        received = self.answer()
        self.socket.settimeout(idle_s)
        with contextlib.suppress(TimeoutError, ConnectionError):
            while piece := self.socket.recv(65536):
                received += piece
        return received

    def status(self) -> int:
        """The status of the next answer; 0 when the server closes without one."""
        line = self.answer().split(b"\r\n", 1)[0].split()
        return int(line[1]) if len(line) > 1 else 0

    def end(self) -> "Wire":
        """Says that nothing more will come, to a server that may have closed already."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
        return self

    def reset(self) -> None:
        """Closes with RST, as a crashed client's machine would."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()


def _is_whole(received: bytes) -> bool:
    head, separator, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: (\d+)", head.lower())
    return bool(separator) and len(body) >= (int(length[1]) if length else 0)


@contextlib.contextmanager
def wire(port: int) -> Iterator[Wire]:
    connection = Wire(port)
    try:
        yield connection
    finally:
        connection.socket.close()


def patch_head(person: Person, offset_: int, length: int | str, *more: str) -> list[str]:
    """Headers of a raw PATCH; ``length`` is a number or ``chunked``."""
    body = "Transfer-Encoding: chunked" if length == "chunked" else f"Content-Length: {length}"
    return [
        f"Authorization: Bearer {person.token}",
        "Tus-Resumable: 1.0.0",
        "Content-Type: application/offset+octet-stream",
        f"Upload-Offset: {offset_}",
        body,
        *more,
    ]


def wait_until(condition, within_s: float = 30.0) -> None:
    """Looks again and again, instead of sleeping for a guessed time."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
