"""Listens to a live channel as EventSource does, in a thread."""

import contextlib
import json
import queue
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from tests.api.people import Person, new_client


@dataclass(frozen=True)
class Heard:
    """One event; ``at_s`` is monotonic."""

    event: str
    id: str
    data: dict[str, Any]
    at_s: float


@dataclass
class Listener:
    """A connection that is open once the constructor returns; ``last_id`` follows the stream."""

    person: Person
    last_event_id: str | None = None
    last_id: str = ""
    comments: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    _opened: threading.Event = field(default_factory=threading.Event)
    _heard: "queue.SimpleQueue[Heard]" = field(default_factory=queue.SimpleQueue)
    response: httpx.Response | None = None

    def __enter__(self) -> Self:
        self._client = new_client(self.person.url, self.person.token)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        assert self._opened.wait(30), "the channel did not open"
        return self

    def __exit__(self, *_: object) -> None:
        if self.response is not None:
            self._hang_up()
        self._thread.join(10)
        self._client.close()

    def next(self, within_s: float = 30.0) -> Heard:
        return self._heard.get(timeout=within_s)

    def silent(self, for_s: float) -> bool:
        try:
            self._heard.get(timeout=for_s)
        except queue.Empty:
            return True
        return False

    def _hang_up(self) -> None:
        """Cuts the socket below the waiting reader."""
        stream = self.response.extensions["network_stream"]  # type: ignore[union-attr]
        with contextlib.suppress(OSError):
            stream.get_extra_info("socket").shutdown(2)

    def _listen(self) -> None:
        headers = {} if self.last_event_id is None else {"last-event-id": self.last_event_id}
        try:
            with self._client.stream("GET", "/api/v1/events", headers=headers, timeout=60) as response:
                self.response = response
                if response.status_code == 200:
                    self._read(response)
        except httpx.TransportError:
            pass  # hung up, by either side
        finally:
            self.ended.set()
            self._opened.set()

    def _read(self, response: httpx.Response) -> None:
        fields: dict[str, str] = {}
        for line in response.iter_lines():
            if line.startswith(":"):
                self.comments += 1
            elif line:
                name, _, value = line.partition(": ")
                fields[name] = value
            else:
                self.last_id = fields.get("id", self.last_id)
                if "data" in fields:
                    hint = json.loads(fields["data"])
                    self._heard.put(Heard(fields["event"], self.last_id, hint, time.monotonic()))
                self._opened.set()
                fields = {}
