"""Slow clients of each kind: connections on which little or nothing comes, dripped on from one loop."""

import contextlib
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from restante.protocol.limits import UNFINISHED_UPLOADS
from tests.api.people import Person, make_account
from tests.api.uploading import Wire, create, patch_head, wire
from tests.serving import Server

STEP_S = 0.25
UPLOAD_BYTES = 100_000


@dataclass
class Slow:
    """A connection that sends ``drip`` at each step; ``received`` is what the server said before it ``closed``."""

    kind: str
    wire: Wire
    drip: bytes = b""
    upload: tuple[Person, str] | None = None
    sent: bytes = b""
    received: bytes = b""
    closed: bool = False

    def step(self) -> None:
        """Sends a drip, unless the server has had enough, and takes what it says."""
        if self.closed:
            return
        self.wire.socket.setblocking(False)
        with contextlib.suppress(OSError):
            self.sent += self.drip[: self.wire.socket.send(self.drip)]
        try:
            while piece := self.wire.socket.recv(65536):
                self.received += piece
            self.closed = True
        except BlockingIOError:
            return
        except ConnectionError:
            self.closed = True

    @property
    def status(self) -> int:
        """Of the answer; 0 without one."""
        return int(self.received.split(maxsplit=2)[1]) if self.received else 0


def slow_clients(server: Server, stack: ExitStack, each: int) -> list[Slow]:
    """So many of each kind: silent, idle after a request, in a head, in a body of JSON, in two kinds of upload."""
    owners = [make_account(server.url) for _ in range(-(-2 * each // UNFINISHED_UPLOADS))]
    uploads = [(owner, create(owner, UPLOAD_BYTES)) for owner in owners for _ in range(UNFINISHED_UPLOADS)]

    def opened() -> Wire:
        return stack.enter_context(wire(server.port))

    def idle() -> Wire:
        line = opened().start("GET", "/livez")
        assert line.status() == 200
        return line

    def uploading(kind: str, drip: bytes, first: bytes) -> Slow:
        owner, url = uploads.pop()
        line = opened().start("PATCH", url, *patch_head(owner, 0, UPLOAD_BYTES)).send(first)
        return Slow(kind, line, drip, (owner, url), first)

    json = ["Content-Type: application/json", "Content-Length: 1000"]
    kinds: list[Callable[[], Slow]] = [
        lambda: Slow("silent", opened()),
        lambda: Slow("idle", idle()),
        lambda: Slow("head", opened().send("GET /livez HTTP/1.1\r\nX-Slow: "), b"x"),
        lambda: Slow("json", opened().start("POST", "/api/v1/sign-in", *json), b"{"),
        lambda: uploading("dripping", b"d", b"d"),
        lambda: uploading("stalled", b"", b"stalled"),
    ]
    return [make() for make in kinds for _ in range(each)]


def drip_until(over: Callable[[], bool], clients: Sequence[Slow], *, within_s: float) -> None:
    """Steps all of them, again and again, until it is over."""
    deadline = time.monotonic() + within_s
    while not over():
        assert time.monotonic() < deadline, [(each.kind, each.status) for each in clients if not each.closed]
        for each in clients:
            each.step()
        time.sleep(STEP_S)
