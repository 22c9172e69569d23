"""How a person stops a recording: once and it is kept; whatever comes, nothing is thrown away."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDS = [signal.SIGINT, signal.SIGTERM] + ([] if sys.platform == "win32" else [signal.SIGHUP])


class Stop:
    """Whether to stop, and whether anybody is there to be asked afterwards."""

    def __init__(self) -> None:
        self.is_asked = False
        self.has_left = False

    def __call__(self) -> bool:
        """Tells whether to stop."""
        return self.is_asked

    def take(self, number: int, _: FrameType | None) -> None:
        """Notes a signal. A second Ctrl-C does not wait for the end of the file: what is there is kept."""
        if self.is_asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.is_asked = True
        self.has_left |= number != signal.SIGINT


@contextmanager
def stopping() -> Iterator[Stop]:
    """Gives what Ctrl-C, the end of the terminal and a request to end set, instead of breaking off."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop.take) for number in _ENDS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
