"""People who go on recording, sending, watching and listening, whatever is done to the servers; each request to any of them.

They do as careful clients do: what is not known they ask again, with the same key, and where an upload stands they ask.
"""

import asyncio
import contextlib
import hashlib
import json
import random
import time
from collections.abc import Sequence
from typing import Any

import httpx

from restante.protocol.encoding import b64
from restante.protocol.ids import Prefix, new_id
from tests.api.people import AGE, TLS, new_name, sign_up_form
from tests.api.uploading import BODY, TUS, UPLOADS
from tests.faults.book import Book, Letter, Someone, Video
from tests.faults.hearing import Ear

ANSWERED_WITHIN_S = 40.0
"""A client of ours waits 30 s; what answers later than this is broken."""
LARGE = 4 * 2**20 + 3
"""More than a server holds before it stores."""
PASSING = frozenset({423, 429, 503, 507})
"""Come again later."""


class Load:
    """``senders`` people send to ``recipients`` others, who listen and watch, until ``over``."""

    def __init__(self, urls: Sequence[str], *, seed: int, senders: int = 6, recipients: int = 3) -> None:
        self.urls = urls
        self.book = Book()
        self.over = asyncio.Event()
        self.ears: list[Ear] = []
        self._seed = seed
        self._senders = senders
        self._count = recipients
        self._client = httpx.AsyncClient(verify=TLS, trust_env=False, timeout=ANSWERED_WITHIN_S)
        self._dice = random.Random(f"{seed} urls")

    async def run(self, *, for_s: float) -> None:
        """Goes on for so long; what is begun then is not ended."""
        self.book.last_success_s = time.monotonic()
        dice = random.Random(f"{self._seed} recipients")
        recipients = [await self.sign_up(dice) for _ in range(self._count)]
        self.ears = [Ear(each, self.urls, random.Random(f"{self._seed} {each.name}")) for each in recipients]
        async with asyncio.TaskGroup() as group:
            for ear in self.ears:
                group.create_task(ear.listen(self.over))
            await asyncio.wait_for(asyncio.gather(*(ear.opened.wait() for ear in self.ears)), 30)
            for number in range(self._senders):
                group.create_task(self._send_on(random.Random(f"{self._seed} sender {number}"), recipients))
            group.create_task(self._watch_on(random.Random(f"{self._seed} watcher")))
            await _pause(self.over, for_s)
            self.over.set()

    async def close(self) -> None:
        await self._client.aclose()

    # One request

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        """Asks any of the servers; None when nobody knows what became of it."""
        began_s = time.monotonic()
        try:
            answer = await self._client.request(method, self._dice.choice(self.urls) + path, **more)
        except httpx.TransportError as error:
            self.book.answers[type(error).__name__] += 1
            answer = None
        now_s = time.monotonic()
        self.book.slowest_s = max(self.book.slowest_s, now_s - began_s)
        if answer is None:
            return None
        self.book.answers[str(answer.status_code)] += 1
        if answer.is_success:
            self.book.longest_gap_s = max(self.book.longest_gap_s, now_s - self.book.last_success_s)
            self.book.last_success_s = now_s
        elif answer.status_code >= 500 and answer.status_code not in PASSING:
            self.book.broken.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer

    async def insist(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        """Asks until there is an answer that is not "later"; None when it is over before."""
        while not self.over.is_set():
            answer = await self.ask(method, path, **more)
            if answer is not None and answer.status_code not in PASSING and answer.status_code < 500:
                return answer
            await _pause(self.over, self._dice.uniform(0.05, 0.4))
        return None

    async def sign_up(self, dice: random.Random) -> Someone:
        """A new account; where nobody knows whether it was made, another."""
        while True:
            name = new_name()
            answer = await self.ask("POST", "/api/v1/accounts", json=sign_up_form(name))
            if answer is not None and answer.status_code == 201:
                made = Someone(name, answer.json()["token"])
                self.book.people.append(made)
                return made
            await asyncio.sleep(dice.uniform(0.05, 0.3))

    # Sending

    async def _send_on(self, dice: random.Random, recipients: Sequence[Someone]) -> None:
        sender = await self.sign_up(dice)
        while not self.over.is_set():
            video = await self._create(sender, dice)
            if video is None:  # lost answers left more uploads behind than one account may have
                if not self.over.is_set():
                    sender = await self.sign_up(dice)
                continue
            if await self._fill(video, dice):
                await self._send(
                    Letter(_id(dice), f"{dice.random()}", sender, dice.choice(recipients), video), dice
                )

    async def _create(self, sender: Someone, dice: random.Random) -> Video | None:
        size = LARGE if dice.random() < 0.03 else dice.randint(1, 60_000)
        video = Video(f"{self._seed} {dice.random()}", size, sender)
        while not self.over.is_set():
            answer = await self.ask(
                "POST", UPLOADS, headers=sender.headers | TUS | {"upload-defer-length": "1"}
            )
            if answer is not None and answer.status_code == 201:
                video.url = answer.headers["location"]
                self.book.videos.append(video)
                return video
            if (
                answer is not None
                and answer.status_code == 429
                and answer.json()["code"] == "too-many-uploads"
            ):
                return None
            await _pause(self.over, dice.uniform(0.05, 0.4))
        return None

    async def _fill(self, video: Video, dice: random.Random) -> bool:
        """Uploads all of it; asks where it stands whenever it is not sure. False when it is over before."""
        content, at = video.content, 0
        while not self.over.is_set() and not video.finished:
            end = min(video.size, at + (video.size if video.size == LARGE else dice.randint(1, 40_000)))
            if await self.patch(video, content, at, end):
                at = video.acknowledged
            elif (stands := await self.stands(video)) is not None:
                at = stands
        return video.finished

    async def patch(self, video: Video, content: bytes, at: int, end: int) -> bool:
        """Sends a piece; the last one with the length."""
        headers = video.owner.headers | TUS | BODY | {"upload-offset": str(at)}
        if end == video.size:
            headers["upload-length"] = str(end)
        answer = await self.ask("PATCH", video.url, headers=headers, content=content[at:end])
        if answer is None:
            return False
        if answer.status_code == 204:
            video.acknowledged = int(answer.headers["upload-offset"])
            video.finished = video.acknowledged == video.size
            if video.acknowledged != end:
                self.book.broken.append(f"{video.url}: {at} to {end} were sent, {video.acknowledged} told")
            return True
        if answer.status_code == 409 and answer.json()["code"] == "upload-finished":
            video.acknowledged, video.finished = video.size, True
            return True
        if answer.status_code not in PASSING | {409}:
            self.book.broken.append(f"PATCH {video.url}: {answer.status_code} {answer.text[:300]}")
        await _pause(self.over, self._dice.uniform(0.02, 0.2))
        return False

    async def stands(self, video: Video) -> int | None:
        """The offset of an upload; what was acknowledged is never taken back."""
        answer = await self.insist("HEAD", video.url, headers=video.owner.headers | TUS)
        if answer is None:
            return None
        if answer.status_code != 200:
            self.book.broken.append(
                f"HEAD {video.url}: {answer.status_code}, {video.acknowledged} bytes acknowledged"
            )
            video.finished = True
            return None
        at = int(answer.headers["upload-offset"])
        if not video.acknowledged <= at <= video.size:
            self.book.broken.append(
                f"HEAD {video.url}: {at}, acknowledged {video.acknowledged} of {video.size}"
            )
        video.acknowledged = at
        return at

    async def _send(self, letter: Letter, dice: random.Random) -> None:
        self.book.letters[letter.id] = letter
        headers = letter.sender.headers | {"idempotency-key": f"key-{letter.id[4:]}"}
        while not self.over.is_set():
            answer = await self.insist("POST", "/api/v1/messages", headers=headers, files=parts(letter))
            if answer is None:
                return
            if answer.is_success:
                letter.acknowledged = True
                await self._afterwards(letter, dice)
                return
            if answer.status_code == 409 and answer.json()["code"] in {
                "upload-unfinished",
                "idempotency-in-flight",
            }:
                await self.patch(letter.video, letter.video.content, letter.video.size, letter.video.size)
                continue
            self.book.broken.append(f"send {letter.id}: {answer.status_code} {answer.text[:300]}")
            return

    async def _afterwards(self, letter: Letter, dice: random.Random) -> None:
        """What was acknowledged is there at once, on whatever server; some of it is marked, some taken back."""
        path = f"/api/v1/messages/{letter.id}"
        seen = await self.insist("GET", path, headers=letter.recipient.headers)
        if seen is not None and seen.status_code != 200:
            self.book.broken.append(f"{path}: {seen.status_code} right after it was acknowledged")
        if dice.random() < 0.3:
            answer = await self.ask(
                "POST", f"{path}/marks", json={"mark": "played"}, headers=letter.recipient.headers
            )
            letter.marked = answer is not None and answer.is_success
        if dice.random() < 0.1:
            letter.deleted = "asked"
            answer = await self.ask("DELETE", f"{path}?for=everyone", headers=letter.sender.headers)
            if answer is not None and answer.is_success:
                letter.deleted = "acknowledged"

    # Watching

    async def _watch_on(self, dice: random.Random) -> None:
        while not self.over.is_set():
            await _pause(self.over, dice.uniform(0.05, 0.2))
            if there := [each for each in self.book.acknowledged if each.deleted == "no"]:
                await self._watch(dice.choice(there), dice)

    async def _watch(self, letter: Letter, dice: random.Random) -> None:
        content, headers = letter.video.content, dict(letter.recipient.headers)
        start, end = 0, len(content)
        if dice.random() < 0.5:
            start = dice.randrange(end)
            end = dice.randint(start + 1, end)
            headers["range"] = f"bytes={start}-{end - 1}"
        answer = await self.ask("GET", f"/api/v1/messages/{letter.id}/video", headers=headers)
        if answer is None or answer.status_code in PASSING or letter.deleted != "no":
            return
        if answer.content != content[start:end]:
            self.book.broken.append(
                f"video of {letter.id}, {start} to {end}: {answer.status_code}, {len(answer.content)} bytes"
            )


def parts(letter: Letter) -> list[tuple[str, tuple[None, bytes, str]]]:
    """The body of a send; the same each time, as its key asks."""
    message = {
        "id": letter.id,
        "kind": "video",
        "details_sha256": b64(hashlib.sha256(letter.details).digest()),
        "recipients": [letter.recipient.name],
        "upload": letter.video.id,
    }
    binary = "application/octet-stream"
    dice = random.Random(f"envelopes {letter.seed}")
    return [
        ("message", (None, json.dumps(message).encode(), "application/json")),
        ("details", (None, letter.details, binary)),
        ("sent", (None, AGE + dice.randbytes(300), binary)),
        (f"envelope:{letter.recipient.name}", (None, AGE + dice.randbytes(400), binary)),
    ]


def _id(dice: random.Random) -> str:
    return new_id(Prefix.MESSAGE, random=dice.randbytes)


async def _pause(over: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(over.wait(), seconds)
