"""Where a request comes from: the country as a trusted proxy or a database of networks tells it, the platform as browsers do."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import maxminddb

from restante.protocol.wire_availability import Platform
from restante.server.asgi import RawHeaders, Scope, headers_named
from restante.server.availability.sighting import Sighting, Source
from restante.server.limits.prefixes import Address, client_of, is_trusted

_COUNTRY = re.compile(rb"[A-Z]{2}\Z")
_NO_COUNTRY = {b"XX", b"T1", b"ZZ"}
"""What proxies write for an unknown country, and for Tor."""
_HINTS: dict[bytes, Platform] = {
    b'"macOS"': "macos",
    b'"Windows"': "windows",
    b'"Linux"': "linux",
    b'"iOS"': "ios",
    b'"Android"': "android",
}
_AGENTS: tuple[tuple[bytes, Platform], ...] = (
    (b"windows phone", "windows-phone"),  # which also says that it is Android and an iPhone
    (b"android", "android"),
    (b"iphone", "ios"),
    (b"ipad", "ios"),
    (b"ipod", "ios"),
    (b"cros", "other"),
    (b"windows", "windows"),
    (b"macintosh", "macos"),
    (b"mac os", "macos"),
    (b"darwin", "macos"),
    (b"linux", "linux"),
)


class Places:
    """Reads requests; ``database`` is a file in MaxMind's format, ``header`` what a trusted proxy writes the country into."""

    def __init__(self, *, header: str, database: Path | None, trusted_proxies: Iterable[str]) -> None:
        self._header = header.lower().encode()
        self._reader = None if database is None else maxminddb.open_database(database)
        self._trusted = tuple(trusted_proxies)

    def sighted(self, scope: Scope) -> Sighting:
        """What this request shows."""
        client = scope.get("client")
        peer = client[0] if client else ""
        country, source = self._country(peer, scope["headers"])
        return Sighting(platform_of(scope["headers"]), country, source)

    def close(self) -> None:
        """Closes the database."""
        if self._reader is not None:
            self._reader.close()

    def _country(self, peer: str, headers: RawHeaders) -> tuple[str | None, Source | None]:
        if self._header and is_trusted(peer, self._trusted):
            values = headers_named(headers, self._header)
            if len(values) == 1 and _COUNTRY.match(values[0]) and values[0] not in _NO_COUNTRY:
                return values[0].decode(), "proxy"
        address = client_of(peer, headers, self._trusted)
        found = None if self._reader is None or address is None else self._looked_up(address)
        return found, None if found is None else "database"

    def _looked_up(self, address: Address) -> str | None:
        assert self._reader is not None
        try:
            record: Any = self._reader.get(address)
        except ValueError:  # an address of IPv6 in a database of IPv4
            return None
        for entry in ("country", "registered_country"):
            code = record.get(entry, {}).get("iso_code") if isinstance(record, dict) else None
            if isinstance(code, str) and _COUNTRY.match(code.encode()):
                return code
        return None


def platform_of(headers: RawHeaders) -> Platform:
    """Tells the platform by the client hint, else by the user agent."""
    headers = list(headers)
    hints = headers_named(headers, b"sec-ch-ua-platform")
    if len(hints) == 1 and hints[0] in _HINTS:
        return _HINTS[hints[0]]
    agent = b" ".join(headers_named(headers, b"user-agent")).lower()
    return next((platform for sign, platform in _AGENTS if sign in agent), "other")
