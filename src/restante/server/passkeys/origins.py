"""Which address a passkey belongs to: the origin that a browser names, and its host as RP ID, exactly.

[Note: Exact host] Never a parent domain: every page below the RP ID may ask a passkey for the same secret.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from restante.server.asgi import RawHeaders, headers_named
from restante.server.errors import Refusal

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)*(?=[a-z0-9_-]*[a-z]){_LABEL}\Z")
"""The last label has a letter: what ends in a number is an address, however it is written (URL standard)."""


@dataclass(frozen=True, slots=True)
class Origin:
    """An address as browsers write it, `https://post.example`, and its host."""

    text: str
    rp_id: str


def origin_of(headers: RawHeaders, configured: Iterable[str]) -> Origin:
    """Reads where a browser says its page is from. Raises Refusal passkeys-unavailable unless passkeys are possible there.

    Without configured origins it is the address that the request was sent to.
    """
    named = headers_named(headers, b"origin")
    if len(named) != 1:
        raise Refusal("passkeys-unavailable")
    text = named[0].decode("latin-1")
    found, allowed = parse(text), list(configured)
    if found is None or (text not in allowed if allowed else _netloc(text) != host_of(headers)):
        raise Refusal("passkeys-unavailable")
    return found


def parse(text: str) -> Origin | None:
    """Reads an origin that may have passkeys: HTTPS on a domain, or localhost."""
    try:
        parts = urlsplit(text)
        rp_id, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    canonical = f"{parts.scheme}://{rp_id}" + (f":{port}" if port is not None else "")
    if text != canonical or not _DOMAIN.match(rp_id):
        return None
    return Origin(text, rp_id) if parts.scheme == "https" or _is_local(text) else None


def may_have_passkeys(headers: RawHeaders, configured: Iterable[str]) -> bool:
    """Tells whether a page at the address that was asked may have passkeys; its scheme the page knows itself."""
    return public_origin(headers, configured) is not None


def public_origin(headers: RawHeaders, configured: Iterable[str]) -> Origin | None:
    """Writes the address that was asked as an origin, if passkeys are possible there: HTTPS, but for localhost."""
    host, allowed = host_of(headers), list(configured)
    found = parse(f"http://{host}") or parse(f"https://{host}")
    if not allowed:
        return found
    return next((parse(text) for text in allowed if _netloc(text) == host), None)


def host_of(headers: RawHeaders) -> str:
    """The host and port that the request was sent to; empty when it does not say so clearly."""
    hosts = headers_named(headers, b"host")
    return hosts[0].decode("latin-1").lower() if len(hosts) == 1 else ""


def _netloc(text: str) -> str:
    return text.partition("://")[2]


def _is_local(text: str) -> bool:
    parts = urlsplit(text)
    host = parts.hostname or ""
    return parts.scheme == "http" and (host == "localhost" or host.endswith(".localhost"))
