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
    client = client_of(peer_host, headers, trusted_proxies)
    if client is None:
        return "local"
    return str(ip_network((client, 24 if client.version == 4 else 48), strict=False))


def client_of(peer_host: str, headers: RawHeaders, trusted_proxies: Iterable[str]) -> Address | None:
    """The client's own address, as far as trusted proxies told it; None when the other end has none."""
    trusted = tuple(trusted_proxies)
    peer = _address(peer_host)
    if peer is None:
        return None
    forwarded = b",".join(headers_named(headers, b"x-forwarded-for")).decode("latin-1")
    for text in reversed(forwarded.split(",")):
        before = _address(text.strip())
        if before is None or not _is_within(peer, trusted):
            break
        peer = before
    return peer


def is_trusted(peer_host: str, trusted_proxies: Iterable[str]) -> bool:
    """Tells whether the connection's other end is a proxy whose headers are believed."""
    peer = _address(peer_host)
    return peer is not None and _is_within(peer, trusted_proxies)


def _is_within(peer: Address, networks: Iterable[str]) -> bool:
    return any(peer in ip_network(text, strict=False) for text in networks)


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
