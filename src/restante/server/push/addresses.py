"""Where the server may connect to when somebody else names the address.

[Note: Named by others] A push endpoint is whatever a client says. A server that connects there could be made to speak to its
own network: so every address of the name must be a public one, looked up when the endpoint is stored and again before each
delivery, and the connection goes to the very address that was looked at. Redirections are not followed.
"""

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

_NAT64 = ip_network("64:ff9b::/96")
_COMPATIBLE = ip_network("::/96")


class ForbiddenTarget(ValueError):
    """The address leads somewhere that the server does not connect to; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address that was looked at: connect to ``address``, and to nothing else."""

    scheme: str
    host: str
    port: int
    path: str
    address: str

    @property
    def origin(self) -> str:
        """Scheme, host and port as a URL writes them."""
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """Host and port, without the port that goes without saying."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"

    @property
    def pinned_url(self) -> str:
        """The URL with the address in place of the name."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{address}:{self.port}{self.path}"


async def look_up(url: str, *, private: bool) -> Target:
    """Finds where a URL leads; ``private`` allows http and addresses of one's own network. Raises ForbiddenTarget."""
    scheme, host, port, path = _split(url, private=private)
    addresses = await _addresses(host, port)
    if not private and not all(is_public(address) for address in addresses):
        raise ForbiddenTarget("an address that is not a public one")
    return Target(scheme, host, port, path, addresses[0])


def is_public(text: str) -> bool:
    """Tells whether an address is one of the open network, also where it carries another one inside."""
    address = ip_address(text.partition("%")[0])
    inner = _inside(address) if isinstance(address, IPv6Address) else None
    if inner is not None:
        return is_public(str(inner))
    return address.is_global and not address.is_multicast


def _inside(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour


def _split(url: str, *, private: bool) -> tuple[str, str, int, str]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ForbiddenTarget("not an address") from error
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise ForbiddenTarget("not https")
    if not host or "@" in parts.netloc or not url.isascii() or not url.isprintable() or " " in url:
        raise ForbiddenTarget("not an address")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path


async def _addresses(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ForbiddenTarget("a name that nobody knows") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
