"""Follows the log of account records as every client does, at one node after the other: it only ever grows."""

import random
from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx

from restante.transparency.errors import LogError
from restante.transparency.notes import NoteKey
from restante.transparency.tiles import Tile
from restante.transparency.watching import Seen, follow, origin_of, read_entries
from tests.api.people import SERVER_NAME, new_client


class Away(Exception):
    """A node does not answer just now."""


class LogWatcher:
    """``broken`` says what was seen that no client would believe."""

    def __init__(self, urls: Sequence[str], dice: random.Random) -> None:
        self.broken: list[str] = []
        self.looks = 0
        self._urls = urls
        self._dice = dice
        self._seen: Seen | None = None

    def look(self) -> None:
        """Goes on from what was seen before."""
        url = self._dice.choice(self._urls)
        try:
            self._seen = self._follow(url)
            self.looks += 1
        except Away:
            pass
        except LogError as error:
            self.broken.append(f"the log at {urlsplit(url).port}: {error.code}")

    def read(self) -> list[str]:
        """Reads all of it, once all is well; says what is broken."""
        self.look()
        if self._seen is not None and not self.broken:
            with new_client(self._urls[0]) as client:
                try:
                    read_entries(self._seen.checkpoint, fetch=lambda tile: _get(client, tile.path))
                except LogError as error:
                    self.broken.append(f"the whole log: {error.code}")
        return self.broken

    def _follow(self, url: str) -> Seen:
        with new_client(url) as client:

            def fetch(tile: Tile) -> bytes:
                return _get(client, tile.path)

            key = NoteKey.parse(_get(client, "key").decode().strip())
            note = _get(client, "checkpoint")
            return follow(self._seen, key, note, origin=origin_of(SERVER_NAME), fetch=fetch)


def _get(client: httpx.Client, path: str) -> bytes:
    try:
        answer = client.get(f"/tlog/{path}")
    except httpx.TransportError as error:
        raise Away from error
    if answer.status_code != 200:
        raise Away
    return answer.content
