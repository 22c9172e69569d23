"""The outermost application: request id, size limits, same-origin rule, body deadline, security headers, one log line.

Everything behind it is plain ASGI, so that another server than granian stays possible.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import urlsplit

from restante.protocol import limits
from restante.protocol.ijson import encode
from restante.server.asgi import App, Message, Receive, Scope, Send, headers_named, respond
from restante.server.config import Settings
from restante.server.edge.headers import DEFAULTS, UNPINNED, with_defaults
from restante.server.edge.problems import CONTENT_TYPE, problem_of
from restante.server.errors import Refusal
from restante.server.log import Log

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
MAX_HEADERS = 100
HEADER_BYTES = 16 * limits.KIB


class Guard:
    """Wraps the application; knows no account and no message."""

    def __init__(self, app: App, settings: Settings, log: Log) -> None:
        self._app = app
        self._settings = settings
        self._log = log
        self._defaults = UNPINNED if settings.tls == "local" else DEFAULTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope["request_id"] = secrets.token_hex(8)
        exchange = _Exchange(request_id, send, self._defaults)
        body = _TimedBody(receive, self._settings.body_timeout_s, self._settings.body_min_rate)
        try:
            _check_sizes(scope)
            _check_origin(scope)
            await self._app(scope, body.receive, exchange.send)
        except Refusal as refusal:
            scope["code"] = refusal.entry.code
            await exchange.refuse(refusal)
        except Exception as error:  # noqa: BLE001 - the last door: everything unexpected becomes a logged 500
            scope["code"] = "internal"
            self._log.fault(request_id, error)
            await exchange.refuse(Refusal("internal"))
        finally:
            body.close()
        self._log.event(
            "request",
            request_id=request_id,
            method=scope["method"],
            route=scope.get("path_template") or scope.get("route", ""),
            status=exchange.status,
            duration_ms=round((perf_counter() - exchange.started_s) * 1000, 1),
            bytes=exchange.sent_bytes,
            received=body.total_bytes,
            actor=scope.get("actor", ""),
            code=scope.get("code", ""),
            replayed=scope.get("replayed", 0),
        )


@dataclass(slots=True)
class _Exchange:
    """What the log line needs to know about the answer."""

    request_id: str
    _send: Send
    _defaults: Mapping[bytes, bytes]
    status: int = 0
    sent_bytes: int = 0
    started_s: float = 0.0

    def __post_init__(self) -> None:
        self.started_s = perf_counter()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = with_defaults(
                list(message.get("headers", [])), self.request_id, self._defaults
            )
        else:
            self.sent_bytes += len(message.get("body", b""))
        await self._send(message)

    async def refuse(self, refusal: Refusal) -> None:
        """Answers with a problem, unless an answer has begun: then the connection just ends early."""
        if self.status:
            return
        headers = [(b"content-type", CONTENT_TYPE.encode())]
        headers += [(key.encode(), value.encode()) for key, value in refusal.headers.items()]
        await respond(self.send, refusal.entry.status, headers, encode(problem_of(refusal, self.request_id)))


class _TimedBody:
    """Ends a body that stalls or trickles: to the application it looks like a client that went away.

    One timer for the whole body, not one for each piece: live uploads come in thousands of pieces. The body is read
    by the task that serves the request.
    """

    def __init__(self, receive: Receive, timeout_s: float, min_rate: int) -> None:
        self._receive = receive
        self._timeout_s = timeout_s
        self._window_bytes = min_rate * timeout_s
        self._seen_bytes = 0
        self.total_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._task = asyncio.current_task()
        self._waiting = False
        self._expired = False
        self._done = False

    async def receive(self) -> Message:
        """The next piece of the body; unlimited in time once the body is complete (live channels wait there)."""
        if self._done:
            return await self._receive()
        if self._timer is None:
            self._arm()
        self._waiting = True
        try:
            message = await self._receive()
        except asyncio.CancelledError:
            if not self._expired:
                raise
            assert self._task is not None
            self._task.uncancel()
            self.close()
            return {"type": "http.disconnect", "timed_out": True}
        finally:
            self._waiting = False
        self._seen_bytes += len(message.get("body", b""))
        self.total_bytes += len(message.get("body", b""))
        if not message.get("more_body", False):
            self.close()
        return message

    def close(self) -> None:
        """Stops the timer; nothing is limited any more."""
        self._done = True
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._timeout_s, self._judge)

    def _judge(self) -> None:
        """Ends the wait when too little came since the last look; work of our own is not held against the client."""
        if self._waiting and self._seen_bytes < self._window_bytes:
            assert self._task is not None
            self._expired = True
            self._task.cancel()
            return
        self._seen_bytes = 0
        self._arm()


def _check_sizes(scope: Scope) -> None:
    if len(scope["raw_path"] or b"") + len(scope["query_string"]) > limits.REQUEST_TARGET_BYTES:
        raise Refusal("target-too-long", headers={"connection": "close"})
    headers = list(scope["headers"])
    sizes = [len(key) + len(value) for key, value in headers]
    if (
        len(headers) > MAX_HEADERS
        or sum(sizes) > limits.HEADERS_BYTES
        or max(sizes, default=0) > HEADER_BYTES
    ):
        raise Refusal("headers-too-large", headers={"connection": "close"})


def _check_origin(scope: Scope) -> None:
    """[Note: Same origin] A change that rides on a cookie must come from our own pages.

    Browsers send Sec-Fetch-Site; older ones Origin. A request without either carries no cookie of ours that a
    foreign page could have attached (the cookie is SameSite=Lax), unless it is forged by hand: refused too.
    """
    if scope["method"] in SAFE_METHODS or not headers_named(scope["headers"], b"cookie"):
        return
    if headers_named(scope["headers"], b"authorization"):
        return
    site = headers_named(scope["headers"], b"sec-fetch-site")
    if site:
        if site != [b"same-origin"]:
            raise Refusal("forbidden-origin")
        return
    origin = headers_named(scope["headers"], b"origin")
    host = headers_named(scope["headers"], b"host")
    if (
        len(origin) != 1
        or len(host) != 1
        or urlsplit(origin[0].decode("latin-1")).netloc.encode("latin-1") != host[0]
    ):
        raise Refusal("forbidden-origin")
