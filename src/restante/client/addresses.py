"""Addresses that need no account: guest links, answers to come, answering pages (docs/protocol/links.md).

>>> read_address("https://post.example/@ann").name
'ann'
>>> read_address("https://post.example/m/answer#" + "A" * 43).link is None
True
"""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from restante.client.errors import GuestLinkMalformed
from restante.protocol.encoding import unb64
from restante.protocol.ids import Prefix, is_id
from restante.protocol.names import is_name

ANSWER = "answer"
"""Stands in an address for the id of a link that is not made yet."""
_PAGE = re.compile(r"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{22})\Z")


@dataclass(frozen=True, slots=True)
class LinkAddress:
    """A guest link; ``link`` is None while only its secret is known."""

    server: str
    link: str | None
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PageAddress:
    """An answering page; without a fragment there is neither fingerprint nor secret."""

    server: str
    name: str
    fp: str | None = None
    secret: bytes | None = field(default=None, repr=False)


def read_address(url: str) -> LinkAddress | PageAddress:
    """Reads an address. Raises GuestLinkMalformed."""
    parts = urlsplit(url.strip())
    server = f"{parts.scheme}://{parts.netloc}"
    path = unquote(parts.path)
    try:
        if path.startswith("/@") and is_name(path[2:]):
            return _page(server, path[2:], parts.fragment)
        if path.startswith("/m/"):
            link = path[len("/m/") :]
            if link == ANSWER or is_id(link, Prefix.LINK):
                secret = unb64(parts.fragment, size=32)
                return LinkAddress(server, None if link == ANSWER else link, secret)
    except ValueError as error:
        raise GuestLinkMalformed from error
    raise GuestLinkMalformed


def _page(server: str, name: str, fragment: str) -> PageAddress:
    if not fragment:
        return PageAddress(server, name)
    found = _PAGE.match(fragment)
    if found is None:
        raise GuestLinkMalformed
    return PageAddress(server, name, found[1], unb64(found[2], size=16))
