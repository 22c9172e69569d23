"""A server that lies: passes requests on to the real one, and lets a test change or swallow what comes back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx

from tests.api.people import new_client

_HOP = {"connection", "transfer-encoding", "content-length", "host", "date", "server"}


@dataclass(frozen=True)
class Exchange:
    """One request and the real answer to it."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: bytes

    def answering(self, status: int, body: bytes = b"", **headers: str) -> "Exchange":
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return replace(self, status=status, body=body, headers={**self.headers, **named})


Change = Callable[[Exchange], Exchange | None]
"""Returns what to answer, or None to close the connection without a word."""


@dataclass
class Middleman:
    """``change`` may be set at any time; ``seen`` collects what was asked."""

    target: str
    url: str = ""
    change: Change = lambda exchange: exchange
    seen: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def middleman(target: str) -> Iterator[Middleman]:
    man = Middleman(target)
    with new_client(target) as upstream:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(man, upstream))
        server.daemon_threads = True
        man.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield man
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)


def _handler(man: Middleman, upstream: httpx.Client) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            self.close_connection = True
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {key: value for key, value in self.headers.items() if key.lower() not in _HOP}
            man.seen.append((self.command, self.path))
            real = upstream.request(self.command, self.path, content=body or None, headers=headers)
            kept = {key: value for key, value in real.headers.items() if key not in _HOP}
            exchange = Exchange(self.command, self.path, real.status_code, kept, real.content)
            changed = man.change(exchange)
            if changed is not None:
                self._answer(changed)

        def _answer(self, exchange: Exchange) -> None:
            self.send_response(exchange.status)
            for key, value in exchange.headers.items():
                self.send_header(key, value)
            self.send_header("content-length", str(len(exchange.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(exchange.body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the library's names

    return Handler
