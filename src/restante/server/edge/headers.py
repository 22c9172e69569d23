"""Security headers of every response (docs/reference/headers.md)."""

from collections.abc import Mapping

_CSP = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_PERMISSIONS = "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=(), interest-cohort=()"

DEFAULTS: dict[bytes, bytes] = {
    b"content-security-policy": _CSP.encode(),
    b"strict-transport-security": b"max-age=31536000",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": _PERMISSIONS.encode(),
    b"cache-control": b"no-store",
}


UNPINNED = {key: value for key, value in DEFAULTS.items() if key != b"strict-transport-security"}
"""Of a server whose certificate is its own: a device that no longer trusts it must be able to get to the page that helps."""


def with_defaults(
    headers: list[tuple[bytes, bytes]], request_id: str, defaults: Mapping[bytes, bytes] = DEFAULTS
) -> list[tuple[bytes, bytes]]:
    """Adds what the response does not set itself."""
    present = {key.lower() for key, _ in headers}
    added = [(key, value) for key, value in defaults.items() if key not in present]
    return [*headers, *added, (b"x-request-id", request_id.encode())]
