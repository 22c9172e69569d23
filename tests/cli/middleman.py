"""A server that lies: passes requests on to the real one, and lets a test change or swallow what goes and what comes."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler
from threading import Thread

import httpx

from tests.api.people import new_client

_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}
_STREAM = "text/event-stream"


@dataclass(frozen=True)
class Request:
    """What a client asks."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Exchange:
    """One request and the real answer to it; a body that is no bytes is sent piece by piece, without a length."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: bytes | Iterable[bytes]
    asked: dict[str, str] = field(default_factory=dict)
    """The headers of the request, in lower case."""

    def answering(self, status: int, body: bytes | Iterable[bytes] = b"", **headers: str) -> "Exchange":
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return replace(self, status=status, body=body, headers={**self.headers, **named})

    @property
    def whole(self) -> bytes:
        """The body of an answer that is not a stream."""
        assert isinstance(self.body, bytes)
        return self.body


Ask = Callable[[Request], Request]
Change = Callable[[Exchange], Exchange | None]
"""Returns what to answer, or None to close the connection without a word."""


def honestly(request: Request) -> Request:
    """Passes a request on as it is."""
    return request


def truly(exchange: Exchange) -> Exchange:
    """Answers as the server did."""
    return exchange


@dataclass
class Middleman:
    """``ask`` and ``change`` may be set at any time; ``seen`` collects what was asked."""

    target: str
    url: str = ""
    ask: Ask = honestly
    change: Change = truly
    seen: list[tuple[str, str]] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def tell_the_truth(self) -> None:
        self.ask, self.change = honestly, truly


@contextmanager
def middleman(target: str) -> Iterator[Middleman]:
    man = Middleman(target)
    with new_client(target) as upstream:
        server = _Server(("127.0.0.1", 0), _handler(man, upstream))
        man.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield man
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing: clients go away in the middle, and so do servers that are killed."""


def _handler(man: Middleman, upstream: httpx.Client) -> type[BaseRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            self.close_connection = True
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {key: value for key, value in self.headers.items() if key.lower() not in _HOP}
            request = man.ask(Request(self.command, self.path, headers, body))
            man.seen.append((request.method, request.path))
            with upstream.stream(
                request.method,
                request.path,
                content=request.body or None,
                headers=request.headers,
                timeout=httpx.Timeout(30, read=None),
            ) as real:
                kept = {key: value for key, value in real.headers.items() if key not in _HOP}
                if kept.get("content-type", "").startswith(_STREAM):
                    content: bytes | Iterable[bytes] = real.iter_raw()
                else:
                    content = b"".join(real.iter_raw())
                asked = {key.lower(): value for key, value in headers.items()}
                changed = man.change(
                    Exchange(self.command, self.path, real.status_code, kept, content, asked)
                )
                if changed is not None:
                    self._answer(changed)

        def _answer(self, exchange: Exchange) -> None:
            self.send_response(exchange.status)
            for key, value in exchange.headers.items():
                self.send_header(key, value)
            if isinstance(exchange.body, bytes):
                self.send_header("content-length", str(len(exchange.body)))
            self.end_headers()
            if self.command == "HEAD":
                return
            with suppress(ConnectionError):
                pieces = [exchange.body] if isinstance(exchange.body, bytes) else exchange.body
                for piece in pieces:
                    self.wfile.write(piece)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the library's names

    return Handler


def named(path: str, pattern: str) -> re.Match[str] | None:
    """Matches the path of a request, without its query."""
    return re.fullmatch(pattern, path.partition("?")[0])
