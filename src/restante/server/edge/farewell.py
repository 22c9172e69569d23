"""Tells the house at once that the process was asked to stop.

[Note: Early farewell] An ASGI server first waits for the requests that run and only then ends the lifespan. Live channels and
uploads in progress run for minutes, so it would wait until it is killed. Here the signal itself ends them, within
the time that operators grant; the event loop's own handling of the signal stays as it is, since loops learn of signals
by the wake-up descriptor whichever Python handler is set.
"""

import asyncio
import signal
from collections.abc import Callable
from types import FrameType

from restante.server.asgi import App, Receive, Scope, Send

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def with_farewell(app: App, interrupt: Callable[[], None]) -> App:
    """Wraps the application of a process of its own; ``interrupt`` runs in the event loop and must not block."""

    async def bidding_farewell(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            _listen(interrupt)
        await app(scope, receive, send)

    return bidding_farewell


def _listen(interrupt: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()

    def on_signal(_: int, __: FrameType | None) -> None:
        loop.call_soon_threadsafe(interrupt)

    for number in SIGNALS:
        signal.signal(number, on_signal)
