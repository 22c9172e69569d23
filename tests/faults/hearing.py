"""A live channel that is opened again wherever it breaks, at any server, from where it was."""

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import Sequence

import httpx

from tests.api.people import TLS
from tests.faults.book import Someone


class Ear:
    """Listens for one account; ``heard`` counts how often each message was told of."""

    def __init__(self, who: Someone, urls: Sequence[str], dice: random.Random) -> None:
        self.who = who
        self.heard: Counter[str] = Counter()
        self.broken: list[str] = []
        self.opened = asyncio.Event()
        self.news = asyncio.Event()
        self._urls = urls
        self._dice = dice
        self._position: int | None = None

    async def listen(self, over: asyncio.Event) -> None:
        """Until it is over."""
        ending = asyncio.ensure_future(over.wait())
        while not over.is_set():
            listening = asyncio.ensure_future(self._once())
            await asyncio.wait({listening, ending}, return_when=asyncio.FIRST_COMPLETED)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await asyncio.sleep(self._dice.uniform(0.05, 0.3))
        ending.cancel()

    async def catch_up(self, wanted: set[str], *, within_s: float) -> set[str]:
        """Listens until all of these were told of; returns those that were not."""
        over = asyncio.Event()
        listening = asyncio.ensure_future(self.listen(over))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while wanted - set(self.heard):
                    self.news.clear()
                    await self.news.wait()
        over.set()
        await listening
        return wanted - set(self.heard)

    async def _once(self) -> None:
        headers = dict(self.who.headers)
        if self._position is not None:
            headers["last-event-id"] = str(self._position)
        try:
            async with (
                httpx.AsyncClient(verify=TLS, trust_env=False, timeout=40) as client,
                client.stream(
                    "GET", self._dice.choice(self._urls) + "/api/v1/events", headers=headers
                ) as answer,
            ):
                if answer.status_code == 200:
                    await self._read(answer)
        except httpx.TransportError:
            pass  # to be opened again

    async def _read(self, answer: httpx.Response) -> None:
        fields: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
            elif not line:
                self._take(fields)
                fields = {}

    def _take(self, fields: dict[str, str]) -> None:
        if "id" not in fields:
            return
        position = int(fields["id"])
        if "data" in fields:
            if self._position is not None and position <= self._position:
                self.broken.append(f"channel of {self.who.name}: {position} after {self._position}")
            if fields["event"] == "message":
                self.heard[json.loads(fields["data"])["id"]] += 1
                self.news.set()
            elif fields["event"] == "resync":
                told = f"asked to begin anew at {position}, who was at {self._position}"
                self.broken.append(f"channel of {self.who.name}: {told}")
        self._position = position
        self.opened.set()
