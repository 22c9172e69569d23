"""What this machine is called, and where others of its network find it."""

import contextlib
import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

Address = IPv4Address | IPv6Address
LOOPBACK: tuple[Address, ...] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses of documentation (RFC 5737, RFC 3849): nothing is sent there, the system only chooses a way."""


def host_names() -> list[str]:
    """`localhost`, and the machine's own name, alone and as its network announces it."""
    own = socket.gethostname().lower().partition(".")[0]
    return ["localhost", own, f"{own}.local"] if _LABEL.match(own) and own != "localhost" else ["localhost"]


def addresses() -> list[Address]:
    """The address that this machine shows to its network, first, and those of its name; loopback not among them."""
    found: list[Address] = []
    for family, elsewhere in _ELSEWHERE:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            found.append(ip_address(probe.getsockname()[0]))
    with contextlib.suppress(OSError):
        named = socket.getaddrinfo(socket.gethostname(), None, proto=socket.IPPROTO_TCP)
        found += [ip_address(str(entry[4][0]).partition("%")[0]) for entry in named]
    return list(dict.fromkeys(address for address in found if not address.is_loopback))


def seen_as() -> str:
    """How others of the network write this machine; `127.0.0.1` when there is no network."""
    found = addresses()
    return in_url(found[0]) if found else "127.0.0.1"


def in_url(address: Address) -> str:
    """An address as it stands in a URL."""
    return f"[{address}]" if address.version == 6 else str(address)
