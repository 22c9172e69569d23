"""A proxy before an object store that does what networks and stores do on a bad day; on loopback, HTTP/1.1."""

import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

FAULTS = ("slow", "down", "reset", "busy", "error-200", "lost")
REFUSALS = {"NoSuchBucket": 404, "RequestTimeTooSkewed": 403, "AccessDenied": 403, "InvalidAccessKeyId": 403}
"""What a store says to whoever set it up wrongly; set as ``fault``, each is answered to every request."""
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding"})


class Chaos:
    """Decides what becomes of each request: always ``fault``, or one of all faults with the probability ``share``."""

    def __init__(self, port: int, *, seed: int = 0) -> None:
        self.upstream = port
        self.fault = ""
        self.share = 0.0
        self.slow_s = 0.3
        self.denied = ""
        """A method that is refused, LIST for a GET of names and the name of a query for the questions with it."""
        self.headers: dict[str, str] = {}
        """What is told differently in every answer."""
        self.did: dict[str, int] = dict.fromkeys(("", *FAULTS, *REFUSALS), 0)
        self._dice = random.Random(seed)
        self._deciding = threading.Lock()

    def decide(self) -> str:
        """What happens to the next request."""
        with self._deciding:
            fault = self.fault
            if not fault and self._dice.random() < self.share:
                fault = self._dice.choice(FAULTS)
            self.did[fault] += 1
        return fault


class Handler(BaseHTTPRequestHandler):
    """Passes a request on, unless something happens to it."""

    protocol_version = "HTTP/1.1"
    chaos: ClassVar[Chaos]

    def _serve(self) -> None:
        fault = self.chaos.decide() or self._denial()
        if fault == "down":
            self._reset()
            return
        size = int(self.headers.get("content-length", "0"))
        if fault == "reset":
            self.rfile.read(size // 2)
            self._reset()
            return
        body = self.rfile.read(size)
        if fault == "slow":
            time.sleep(self.chaos.slow_s)
        if fault == "busy":
            self._refuse(503, "SlowDown")
        elif fault == "error-200":
            self._refuse(200, "InternalError")
        elif fault in REFUSALS:
            self._refuse(REFUSALS[fault], fault)
        else:
            self._pass_on(body, lost=fault == "lost")

    def _denial(self) -> str:
        query = self.path.partition("?")[2]
        asked = "LIST" if "list-type" in query else query.partition("=")[0]
        method = self.command if "X-Amz" in asked or not asked or asked == "delete" else asked
        return "AccessDenied" if method == self.chaos.denied else ""

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_OPTIONS = _serve  # noqa: N815 - names of the library

    def _pass_on(self, body: bytes, *, lost: bool) -> None:
        upstream = HTTPConnection("127.0.0.1", self.chaos.upstream, timeout=30)
        try:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP:
                    upstream.putheader(name, value)
            upstream.endheaders(body)
            answer = upstream.getresponse()
            data = answer.read()
        except (OSError, HTTPException):
            self._reset()
            return
        finally:
            upstream.close()
        if lost:
            self._reset()
        else:
            self._answer(answer.status, _kept(answer), data)

    def _refuse(self, status: int, code: str) -> None:
        text = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>We are sorry.</Message></Error>'
        self._answer(status, {"content-type": "application/xml"}, text.encode())

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in (headers | self.chaos.headers).items():
            self.send_header(name, value)
        if "content-length" not in headers and status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _reset(self) -> None:
        """RST instead of FIN: nothing of what was sent can be relied on."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *_: object) -> None:
        """Nothing: thousands of lines say less than the counters."""


def _kept(answer: HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.getheaders() if name.lower() not in _HOP}


class Proxy(ThreadingHTTPServer):
    """Takes connections until it is closed; what breaks off is its purpose, not an error."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """Somebody hung up."""

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:  # type: ignore[override]
        with contextlib.suppress(OSError):
            super().shutdown_request(request)


@contextlib.contextmanager
def before(port: int, *, seed: int = 0) -> Iterator[tuple[Chaos, int]]:
    """Runs a proxy before the port; gives what decides, and the proxy's port."""
    chaos = Chaos(port, seed=seed)
    proxy = Proxy(("127.0.0.1", 0), type("Chaotic", (Handler,), {"chaos": chaos}))
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield chaos, proxy.server_address[1]
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
