"""One POST to somewhere outside: to the address that was looked up, within a time, without reading more than the head."""

import asyncio
from dataclasses import dataclass

import httpx

from restante.server.push.addresses import look_up

WITHIN_S = 15.0
_LONGEST_S = 24 * 3600


class Undelivered(Exception):
    """Nobody answered, or not in time: whether it arrived is not known."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How it was answered; ``retry_after_s`` is 0 unless it said when to come again."""

    status: int
    retry_after_s: int = 0


class Post:
    """Sends outwards; made when first needed, since loading certificates takes memory."""

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._client: httpx.AsyncClient | None = None

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Raises ForbiddenTarget or Undelivered."""
        target = await look_up(url, private=self._private)
        if self._client is None:
            self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=WITHIN_S)
        try:
            async with (
                asyncio.timeout(WITHIN_S),
                self._client.stream(
                    "POST",
                    target.pinned_url,
                    content=body,
                    headers={"host": target.authority, **headers},
                    extensions={"sni_hostname": target.host},
                ) as answer,
            ):
                return Answer(answer.status_code, _seconds(answer.headers.get("retry-after", "")))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            raise Undelivered(type(error).__name__) from error

    async def close(self) -> None:
        """Closes what is open."""
        if self._client is not None:
            await self._client.aclose()


def _seconds(text: str) -> int:
    """Retry-After in seconds, at most a day; a date counts as a minute."""
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), _LONGEST_S)
    return 60 if text else 0
