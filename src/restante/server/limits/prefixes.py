"""Whose request it is, as far as limits care: the network that it comes from, /24 of IPv4 and /48 of IPv6."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from restante.server.asgi import RawHeaders, Scope, headers_named

Address = IPv4Address | IPv6Address


def prefix_of_request(scope: Scope, trusted_proxies: Iterable[str]) -> str:
    """Names the network that a request comes from."""
    client = scope.get("client")
    return prefix_of(client[0] if client else "", scope["headers"], trusted_proxies)


def prefix_of(peer_host: str, headers: RawHeaders, trusted_proxies: Iterable[str]) -> str:
    """Names the network of the client; X-Forwarded-For counts only as far as trusted proxies wrote it.

    ``peer_host`` is the address of the connection's other end; what is no address (a socket file) is `local`.
    """
    trusted = [ip_network(text, strict=False) for text in trusted_proxies]
    peer = _address(peer_host)
    if peer is None:
        return "local"
    forwarded = b",".join(headers_named(headers, b"x-forwarded-for")).decode("latin-1")
    for text in reversed(forwarded.split(",")):
        before = _address(text.strip())
        if before is None or not any(peer in network for network in trusted):
            break
        peer = before
    return str(ip_network((peer, 24 if peer.version == 4 else 48), strict=False))


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
