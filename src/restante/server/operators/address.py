"""Where an operator's link leads."""

from ipaddress import ip_address

from restante.server.config import Settings

PATH = "/operator/link"


def operator_address(settings: Settings, link: str) -> str:
    """The address with the secret behind its #, which browsers do not send."""
    base = settings.origins[0] if settings.origins else f"http://{_host(settings.host)}:{settings.port}"
    return f"{base}{PATH}#{link}"


def _host(host: str) -> str:
    """On the machine itself `localhost`, since a passkey wants a name."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return "localhost" if address.is_loopback or address.is_unspecified else host
