"""Under which addresses this server is found, as far as it can know."""

from ipaddress import ip_address

from restante.server.certs import machine
from restante.server.config import Settings


def own_url(settings: Settings) -> str:
    """For whoever sits at this machine: with a name where there is one, since a passkey wants a name."""
    if settings.origins:
        return settings.origins[0]
    scheme = "http" if settings.tls == "off" else "https"
    return f"{scheme}://{_name_of(settings.host)}:{settings.port}"


def network_url(settings: Settings) -> str:
    """For telephones and whoever else is in the same network."""
    return f"https://{machine.seen_as()}:{settings.port}"


def doorstep_port(settings: Settings) -> int:
    """Of the page by which devices learn to trust this server."""
    return settings.ca_port or settings.port + 1


def doorstep_url(settings: Settings) -> str:
    """The page by which devices learn to trust this server; empty when they need not."""
    return f"http://{machine.seen_as()}:{doorstep_port(settings)}/" if settings.tls == "local" else ""


def _name_of(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return "localhost" if address.is_loopback or address.is_unspecified else machine.in_url(address)
